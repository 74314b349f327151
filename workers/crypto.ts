/**
 * The crypto worker: a thread that does the jobs of a task and gives their outcomes. What it is not: a place for logic
 * (src/crypto/jobs.ts has it), nor for anything that outlives a task: the keys that passed through are overwritten.
 */

import { type CryptoJob, executeTask, type Outcome } from '#crypto/jobs'
import { wipeWithin } from '#crypto/secret'

/** Does the jobs in order. */
export default function task(jobs: readonly CryptoJob[]): Outcome[] {
  const outcomes = executeTask(jobs)
  // The answer is copied and posted within this turn of the event loop; the next turn clears what is left of it here.
  setImmediate(() => {
    wipeWithin(jobs)
    wipeWithin(outcomes)
  })
  return outcomes
}
