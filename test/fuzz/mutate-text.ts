/**
 * Faulty texts out of good ones, from a seed, for XML and JSON. What it is: changes of characters, of spans and of what both
 * languages find special. What it is not: a parser; the texts are looked at as texts.
 */
import { type SeededRandom, seededRandom } from '#test/seeded-random'

type Change = (random: SeededRandom, text: string, corpus: readonly string[]) => string

const special = [
  '<',
  '>',
  '/>',
  '"',
  "'",
  '&',
  '&amp;',
  '&#0;',
  '&#x110000;',
  '&lol;',
  '<!DOCTYPE a [<!ENTITY lol "lol"><!ENTITY lol2 "&lol;&lol;">]>',
  '<!ENTITY x SYSTEM "file:///etc/passwd">',
  '<![CDATA[',
  ']]>',
  '<!--',
  '-->',
  '<?xml version="1.1"?>',
  ' xmlns:a="b" a:type="Integer"',
  '{',
  '}',
  '[',
  ']',
  ',',
  ':',
  '\\',
  '\\u0000',
  '\\ud800',
  '{"tag":"__proto__","value":[]}',
  '"__proto__":',
  '"constructor"',
  'null',
  'true',
  '1e999',
  '-0',
  '0x',
  '0xffffffffffffffffff',
  '9'.repeat(400),
  '\0',
  '\ufeff',
  '\u202e',
  '😀',
  '2038-01-19T03:14:08+99:00',
  '1'.repeat(30),
]

const place = (random: SeededRandom, text: string): number => random.below(text.length + 1)

const span = (random: SeededRandom, text: string): readonly [number, number] => {
  const from = place(random, text)
  return [from, Math.min(text.length, from + 1 + random.below(random.pick([4, 40, 400])))]
}

const put: Change = (random, text) => {
  const at = place(random, text)
  return text.slice(0, at) + random.pick(special) + text.slice(at)
}

const overwrite: Change = (random, text) => {
  const [from, to] = span(random, text)
  return text.slice(0, from) + random.pick(special) + text.slice(to)
}

const remove: Change = (random, text) => {
  const [from, to] = span(random, text)
  return text.slice(0, from) + text.slice(to)
}

const repeat: Change = (random, text) => {
  const [from, to] = span(random, text)
  const times = random.below(30) === 0 ? 60 : 1 + random.below(3)
  return text.slice(0, from) + text.slice(from, to).repeat(times + 1) + text.slice(to)
}

const move: Change = (random, text) => {
  const [from, to] = span(random, text)
  const without = text.slice(0, from) + text.slice(to)
  const at = place(random, without)
  return without.slice(0, at) + text.slice(from, to) + without.slice(at)
}

const cut: Change = (random, text) => text.slice(0, place(random, text))

const splice: Change = (random, text, corpus) => {
  const other = random.pick(corpus)
  return text.slice(0, place(random, text)) + other.slice(place(random, other))
}

const character: Change = (random, text) => {
  const at = place(random, text)
  return text.slice(0, at) + String.fromCharCode(random.below(random.pick([128, 0x1_0000]))) + text.slice(at + 1)
}

/** The value of one item is that of another. */
const swapValues: Change = (random, text) => {
  const values = [...text.matchAll(/"value"\s*:\s*("[^"]*"|\d+)|value="[^"]*"/g)]
  if (values.length < 2) return put(random, text, [])
  const [here, there] = [random.pick(values), random.pick(values)]
  return text.slice(0, here.index) + there[0] + text.slice(here.index + here[0].length)
}

const deepen: Change = (random, text) => {
  const depth = 1 + random.below(200)
  const [open, close] = text.startsWith('<') ? ['<Attribute>', '</Attribute>'] : ['{"tag":"Attribute","value":[', ']}']
  const at = place(random, text)
  return text.slice(0, at) + open.repeat(depth) + close.repeat(depth) + text.slice(at)
}

const changes = [
  put,
  overwrite,
  remove,
  repeat,
  move,
  cut,
  splice,
  character,
  character,
  swapValues,
  swapValues,
  deepen,
]

/** Texts without end: equal seeds and corpora give equal texts. Some are left as they are. */
export function* textMutations(seed: number, corpus: readonly string[]): Generator<string, never> {
  const random = seededRandom(seed)
  for (;;) {
    let text = random.pick(corpus)
    const times = random.below(20) === 0 ? 0 : 1 + (random.below(3) === 0 ? random.below(4) : 0)
    for (let time = 0; time < times && text.length > 0; time += 1) text = random.pick(changes)(random, text, corpus)
    yield text
  }
}
