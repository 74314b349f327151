/**
 * The habits of this repository as rules over its text (`source.ts`) and its layout (`layout.ts`). What it is: a table of
 * rules, each of which gives its breaches. What it is not: a linter; what the compiler or the linter sees is theirs.
 */

import {
  bannedFileNames,
  conditionalTests,
  confined,
  entryFiles,
  foreignData,
  generatedFiles,
  hosts,
  linesMax,
  operationNamers,
  type Room,
  reachedByTestsOnly,
  rooms,
  roots,
  sentByServers,
  workerLinesMax,
} from './layout.ts'
import { isCode, lineAt, type Repository, referencesOf, type SourceFile } from './source.ts'

/** Where a rule is broken, and what to do about it. */
export interface Breach {
  readonly path: string
  readonly line: number
  readonly text: string
}

export interface Rule {
  readonly name: string
  readonly breaches: (repository: Repository) => readonly Breach[]
}

/** These files hold what is banned, as patterns and as samples. */
const isTidy = (path: string): boolean => path === 'test/tidy.test.ts' || path.startsWith('test/tidy/')

const codeOf = (repository: Repository): SourceFile[] => [...repository.values()].filter(({ path }) => isCode(path))

/** Where a pattern matches the code of a file, each line once. */
const found = (file: SourceFile, pattern: RegExp, text: (match: RegExpExecArray) => string): Breach[] => {
  const byLine = new Map<number, Breach>()
  for (const match of file.code.matchAll(new RegExp(pattern, 'g'))) {
    const line = lineAt(file.code, match.index)
    byLine.set(line, byLine.get(line) ?? { path: file.path, line, text: text(match) })
  }
  return [...byLine.values()]
}

/** The room of a path: a folder of `src/`, a file beside them, a worker, or a folder beside `src/`. */
const roomOf = (path: string): string | undefined => {
  const [top, second, third] = path.split('/')
  if (top === 'src') return third === undefined ? second?.replace(/\.ts$/, '') : second
  if (top === 'workers') return path.replace(/\.ts$/, '')
  return top
}

