/**
 * A pool of worker threads that take jobs in batches. What it is: two lanes of threads, the gathering of jobs into tasks,
 * the bound on what waits, and the fate of jobs whose worker dies. What it is not: what a job does; that is known to the
 * worker's file only.
 *
 *   run(job) ─ quick ─> gathered until the turn of the event loop ends ─> tasks of about a millisecond ─> Piscina, quick lane
 *            └ slow ──> a task of its own ──────────────────────────────────────────────────────────────> Piscina, slow lane
 *
 * The slow lane is for what takes a thread for tens of milliseconds and more (key pairs of RSA): nothing quick ever waits
 * behind it, and its threads have a lower priority, so that they take the time that nobody else wants. It is started by its
 * first job: many servers never make such a key.
 */

import { Piscina } from 'piscina'
import { crossing, movable } from './crossing.ts'
import { CryptoBusy, CryptoFailure, revivedCryptoError } from './errors.ts'
import type { Outcome } from './jobs.ts'
import type { KeptKeysLimits } from './kept-keys.ts'
import { wipeWithin } from './secret.ts'
import type { WorkerSettings } from './worker-task.ts'

/** Settings of a pool. */
export interface JobPoolOptions {
  /** URL of the worker's file, whose default export takes an array of jobs and gives an array of outcomes. */
  readonly workerUrl: string
  /** Number of threads of each lane. */
  readonly workers: number
  /** Jobs that a lane may have taken and not yet answered; one more is refused. */
  readonly queueMax: number
  /** Keys that each worker keeps; undefined: none. */
  readonly keptKeys?: KeptKeysLimits | undefined
  /** Told of a worker that died; its jobs are answered for already, and another worker takes its place. */
  readonly onWorkerError?: ((error: Error) => void) | undefined
}

/** A pool of workers. */
export interface JobPool {
  /**
   * Does a job in a worker. Rejects with CryptoBusy when too much waits, with CryptoFailure when the worker dies.
   * @param microseconds what the job will cost, about
   */
  run(job: object, microseconds: number): Promise<unknown>
  /** Jobs that were taken and are not yet answered. */
  readonly outstanding: number
  /** Waits for the jobs taken, then ends the threads. Later jobs are refused with CryptoFailure. */
  close(): Promise<void>
}

/** A task has so many jobs at most, and ends with the job that brings it to so much time: each of them waits for all. */
const taskJobsMax = 64
const taskUs = 1000
/** Less than this is not shared out: a second thread would cost more, in hops, than it saves. */
const sharedUs = 150

/** A quick thread has a task in hand and one that lies ready, so that it need not wait for the hop. */
const quickTasksPerWorker = 2
/** A slow one has none lying ready, which would wait for it while another thread is idle. */
const slowTasksPerWorker = 1

/** From here on a job is slow. */
const slowUs = 5000

/** Added to the nice value of slow threads: with 10 they get a tenth of a core that a front wants whole. */
const slowNice = 10

interface Waiting {
  readonly job: object
  readonly microseconds: number
  readonly resolve: (value: unknown) => void
  readonly reject: (error: Error) => void
}

/** Starts a pool. */
export function createJobPool(options: JobPoolOptions): JobPool {
  const quick = new Lane(options, quickTasksPerWorker, { keptKeys: options.keptKeys, nice: 0 })
  let slow: Lane | undefined
  let closed = false
  return {
    run(job, microseconds) {
      if (closed) return Promise.reject(new CryptoFailure('closed', 'The cryptographic workers are closed'))
      if (microseconds < slowUs) return quick.run(job, microseconds)
      slow ??= new Lane(options, slowTasksPerWorker, { nice: slowNice })
      return slow.run(job, microseconds)
    },
    get outstanding() {
      return quick.outstanding + (slow?.outstanding ?? 0)
    },
    async close() {
      closed = true
      await Promise.all([quick.close(), slow?.close()])
    },
  }
}

