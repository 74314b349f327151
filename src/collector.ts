/**
 * How V8 collects this process's garbage. What it is: the choices that differ from V8's own, for every thread. What it is not: a bound of
 * memory.
 *
 * Where objects are made: V8 learns where those are made that live long, and makes the next ones there among the old. A server's
 * objects live long or short by what its clients do: after a burst of waiting writes, answers that live for microseconds were made
 * among the old, where each kept its bytes alive until the next collection of everything. Seen with 26,000 Gets/s of 16 sessions:
 * 1.1 MB instead of 0.2 MB of survivors a collection, pauses of 3 instead of 1 ms.
 *
 * Who marks: up to four threads, beside the one that serves. On two cores they leave it a fifth of its time for most of a second:
 * latencies of 100 ms and more, now and then (bench/NOTES.md).
 */
import { setFlagsFromString } from 'node:v8'

/** Before anything is compiled that runs often. @param cores of the machine */
export const chooseCollection = (cores: number): void => {
  setFlagsFromString('--no-allocation-site-pretenuring')
  setFlagsFromString(`--concurrent-marking-max-worker-num=${Math.max(1, cores >> 1)}`)
}
