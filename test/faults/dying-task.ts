/**
 * The crypto worker's task with a death in it: a job that holds the marker ends its thread. What it is: a wrapper of the real
 * one. What it is not: a refusal of the job.
 */
import type { CryptoJob, Outcome } from '#crypto/jobs'
import { prepareWorker, runTask as runRealTask } from '#crypto/worker-task'

const marker = Buffer.from(process.env['FAULT_JOBS'] ?? '')

export { prepareWorker }

const holdsMarker = (value: unknown): boolean => {
  if (value instanceof Uint8Array) return Buffer.from(value).includes(marker)
  return typeof value === 'object' && value !== null && Object.values(value).some(holdsMarker)
}

/** As the real one. */
export const runTask = (jobs: readonly CryptoJob[]): Outcome[] => {
  if (jobs.some(holdsMarker)) process.exit(1)
  return runRealTask(jobs)
}
