/**
 * Latencies as counts: what histograms of threads and processes become so that they can be added, told and drawn. What it
 * is: a fine series of percentiles of the runtime's own HDR histogram (three digits), and the merging of several. What it is
 * not: the recording (generator-thread.ts).
 */
import { createHistogram, type RecordableHistogram } from 'node:perf_hooks'
import type { Latency } from './job.ts'

/** Latencies up to ten minutes, to three digits. */
export const latencyHistogram = (): RecordableHistogram =>
  createHistogram({ lowest: 1, highest: 600_000_000_000, figures: 3 })

/** Percentiles of a distribution: steps of a tenth up to 99, then ten times finer with each nine. */
const gridOf = (): number[] => {
  const tenths = Array.from({ length: 990 }, (_, index) => (index + 1) / 10)
  const finer = [0.01, 0.001, 0.0001].flatMap((step, nines) => {
    const start = 100 - 10 ** -nines
    return Array.from({ length: 90 }, (_, index) => Number((start + (index + 1) * step).toFixed(6)))
  })
  return [...tenths, ...finer, 100]
}
const grid: readonly number[] = gridOf()

/** Values at the grid's percentiles, in nanoseconds. */
export interface Distribution {
  readonly count: number
  readonly mean: number
  readonly values: Float64Array
}

const none: Distribution = { count: 0, mean: 0, values: new Float64Array(grid.length) }

/** What a histogram recorded. */
export const distributionOf = (histogram: RecordableHistogram): Distribution =>
  histogram.count === 0
    ? none
    : {
        count: histogram.count,
        mean: histogram.mean,
        values: Float64Array.from(grid, (percentile) =>
          percentile === 100 ? histogram.max : histogram.percentile(percentile),
        ),
      }

/**
 * Adds several up. Each stands for steps as wide as the grid's, so a percentile of the sum is right to a tenth of a percent
 * of the ranks below 99, and as much finer above; the greatest value is exact.
 */
export const mergeDistributions = (distributions: readonly Distribution[]): Distribution => {
  const filled = distributions.filter(({ count }) => count > 0)
  const [only] = filled
  if (only === undefined) return none
  if (filled.length === 1) return only
  const weighted = filled
    .flatMap(({ count, values }) =>
      Array.from(values, (value, index) => ({
        value,
        weight: (((grid[index] ?? 0) - (grid[index - 1] ?? 0)) / 100) * count,
      })),
    )
    .sort((a, b) => a.value - b.value)
  const count = filled.reduce((sum, entry) => sum + entry.count, 0)
  const values = new Float64Array(grid.length)
  let at = 0
  let reached = weighted[0]?.weight ?? 0
  grid.forEach((percentile, index) => {
    // Sums of many small weights are a little off; a thousandth of a message does not matter.
    while (reached < (percentile / 100) * count - 0.001 && at < weighted.length - 1) {
      at += 1
      reached += weighted[at]?.weight ?? 0
    }
    values[index] = weighted[at]?.value ?? 0
  })
  values[grid.length - 1] = weighted.at(-1)?.value ?? 0
  return { count, mean: filled.reduce((sum, entry) => sum + entry.mean * entry.count, 0) / count, values }
}

const indexOf = (percentile: number): number => grid.findIndex((known) => known >= percentile)

/** The figures that every report has. */
export const latencyOf = ({ mean, values }: Distribution): Latency => {
  const at = (percentile: number): number => values[indexOf(percentile)] ?? 0
  return { mean, p50: at(50), p90: at(90), p99: at(99), p999: at(99.9), max: at(100) }
}

/** Percentiles that a chart draws: enough for a smooth line, few enough for a report. */
const drawn: readonly number[] = [
  ...Array.from({ length: 18 }, (_, index) => (index + 1) * 5),
  ...Array.from({ length: 9 }, (_, index) => 91 + index),
  99.2,
  99.4,
  99.6,
  99.8,
  99.9,
  99.95,
  99.99,
  99.995,
  99.999,
  100,
]

/** The series of a chart: percentile and nanoseconds. */
export const percentileSeries = ({ values }: Distribution): (readonly [number, number])[] =>
  drawn.map((percentile) => [percentile, values[indexOf(percentile)] ?? 0] as const)
