/**
 * Two reports of `load`, `limit` or `goals`, case by case. What it is: the table of what changed. What it is not: a judgement
 * on a machine that was not the same, which it only tells.
 */
import { aligned } from './report.ts'

/** A case of a report, as `summaries` has it. */
interface Case {
  readonly operation: string
  readonly connections: number
  readonly operationsPerSecond: number
  readonly p99Us: number
  readonly ratio?: number
}

/** What is read of a report. */
interface Report {
  readonly machine: Readonly<Record<string, unknown>>
  readonly cases: readonly Case[]
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const numberOf = (value: unknown): number => (typeof value === 'number' ? value : 0)

/** Reads a report. @throws Error for what is none */
const reportOf = (text: string, name: string): Report => {
  const report: unknown = JSON.parse(text)
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

const change = (before: number, after: number): string =>
  before === 0 ? '-' : `${after >= before ? '+' : ''}${((after / before - 1) * 100).toFixed(1)}%`

const widths = [26, 9, 11, 11, 8, 9, 9, 8, 7, 7, 0]

/**
 * The table, and what speaks against it.
 * @throws Error for a text that is no report
 */
export const comparison = (
  before: { readonly name: string; readonly text: string },
  after: { readonly name: string; readonly text: string },
): string[] => {
  const [first, second] = [reportOf(before.text, before.name), reportOf(after.text, after.name)]
  const names = ['operation', 'sessions', 'ops/s', 'then', 'change', 'p99 us', 'then', 'change', 'ratio', 'then', '']
  const lines = [aligned(names, widths)]
  for (const old of first.cases) {
    const found = second.cases.find(
      ({ operation, connections }) => operation === old.operation && connections === old.connections,
    )
    lines.push(
      aligned(
        [
          old.operation,
          String(old.connections),
          old.operationsPerSecond.toFixed(0),
          found?.operationsPerSecond.toFixed(0) ?? '-',
          found === undefined ? '-' : change(old.operationsPerSecond, found.operationsPerSecond),
          old.p99Us.toFixed(0),
          found?.p99Us.toFixed(0) ?? '-',
          found === undefined ? '-' : change(old.p99Us, found.p99Us),
          old.ratio?.toFixed(2) ?? '-',
          found?.ratio?.toFixed(2) ?? '-',
          found === undefined ? 'not measured then' : '',
        ],
        widths,
      ),
    )
  }
  for (const [name, value] of Object.entries(first.machine)) {
    const other = second.machine[name]
    if (value !== other) lines.push(`not the same ${name}: ${String(value)}, then ${String(other)}`)
  }
  return lines
}
