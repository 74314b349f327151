/**
 * A pool of worker threads that take jobs in batches. What it is: the gathering of small jobs into tasks, the bound on what
 * waits, and the fate of jobs whose worker dies. What it is not: what a job does; that is known to the worker's file only.
 *
 *   run(job) ─ small ─> gathered until the turn of the event loop ends (or the batch is full) ─> one task ─┐
 *            └ heavy ─> a task of its own ────────────────────────────────────────────────────────────────┴─> Piscina
 */

import { Piscina } from 'piscina'
import { CryptoBusy, CryptoFailure, revivedCryptoError } from './errors.ts'
import type { Outcome } from './jobs.ts'

/** Settings of a pool. */
export interface JobPoolOptions {
  /** URL of the worker's file, whose default export takes an array of jobs and gives an array of outcomes. */
  readonly workerUrl: string
  /** Number of threads. */
  readonly workers: number
  /** Jobs that may be taken and not yet answered; one more is refused. */
  readonly queueMax: number
  /** Told of a worker that died; its jobs are answered for already, and another worker takes its place. */
  readonly onWorkerError?: ((error: Error) => void) | undefined
}

/** A pool of workers. */
export interface JobPool {
  /** Does a job in a worker. Rejects with CryptoBusy when too much waits, with CryptoFailure when the worker dies. */
  run(job: object, alone: boolean): Promise<unknown>
  /** Waits for the jobs taken, then ends the threads. Later jobs are refused with CryptoFailure. */
  close(): Promise<void>
}

/** Above this many jobs a task keeps a worker too long for the ones behind it (64 key pairs on P-256: about 5 ms). */
const batchMax = 64

interface Waiting {
  readonly job: object
  readonly resolve: (value: unknown) => void
  readonly reject: (error: Error) => void
}

/** Starts a pool. */
export function createJobPool({ workerUrl, workers, queueMax, onWorkerError }: JobPoolOptions): JobPool {
  const piscina = new Piscina<readonly object[], Outcome[]>({
    filename: workerUrl,
    // Equal, or threads come and go (their idle time is 0 by default).
    minThreads: workers,
    maxThreads: workers,
    // With the default an idle worker's event loop does not turn: nothing could be wiped after an answer has left.
    atomics: 'async',
  })
  piscina.on('error', (error: Error) => onWorkerError?.(error))

  let outstanding = 0
  let closed = false
  let batch: Waiting[] = []

  async function send(waiting: readonly Waiting[]): Promise<void> {
    try {
      const outcomes = await piscina.run(waiting.map(({ job }) => job))
      outstanding -= waiting.length
      for (const [index, { resolve, reject }] of waiting.entries()) {
        const outcome = outcomes[index]
        if (outcome?.ok === true) resolve(outcome.value)
        else reject(outcome === undefined ? new CryptoFailure('no outcome') : revivedCryptoError(outcome.error))
      }
    } catch (error) {
      outstanding -= waiting.length
      // The reason is for the log alone: a client learns that its job failed.
      onWorkerError?.(error instanceof Error ? error : new CryptoFailure('worker'))
      for (const { reject } of waiting) reject(new CryptoFailure('worker'))
    }
  }

  function flush(): void {
    const waiting = batch
    batch = []
    if (waiting.length > 0) void send(waiting)
  }

  return {
    run(job, alone) {
      if (closed) return Promise.reject(new CryptoFailure('closed', 'The cryptographic workers are closed'))
      if (outstanding >= queueMax) return Promise.reject(new CryptoBusy())
      outstanding += 1
      return new Promise((resolve, reject) => {
        const waiting = { job, resolve, reject }
        if (alone) {
          void send([waiting])
          return
        }
        batch.push(waiting)
        if (batch.length === 1) setImmediate(flush)
        if (batch.length >= batchMax) flush()
      })
    },
    async close() {
      closed = true
      flush()
      await piscina.close()
    },
  }
}
