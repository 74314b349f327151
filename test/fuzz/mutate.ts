/**
 * Faulty messages out of good ones, from a seed. What it is: changes of bytes, of item headers and of the tree of items. What
 * it is not: a codec; it has its own small reading of TTLV (KMIP 1.4 §9.1.1), so that a fault of the codec stays visible.
 */
import { type SeededRandom, seededRandom } from '#test/seeded-random'

const headerSize = 8
const structureType = 1

/** An item as it stands: a structure has children, any other item bytes of a value, which need not fit its type. */
interface Node {
  tag: number
  type: number
  children: Node[] | undefined
  value: Buffer
}

type Change = (random: SeededRandom, message: Buffer, corpus: readonly Buffer[]) => Buffer

/**
 * Messages without end: each is one of the corpus, changed once or a few times; some are left as they are.
 * @param seed equal seeds and corpora give equal messages
 * @param corpus whole, valid messages
 */
export function* mutations(seed: number, corpus: readonly Buffer[]): Generator<Buffer, never> {
  const random = seededRandom(seed)
  for (;;) {
    let message = random.pick(corpus)
    if (random.below(20) === 0) yield message
    else {
      const times = 1 + (random.below(3) === 0 ? random.below(4) : 0)
      for (let time = 0; time < times && message.length >= headerSize; time += 1) {
        message = random.pick(changes)(random, message, corpus)
      }
      if (message.length > 0) yield message
    }
  }
}

const interestingLengths = [0, 1, 4, 7, 8, 9, 16, 0xff, 0xffff, 0x7fff_ffff, 0x8000_0000, 0xffff_fff8, 0xffff_ffff]
const interestingTexts = [
  '',
  ' ',
  '\0',
  'x-',
  'x-y',
  '__proto__',
  'constructor',
  'toString',
  'State',
  'Name',
  'y-vendor',
  '\u202e\u0000\uffff',
  '😀'.repeat(50),
  'a'.repeat(5000),
  "'; DROP TABLE objects; --",
  '../../etc/passwd',
]
const interestingNumbers = [0, 1, 2, 0x7f, 0xff, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff]

const flipBits: Change = (random, message) => {
  const changed = Buffer.from(message)
  for (let count = 1 + random.below(4); count > 0 && changed.length > 0; count -= 1) {
    const at = offset(random, changed)
    changed[at] = (changed[at] ?? 0) ^ (1 << random.below(8))
  }
  return changed
}

const setBytes: Change = (random, message) => {
  const changed = Buffer.from(message)
  const at = offset(random, changed)
  random.bytes(1 + random.below(8)).copy(changed, at)
  return changed
}

/** Cut off, as if the peer had gone in the middle. */
const cut: Change = (random, message) => message.subarray(0, random.below(message.length))

/** Cut off, with an outer length that says so: a whole message whose inside is broken. */
const cutAndMend: Change = (random, message) => mendLength(cut(random, message, []))

const insert: Change = (random, message) => {
  const at = offset(random, message)
  return mendLength(Buffer.concat([message.subarray(0, at), random.bytes(8 * random.below(5)), message.subarray(at)]))
}

const remove: Change = (random, message) => {
  const at = offset(random, message)
  return mendLength(Buffer.concat([message.subarray(0, at), message.subarray(at + 8 * random.below(5))]))
}

const append: Change = (random, message) => Buffer.concat([message, random.bytes(1 + random.below(24))])

const splice: Change = (random, message, corpus) => {
  const other = corpus.length === 0 ? message : random.pick(corpus)
  const [here, there] = [offset(random, message), offset(random, other)]
  return mendLength(Buffer.concat([message.subarray(0, here), other.subarray(there)]))
}

/** The length of one item, anywhere, is made another. */
const changeLength: Change = (random, message) => {
  const changed = Buffer.from(message)
  const at = random.pick(headersOf(message))
  const length = changed.readUInt32BE(at + 4)
  const near = [length - 8, length - 1, length + 1, length + 8].filter((value) => value >= 0)
  changed.writeUInt32BE(random.pick([...interestingLengths, ...near]) >>> 0, at + 4)
  return changed
}

const changeType: Change = (random, message) => {
  const changed = Buffer.from(message)
  changed[random.pick(headersOf(message)) + 3] = random.pick([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 0x7f, 0xff])
  return changed
}

/** One item takes the tag of another, or one that nothing has. */
const changeTag: Change = (random, message) => {
  const changed = Buffer.from(message)
  const headers = headersOf(message)
  const source = random.pick(headers)
  const tag = random.below(4) === 0 ? 0x42_0000 + random.below(0x200) : message.readUIntBE(source, 3)
  changed.writeUIntBE(tag, random.pick(headers), 3)
  return changed
}

/** A change of the tree: all lengths are right again afterwards. */
const onTree =
  (change: (random: SeededRandom, root: Node) => void): Change =>
  (random, message) => {
    const root = parse(message)
    if (root === undefined) return flipBits(random, message, [])
    change(random, root)
    return encode(root)
  }

const structures = (root: Node): Node[] => everyNode(root).filter((node) => (node.children?.length ?? 0) > 0)

const withChildren = (random: SeededRandom, root: Node, change: (children: Node[], at: number) => void): void => {
  const parents = structures(root)
  if (parents.length === 0) return
  const children = random.pick(parents).children ?? []
  change(children, random.below(children.length))
}

const dropItem = onTree((random, root) => withChildren(random, root, (children, at) => void children.splice(at, 1)))

