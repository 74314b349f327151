/**
 * Makes the package that others install: the runtime runs no TypeScript below node_modules. What it is: `tsc` into a folder, beside
 * it what is read as it stands, and a package.json whose names point at JavaScript. What it is not: a publication.
 *
 *     npm run package && npm pack ./dist
 */
import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import yargs from 'yargs'
import { hideBin } from 'yargs/helpers'

const repository = join(import.meta.dirname, '..')
/** Folders that are compiled; what else is in them is copied. */
const compiled = ['src', 'workers', 'bench', 'conformance']
const copied = ['LICENSE', 'README.md', 'CHANGELOG.md', 'docs']
/** Members of package.json that hold for the package, too. */
const kept = ['name', 'version', 'description', 'license', 'type', 'private', 'engines']

type Json = Readonly<Record<string, unknown>>

const javaScriptOf = (path: string): string => path.replace(/\.ts$/, '.js')

/** The package.json of the package, from the repository's. */
const packageOf = (own: Json): Json => {
  const paths = (member: string): Record<string, string> => ({ ...(own[member] as Record<string, string>) })
  const rows = (member: string): readonly (readonly [string, string])[] => Object.entries(paths(member))
  return {
    ...Object.fromEntries(kept.map((member) => [member, own[member]])),
    bin: Object.fromEntries(rows('bin').map(([name, path]) => [name, javaScriptOf(path)])),
    exports: Object.fromEntries(
      rows('exports').map(([name, path]) => [
        name,
        { types: path.replace(/\.ts$/, '.d.ts'), default: javaScriptOf(path) },
      ]),
    ),
    imports: Object.fromEntries(
      rows('imports')
        .filter(([, path]) => compiled.some((folder) => path.startsWith(`./${folder}/`)))
        .map(([name, path]) => [name, javaScriptOf(path)]),
    ),
    dependencies: own['dependencies'],
    optionalDependencies: own['optionalDependencies'],
  }
}

const { to } = await yargs(hideBin(process.argv))
  .usage('$0 [--to FOLDER]\n\nMakes the package that others install.')
  .option('to', { type: 'string', default: join(repository, 'dist'), describe: 'the folder, which is made anew' })
  .strict()
  .parseAsync()
const folder = resolve(to)
rmSync(folder, { recursive: true, force: true })
mkdirSync(folder, { recursive: true })
const words = [join(repository, 'node_modules/.bin/tsc'), '--project', 'tsconfig.package.json', '--outDir', folder]
const { status } = spawnSync(process.execPath, words, { stdio: 'inherit', cwd: repository })
if (status !== 0) throw new Error(`tsc failed: exit code ${status}`)
for (const name of compiled) {
  const isRead = (path: string): boolean => !path.endsWith('.ts')
  cpSync(join(repository, name), join(folder, name), { recursive: true, filter: isRead })
}
for (const name of copied) cpSync(join(repository, name), join(folder, name), { recursive: true })
const own = JSON.parse(readFileSync(join(repository, 'package.json'), 'utf8')) as Json
writeFileSync(join(folder, 'package.json'), `${JSON.stringify(packageOf(own), undefined, 2)}\n`)
console.log(`The package is in ${folder}: npm pack ${folder}`)
