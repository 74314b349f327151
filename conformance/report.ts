/**
 * The report of a run: lines for people, JUnit and JSON for machines, and the judgement against a list of expected
 * failures. What it is not: the run (run.ts).
 */
import { majorOf, minorOf } from '#kmip/versions'
import { escapeXml } from '#ttlv/xml-element'
import type { CaseResult, Outcome, Report } from './run.ts'

/** Names of cases that are known to fail, each with the reason. */
export type ExpectedFailures = Readonly<Record<string, string>>

export interface Judgement {
  /** True: every case passed, or failed as the list says. */
  readonly good: boolean
  readonly unexpectedFailures: readonly CaseResult[]
  readonly unexpectedPasses: readonly CaseResult[]
}

/** Holds the results against the list: an unexpected pass is as wrong as an unexpected failure. */
export const judge = (results: readonly CaseResult[], expected: ExpectedFailures = {}): Judgement => {
  const isListed = (result: CaseResult): boolean => Object.hasOwn(expected, result.name)
  const unexpectedFailures = results.filter((result) => result.outcome === 'fail' && !isListed(result))
  const unexpectedPasses = results.filter((result) => result.outcome === 'pass' && isListed(result))
  const ran = results.some((result) => result.outcome !== 'notRun')
  return {
    good: ran && unexpectedFailures.length === 0 && unexpectedPasses.length === 0,
    unexpectedFailures,
    unexpectedPasses,
  }
}

/** Reads a list of expected failures. @throws Error when it is not an object of reasons */
export const expectedFailuresOf = (json: string): ExpectedFailures => {
  const value: unknown = JSON.parse(json)
  const isList = typeof value === 'object' && value !== null && !Array.isArray(value)
  const entries = isList ? Object.entries(value) : []
  const reasons = entries.filter((entry): entry is [string, string] => typeof entry[1] === 'string' && entry[1] !== '')
  if (!isList || reasons.length !== entries.length) {
    throw new TypeError('the list of expected failures is an object: name of the case to reason')
  }
  return Object.fromEntries(reasons)
}

const words: Readonly<Record<Outcome, string>> = { pass: 'pass', fail: 'FAIL', notRun: 'not run' }

const versionName = (version: number): string => (version === 0 ? '?' : `${majorOf(version)}.${minorOf(version)}`)

/** What went wrong, in one line; empty for a pass. */
export const explanation = (result: CaseResult): string => {
  const { difference, note } = result
  if (difference === undefined) return note ?? ''
  const line = `${difference.path} (line ${difference.line}): expected ${difference.expected}, got ${difference.actual}`
  return note === undefined || note === '' ? line : `${line}; ${note}`
}

/** A case as one line, with the first difference on the next. */
export const caseLine = (result: CaseResult, expected: ExpectedFailures = {}): string => {
  const reason = Object.hasOwn(expected, result.name) ? expected[result.name] : undefined
  const listed =
    reason === undefined ? '' : ` (${result.outcome === 'pass' ? 'UNEXPECTED, listed' : 'listed'}: ${reason})`
  const line = `${words[result.outcome].padEnd(7)} ${versionName(result.version)} ${result.name}${listed}`
  if (result.outcome !== 'fail') return line
  const place = result.exchange === 0 ? '' : `exchange ${result.exchange} of ${result.exchangeCount}: `
  return `${line}\n        ${place}${explanation(result)}`
}

interface Totals {
  pass: number
  fail: number
  notRun: number
}

/** Counts by a key, in the key's natural order. */
const totalsBy = (results: readonly CaseResult[], key: (result: CaseResult) => string): readonly [string, Totals][] => {
  const totals = new Map<string, Totals>()
  for (const result of results) {
    const entry = totals.get(key(result)) ?? { pass: 0, fail: 0, notRun: 0 }
    entry[result.outcome] += 1
    totals.set(key(result), entry)
  }
  return [...totals].sort(([a], [b]) => a.localeCompare(b, 'en', { numeric: true }))
}

const table = (title: string, rows: readonly [string, Totals][]): string => {
  const width = Math.max(title.length, ...rows.map(([name]) => name.length))
  const line = (name: string, cells: readonly (string | number)[]): string =>
    `${name.padEnd(width)}  ${cells.map((cell) => String(cell).padStart(9)).join('')}`
  return [
    line(title, ['pass', 'fail', 'not run']),
    ...rows.map(([name, total]) => line(name, [total.pass, total.fail, total.notRun])),
  ].join('\n')
}

/** Totals by version and by family, and the judgement, as people read them. */
export const summary = (report: Report, judgement: Judgement): string => {
  const { results } = report
  const all = totalsBy(results, () => 'all')
  const lines = [
    table('version', [...totalsBy(results, (result) => versionName(result.version)), ...all]),
    '',
    table(
      'family',
      totalsBy(results, (result) => `${versionName(result.version)} ${result.family}`),
    ),
    '',
  ]
  for (const result of judgement.unexpectedPasses) lines.push(`unexpected pass: ${result.name}`)
  for (const result of judgement.unexpectedFailures) lines.push(`unexpected failure: ${result.name}`)
  lines.push(judgement.good ? 'all as expected' : 'NOT as expected')
  return lines.join('\n')
}

/** The report as JSON, for machines. */
export const jsonOf = (report: Report, judgement: Judgement): string => {
  const names = (results: readonly CaseResult[]): readonly string[] => results.map((result) => result.name)
  return `${JSON.stringify(
    {
      server: report.server,
      good: judgement.good,
      unexpectedFailures: names(judgement.unexpectedFailures),
      unexpectedPasses: names(judgement.unexpectedPasses),
      versions: Object.fromEntries(totalsBy(report.results, (result) => versionName(result.version))),
      cases: report.results.map((result) => ({ ...result, version: versionName(result.version) })),
    },
    null,
    2,
  )}\n`
}

/** The report as JUnit reads it; a failure that the list expects is a skipped test with the reason. */
export const junitOf = (report: Report, expected: ExpectedFailures = {}): string => {
  const { results } = report
  const suites = [...Map.groupBy(results, (result) => versionName(result.version))].map(([version, cases]) => {
    const inner = cases.map((result) => junitCase(result, expected)).join('')
    return `  <testsuite name="KMIP ${version}" tests="${cases.length}">\n${inner}  </testsuite>\n`
  })
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="kmip-conformance">\n${suites.join('')}</testsuites>\n`
}

const junitCase = (result: CaseResult, expected: ExpectedFailures): string => {
  const attributes = `classname="${text(result.family)}" name="${text(result.name)}" time="${(result.durationMs / 1000).toFixed(3)}"`
  const reason = Object.hasOwn(expected, result.name) ? expected[result.name] : undefined
  const inner =
    result.outcome === 'notRun' || (result.outcome === 'fail' && reason !== undefined)
      ? `<skipped message="${text(reason ?? explanation(result))}"/>`
      : result.outcome === 'fail'
        ? `<failure message="${text(explanation(result))}"/>`
        : reason === undefined
          ? ''
          : `<failure message="${text(`passes although the list says: ${reason}`)}"/>`
  return inner === '' ? `    <testcase ${attributes}/>\n` : `    <testcase ${attributes}>${inner}</testcase>\n`
}

/** A text that XML can carry, whatever the server said. */
const text = (value: string): string =>
  escapeXml(value.toWellFormed().replace(/[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu, '\uFFFD'))
