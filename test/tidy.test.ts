/** The repository keeps its own rules, and each rule finds samples that break it. The rules: `tidy/rules.ts`. */
import assert from 'node:assert/strict'
import { dirname } from 'node:path'
import { describe, test } from 'node:test'
import { rooms } from '#test/tidy/layout'
import { circle, rules } from '#test/tidy/rules'
import { readRepository, referencesOf, repositoryOf, withoutComments } from '#test/tidy/source'

describe('the repository', () => {
  const repository = readRepository(dirname(import.meta.dirname))
  for (const { name, breaches } of rules) {
    test(name, () => {
      const lines = breaches(repository).map(({ path, line, text }) => `${path}:${line}: ${text}`)
      assert.equal(lines.join('\n'), '')
    })
  }

  test('the rooms have no circle', () => {
    assert.deepEqual(circle(rooms), [])
  })
})

const head = '/** A sample: what it is, what it is not. */\n'
const activate = (name = 'Activate', section = '4.19'): string =>
  `/** Activate. KMIP 1.4 §4.19 */\nexport const activate = operation({\n  name: '${name}',\n  section: '${section}',\n})\n`
const registered = {
  'src/operations/activate.ts': activate(),
  'src/operations/index.ts': "import { activate } from './activate.ts'\nexport const operations = [activate]\n",
  'src/kmip/payloads/activate.ts': 'export const request = 1\n',
  'src/kmip/payloads/index.ts':
    "import * as activate from './activate.ts'\nexport const payloads = { Activate: activate, }\n",
}
const manifest = (dependencies: Readonly<Record<string, string>>): string => JSON.stringify({ dependencies })

interface Sample {
  readonly rule: string
  readonly what: string
  readonly texts: Readonly<Record<string, string>>
  /** Path and line of each breach; none for a sample that keeps the rule. */
  readonly broken: readonly string[]
}

const sample = (rule: string, what: string, texts: Readonly<Record<string, string>>, ...broken: string[]): Sample => ({
  rule,
  what,
  texts,
  broken,
})

