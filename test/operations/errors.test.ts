/**
 * Every row of the specification's error tables (KMIP 1.4 §11) is a row of a test, under the Result Reason that the table
 * prints, or says why it cannot happen. What it is: the join of errors.json with the outcome tables, read as text, for each
 * test file is a process of its own. What it is not: the tests themselves.
 */
import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { ResultReason } from '#kmip/enums'
import { enumerationNamed } from '#kmip/vocabulary'

/**
 * Where a condition is tested: a row of the operation's own outcome table by what is given, a test or row elsewhere, or
 * nowhere, and why it cannot happen.
 */
type Coverage = string | { readonly path: string; readonly title: string } | { readonly never: string }

interface ErrorRow {
  readonly operation: string
  readonly section: string
  readonly condition: string
  readonly resultReasons: readonly string[]
  readonly note?: string
}

const readJson = (path: string): unknown => JSON.parse(readFileSync(new URL(path, import.meta.url), 'utf8'))
const tables = readJson('../../tools/specification/errors.json') as { readonly 'v1.4': readonly ErrorRow[] }
const rows = tables['v1.4']
/** Coverage by operation and condition, as the specification prints them. */
const errorCoverage = readJson('./errors.json') as Readonly<Record<string, Readonly<Record<string, Coverage>>>>

const folder = fileURLToPath(new URL('../', import.meta.url))
const textOf = (path: string): string => readFileSync(`${folder}${path}`, 'utf8')

/** Names of Result Reasons by the specification's text. */
const reasonNames = new Map(enumerationNamed('ResultReason').values.map(({ text, name }) => [text, name]))

/** Where the table prints a reason that does not exist ("Not Supported."), or none of its own. */
const substitutes: Readonly<Record<string, readonly string[]>> = {
  'Key Wrap Type is not supported by the server.': ['FeatureNotSupported'],
  'Key Wrap Type is not supported by the server': ['FeatureNotSupported'],
}

const reasonsOf = ({ condition, resultReasons }: ErrorRow): readonly string[] =>
  substitutes[condition] ?? resultReasons.map((text) => reasonNames.get(text) ?? `no reason is named ${text}`)

/** Rows of outcome tables in a text, and tests whose titles end with a reason: what is given, and what is expected. */
const outcomesIn = (text: string): readonly (readonly [given: string, expected: string])[] =>
  [
    ...text.matchAll(/\[\s*'((?:[^'\\]|\\.)*)',\s*'(\w+)',/g),
    ...text.matchAll(/\[\s*"([^"]*)",\s*'(\w+)',/g),
    ...text.matchAll(/\btest\('([^']*): (\w+)',/g),
  ].map(([, given = '', expected = '']) => [given, expected] as const)

/** The exported declaration with this name and what follows it up to the next one. */
const declaration = (text: string, name: string): string => {
  const start = text.indexOf(`export const ${name} =`)
  assert.ok(start >= 0, name)
  const end = text.indexOf('\nexport const ', start + 1)
  return text.slice(start, end < 0 ? undefined : end)
}

const shared: Readonly<Record<string, () => string>> = {
  objectRows: () => declaration(textOf('outcome-table.ts'), 'objectRows'),
  templateRows: () => declaration(textOf('outcome-table.ts'), 'templateRows'),
  keyRows: () => declaration(textOf('computing.ts'), 'keyRows'),
}

/** A text with the texts of the shared rows that it spreads. */
const withShared = (text: string): string => {
  const used = Object.entries(shared).filter(
    ([name]) => text.includes(`...${name}(`) || text.includes(`testOutcomes(${name}(`),
  )
  return [text, ...used.map(([, read]) => withShared(read()))].join('\n')
}

/** Files of operations that have none of their own. */
const fileOf = (operation: string): string => {
  const own = `operations/${operation.toLowerCase().replaceAll(' ', '-')}.test.ts`
  return existsSync(`${folder}${own}`) ? own : 'operations/certify.test.ts'
}

/** What the describes of an operation (`Re-key: reasons`) hold, shared rows included. */
const tableOf = (operation: string): string => {
  const blocks = textOf(fileOf(operation)).split(/^(?=describe\()/m)
  const own = blocks.filter((block) =>
    [`${operation}'`, `${operation}:`].some((title) => block.startsWith(`describe('${title}`)),
  )
  return withShared(own.join('\n'))
}

const check = (row: ErrorRow, covered: Coverage): void => {
  if (typeof covered === 'object' && 'never' in covered)
    return assert.ok(covered.never.length > 20, 'a reason is a sentence')
  const reasons = reasonsOf(row)
  if (typeof covered === 'object') {
    const text = textOf(covered.path)
    assert.ok(text.includes(`'${covered.title}'`), `${covered.path} has no test or row "${covered.title}"`)
    const expected = outcomesIn(text).filter(([given]) => given === covered.title)
    for (const [, reason] of expected) assert.ok(reasons.includes(reason), `${covered.title}: ${reason}`)
    return
  }
  const found = outcomesIn(tableOf(row.operation)).filter(([given]) => given === covered)
  assert.ok(found.length > 0, `${row.operation} has no row "${covered}"`)
  for (const [given, reason] of found)
    assert.ok(reasons.includes(reason), `${given}: ${reason} is not one of ${reasons.join(', ')}`)
}

describe('every row of the error tables is tested, or says why not', () => {
  for (const operation of new Set(rows.map((row) => row.operation))) {
    test(operation, () => {
      for (const row of rows.filter((each) => each.operation === operation)) {
        const covered = errorCoverage[operation]?.[row.condition]
        assert.ok(covered !== undefined, `§${row.section} ${operation}: "${row.condition}" is not tested`)
        check(row, covered)
      }
    })
  }

  test('and nothing is covered that the tables do not have', () => {
    const known = new Set(rows.map(({ operation, condition }) => `${operation}: ${condition}`))
    const stale = Object.entries(errorCoverage).flatMap(([operation, conditions]) =>
      Object.keys(conditions).map((condition) => `${operation}: ${condition}`),
    )
    assert.deepEqual(
      stale.filter((line) => !known.has(line)),
      [],
    )
  })

  test('every reason that a row expects exists', () => {
    for (const row of rows)
      for (const reason of reasonsOf(row)) assert.ok(reason in ResultReason, `${row.operation}: ${reason}`)
  })
})
