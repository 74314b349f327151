/**
 * Two reports of `load`, `limit` or `goals`, case by case. What it is: the table of what changed. What it is not: a judgement
 * on a machine that was not the same, which it only tells.
 */
import { aligned } from './report.ts'

/** A case of a report, as `summaries` has it. */
export interface Case {
  readonly operation: string
  readonly connections: number
  readonly operationsPerSecond: number
  readonly p99Us: number
  readonly ratio?: number
}

/** What is read of a report. */
export interface Report {
  readonly machine: Readonly<Record<string, unknown>>
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
      p99Us: numberOf(summary['p99Us']),
      ...(typeof summary['ratio'] === 'number' ? { ratio: summary['ratio'] } : {}),
    }),
  )
  return { machine: report['machine'], cases }
}

/** By how much a figure has changed, in percent. */
const change = (before: number, after: number): string =>
  before === 0 ? '-' : `${after >= before ? '+' : ''}${((after / before - 1) * 100).toFixed(1)}%`

const widths = [26, 9, 11, 11, 8, 9, 9, 8, 7, 7, 0]

/** A case of the first report, and the same of the second, if it has it. */
export interface Pair {
  readonly before: Case
  readonly after: Case | undefined
}

/** The cases of the first report beside those of the second. */
export const pairsOf = (first: Report, second: Report): Pair[] =>
  first.cases.map((before) => ({
    before,
    after: second.cases.find(
      ({ operation, connections }) => operation === before.operation && connections === before.connections,
    ),
  }))

/** What was not the same for both reports: they are then hard to compare. */
export const differences = (first: Report, second: Report): string[] =>
  Object.entries(first.machine).flatMap(([name, value]) => {
    const other = second.machine[name]
    return value === other ? [] : [`not the same ${name}: ${String(value)}, then ${String(other)}`]
  })

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
export const comparisonCells = ({ before, after }: Pair): string[] => [
  before.operation,
  String(before.connections),
  before.operationsPerSecond.toFixed(0),
  after?.operationsPerSecond.toFixed(0) ?? '-',
  after === undefined ? '-' : change(before.operationsPerSecond, after.operationsPerSecond),
  before.p99Us.toFixed(0),
  after?.p99Us.toFixed(0) ?? '-',
  after === undefined ? '-' : change(before.p99Us, after.p99Us),
  before.ratio?.toFixed(2) ?? '-',
  after?.ratio?.toFixed(2) ?? '-',
  after === undefined ? 'not measured then' : '',
]

/** The table as lines, and what speaks against it. */
export const comparison = (first: Report, second: Report): string[] => [
  aligned(comparisonNames, widths),
  ...pairsOf(first, second).map((pair) => aligned(comparisonCells(pair), widths)),
  ...differences(first, second),
]
