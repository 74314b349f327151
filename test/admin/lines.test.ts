/** Lines of kmipctl that the documents show, and the rows' own examples, name commands and flags that are there. */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { commands } from '#admin/api'
import { flagOf } from '#admin/command'

const root = dirname(dirname(import.meta.dirname))

/** Flags that every line has. */
const everywhere = ['json', 'configfile', 'url', 'socket', 'help']

/** Lines of a text: in blocks, and in backquotes where they have a flag. */
const linesOf = (text: string): readonly string[] => [
  ...[...text.matchAll(/^ {4}(?:\$ )?(?:npx )?kmipctl ([a-z].*?)(?: >\S+| {2,}#.*| &&.*)?$/gm)].map(
    ([, line = '']) => line,
  ),
  ...[...text.matchAll(/`kmipctl ([a-z][^`]*)`/g)].map(([, line = '']) => line),
]

/** What kmipctl has beside the rows. */
const ownLines = ['completion']

const wrongOf = (line: string): string | undefined => {
  if (ownLines.includes(line)) return undefined
  // A word in quotes is one word; what it says does not matter here.
  const words = line.replaceAll(/"[^"]*"|'[^']*'/g, 'WORD').split(/\s+/)
  const row = commands.find(({ verbs }) => verbs.every((verb, index) => words[index] === verb))
  if (row === undefined) return `no command: ${line}`
  const known = new Set([
    ...everywhere,
    ...Object.entries(row.parameters).flatMap(([name, form]) => [flagOf(name, form), form.short]),
    ...Object.values(row.outFiles ?? {}).flatMap(({ flag, short }) => [flag, short]),
  ])
  const flags = words.filter((word) => /^--?[a-zA-Z]/.test(word)).map((word) => word.replace(/^--?/, ''))
  const unknown = flags.filter((flag) => !known.has(flag))
  return unknown.length === 0 ? undefined : `no flag ${unknown.join(', ')}: ${line}`
}

test('every line of kmipctl in the documents is one of ours', () => {
  const documents = [
    'README.md',
    ...readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.md'))
      .map((name) => `docs/${name}`),
  ]
  const lines = documents.flatMap((path) =>
    linesOf(readFileSync(join(root, path), 'utf8')).map((line) => ({ path, line })),
  )
  assert.ok(lines.length > 20)
  const wrong = lines.flatMap(({ path, line }) => {
    const found = wrongOf(line)
    return found === undefined ? [] : [`${path}: ${found}`]
  })
  assert.deepEqual(wrong, [])
})

test('every example is a line of its row', () => {
  const wrong = commands.flatMap(({ verbs, example }) => {
    const found = example.startsWith(`${verbs.join(' ')} `) || example === verbs.join(' ') ? wrongOf(example) : example
    return found === undefined ? [] : [found]
  })
  assert.deepEqual(wrong, [])
})

test('every remedy that shows a line shows one of ours', () => {
  const files = ['src/identity', 'src/admin', 'src/server'].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .map((name) => join(root, folder, name)),
  )
  const wrong = files.flatMap((path) =>
    [
      ...readFileSync(path, 'utf8').matchAll(
        /kmipctl ((?:ca|kmip|clientmgmt|interfaces|users|tokens|connections|keys|logs|licences|domains|groups) [^'`)$.]*)/g,
      ),
    ].flatMap(([, line = '']) => wrongOf(line.trim()) ?? []),
  )
  assert.deepEqual(wrong, [])
})