/** Threads of one priority, and the jobs that wait for them. */
class Lane {
  readonly #piscina: Piscina<readonly object[], Outcome[]>
  readonly #queueMax: number
  readonly #tasksMax: number
  readonly #onWorkerError: ((error: Error) => void) | undefined
  #waiting: Waiting[] = []
  #outstanding = 0
  #tasks = 0
  #gathering = false
  #drained: (() => void) | undefined

  constructor(
    { workerUrl, workers, queueMax, onWorkerError }: JobPoolOptions,
    tasksPerWorker: number,
    workerData: WorkerSettings,
  ) {
    this.#queueMax = queueMax
    this.#tasksMax = workers * tasksPerWorker
    this.#onWorkerError = onWorkerError
    this.#piscina = new Piscina<readonly object[], Outcome[]>({
      filename: workerUrl,
      // Equal, or threads come and go (their idle time is 0 by default).
      minThreads: workers,
      maxThreads: workers,
      concurrentTasksPerWorker: tasksPerWorker,
      // With the default an idle worker's event loop does not turn: nothing could be wiped after an answer has left.
      atomics: 'async',
      workerData,
    })
    this.#piscina.on('error', (error: Error) => onWorkerError?.(error))
  }

  get outstanding(): number {
    return this.#outstanding
  }

  run(job: object, microseconds: number): Promise<unknown> {
    if (this.#outstanding >= this.#queueMax) return Promise.reject(new CryptoBusy())
    this.#outstanding += 1
    return new Promise((resolve, reject) => {
      this.#waiting.push({ job, microseconds, resolve, reject })
      if (this.#gathering) return
      this.#gathering = true
      setImmediate(() => {
        this.#gathering = false
        this.#sendAll()
      })
    })
  }

  /** Waits for all jobs, then ends the threads. */
  async close(): Promise<void> {
    if (this.#outstanding > 0) await new Promise<void>((resolve) => (this.#drained = resolve))
    await this.#piscina.close()
  }

  /** Sends tasks while there are jobs and threads for them. */
  #sendAll(): void {
    while (this.#tasks < this.#tasksMax && this.#waiting.length > 0) {
      const jobs = this.#nextTask()
      this.#tasks += 1
      void this.#send(jobs)
    }
  }

  /** The jobs of the next task: an even share of what waits, so that no thread is left without, within the task's bounds. */
  #nextTask(): Waiting[] {
    const share = Math.ceil(this.#waiting.length / (this.#tasksMax - this.#tasks))
    let microseconds = 0
    let count = 0
    for (const waiting of this.#waiting) {
      const enough = count >= share && microseconds >= sharedUs
      const full = count >= taskJobsMax || microseconds + waiting.microseconds > taskUs
      if (count > 0 && (enough || full)) break
      microseconds += waiting.microseconds
      count += 1
    }
    return this.#waiting.splice(0, count)
  }

  /** After a task: room for the next, before its jobs are answered, whose callers may come with another. */
  #done(jobs: number): void {
    this.#tasks -= 1
    this.#outstanding -= jobs
    this.#sendAll()
    if (this.#outstanding === 0) this.#drained?.()
  }

  /** Sends a task and answers its jobs. Never rejects. */
  async #send(jobs: readonly Waiting[]): Promise<void> {
    const task = crossing(
      jobs.map(({ job }) => job),
      false,
    )
    try {
      const outcomes = await this.#piscina.run(movable(task))
      this.#done(jobs.length)
      for (const [index, { resolve, reject }] of jobs.entries()) {
        const outcome = outcomes[index]
        if (outcome?.ok === true) resolve(outcome.value)
        else reject(outcome === undefined ? new CryptoFailure('no outcome') : revivedCryptoError(outcome.error))
      }
    } catch (error) {
      this.#done(jobs.length)
      // The reason is for the log alone: a client learns that its job failed.
      this.#onWorkerError?.(error instanceof Error ? error : new CryptoFailure('worker'))
      for (const { reject } of jobs) reject(new CryptoFailure('worker'))
    }
    wipeWithin(task.value)
  }
}
