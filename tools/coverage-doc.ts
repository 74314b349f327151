/**
 * Writes `docs/coverage.md`: operation, object type and attribute by protocol version, from the registry and the rows of the
 * server. What it is not: the rows of either. Run it from the repository's top:
 *
 *     node tools/coverage-doc.ts            writes docs/coverage.md
 *     node tools/coverage-doc.ts --print    writes the text to standard output (test/docs.test.ts compares it)
 */
import { writeFileSync } from 'node:fs'
import { attributeRules } from '#kmip/attribute-rules'
import { attributeRow } from '#kmip/attributes'
import { inVersion, type VersionRange } from '#kmip/row'
import { supportedVersions, versionText } from '#kmip/versions'
import { enumerationNamed } from '#kmip/vocabulary'
import { keptObjectTypes } from '#operations/creation'
import { operations } from '#operations/index'
import { serverOperations } from '#operations/server-requests'

/** What a line of a table is about: its name, the versions that define it, and whether the server has it. */
interface Line extends VersionRange {
  readonly text: string
  readonly served: boolean
}

const page = import.meta.resolve('#operations/index').replace(/src\/operations\/index\.ts$/, 'docs/coverage.md')
const versions = supportedVersions.toReversed()

const table = (heading: string, lines: readonly Line[]): readonly string[] => {
  const defined = lines.filter((line) => versions.some((version) => inVersion(line, version)))
  const counts = versions.map((version) => {
    const own = defined.filter((line) => inVersion(line, version))
    return `${own.filter(({ served }) => served).length} of ${own.length}`
  })
  return [
    '',
    `## ${heading}`,
    '',
    `| | ${versions.map(versionText).join(' | ')} |`,
    `| --- |${' --- |'.repeat(versions.length)}`,
    ...defined.map((line) => `| ${line.text} | ${versions.map((version) => cell(line, version)).join(' | ')} |`),
    `| together | ${counts.join(' | ')} |`,
  ]
}

const cell = (line: Line, version: number): string => {
  if (!inVersion(line, version)) return ''
  return line.served ? 'yes' : 'no'
}

const served = new Set([...operations.map(({ code }) => code), ...serverOperations])

const document = [
  '# What the server has, by protocol version',
  '',
  'Made from the registry of the specification and the rows of the server by `node tools/coverage-doc.ts`; a test keeps the two',
  'equal. Empty: the version does not have it. `no`: the version has it and the server does not.',
  ...table(
    'Operations',
    enumerationNamed('Operation').values.map((row) => ({ ...row, served: served.has(row.value) })),
  ),
  ...table(
    'Object types',
    enumerationNamed('ObjectType').values.map((row) => ({ ...row, served: keptObjectTypes.has(row.value) })),
  ),
  ...table(
    'Attributes',
    attributeRules.map((row) => ({ ...row, text: row.name, served: attributeRow(row.name) !== undefined })),
  ),
  '',
].join('\n')

if (process.argv.includes('--print')) process.stdout.write(document)
else writeFileSync(new URL(page), document)
