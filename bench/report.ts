/**
 * Measurements as people and programs read them. What it is: rows, lines of text, and the JSON that a run leaves. What it
 * is not: a judgement; README.md says how to read it.
 */
import { availableParallelism, cpus } from 'node:os'
import type { Latency, Measured } from './job.ts'

/** One measured case. */
export interface Row {
  readonly operation: string
  readonly connections: number
  /** Counts from 1. */
  readonly run: number
  readonly requestBytes: number
  readonly responseBytes: number
  readonly protocol: string
  readonly cipher: string
  readonly measured: Measured
  /** The bare echo with the same sessions and sizes, right before; undefined where it was not asked for. */
  readonly limit: Measured | undefined
  /** The same, right behind. */
  readonly limitAfter?: Measured | undefined
}

/** Requests answered with success, a second. */
export const operationsPerSecond = (measured: Measured): number => (measured.completed / measured.elapsedMs) * 1000

/** Batch items answered with success, a second. */
export const itemsPerSecond = (measured: Measured): number => (measured.items / measured.elapsedMs) * 1000

/** The echo's neighbours of a row. */
const neighbours = ({ limit, limitAfter }: Row): Measured[] =>
  [limit, limitAfter].filter((measured) => measured !== undefined)

const meanOf = (values: readonly number[]): number | undefined =>
  values.length === 0 ? undefined : values.reduce((sum, value) => sum + value, 0) / values.length

/** Requests a second of the bare echo around a row: the mean of before and after. */
export const limitPerSecond = (row: Row): number | undefined => meanOf(neighbours(row).map(operationsPerSecond))

/** How near the server comes to the bare echo: 1 is as fast. */
export const ratioOf = (row: Row): number | undefined => {
  const limit = limitPerSecond(row)
  return limit === undefined || limit === 0 ? undefined : operationsPerSecond(row.measured) / limit
}

/**
 * The echo's processor time for a message to the server's: near the ratio of their rates where both have a core to themselves,
 * and steadier than it, since it does not depend on how many cores the system gave them in a moment.
 */
export const processorRatioOf = (row: Row): number | undefined => {
  const server = row.measured.processorUs?.server
  const echo = meanOf(neighbours(row).flatMap(({ processorUs }) => processorUs?.server ?? []))
  return server === undefined || echo === undefined || server === 0 ? undefined : echo / server
}

/** Cores that the answering and the asking processes had, together. */
export const coresUsed = (measured: Measured): number | undefined => {
  const { server, generator } = measured.processorUs ?? {}
  if (server === undefined || generator === undefined) return undefined
  return ((server + generator) * operationsPerSecond(measured)) / 1e6
}

/** How many times the echo's p99 the server's is; what an open loop is read by. */
export const p99RatioOf = (row: Row): number | undefined => {
  const limit = meanOf(neighbours(row).flatMap((measured) => latencyUs(measured, 'p99') ?? []))
  const p99 = latencyUs(row.measured, 'p99')
  return limit === undefined || p99 === undefined ? undefined : p99 / limit
}

/** A latency in microseconds; undefined where nothing was answered with success: nothing at all is not the fastest. */
export const latencyUs = ({ completed, latency }: Measured, name: keyof Latency): number | undefined =>
  completed === 0 ? undefined : latency[name] / 1000

/** Whether the echo was about as fast before a row as behind it. */
export const isSteady = (row: Row): boolean => {
  const rates = neighbours(row).map(operationsPerSecond)
  return rates.length < 2 || Math.max(...rates) <= Math.min(...rates) * steadyFactor
}

const columns = [
  'operation',
  'sessions',
  'run',
  'ops/s',
  'p50 us',
  'p99 us',
  'bytes out/in',
  'echo ops/s',
  'ratio',
  'p99 ratio',
  'cpu us',
  'errors',
] as const
const widths = [22, 9, 4, 10, 10, 10, 13, 11, 7, 10, 16, 0] as const

/** Cells in columns: the first and the last to the left, those between to the right. */
export const aligned = (cells: readonly string[], columnWidths: readonly number[] = widths): string =>
  cells
    .map((cell, index) =>
      index === 0 || index === cells.length - 1
        ? cell.padEnd(columnWidths[index] ?? 0)
        : cell.padStart(columnWidths[index] ?? 0),
    )
    .join(' ')
    .trimEnd()

/** The line above the rows. */
export const heading = (): string => aligned(columns)

const microseconds = (us: number | undefined): string => us?.toFixed(us < 100 ? 1 : 0) ?? '-'

/** Microseconds of processor time for each message: of the server, of the echo, of the generator beside the server. */
const processorText = ({ measured, limit }: Row): string =>
  [measured.processorUs?.server, limit?.processorUs?.server, measured.processorUs?.generator]
    .map((us) => us?.toFixed(1) ?? '-')
    .join('/')

/** One row as a line. */
export const line = (row: Row): string => {
  const ratio = ratioOf(row)
  const p99Ratio = p99RatioOf(row)
  const limit = limitPerSecond(row)
  const errors = Object.entries(row.measured.errors).map(([name, count]) => `${name} ${count}`)
  return aligned([
    row.operation,
    String(row.connections),
    String(row.run),
    operationsPerSecond(row.measured).toFixed(0),
    microseconds(latencyUs(row.measured, 'p50')),
    microseconds(latencyUs(row.measured, 'p99')),
    `${row.requestBytes}/${row.responseBytes}`,
    limit === undefined ? '-' : `${limit.toFixed(0)}${isSteady(row) ? '' : '!'}`,
    ratio === undefined ? '-' : ratio.toFixed(2),
    p99Ratio === undefined ? '-' : p99Ratio.toFixed(2),
    processorText(row),
    errors.length === 0 ? 'none' : errors.join(', '),
  ])
}

