/**
 * Ways to have the thread, for tests of who may go on when: working, holding it, and many small things beside. What it is not: the
 * queue of slices itself (`actor/slices.ts`).
 */
import { setImmediate as turn } from 'node:timers/promises'
import { processorMs } from '#actor/clock'
import { workedBriefly } from '#actor/slices'

/** Works for so long, however often the system gives the processor to somebody else meanwhile. */
export const spin = (milliseconds: number): void => {
  const untilMs = processorMs() + milliseconds
  while (processorMs() < untilMs);
}

/** Holds the thread for so long without any work, as who was preempted does. */
export const standStill = (milliseconds: number): void => {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds)
}

/** Does something while others ask little. */
export const besideOthers = async <T>(run: () => Promise<T>): Promise<T> => {
  const over = new AbortController()
  const asking = (async () => {
    while (!over.signal.aborted) {
      workedBriefly()
      await turn()
    }
  })()
  const done = await run()
  over.abort()
  await asking
  return done
}
