/** What is written about the code is what the code says. docs/settings.md is held by `config.test.ts`. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, test } from 'node:test'
import { reasonRows } from '#kmip/errors'
import { inVersion } from '#kmip/row'
import { supportedVersions } from '#kmip/versions'
import { enumerationNamed } from '#kmip/vocabulary'
import { operations } from '#operations/index'
import { rooms } from '#test/tidy/layout'

const root = dirname(import.meta.dirname)
const read = (path: string): string => readFileSync(join(root, path), 'utf8')

describe('docs/errors.md', () => {
  const document = read('docs/errors.md')

  test('is made from the rows', () => {
    const made = execFileSync(process.execPath, ['tools/errors-doc.ts', '--print'], { cwd: root, encoding: 'utf8' })
    assert.equal(document, made, 'run: node tools/errors-doc.ts')
  })

  test('has every reason once', () => {
    const numbers = [...document.matchAll(/^\| \w+ \| (\d+) \| \d\.\d \|/gm)].map((match) => Number(match[1]))
    assert.deepEqual(
      numbers.toSorted((left, right) => left - right),
      [...reasonRows.keys()].toSorted((left, right) => left - right),
    )
  })

  test('has every reason that the code of operations names among those that are given', () => {
    const [, given = ''] = /^## Reasons that this server gives$([\s\S]*?)^## /m.exec(document) ?? []
    const named = ['src/operations', 'src/objects', 'src/server'].flatMap((folder) =>
      readdirSync(join(root, folder))
        .filter((name) => name.endsWith('.ts'))
        .flatMap((name) => [...read(`${folder}/${name}`).matchAll(/\bResultReason\.(\w+)/g)])
        .map((match) => match[1] ?? ''),
    )
    assert.ok(named.length > 0)
    assert.deepEqual(
      [...new Set(named)].filter((reason) => !given.includes(`| ${reason} |`)),
      [],
    )
  })
})

describe('docs/coverage.md', () => {
  const document = read('docs/coverage.md')

  test('is made from the rows', () => {
    const made = execFileSync(process.execPath, ['tools/coverage-doc.ts', '--print'], { cwd: root, encoding: 'utf8' })
    assert.equal(document, made, 'run: node tools/coverage-doc.ts')
  })

  test('says yes of every operation that is there, in its versions', () => {
    for (const { name, since, until } of operations) {
      const text = enumerationNamed('Operation').values.find((row) => row.name === name)?.text ?? ''
      const cells = supportedVersions.toReversed().map((version) => (inVersion({ since, until }, version) ? 'yes' : ''))
      assert.ok(document.includes(`| ${text} | ${cells.join(' | ')} |`), name)
    }
  })
})

test('docs/wrapping.md is made from the rows', () => {
  const made = execFileSync(process.execPath, ['tools/wrapping-doc.ts', '--print'], { cwd: root, encoding: 'utf8' })
  assert.equal(read('docs/wrapping.md'), made, 'run: node tools/wrapping-doc.ts')
})

describe('docs/data.md', () => {
  test('has every table, where it is defined', () => {
    const files = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' }).map((path) => `src/${path}`)
    const defined = files
      .filter((path) => path.endsWith('.ts'))
      .flatMap((path) =>
        [...read(path).matchAll(/^export const \w+: Table<\w+> = \{\s+name: '([\w-]+)'/gm)].map(
          ([, name]) => `${name} ${path}`,
        ),
      )
    const told = [...read('docs/data.md').matchAll(/^\| `([\w-]+)` \|.*\| `(src\/[\w/-]+\.ts)`(?:, `[^`]+`)* \|$/gm)]
    assert.ok(defined.length > 0)
    const names = told.map(([, name, path]) => `${name} ${path}`).filter((each) => defined.includes(each))
    assert.deepEqual(names.toSorted(), defined.toSorted())
  })
})

describe('ARCHITECTURE.md', () => {
  test('shows the imports of the rooms as the table has them', () => {
    const rows = [...read('ARCHITECTURE.md').matchAll(/^\| `src\/(\w+)\/` \|[^|]*\| ([^|]*) \|$/gm)]
    const shown = rows.map(([, room, imports = '']) => [room, imports === '–' ? [] : imports.split(', ').toSorted()])
    const folders = readdirSync(join(root, 'src'), { withFileTypes: true }).filter((entry) => entry.isDirectory())
    const wanted = folders.map(({ name }) => [name, rooms[name]?.imports.toSorted()])
    assert.deepEqual(Object.fromEntries(shown), Object.fromEntries(wanted))
  })
})

describe('paths that the documents name', () => {
  for (const path of [
    'README.md',
    'ARCHITECTURE.md',
    'CONTRIBUTING.md',
    'SECURITY.md',
    'docs/computing.md',
    'docs/data.md',
    'docs/dependencies.md',
  ]) {
    test(path, () => {
      const named = [...read(path).matchAll(/`((?:src|test|tools|docs|workers|bench|conformance|\.ci)\/[\w./-]*)`/g)]
      assert.deepEqual(
        named.map((match) => match[1] ?? '').filter((name) => !existsSync(join(root, name))),
        [],
      )
    })
  }
})
