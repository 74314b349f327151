/**
 * The measurements of cryptography as people and programs read them: rows, lines of text, medians with lowest and highest,
 * JSON. What it is not: the measurement (crypto.ts).
 */
import type { Measured } from './job.ts'
import { aligned, machineFacts, median, operationsPerSecond } from './report.ts'

/** One measured case of an operation that computes. */
export interface CryptoRow {
  readonly operation: string
  readonly placement: string
  readonly connections: number
  /** Counts from 1. */
  readonly run: number
  readonly measured: Measured
  /** Operations a second of the bare primitive, on as many threads as the server has crypto workers. */
  readonly bare: number
  /** Requests a second of the bare TLS echo, with the same sessions and sizes. */
  readonly echo: number
}

/** One look at Get, without and with others who make key pairs. */
export interface InterferenceRow {
  readonly placement: string
  readonly connections: number
  readonly run: number
  readonly idle: Measured
  readonly busy: Measured
  readonly pairs: Pick<Measured, 'completed' | 'elapsedMs' | 'errors'>
}

/** Several runs' figures of one thing. */
export interface Spread {
  readonly median: number
  readonly lowest: number
  readonly highest: number
}

const spreadOf = (values: readonly number[]): Spread => ({
  median: median(values),
  lowest: Math.min(...values),
  highest: Math.max(...values),
})

/** The runs of a case together. */
export interface CryptoSummary extends Pick<CryptoRow, 'operation' | 'placement' | 'connections'> {
  readonly runs: number
  readonly operationsPerSecond: Spread
  readonly p50Us: Spread
  readonly p99Us: Spread
  readonly barePerSecond: Spread
  readonly bareRatio: Spread
  readonly echoPerSecond: Spread
  readonly echoRatio: Spread
  readonly errors: number
}

const errorsOf = (measured: Pick<Measured, 'errors'>): number =>
  Object.values(measured.errors).reduce((sum, count) => sum + count, 0)

const grouped = <Row>(rows: readonly Row[], nameOf: (row: Row) => string): (readonly [Row, readonly Row[]])[] =>
  [...Map.groupBy(rows, nameOf).values()].flatMap((runs) => {
    const [first] = runs
    return first === undefined ? [] : [[first, runs] as const]
  })

/** One summary for each case, in the order in which they were measured. */
export const summarizeCrypto = (rows: readonly CryptoRow[]): CryptoSummary[] =>
  grouped(rows, (row) => `${row.operation} ${row.placement} ${row.connections}`).map(([first, runs]) => {
    const { operation, placement, connections } = first
    const rate = (row: CryptoRow): number => operationsPerSecond(row.measured)
    return {
      operation,
      placement,
      connections,
      runs: runs.length,
      operationsPerSecond: spreadOf(runs.map(rate)),
      p50Us: spreadOf(runs.map((row) => row.measured.latency.p50 / 1000)),
      p99Us: spreadOf(runs.map((row) => row.measured.latency.p99 / 1000)),
      barePerSecond: spreadOf(runs.map((row) => row.bare)),
      bareRatio: spreadOf(runs.map((row) => rate(row) / row.bare)),
      echoPerSecond: spreadOf(runs.map((row) => row.echo)),
      echoRatio: spreadOf(runs.map((row) => rate(row) / row.echo)),
      errors: runs.reduce((sum, row) => sum + errorsOf(row.measured), 0),
    }
  })

/** The runs of a look at Get together; the ratio is that of busy to idle. */
export interface InterferenceSummary extends Pick<InterferenceRow, 'placement' | 'connections'> {
  readonly runs: number
  readonly idleP99Us: Spread
  readonly busyP99Us: Spread
  readonly p99Ratio: Spread
  readonly idleP50Us: Spread
  readonly busyP50Us: Spread
  readonly idlePerSecond: Spread
  readonly busyPerSecond: Spread
  readonly pairsPerSecond: Spread
  readonly errors: number
}

