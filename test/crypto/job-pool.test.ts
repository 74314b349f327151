/** The pool of workers: batches, bounds, and workers that die. */

import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import { CryptoBusy, CryptoFailure, KeyFormatError } from '#crypto/errors'
import { createJobPool, type JobPool } from '#crypto/job-pool'
import type { MortalAnswer, MortalJob } from '#test/crypto/mortal-worker'

const workerUrl = new URL('./mortal-worker.ts', import.meta.url).href
const opened: JobPool[] = []
const open = (workers: number, queueMax: number, errors: Error[] = []): JobPool => {
  const pool = createJobPool({ workerUrl, workers, queueMax, onWorkerError: (error) => errors.push(error) })
  opened.push(pool)
  return pool
}
const run = async (pool: JobPool, job: MortalJob, alone = false) =>
  (await pool.run(job, alone ? 3000 : 1)) as MortalAnswer
const answer: MortalJob = { act: 'answer' }

after(async () => {
  await Promise.all(opened.map((pool) => pool.close()))
})

describe('job pool', () => {
  test('small jobs of one turn travel together, 64 at most; heavy ones alone', async () => {
    const pool = open(2, 1000)
    const small = await Promise.all(Array.from({ length: 70 }, () => run(pool, answer)))
    assert.deepEqual(
      small.map(({ together }) => together),
      [...Array.from({ length: 64 }, () => 64), ...Array.from({ length: 6 }, () => 6)],
    )
    const heavy = await Promise.all([run(pool, answer, true), run(pool, answer, true)])
    assert.deepEqual(
      heavy.map(({ together }) => together),
      [1, 1],
    )
  })

  test('a job that is refused does not harm its company', async () => {
    const pool = open(1, 10)
    const jobs: readonly MortalJob[] = [answer, { act: 'refuse' }, { act: 'break' }]
    const [first, second, third] = await Promise.allSettled(jobs.map((job) => run(pool, job)))
    assert.equal(first?.status, 'fulfilled')
    assert.ok(second?.status === 'rejected' && second.reason instanceof KeyFormatError)
    assert.equal(second.reason.kind, 'unsupported')
    assert.ok(third?.status === 'rejected' && third.reason instanceof CryptoFailure)
    assert.equal(third.reason.detail, 'RangeError')
    assert.ok(!third.reason.message.includes('marker'))
  })

  test('a dead worker is replaced; its jobs fail without a word of the inside', async () => {
    const errors: Error[] = []
    const pool = open(2, 100, errors)
    await run(pool, answer)
    for (let round = 0; round < 3; round += 1) {
      const doomed = await Promise.allSettled([run(pool, answer), run(pool, { act: 'exit' })])
      for (const outcome of doomed) {
        assert.ok(outcome.status === 'rejected' && outcome.reason instanceof CryptoFailure)
        assert.equal(outcome.reason.message, 'The cryptographic job failed')
      }
    }
    const later = await Promise.all(Array.from({ length: 20 }, () => run(pool, answer, true)))
    assert.equal(later.length, 20)
    assert.ok(errors.length >= 3)
  })

  test('a task that throws, or answers too little, is a failure of its jobs only', async () => {
    const pool = open(1, 100)
    await assert.rejects(
      run(pool, { act: 'fail' }),
      (error) => error instanceof CryptoFailure && !/marker/.test(error.message),
    )
    await assert.rejects(run(pool, { act: 'forget' }), CryptoFailure)
    assert.equal((await run(pool, answer)).together, 1)
  })

  test('what waits is bounded, and room comes back', async () => {
    const pool = open(1, 3)
    const slow: MortalJob = { act: 'answer', waitMs: 20 }
    const taken = [run(pool, slow, true), run(pool, slow, true), run(pool, answer)]
    await assert.rejects(run(pool, answer), CryptoBusy)
    await assert.rejects(run(pool, answer, true), CryptoBusy)
    await Promise.all(taken)
    await run(pool, answer)
    await assert.rejects(run(pool, { act: 'exit' }), CryptoFailure)
    await Promise.all([run(pool, answer), run(pool, answer), run(pool, answer)])
  })

  test('a slow job holds up none that is quick', async () => {
    const pool = open(1, 10)
    let slowDone = false
    const slow = pool.run({ act: 'answer', waitMs: 1500 } satisfies MortalJob, 50_000).then(() => (slowDone = true))
    await run(pool, answer)
    await run(pool, answer, true)
    assert.equal(slowDone, false)
    await slow
  })

  test('quick work of some time is shared among the threads', async () => {
    const pool = open(2, 100)
    const jobs = Array.from({ length: 8 }, () => pool.run(answer, 100) as Promise<MortalAnswer>)
    const together = (await Promise.all(jobs)).map((one) => one.together)
    assert.deepEqual(together, [2, 2, 2, 2, 2, 2, 2, 2])
  })

  test('closing answers what was taken and refuses the rest', async () => {
    const pool = open(1, 10)
    const taken = [run(pool, { act: 'answer', waitMs: 20 }, true), run(pool, answer)]
    const closing = pool.close()
    await assert.rejects(run(pool, answer), CryptoFailure)
    await closing
    assert.equal((await Promise.all(taken)).length, 2)
  })
})