const fileOf = (path: string): string => path.replace(/^src\//, '').replace(/\.ts$/, '')

const mayImport = (room: Room, from: string, target: string): boolean =>
  roomOf(target) === from || room.imports.some((name) => name === roomOf(target) || name === fileOf(target))

/** Import directions: the table of rooms. */
const directions = (repository: Repository): Breach[] => {
  const breaches: Breach[] = []
  for (const file of codeOf(repository)) {
    const from = roomOf(file.path) ?? ''
    if (from === 'test' || (from === 'bench' && file.path.startsWith('bench/micro/'))) continue
    const room = rooms[from]
    if (room === undefined) {
      breaches.push({ path: file.path, line: 1, text: `${from} is no room: give it a row in test/tidy/layout.ts` })
      continue
    }
    for (const { specifier, line, target, isMention } of referencesOf(file)) {
      if (isMention) continue
      if (target === undefined) {
        const name = specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/')
        if (name.startsWith('node:') || room.packages.includes(name)) continue
        breaches.push({ path: file.path, line, text: `${from} may not import the package ${name}` })
      } else if (!mayImport(room, from, target)) {
        breaches.push({ path: file.path, line, text: `${from} may not import ${fileOf(target)}` })
      }
    }
  }
  return breaches
}

/** The rooms of a table that import one another in a circle; empty when there is none. */
export const circle = (table: Readonly<Record<string, Room>>): readonly string[] => {
  const done = new Set<string>()
  const visit = (name: string, way: readonly string[]): readonly string[] => {
    if (way.includes(name)) return [...way.slice(way.indexOf(name)), name]
    if (done.has(name)) return []
    for (const imported of table[name]?.imports ?? []) {
      const around = visit(imported.split('/')[0] ?? imported, [...way, name])
      if (around.length > 0) return around
    }
    done.add(name)
    return []
  }
  for (const name of Object.keys(table)) {
    const around = visit(name, [])
    if (around.length > 0) return around
  }
  return []
}

const importedRoots = (): Breach[] =>
  Object.entries(rooms).flatMap(([name, { imports }]) =>
    imports
      .filter((imported) => roots.includes(imported))
      .map((imported) => ({ path: 'test/tidy/layout.ts', line: 1, text: `${name} may not import ${imported}` })),
  )

const header = (repository: Repository): Breach[] =>
  codeOf(repository)
    .filter(({ text }) => !/^(?:#!.*\n)?\/\*\*[\s\S]{20,}?\*\//.test(text))
    .map(({ path }) => ({ path, line: 1, text: 'begin with a comment: what the file is, what it is not' }))

const isOperation = ({ path, code }: SourceFile): boolean =>
  /^src\/operations\/[\w-]+\.ts$/.test(path) && /= operation\(\{/.test(code)

const operationName = (file: SourceFile): string => /= operation\(\{\s*name: '(\w+)'/.exec(file.code)?.[1] ?? ''

const baseName = (path: string): string => path.slice(path.lastIndexOf('/') + 1).replace(/\.ts$/, '')

const kebab = (name: string): string =>
  name
    .replace(/([a-z0-9])([A-Z])/g, '$1-$2')
    .replace(/([A-Z])([A-Z][a-z])/g, '$1-$2')
    .toLowerCase()

const sections = (repository: Repository): Breach[] =>
  codeOf(repository)
    .filter(isOperation)
    .flatMap((file) => {
      const stated = /^\/\*\*[\s\S]*?KMIP 1\.4 §([\d.]*\d)/.exec(file.text)?.[1]
      const declared = /\bsection: '([\d.]+)'/.exec(file.code)?.[1]
      if (stated !== undefined && stated === declared) return []
      return [{ path: file.path, line: 1, text: `the header says KMIP 1.4 §${stated}, the row ${declared}` }]
    })

const confinements = (repository: Repository): Breach[] => {
  const breaches: Breach[] = []
  for (const { what, pattern, within, instead, files } of confined) {
    for (const file of codeOf(repository)) {
      if (isTidy(file.path) || Object.hasOwn(files, file.path)) continue
      if (!within.some((beginning) => file.path.startsWith(beginning))) continue
      if (file.path.startsWith('bench/micro/')) continue
      breaches.push(...found(file, pattern, () => `${what}: ${instead}`))
    }
  }
  return breaches
}

/** Exceptions that nothing needs: the tables say what is true. */
const staleExceptions = (repository: Repository): Breach[] => {
  const stale = (path: string, what: string): Breach => ({
    path: 'test/tidy/layout.ts',
    line: 1,
    text: `${path} needs no exception for ${what}`,
  })
  return [
    ...confined.flatMap(({ what, pattern, files }) =>
      Object.keys(files)
        .filter((path) => !pattern.test(repository.get(path)?.code ?? ''))
        .map((path) => stale(path, what)),
    ),
    ...[...generatedFiles, ...Object.keys(reachedByTestsOnly), ...operationNamers]
      .filter((path) => !repository.has(path))
      .map((path) => stale(path, 'a file that is not there')),
    ...Object.keys(conditionalTests)
      .filter((path) => !skipOption.test(repository.get(path)?.code ?? ''))
      .map((path) => stale(path, 'a condition')),
    ...Object.keys(reachedByTestsOnly)
      .filter((path) => reachedByCommands(repository).has(path))
      .map((path) => stale(path, 'being reached by tests only')),
    ...Object.keys(hosts)
      .filter((host) => !searchedTexts(repository).some(({ text }) => text.includes(host)))
      .map((host) => stale(host, 'a host')),
  ]
}

const fileNames = (repository: Repository): Breach[] =>
  [...repository.keys()]
    .filter((path) => path.split('/').some((part) => bannedFileNames.includes(part.replace(/\..*$/, ''))))
    .map((path) => ({ path, line: 1, text: 'a name that says nothing: name the file for what it holds' }))

const unfinished = /\bTODO\b|\bFIXME\b|\bXXX\b|@ts-(?:ignore|expect-error|nocheck)\b/
const evasions = /\b(?:test|it|describe|suite|t)\.(?:skip|only|todo)\b|\b(?:only|todo): (?!false)|\bas any\b/
const skipOption = /\bskip: (?!false)/

const searchedTexts = (repository: Repository): SourceFile[] =>
  [...repository.values()].filter(({ path }) => !isTidy(path) && !foreignData.some((data) => data.test(path)))

const banned = (repository: Repository): Breach[] =>
  searchedTexts(repository).flatMap((file) => [
    // CONTRIBUTING.md and the like may speak of these words' absence, in code they are promises not kept.
    ...(file.path.endsWith('.md')
      ? []
      : found({ ...file, code: file.text }, unfinished, ([word]) => `${word}: finish it`)),
    ...(isCode(file.path) ? found(file, evasions, ([word]) => `${word}: no test is skipped, no type is evaded`) : []),
    ...(file.path.endsWith('.test.ts') && !Object.hasOwn(conditionalTests, file.path)
      ? found(file, skipOption, () => 'no test is skipped: let it fail and say what it needs')
      : []),
  ])

const sizes = (repository: Repository): Breach[] =>
  codeOf(repository).flatMap(({ path, text }) => {
    const max = path.startsWith('workers/') ? workerLinesMax : linesMax
    const lines = text.split('\n').length - 1
    if (lines <= max || generatedFiles.includes(path)) return []
    return [{ path, line: max, text: `${lines} lines, ${max} are allowed: split it by what it does` }]
  })

const reached = (repository: Repository, beginnings: readonly string[]): Set<string> => {
  const seen = new Set(beginnings)
  // A set that grows while it is walked: each file is met once.
  for (const path of seen) {
    const file = repository.get(path)
    if (file === undefined) continue
    for (const { target } of referencesOf(file)) if (target !== undefined) seen.add(target)
  }
  return seen
}

const reachedByCommands = (repository: Repository): Set<string> =>
  reached(
    repository,
    [...repository.keys()].filter((path) => entryFiles.some((entry) => entry.test(path))),
  )

const unreferenced = (repository: Repository): Breach[] => {
  const paths = codeOf(repository).map(({ path }) => path)
  const tests = paths.filter((path) => path.endsWith('.test.ts'))
  const ofCommands = reachedByCommands(repository)
  const ofTests = reached(repository, tests)
  return paths
    .filter((path) => !ofCommands.has(path) && !Object.hasOwn(reachedByTestsOnly, path))
    .filter((path) => !(path.startsWith('test/') && ofTests.has(path)))
    .map((path) => ({ path, line: 1, text: 'nothing but tests, or nothing at all, uses this file' }))
}

const operationsNamedElsewhere = (repository: Repository): Breach[] => {
  const operations = codeOf(repository).filter(isOperation)
  if (operations.length === 0) return []
  const names = operations.map(operationName).join('|')
  const pattern = new RegExp(`\\bOperation\\.(?:${names})\\b|'(?:${names})'`)
  return codeOf(repository)
    .filter(({ path }) => path.startsWith('src/') && !operationNamers.includes(path))
    .flatMap((file) => {
      const own = isOperation(file) ? operationName(file) : ''
      const words = found(file, pattern, ([word]) => word).filter(({ text }) => text !== `'${own}'`)
      const imports = referencesOf(file)
        .filter(({ target }) => operations.some(({ path }) => path === target))
        .map(({ line, specifier }) => ({ path: file.path, line, text: specifier }))
      return [...words, ...imports].map((breach) => ({
        ...breach,
        text: `${breach.text}: an operation is named by its own file and the index only; put it on the row`,
      }))
    })
}

/** Operation file, its line in the registry, its payload file and its line in that index: all four or none. */
const registry = (repository: Repository): Breach[] => {
  const index = repository.get('src/operations/index.ts')?.code ?? ''
  const payloadIndex = repository.get('src/kmip/payloads/index.ts')?.code ?? ''
  const breaches: Breach[] = []
  const require = (holds: boolean, path: string, text: string): void => {
    if (!holds) breaches.push({ path, line: 1, text })
  }
  for (const file of codeOf(repository).filter(isOperation)) {
    const base = baseName(file.path)
    const name = operationName(file)
    const row = /export const (\w+) = operation\(\{/.exec(file.code)?.[1] ?? ''
    require(kebab(name) === base, file.path, `the operation ${name} belongs into ${kebab(name)}.ts`)
    const uses = [...index.matchAll(new RegExp(`\\b${row}\\b`, 'g'))].length
    require(row !== '' && uses >= 2, file.path, `operations/index.ts does not list ${row}`)
    require(repository.has(`src/kmip/payloads/${base}.ts`), file.path, 'the operation has no payload file')
    require(new RegExp(`\\b${name}: \\w+,`).test(
      payloadIndex,
    ), file.path, `kmip/payloads/index.ts does not list ${name}`)
  }
  for (const path of repository.keys()) {
    const base = /^src\/kmip\/payloads\/([\w-]+)\.ts$/.exec(path)?.[1]
    if (base === undefined || base === 'index') continue
    if (sentByServers.includes(base)) continue
    const operation = repository.get(`src/operations/${base}.ts`)
    require(operation !== undefined && isOperation(operation), path, 'the payload has no operation')
  }
  return breaches
}

const address = /\bhttps?:\/\/(?:[\w-]+@)?([a-z0-9-]+(?:\.[a-z0-9-]+)+)/gi
const registryHost = /\b(?:registry|pypi|npm|deb|packages|index|proxy)\.[a-z0-9-]+\.(?:org|com|net|io|dev)\b/gi
/** Folders in which somebody's checkout, not the project, lies. */
const machinePath = /(?<![\w.~-])\/(?:work|root|home\/[\w-]+|Users\/[\w-]+|tmp\/[\w.-]+)\/[\w.-]+/g

const places = (repository: Repository): Breach[] =>
  searchedTexts(repository).flatMap(({ path, text }) => {
    const breach = (index: number, said: string): Breach => ({ path, line: lineAt(text, index), text: said })
    return [
      ...[...text.matchAll(address)]
        .filter(
          ([, host = '']) =>
            !Object.hasOwn(hosts, host.toLowerCase()) && !/\.(?:example|test|invalid)$|^127\./.test(host),
        )
        .map(({ index, 1: host }) => breach(index, `${host} is not among the hosts of test/tidy/layout.ts`)),
      ...[...text.matchAll(registryHost)].map(({ index, 0: host }) =>
        breach(index, `${host}: no registry is named here`),
      ),
      ...[...text.matchAll(machinePath)].map(({ index, 0: place }) => breach(index, `${place}: a path of one machine`)),
    ]
  })

/** A file whose header says `@hot` is measured: a suite of bench/micro has its name, and main.ts there runs it. */
const unmeasured = (repository: Repository): Breach[] =>
  codeOf(repository)
    .filter(({ path, text }) => path.startsWith('src/') && /^(?:#!.*\n)?\/\*\*(?:(?!\*\/)[\s\S])*@hot\b/.test(text))
    .filter(({ path }) => {
      const name = baseName(path)
      const runs = repository.get('bench/micro/main.ts')?.code ?? ''
      return !repository.has(`bench/micro/${name}.ts`) || !runs.includes(`'./${name}.ts'`)
    })
    .map(({ path }) => ({
      path,
      line: 1,
      text: `a hot file needs bench/micro/${baseName(path)}.ts, run by main.ts there`,
    }))

interface Manifest {
  readonly dependencies?: Readonly<Record<string, string>>
  readonly optionalDependencies?: Readonly<Record<string, string>>
  readonly devDependencies?: Readonly<Record<string, string>>
}

/** Sections of docs/dependencies.md by the field of package.json whose packages they explain. */
const dependencySections = [
  ['dependencies', /^## Runtime$/],
  ['optionalDependencies', /^## The runtime itself/],
  ['devDependencies', /^## Development$/],
] as const

const dependencies = (repository: Repository): Breach[] => {
  const manifest = JSON.parse(repository.get('package.json')?.text ?? '{}') as Manifest
  const path = 'docs/dependencies.md'
  const parts = (repository.get(path)?.text ?? '').split(/^(?=## )/m)
  return dependencySections.flatMap(([field, title]) => {
    const section = parts.find((part) => title.test(part.split('\n')[0] ?? '')) ?? ''
    const cells = section.split('\n').map((line) => (line.startsWith('| `') ? (line.split('|')[1] ?? '') : ''))
    const explained = cells.flatMap((cell) => [...cell.matchAll(/`([^`]+)`/g)].map((match) => match[1] ?? ''))
    const wanted = Object.entries(manifest[field] ?? {})
    const names = wanted.map(([name]) => name)
    return [
      ...names
        .filter((name) => !explained.includes(name))
        .map((name) => ({ path, line: 1, text: `${name} is not explained` })),
      ...explained
        .filter((name) => !names.includes(name))
        .map((name) => ({ path, line: 1, text: `${name} is no package of ${field}` })),
      ...wanted
        .filter(([, version]) => !/^\d+\.\d+\.\d+$/.test(version))
        .map(([name]) => ({ path: 'package.json', line: 1, text: `${name} has no exact version` })),
    ]
  })
}

/** Every rule. */
export const rules: readonly Rule[] = [
  { name: 'import directions', breaches: directions },
  { name: 'commands and threads are imported by nothing', breaches: importedRoots },
  { name: 'a header on every file', breaches: header },
  { name: 'a section on every operation', breaches: sections },
  { name: 'what is confined to named files', breaches: confinements },
  { name: 'no exception without need', breaches: staleExceptions },
  { name: 'file names', breaches: fileNames },
  { name: 'nothing unfinished, skipped or evaded', breaches: banned },
  { name: 'sizes', breaches: sizes },
  { name: 'a hot file is measured', breaches: unmeasured },
  { name: 'no file that nothing uses', breaches: unreferenced },
  { name: 'an operation is a row', breaches: operationsNamedElsewhere },
  { name: 'operation, payload and the two indexes', breaches: registry },
  { name: 'no place of one machine, no unknown host', breaches: places },
  { name: 'dependencies are explained', breaches: dependencies },
]
