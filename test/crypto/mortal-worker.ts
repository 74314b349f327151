/** A worker for the pool's own tests: it answers, refuses, breaks or dies as the job says. Not a crypto worker. */

import { threadId } from 'node:worker_threads'
import { KeyFormatError, plainCryptoError } from '#crypto/errors'
import type { Outcome } from '#crypto/jobs'

/** What the worker is to do. */
export interface MortalJob {
  readonly act: 'answer' | 'refuse' | 'break' | 'fail' | 'exit' | 'forget'
  readonly waitMs?: number
}

/** What an answer holds. */
export interface MortalAnswer {
  readonly threadId: number
  readonly together: number
}

/** Does what the jobs say. */
export default async function task(jobs: readonly MortalJob[]): Promise<Outcome[]> {
  const outcomes: Outcome[] = []
  for (const { act, waitMs } of jobs) {
    if (waitMs !== undefined) await new Promise((resolve) => setTimeout(resolve, waitMs))
    if (act === 'exit') process.exit(7)
    if (act === 'fail') throw new Error('marker of the inside')
    if (act === 'answer') outcomes.push({ ok: true, value: { threadId, together: jobs.length } })
    if (act === 'refuse') {
      outcomes.push({ ok: false, error: plainCryptoError(new KeyFormatError('unsupported', 'refused')) })
    }
    if (act === 'break') outcomes.push({ ok: false, error: plainCryptoError(new RangeError('marker of the inside')) })
  }
  return outcomes
}
