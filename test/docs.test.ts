/** What is written about the code is what the code says. docs/settings.md is held by `config.test.ts`. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { describe, test } from 'node:test'
import { commands } from '#admin/api'
import { flagOf as commandFlagOf } from '#admin/command'
import { reasonRows } from '#kmip/errors'
import { inVersion } from '#kmip/row'
import { supportedVersions } from '#kmip/versions'
import { enumerationNamed } from '#kmip/vocabulary'
import { operations } from '#operations/index'
import { flagOf, secretVariables, variableOf } from '#src/config'
import { type Row, settingGroups } from '#src/setting-rows'
import { schemaNewest } from '#store/lmdb/schema'
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

test('the newest schema is the one that the pages name', () => {
  for (const path of ['docs/data.md', 'docs/upgrade.md']) {
    assert.deepEqual(/[Tt]oday (\d+)/.exec(read(path))?.[1], String(schemaNewest), path)
  }
})

/** Pages by path: those of the top, and all below docs/. */
const pages: ReadonlyMap<string, string> = new Map(
  [
    'README.md',
    'ARCHITECTURE.md',
    'CONTRIBUTING.md',
    'SECURITY.md',
    'bench/README.md',
    'conformance/README.md',
    ...readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.md'))
      .map((name) => `docs/${name}`),
  ].map((path) => [path, read(path)]),
)

/** Names of a page's headings in links, as Markdown is shown by those who keep repositories. */
const anchorsOf = (page: string): readonly string[] =>
  [...page.matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\w\- ]/g, '')
      .replaceAll(' ', '-'),
  )

describe('links', () => {
  for (const [path, page] of pages) {
    test(path, () => {
      const targets = [...page.matchAll(/\]\((?!https?:)([^)#\s]*)(?:#([^)\s]+))?\)/g)]
      for (const [link, file = '', anchor] of targets) {
        const target = file === '' ? path : relative(root, join(root, dirname(path), file))
        assert.ok(existsSync(join(root, target)), `${link}: there is no ${target}`)
        if (anchor !== undefined)
          assert.ok(anchorsOf(pages.get(target) ?? '').includes(anchor), `${link}: no such heading`)
      }
    })
  }

  test('each page is reached from the README', () => {
    const reached = new Set<string>(['README.md'])
    for (const path of reached) {
      for (const [, file = ''] of (pages.get(path) ?? '').matchAll(/\]\((?!https?:)([^)#\s]+\.md)/g)) {
        reached.add(relative(root, join(root, dirname(path), file)))
      }
    }
    assert.deepEqual(
      [...pages.keys()].filter((path) => !reached.has(path)),
      [],
    )
  })
})

describe('settings that the documents name', () => {
  const rows = Object.values(settingGroups).flatMap((group) => Object.entries<Row>(group))
  const variables = new Set([
    ...rows.map(([name, row]) => variableOf(name, row)),
    ...Object.values(secretVariables).map(({ variable }) => variable),
    // Where the tests find what is not the project's.
    'KMIPD_OASIS',
    'KMIPD_REFERENCE',
  ])
  const flags = new Set([
    ...rows.map(([name, row]) => flagOf(name, row)),
    ...commands.flatMap(({ parameters }) =>
      Object.entries(parameters).map(([name, form]) => commandFlagOf(name, form)),
    ),
    ...commands.flatMap(({ outFiles }) => Object.values(outFiles ?? {}).map(({ flag }) => flag)),
    'help',
    'json',
    'socket',
    'url',
    'configfile',
  ])
  /** Pages whose flags are those of the server and of kmipctl; others have those of benches and other programs too. */
  const pagesOfOperators =
    /^docs\/(?:(?:install|upgrade|sizing|tuning|tls|log|watching|interfaces|clients|seal)\.md|guides\/)/
  /** Flags of other programs. */
  const foreign = new Set(['ulimit', 'disable-sigusr1', 'kmipServerCAFile', 'kmipRotateMasterKey'])

  for (const [path, page] of pages) {
    test(path, () => {
      const named = [...page.matchAll(/\bKMIPD_[A-Z_]+\b/g)].map(([name]) => name)
      assert.deepEqual(
        named.filter((name) => !variables.has(name)),
        [],
      )
      if (!pagesOfOperators.test(path)) return
      const spoken = [...page.matchAll(/`(?:kmipd serve )?--([\w-]+)[^`]*`/g)].map(([, flag = '']) => flag)
      assert.deepEqual(
        spoken.filter((flag) => !flags.has(flag) && !foreign.has(flag)),
        [],
      )
      const internal = [...page.matchAll(/`([a-z]+(?:[A-Z][a-z]+)+(?:Ms|Max|Min|Seconds))`/g)].map(([, name]) => name)
      assert.deepEqual(
        internal.filter((name) => !rows.some(([known]) => known === name)),
        [],
      )
    })
  }
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
