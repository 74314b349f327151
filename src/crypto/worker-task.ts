/**
 * What a crypto worker does with a task, and what it is told at its start. What it is not: the thread's entry
 * (workers/crypto.ts), nor the jobs (jobs.ts).
 */

import { setPriority } from 'node:os'
import { Piscina } from 'piscina'
import { systemClock } from '#actor/clock'
import { crossing, movable } from './crossing.ts'
import { type CryptoJob, executeTask, type Outcome } from './jobs.ts'
import { KeptKeys, type KeptKeysLimits } from './kept-keys.ts'
import { keepKeysIn } from './key-use.ts'
import { wipeWithin } from './secret.ts'

/** What a worker is told at its start. */
export interface WorkerSettings {
  readonly keptKeys?: KeptKeysLimits | undefined
  /** Added to the thread's nice value: a thread that makes keys for seconds gives way to those that answer. */
  readonly nice: number
}

/** Makes this thread ready, by what the pool handed it. To be called once, before the first task. */
export function prepareWorker(): void {
  const { keptKeys, nice } = Piscina.workerData as WorkerSettings
  if (keptKeys !== undefined) keepKeysIn(new KeptKeys(keptKeys, systemClock))
  // Process 0 is the calling thread on Linux; elsewhere it is the whole process, fronts and all.
  if (nice > 0 && process.platform === 'linux') setPriority(0, nice)
}

/** Does the jobs in order, and wipes what came and what leaves. Large results are handed over, not copied. */
export function runTask(jobs: readonly CryptoJob[]): Outcome[] {
  const made = executeTask(jobs)
  const outcomes = crossing(made, true)
  // The answer is copied and posted within this turn of the event loop; the next turn clears what is left of it here.
  setImmediate(() => {
    wipeWithin(jobs)
    wipeWithin(made)
    wipeWithin(outcomes.value)
  })
  return movable(outcomes)
}