const samples: readonly Sample[] = [
  sample('import directions', 'up the table', { 'src/ttlv/a.ts': "import { b } from '#kmip/b'\n" }, 'src/ttlv/a.ts:1'),
  sample(
    'import directions',
    'a type',
    { 'src/kmip/a.ts': "\nimport type {\n  B,\n} from '#store/b'\n" },
    'src/kmip/a.ts:4',
  ),
  sample('import directions', 'at run time', { 'src/kmip/a.ts': "await import('#store/b')\n" }, 'src/kmip/a.ts:1'),
  sample(
    'import directions',
    'a backend',
    { 'src/operations/a.ts': "import '#store/lmdb/open'\n" },
    'src/operations/a.ts:1',
  ),
  sample('import directions', 'the way round', { 'src/ttlv/a.ts': "export * from '#src/kmip/b'\n" }, 'src/ttlv/a.ts:1'),
  sample('import directions', 'a package', { 'src/server/a.ts': "import { open } from 'lmdb'\n" }, 'src/server/a.ts:1'),
  sample('import directions', 'a new folder', { 'src/other/a.ts': 'export {}\n' }, 'src/other/a.ts:1'),
  sample(
    'import directions',
    'a server in a black box',
    { 'conformance/a.ts': "import '#server/b'\n" },
    'conformance/a.ts:1',
  ),
  sample('import directions', 'allowed ones', {
    'src/operations/a.ts': "import { x } from '#store/store'\nimport { readFile } from 'node:fs'\nimport './b.ts'\n",
    'src/store/lmdb/a.ts': "import { open } from 'lmdb'\nimport { y } from '#store/store'\n",
    'src/kmipd-process.ts': "import { z } from './serve.ts'\n",
    'test/a.test.ts': "import { w } from '#server/b'\n",
    'src/crypto/a.ts': "const bytes = Buffer.from('kmip')\nconst path = 'src/store/b.ts'\n// import '#store/b'\n",
  }),
  sample(
    'a header on every file',
    'none',
    { 'src/kmip/a.ts': 'export {}\n', 'src/kmip/b.ts': '/** b */\n' },
    'src/kmip/a.ts:1',
    'src/kmip/b.ts:1',
  ),
  sample('a header on every file', 'one', { 'src/main.ts': `#!/usr/bin/env node\n${head}`, 'src/kmip/a.ts': head }),
  sample(
    'a section on every operation',
    'another one',
    { 'src/operations/activate.ts': activate('Activate', '4.20') },
    'src/operations/activate.ts:1',
  ),
  sample(
    'a section on every operation',
    'none',
    { 'src/operations/a.ts': `${head}export const a = operation({\n  name: 'A',\n})\n` },
    'src/operations/a.ts:1',
  ),
  sample('a section on every operation', 'the same', registered),
  sample(
    'what is confined to named files',
    'clock',
    { 'src/kmip/a.ts': 'Date.now()\nnew Date()\n' },
    'src/kmip/a.ts:1',
    'src/kmip/a.ts:2',
  ),
  sample('what is confined to named files', 'timer', { 'src/server/a.ts': 'setTimeout(f, 1)\n' }, 'src/server/a.ts:1'),
  sample('what is confined to named files', 'luck', { 'test/a.test.ts': 'Math.random()\n' }, 'test/a.test.ts:1'),
  sample('what is confined to named files', 'key bytes', { 'src/store/a.ts': 'randomBytes(16)\n' }, 'src/store/a.ts:1'),
  sample('what is confined to named files', 'environment', { 'src/store/a.ts': 'process.env\n' }, 'src/store/a.ts:1'),
  sample('what is confined to named files', 'network', { 'src/kmip/a.ts': "import 'node:tls'\n" }, 'src/kmip/a.ts:1'),
  sample(
    'what is confined to named files',
    'files',
    { 'src/kmip/a.ts': "import 'node:fs/promises'\n" },
    'src/kmip/a.ts:1',
  ),
  sample(
    'what is confined to named files',
    'threads',
    { 'src/kmip/a.ts': "import 'node:worker_threads'\n" },
    'src/kmip/a.ts:1',
  ),
  sample(
    'what is confined to named files',
    'an Error',
    { 'src/objects/a.ts': "throw new Error('a')\n" },
    'src/objects/a.ts:1',
  ),
  sample(
    'what is confined to named files',
    'upwards',
    { 'test/a.ts': "import '../b.ts'\nnew URL(`../b`, c)\n", 'src/kmip/a.ts': "new URL('../b', c)\n" },
    'test/a.ts:1',
    'src/kmip/a.ts:1',
  ),
  sample(
    'what is confined to named files',
    'versions',
    {
      'src/operations/a.ts':
        'if (context.version >= row.since) f()\n\nif (x < v1_2 || y === newestVersion) f()\nif (1 < version) f()\n',
    },
    'src/operations/a.ts:1',
    'src/operations/a.ts:3',
    'src/operations/a.ts:4',
  ),
  sample('what is confined to named files', 'named files and mere words', {
    'src/actor/clock.ts': 'Date.now()\n',
    'src/config.ts': 'const randomBytesMax = 1 // Date.now()\n',
    'src/server/a.ts': "throw new Error('a')\nconst newer = (version: Version) => version % 100\n",
    'bench/micro/a.ts': 'performance.now()\n',
    'test/a.test.ts': "setTimeout(f, 1)\nconst path = '../../etc/passwd'\n",
  }),
  sample(
    'file names',
    'banned',
    { 'src/kmip/utils.ts': head, 'src/common/a.ts': head },
    'src/kmip/utils.ts:1',
    'src/common/a.ts:1',
  ),
  sample('file names', 'good', { 'src/objects/lifecycle.ts': head, 'src/kmip/type-names.ts': head }),
  sample(
    'nothing unfinished, skipped or evaded',
    'a promise',
    { 'src/kmip/a.ts': '// TODO: later\n', Dockerfile: '# FIXME\n' },
    'src/kmip/a.ts:1',
    'Dockerfile:1',
  ),
  sample(
    'nothing unfinished, skipped or evaded',
    'a skipped test',
    { 'test/a.test.ts': "test.skip('a')\ntest('b', { only: true })\ntest('c', { skip: 'no' })\nt.todo('d')\n" },
    'test/a.test.ts:1',
    'test/a.test.ts:2',
    'test/a.test.ts:4',
    'test/a.test.ts:3',
  ),
  sample(
    'nothing unfinished, skipped or evaded',
    'a type',
    { 'src/kmip/a.ts': '// @ts-ignore\nf(a as any)\n' },
    'src/kmip/a.ts:1',
    'src/kmip/a.ts:2',
  ),
  sample('nothing unfinished, skipped or evaded', 'others', {
    'src/ttlv/a.ts': "reader.skip()\nconst any = 'only'\n",
    'A.md': 'No TODO.\n',
  }),
  sample(
    'sizes',
    'too long',
    { 'src/kmip/a.ts': '\n'.repeat(601), 'workers/a.ts': '\n'.repeat(41) },
    'src/kmip/a.ts:600',
    'workers/a.ts:40',
  ),
  sample('sizes', 'long tables', { 'src/kmip/tags.ts': '\n'.repeat(2000), 'src/kmip/a.ts': '\n'.repeat(600) }),
  sample(
    'no file that nothing uses',
    'used by tests, by each other, by nothing',
    {
      'src/main.ts': "import './serve.ts'\n",
      'src/serve.ts': "import '#kmip/a'\n",
      'src/kmip/a.ts': '',
      'src/kmip/tested.ts': '',
      'src/kmip/one.ts': "import './other.ts'\n",
      'src/kmip/other.ts': "import './one.ts'\n",
      'test/a.test.ts': "import '#kmip/tested'\nimport './b.ts'\n",
      'test/b.ts': "join(import.meta.dirname, 'child.ts')\n",
      'test/child.ts': '',
      'test/lost.ts': '',
    },
    'src/kmip/tested.ts:1',
    'src/kmip/one.ts:1',
    'src/kmip/other.ts:1',
    'test/lost.ts:1',
  ),
  sample(
    'an operation is a row',
    'named elsewhere',
    {
      ...registered,
      'src/server/a.ts': "if (name === 'Activate') f()\n\nif (code === Operation.Activate) f()\n",
      'src/server/b.ts': "import { activate } from '#operations/activate'\n",
    },
    'src/server/a.ts:1',
    'src/server/a.ts:3',
    'src/server/b.ts:1',
  ),
  sample('an operation is a row', 'named on its row', { ...registered, 'bench/a.ts': "'Activate'\n" }),
  sample('operation, payload and the two indexes', 'all four', registered),
  sample(
    'operation, payload and the two indexes',
    'not in the indexes',
    { ...registered, 'src/operations/index.ts': '', 'src/kmip/payloads/index.ts': '' },
    'src/operations/activate.ts:1',
    'src/operations/activate.ts:1',
  ),
  sample(
    'operation, payload and the two indexes',
    'a payload alone',
    { ...registered, 'src/kmip/payloads/get.ts': '' },
    'src/kmip/payloads/get.ts:1',
  ),
  sample(
    'operation, payload and the two indexes',
    'another name',
    { ...registered, 'src/operations/activate.ts': activate('RNGRetrieve') },
    'src/operations/activate.ts:1',
    'src/operations/activate.ts:1',
  ),
  sample(
    'no place of one machine, no unknown host',
    'places',
    { 'A.md': 'See https://somewhere.invented.org/x\nand /root/kmipd\n', '.npmrc': 'registry.invented.org\n' },
    'A.md:1',
    'A.md:2',
    '.npmrc:1',
  ),
  sample('no place of one machine, no unknown host', 'none', {
    'A.md': 'http://www.apache.org/licenses, https://kms.example:9443, network/worker, /var/lib/kmipd, registry.json\n',
    'conformance/cases/a.xml': 'https://docs.invented.org\n',
  }),
  sample(
    'dependencies are explained',
    'one too few, one too many, one not exact',
    {
      'package.json': manifest({ a: '1.0.0', b: '^1.0.0' }),
      'docs/dependencies.md': '## Runtime\n\n| `b` | x |\n| `c` | x |\n',
    },
    'docs/dependencies.md:1',
    'docs/dependencies.md:1',
    'package.json:1',
  ),
  sample('dependencies are explained', 'all', {
    'package.json': manifest({ a: '1.0.0', b: '1.0.0' }),
    'docs/dependencies.md': '## Runtime\n\n| `a` `b` | `not this` |\n',
  }),
  sample(
    'a hot file is measured',
    'without a suite, and with one that nothing runs',
    {
      'src/ttlv/a.ts': '/** A: what it is, what it is not. @hot */\n',
      'src/ttlv/b.ts': '/** B: what it is, what it is not. @hot */\n',
      'bench/micro/b.ts': head,
      'bench/micro/main.ts': head,
    },
    'src/ttlv/a.ts:1',
    'src/ttlv/b.ts:1',
  ),
  sample('a hot file is measured', 'one that is, and a mere word', {
    'src/ttlv/a.ts': '/** A: what it is, what it is not. @hot */\n',
    'src/ttlv/b.ts': `${head}// @hot\n`,
    'bench/micro/a.ts': head,
    'bench/micro/main.ts': `${head}await import('./a.ts')\n`,
  }),
]

