/**
 * Two reports of `load` or `limit`, case by case. What it is: the table of what changed. What it is not: a judgement
 * on a machine that was not the same, which it only tells.
 */
import { aligned } from './report.ts'

/** A case of a report, as `summaries` has it. */
export interface Case {
  readonly operation: string
  readonly connections: number
  readonly operationsPerSecond: number
  /** Undefined where nothing was answered with success. */
  readonly p99Us?: number
  readonly ratio?: number
  /** Messages that were no success, in all runs. */
  readonly errors: number
}

/** What is read of a report. */
export interface Report {
  readonly machine: Readonly<Record<string, unknown>>
  /** How it was measured, as the command line said. */
  readonly settings: Readonly<Record<string, unknown>>
  readonly cases: readonly Case[]
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const numberOf = (value: unknown): number => (typeof value === 'number' ? value : 0)

/** Undefined for what is no JSON. */
const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Reads a report that `load` or `limit` has written. @throws Error for what is none */
export const reportOf = (text: string, name: string): Report => {
  const report = parsed(text)
  if (!isRecord(report) || !Array.isArray(report['summaries']) || !isRecord(report['machine']))
    throw new Error(`${name} is no report of kmip-bench load or limit`)
  const cases = report['summaries'].filter(isRecord).map(
    (summary): Case => ({
      operation: String(summary['operation']),
      connections: numberOf(summary['connections']),
      operationsPerSecond: numberOf(summary['operationsPerSecond']),
      errors: numberOf(summary['errors']),
      ...(typeof summary['p99Us'] === 'number' ? { p99Us: summary['p99Us'] } : {}),
      ...(typeof summary['ratio'] === 'number' ? { ratio: summary['ratio'] } : {}),
    }),
  )
  const settings = report['settings']
  return { machine: report['machine'], settings: isRecord(settings) ? settings : {}, cases }
}

/** By how much a figure has changed, in percent. */
const change = (before: number | undefined, after: number | undefined): string =>
  before === undefined || after === undefined || before === 0
    ? '-'
    : `${after >= before ? '+' : ''}${((after / before - 1) * 100).toFixed(1)}%`

const widths = [26, 9, 11, 11, 8, 9, 9, 8, 7, 7, 0]

/** A case, as one of the reports has it or both. */
export interface Pair {
  readonly operation: string
  readonly connections: number
  readonly before: Case | undefined
  readonly after: Case | undefined
}

/** The cases of the first report beside those of the second, then those that only the second has. */
export const pairsOf = (first: Report, second: Report): Pair[] => {
  const isSame = (a: Case, b: Case): boolean => a.operation === b.operation && a.connections === b.connections
  const pair = (before: Case | undefined, after: Case | undefined, { operation, connections }: Case): Pair => ({
    operation,
    connections,
    before,
    after,
  })
  const further = second.cases.filter((after) => !first.cases.some((before) => isSame(before, after)))
  return [
    ...first.cases.map((before) =>
      pair(
        before,
        second.cases.find((after) => isSame(before, after)),
        before,
      ),
    ),
    ...further.map((after) => pair(undefined, after, after)),
  ]
}

/** Settings that a measurement's figures do not depend on: which cases, which names. */
const otherSettings: ReadonlySet<string> = new Set(['connections', 'plans', 'objectPrefix', 'reuse', 'keep'])

/** What was not the same for both reports: they are then hard to compare. */
export const differences = (first: Report, second: Report): string[] =>
  (['machine', 'settings'] as const).flatMap((part) => {
    const names = new Set([...Object.keys(first[part]), ...Object.keys(second[part])])
    return [...names].flatMap((name) => {
      const [value, other] = [first, second].map((report) => shown(report[part][name]))
      const counts = part === 'machine' || !otherSettings.has(name)
      return value === other || !counts ? [] : [`not the same ${name}: ${value}, then ${other}`]
    })
  })

const shown = (value: unknown): string => {
  if (value === undefined) return 'none'
  return typeof value === 'string' ? value : JSON.stringify(value)
}

/** What a reader must know of a pair beside its figures: refusals are quick. */
const noteOf = ({ before, after }: Pair): string => {
  if (before === undefined) return 'not measured before'
  if (after === undefined) return 'not measured then'
  const errors = before.errors + after.errors
  return errors === 0 ? '' : `${before.errors} errors, then ${after.errors}`
}

/** The names of the columns of a comparison. */
export const comparisonNames: readonly string[] = [
  'operation',
  'sessions',
  'ops/s',
  'then',
  'change',
  'p99 us',
  'then',
  'change',
  'ratio',
  'then',
  '',
]

/** A pair as the cells of a row. */
export const comparisonCells = (pair: Pair): string[] => {
  const { operation, connections, before, after } = pair
  return [
    operation,
    String(connections),
    before?.operationsPerSecond.toFixed(0) ?? '-',
    after?.operationsPerSecond.toFixed(0) ?? '-',
    change(before?.operationsPerSecond, after?.operationsPerSecond),
    before?.p99Us?.toFixed(0) ?? '-',
    after?.p99Us?.toFixed(0) ?? '-',
    change(before?.p99Us, after?.p99Us),
    before?.ratio?.toFixed(2) ?? '-',
    after?.ratio?.toFixed(2) ?? '-',
    noteOf(pair),
  ]
}

/** The table as lines, and what speaks against it. */
export const comparison = (first: Report, second: Report): string[] => [
  aligned(comparisonNames, widths),
  ...pairsOf(first, second).map((pair) => aligned(comparisonCells(pair), widths)),
  ...differences(first, second),
]