/** The middle of some values; of an even number, the mean of the two in the middle. */
export const median = (values: readonly number[]): number => {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  const upper = sorted[middle] ?? 0
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? 0) + upper) / 2
}

const medianOfKnown = (values: readonly (number | undefined)[]): number | undefined => {
  const known = values.filter((value) => value !== undefined)
  return known.length === 0 ? undefined : median(known)
}

/** The medians of a case's runs; those of latencies are of the runs in which something was answered, undefined without any. */
export interface Summary {
  readonly operation: string
  readonly connections: number
  readonly runs: number
  readonly operationsPerSecond: number
  readonly p50Us: number | undefined
  readonly p99Us: number | undefined
  readonly itemsPerSecond: number
  readonly ratio: number | undefined
  readonly p99Ratio: number | undefined
  readonly errors: number
}

/** One summary for each case, in the order in which they were measured. */
export const summarize = (rows: readonly Row[]): Summary[] =>
  [...Map.groupBy(rows, (row) => `${row.operation} ${row.connections}`).values()].flatMap((runs) => {
    const [first] = runs
    if (first === undefined) return []
    return {
      operation: first.operation,
      connections: first.connections,
      runs: runs.length,
      operationsPerSecond: median(runs.map((row) => operationsPerSecond(row.measured))),
      p50Us: medianOfKnown(runs.map(({ measured }) => latencyUs(measured, 'p50'))),
      p99Us: medianOfKnown(runs.map(({ measured }) => latencyUs(measured, 'p99'))),
      itemsPerSecond: median(runs.map((row) => itemsPerSecond(row.measured))),
      ratio: medianOfKnown(runs.map(ratioOf)),
      p99Ratio: medianOfKnown(runs.map(p99RatioOf)),
      errors: runs.reduce(
        (sum, row) => sum + Object.values(row.measured.errors).reduce((total, count) => total + count, 0),
        0,
      ),
    }
  })

/** A summary as a line. */
export const summaryLine = (summary: Summary): string =>
  `median of ${summary.runs}: ${summary.operation}, ${summary.connections} sessions: ${summary.operationsPerSecond.toFixed(0)} ops/s, ` +
  `p50 ${summary.p50Us?.toFixed(1) ?? '-'} us, p99 ${summary.p99Us?.toFixed(1) ?? '-'} us, ` +
  `ratio ${summary.ratio === undefined ? '-' : summary.ratio.toFixed(2)}, ${summary.errors} errors`

/** How far apart the bare echo's figures lie for one case. */
export interface EchoSpread {
  readonly operation: string
  readonly connections: number
  readonly lowest: number
  readonly highest: number
  /** False: the ratios of these rows say more about the machine than about the server. */
  readonly steady: boolean
}

/** What a machine that does nothing else stays below. */
const steadyFactor = 1.25

/** The spread of the bare echo over all runs of a case. */
export const echoSpreads = (rows: readonly Row[]): EchoSpread[] =>
  [...Map.groupBy(rows, (row) => `${row.operation} ${row.connections}`).values()].flatMap((cases) => {
    const [first] = cases
    const rates = cases.flatMap((row) => neighbours(row).map(operationsPerSecond))
    if (first === undefined || rates.length === 0) return []
    const { operation, connections } = first
    const lowest = Math.min(...rates)
    const highest = Math.max(...rates)
    // A server that does more than the echo is not faster: such a ratio tells of an echo that was measured too low.
    const believable = cases.every((row) => (ratioOf(row) ?? 0) <= 1)
    return [{ operation, connections, lowest, highest, steady: believable && highest <= lowest * steadyFactor }]
  })

/** What to say of a spread that is too wide. */
export const spreadLine = (spread: EchoSpread): string =>
  `${spread.operation}: the bare echo was unsteady with ${spread.connections} sessions (${spread.lowest.toFixed(0)} to ${spread.highest.toFixed(0)} ops/s): do not compare these ratios`

/** The machine and the runtime of a measurement. */
export const machineFacts = () => ({
  node: process.version,
  openssl: process.versions.openssl,
  platform: process.platform,
  architecture: process.arch,
  processor: cpus()[0]?.model ?? 'unknown',
  cores: availableParallelism(),
})

/** The whole of a run, with the machine that it ran on: figures of another machine say nothing. */
export const jsonReport = (rows: readonly Row[], settings: Readonly<Record<string, unknown>>): string =>
  `${JSON.stringify(
    {
      tool: 'kmip-bench',
      machine: machineFacts(),
      settings,
      summaries: summarize(rows),
      echoSpreads: echoSpreads(rows),
      rows: rows.map((row) => ({
        ...row,
        operationsPerSecond: operationsPerSecond(row.measured),
        itemsPerSecond: itemsPerSecond(row.measured),
        ratio: ratioOf(row),
        p99Ratio: p99RatioOf(row),
        processorRatio: processorRatioOf(row),
        coresUsed: coresUsed(row.measured),
        steady: isSteady(row),
      })),
    },
    undefined,
    2,
  )}\n`