describe('the rules', () => {
  for (const { rule, what, texts, broken } of samples) {
    test(`${rule}: ${what}`, () => {
      const found = rules.find(({ name }) => name === rule)?.breaches(repositoryOf(texts))
      assert.deepEqual(
        found?.map(({ path, line }) => `${path}:${line}`),
        broken,
      )
    })
  }

  test('no exception without need: an exception for a file that does not need it', () => {
    const found = rules.find(({ name }) => name === 'no exception without need')?.breaches(repositoryOf({}))
    assert.ok(found?.some(({ text }) => text === 'src/actor/clock.ts needs no exception for reading the clock'))
  })

  test('every rule has a sample that breaks it', () => {
    // These two read the tables of layout.ts alone.
    const ofTables = ['no exception without need', 'commands and threads are imported by nothing']
    const broken = new Set([...ofTables, ...samples.filter((row) => row.broken.length > 0).map((row) => row.rule)])
    assert.deepEqual(
      rules.map(({ name }) => name).filter((name) => !broken.has(name)),
      [],
    )
  })

  test('a circle of rooms is found', () => {
    const room = (...imports: string[]) => ({ imports, packages: [] })
    assert.deepEqual(circle({ a: room('b'), b: room('c/file'), c: room('b') }), ['b', 'c', 'b'])
    assert.deepEqual(circle({ a: room('b', 'c'), b: room('c'), c: room() }), [])
  })
})