const repeatItem = onTree((random, root) =>
  withChildren(random, root, (children, at) => {
    const times = random.below(20) === 0 ? 300 : 1 + random.below(3)
    const item = children[at]
    if (item !== undefined) children.splice(at, 0, ...Array.from({ length: times }, () => item))
  }),
)

const swapItems = onTree((random, root) =>
  withChildren(random, root, (children, at) => {
    const [item] = children.splice(at, 1)
    if (item !== undefined) children.splice(random.below(children.length + 1), 0, item)
  }),
)

/** An item from elsewhere in the message, put where it does not belong. */
const strayItem = onTree((random, root) => {
  // A copy: an item put into itself would have no end.
  const stray = copyOf(random.pick(everyNode(root)))
  withChildren(random, root, (children, at) => void children.splice(at, 0, stray))
})

/** An item within structures within structures. */
const bury = onTree((random, root) =>
  withChildren(random, root, (children, at) => {
    let item = children[at]
    if (item === undefined) return
    const depth = 1 + random.below(100)
    for (let level = 0; level < depth; level += 1) {
      item = { tag: item.tag, type: structureType, children: [item], value: Buffer.alloc(0) }
    }
    children[at] = item
  }),
)

const changeValue = onTree((random, root) => {
  const leaves = everyNode(root).filter((node) => node.children === undefined)
  if (leaves.length === 0) return
  const leaf = random.pick(leaves)
  leaf.value = otherValue(random, leaf)
})

/** A value of the right type that may mean nothing, or far too much. */
const otherValue = (random: SeededRandom, { type, value }: Node): Buffer => {
  if (type === 7) {
    if (random.below(8) === 0) return random.bytes(1 + random.below(32))
    return Buffer.from(random.pick(interestingTexts))
  }
  if (type === 8) return random.bytes(random.pick([0, 1, 7, 8, 15, 16, 17, 32, 100, 4096]))
  if (type === 4) return random.bytes(8 * (1 + random.below(80)))
  const changed = Buffer.alloc(Math.max(4, value.length))
  const number = random.below(4) === 0 ? random.below(0x1_0000_0000) : random.pick(interestingNumbers)
  changed.writeUInt32BE(number >>> 0, changed.length - 4)
  if (changed.length === 8 && random.below(2) === 0) changed.writeUInt32BE(random.pick(interestingNumbers) >>> 0, 0)
  return changed
}

// Those that keep the framing stand twice: what is behind the first header is where most of the code is.
const changes: readonly Change[] = [
  flipBits,
  setBytes,
  cut,
  cutAndMend,
  cutAndMend,
  insert,
  remove,
  append,
  splice,
  changeLength,
  changeLength,
  changeType,
  changeType,
  changeTag,
  changeTag,
  dropItem,
  dropItem,
  repeatItem,
  repeatItem,
  swapItems,
  swapItems,
  strayItem,
  strayItem,
  changeValue,
  changeValue,
  changeValue,
  changeValue,
  bury,
]

/** Places beyond the first header are the rule: what loses the framing ends the session, and is soon seen. */
const offset = (random: SeededRandom, message: Buffer): number => {
  const whole = random.below(12) === 0 || message.length <= headerSize
  return whole ? random.below(message.length) : headerSize + random.below(message.length - headerSize)
}

/** Makes the outer length that of the bytes, as far as a whole number of blocks goes. */
const mendLength = (message: Buffer): Buffer => {
  if (message.length < headerSize) return message
  const padded = Buffer.alloc(headerSize + Math.ceil((message.length - headerSize) / 8) * 8)
  message.copy(padded)
  padded.writeUInt32BE(padded.length - headerSize, 4)
  return padded
}

/** Where item headers stand, as far as the message can be read; at least the first. */
const headersOf = (message: Buffer): readonly number[] => {
  const found: number[] = []
  let at = 0
  while (at + headerSize <= message.length) {
    found.push(at)
    const isStructure = message[at + 3] === structureType
    at += headerSize + (isStructure ? 0 : Math.ceil(message.readUInt32BE(at + 4) / 8) * 8)
  }
  return found.length === 0 || message.length < headerSize ? [0] : found
}

const everyNode = (root: Node): Node[] => [root, ...(root.children ?? []).flatMap(everyNode)]

const copyOf = (node: Node): Node => ({ ...node, children: node.children?.map(copyOf) })

/** The tree of a message, or undefined for bytes that have none. */
const parse = (message: Buffer): Node | undefined => {
  const items = parseItems(message, 0, message.length)
  return items?.length === 1 ? items[0] : undefined
}

const parseItems = (message: Buffer, start: number, end: number): Node[] | undefined => {
  const items: Node[] = []
  let at = start
  while (at < end) {
    if (at + headerSize > end) return undefined
    const type = message[at + 3] ?? 0
    const length = message.readUInt32BE(at + 4)
    const from = at + headerSize
    if (from + length > end) return undefined
    const children = type === structureType ? parseItems(message, from, from + length) : undefined
    if (type === structureType && children === undefined) return undefined
    items.push({ tag: message.readUIntBE(at, 3), type, children, value: message.subarray(from, from + length) })
    at = from + Math.ceil(length / 8) * 8
  }
  return items
}

const encode = ({ tag, type, children, value }: Node): Buffer => {
  const body = children === undefined ? value : Buffer.concat(children.map(encode))
  const encoded = Buffer.alloc(headerSize + Math.ceil(body.length / 8) * 8)
  encoded.writeUIntBE(tag, 0, 3)
  encoded[3] = type
  encoded.writeUInt32BE(body.length, 4)
  body.copy(encoded, headerSize)
  return encoded
}