/** One summary for each placement and number of sessions. */
export const summarizeInterference = (rows: readonly InterferenceRow[]): InterferenceSummary[] =>
  grouped(rows, (row) => `${row.placement} ${row.connections}`).map(([{ placement, connections }, runs]) => ({
    placement,
    connections,
    runs: runs.length,
    idleP99Us: spreadOf(runs.map((row) => row.idle.latency.p99 / 1000)),
    busyP99Us: spreadOf(runs.map((row) => row.busy.latency.p99 / 1000)),
    p99Ratio: spreadOf(runs.map((row) => row.busy.latency.p99 / row.idle.latency.p99)),
    idleP50Us: spreadOf(runs.map((row) => row.idle.latency.p50 / 1000)),
    busyP50Us: spreadOf(runs.map((row) => row.busy.latency.p50 / 1000)),
    idlePerSecond: spreadOf(runs.map((row) => operationsPerSecond(row.idle))),
    busyPerSecond: spreadOf(runs.map((row) => operationsPerSecond(row.busy))),
    pairsPerSecond: spreadOf(runs.map(({ pairs }) => (pairs.completed / pairs.elapsedMs) * 1000)),
    errors: runs.reduce((sum, row) => sum + errorsOf(row.idle) + errorsOf(row.busy) + errorsOf(row.pairs), 0),
  }))

/** A median, and the lowest and highest where there were several runs. */
const shown = (spread: Spread, digits: number): string => {
  const [middle, low, high] = [spread.median, spread.lowest, spread.highest].map((value) => value.toFixed(digits))
  return spread.lowest === spread.highest ? String(middle) : `${middle} (${low}-${high})`
}

const cryptoWidths = [10, 9, 8, 25, 25, 25, 17, 25, 17, 0]
const interferenceWidths = [9, 8, 25, 25, 20, 25, 25, 20, 0]

/** The table of `kmip-bench crypto`: medians of all runs. */
export const cryptoTable = (rows: readonly CryptoRow[]): string[] => [
  aligned(
    ['operation', 'placement', 'sessions', 'ops/s', 'p50 us', 'p99 us', 'of bare', 'bare ops/s', 'of echo', 'errors'],
    cryptoWidths,
  ),
  ...summarizeCrypto(rows).map((summary) =>
    aligned(
      [
        summary.operation,
        summary.placement,
        String(summary.connections),
        shown(summary.operationsPerSecond, 0),
        shown(summary.p50Us, 0),
        shown(summary.p99Us, 0),
        shown(summary.bareRatio, 2),
        shown(summary.barePerSecond, 0),
        shown(summary.echoRatio, 2),
        String(summary.errors),
      ],
      cryptoWidths,
    ),
  ),
]

/** The table of `kmip-bench interference`. */
export const interferenceTable = (rows: readonly InterferenceRow[]): string[] => [
  aligned(
    [
      'placement',
      'sessions',
      'idle p99 us',
      'busy p99 us',
      'p99 ratio',
      'idle get/s',
      'busy get/s',
      'pairs/s',
      'errors',
    ],
    interferenceWidths,
  ),
  ...summarizeInterference(rows).map((summary) =>
    aligned(
      [
        summary.placement,
        String(summary.connections),
        shown(summary.idleP99Us, 0),
        shown(summary.busyP99Us, 0),
        shown(summary.p99Ratio, 2),
        shown(summary.idlePerSecond, 0),
        shown(summary.busyPerSecond, 0),
        shown(summary.pairsPerSecond, 2),
        String(summary.errors),
      ],
      interferenceWidths,
    ),
  ),
]

/** One run of a case, as it ends. */
export const cryptoLine = (row: CryptoRow): string =>
  `${row.operation}, ${row.placement}, ${row.connections} sessions, run ${row.run}: ` +
  `${operationsPerSecond(row.measured).toFixed(0)} ops/s, bare ${row.bare.toFixed(0)}, echo ${row.echo.toFixed(0)}`

/** One look, as it ends. */
export const interferenceLine = (row: InterferenceRow): string =>
  `${row.placement}, ${row.connections} sessions, run ${row.run}: p99 of Get ${(row.idle.latency.p99 / 1000).toFixed(0)} us idle, ` +
  `${(row.busy.latency.p99 / 1000).toFixed(0)} us beside ${row.pairs.completed} key pairs`

/** The whole of a measurement, with the machine that it ran on. */
export const cryptoJson = (
  rows: readonly CryptoRow[] | readonly InterferenceRow[],
  summaries: readonly CryptoSummary[] | readonly InterferenceSummary[],
  settings: Readonly<Record<string, unknown>>,
): string =>
  `${JSON.stringify({ tool: 'kmip-bench', machine: machineFacts(), settings, summaries, rows }, undefined, 2)}\n`
