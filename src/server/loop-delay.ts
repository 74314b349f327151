/**
 * How late a thread's event loop is: by how much a timer of some milliseconds comes after its time. What it is: the figures of a front's
 * thread as samples; the main thread's are the metrics library's own. What it is not: a bound of anything.
 */
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { type Sample, sample } from './meter.ts'

const nanosecondsPerSecond = 1e9
/** The timer's own time, which is no delay. */
const resolutionMs = 10

/** Watches this thread from now on. Gives what a reading is asked by: the delays since the reading before. */
export const watchLoopDelay = (front: string): (() => readonly Sample[]) => {
  const delays = monitorEventLoopDelay({ resolution: resolutionMs })
  delays.enable()
  return () => {
    const seconds = (nanoseconds: number): number =>
      delays.count === 0 ? 0 : Math.max(0, nanoseconds / nanosecondsPerSecond - resolutionMs / 1_000)
    const quantiles = { '0.5': delays.percentile(50), '0.99': delays.percentile(99), '1': delays.max }
    const samples = Object.entries(quantiles).map(([quantile, delay]) =>
      sample('kmipd_front_loop_delay_seconds', seconds(delay), { front, quantile }),
    )
    delays.reset()
    return samples
  }
}