describe('code without comments', () => {
  const texts: readonly (readonly [string, string])[] = [
    ['a // b\nc', 'a     \nc'],
    ['a /* b\n */ c', 'a     \n    c'],
    ["'// a' // b", "'// a'     "],
    ['`// ${a /* b */} //` // c', '`// ${a        } //`     '],
    ['`${`${{ a }} //`} //` // b', '`${`${{ a }} //`} //`     '],
    ["x = /[/'\"]\\/\\/'/g // a", "x = /[/'\"]\\/\\/'/g     "],
    ["a / b / 'c' // d", "a / b / 'c'     "],
    ['"\\" // a" // b', '"\\" // a"     '],
  ]
  for (const [text, code] of texts) {
    test(JSON.stringify(text), () => assert.equal(withoutComments(text), code))
  }

  test('what a file refers to', () => {
    const text = [
      "import type { A } from './a.ts'",
      "export * from '#kmip/b'",
      "import c, { d } from 'package/part'",
      "import.meta.resolve('#src/e')",
      'new URL(`./f.ts`, import.meta.url)',
    ].join('\n')
    const file = repositoryOf({ 'src/ttlv/x.ts': text }).get('src/ttlv/x.ts')
    assert.deepEqual(
      file &&
        referencesOf(file)
          .map(({ line, target }) => `${line} ${target}`)
          .toSorted(),
      ['1 src/ttlv/a.ts', '2 src/kmip/b.ts', '3 undefined', '4 src/e.ts', '5 src/ttlv/f.ts'],
    )
  })
})
