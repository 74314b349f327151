/**
 * Asynchronous requests (KMIP 1.4 §4.27, §4.28, §6.7, §6.8): what was taken, runs in the background, and is kept for Poll.
 * What it is: a bounded set of requests and their results, in memory. What it is not: the running of an operation (dispatch.ts
 * gives a function), or durable: after a restart no correlation value is known, and Poll answers Item Not Found.
 *
 *     take ─▶ waiting ──delay, and room──▶ running ──▶ done ──keep time──▶ forgotten
 *                └──cancel──▶ cancelled ──keep time──▶ forgotten
 */
import type { Cancel, Clock } from '#actor/clock'
import type { Principal } from '#identity/principals'
import { CancellationResult, ResultReason, ResultStatus } from '#kmip/enums'
import { KmipError, reasonInVersion } from '#kmip/errors'
import type { ResponseBatchItem } from '#kmip/message'
import type { Version } from '#kmip/versions'
import type { BackgroundRequests } from '#operations/operation'
import type { Origin } from './account.ts'

/** Bounds; each is a setting. */
export interface BackgroundLimits {
  /** Requests and kept results of all users. At this many, a request is answered synchronously. */
  readonly asynchronousRequestsMax: number
  /** The same for one user. */
  readonly asynchronousRequestsPerUserMax: number
  readonly asynchronousRunningMax: number
  /** From taking a request to its start: while it waits, it can be cancelled. */
  readonly asynchronousDelayMs: number
  /** How long a result is kept, and how long a request may wait. */
  readonly asynchronousKeepMs: number
}

/** A request as it came, for one who is to run it elsewhere. */
export interface SentRequest {
  /** The whole message, in binary. */
  readonly message: Uint8Array
  readonly principal: Principal
  readonly origin: Origin
  /** Whether Destroy leaves nothing of an object. */
  readonly hardDelete: boolean
}

/** A request to be run later. */
export interface BackgroundRequest {
  readonly user: string
  readonly operation: number
  readonly version: Version
  readonly sent: SentRequest
  /** Runs it and gives its item as a synchronous answer would hold it. Never rejects. */
  readonly run: () => Promise<ResponseBatchItem>
}

/** Where requests are kept that are run later: here, or in another thread. */
export interface BackgroundKeeper extends BackgroundRequests {
  /** Gives the correlation value, or undefined when there is no room and the request must be answered at once. */
  take(request: BackgroundRequest): Uint8Array | undefined | Promise<Uint8Array | undefined>
  /** Drops what waits and resolves when what runs is done. */
  stop(): Promise<void>
}

interface Job {
  readonly request: BackgroundRequest
  state: 'waiting' | 'running' | 'done' | 'cancelled'
  result: ResponseBatchItem | undefined
  cancelTimer: Cancel
}

const nothing = (): void => undefined

export class Background implements BackgroundKeeper {
  readonly #limits: BackgroundLimits
  readonly #clock: Clock
  readonly #newCorrelation: () => string
  /** By correlation value, oldest first. */
  readonly #jobs = new Map<string, Job>()
  readonly #running = new Set<Promise<void>>()
  #ready: string[] = []
  #stopped = false

  constructor(limits: BackgroundLimits, clock: Clock, newCorrelation: () => string) {
    this.#limits = limits
    this.#clock = clock
    this.#newCorrelation = newCorrelation
  }

  /** Takes a request; gives its correlation value, or undefined when there is no room and it must be answered at once. */
  take(request: BackgroundRequest): Uint8Array | undefined {
    if (this.#stopped || !this.#makeRoom(request.user)) return undefined
    const correlation = this.#newCorrelation()
    const job: Job = { request, state: 'waiting', result: undefined, cancelTimer: nothing }
    this.#jobs.set(correlation, job)
    job.cancelTimer = this.#clock.after(this.#limits.asynchronousDelayMs, () => {
      job.cancelTimer = this.#forgetLater(correlation)
      this.#ready.push(correlation)
      this.#pump()
    })
    return Buffer.from(correlation, 'utf8')
  }

  poll(user: string, correlationValue: Uint8Array): ResponseBatchItem | undefined {
    const job = this.#jobOf(user, correlationValue)
    if (job === undefined) return undefined
    if (job.result !== undefined) return job.result
    return {
      operation: job.request.operation,
      resultStatus: ResultStatus.OperationPending,
      asynchronousCorrelationValue: correlationValue,
    }
  }

  cancel(user: string, correlationValue: Uint8Array): CancellationResult {
    const job = this.#jobOf(user, correlationValue)
    if (job === undefined) return CancellationResult.Unavailable
    if (job.state === 'running') return CancellationResult.UnableToCancel
    if (job.state === 'cancelled') return CancellationResult.Canceled
    if (job.state === 'done') {
      const succeeded = job.result?.resultStatus === ResultStatus.Success
      return succeeded ? CancellationResult.Completed : CancellationResult.Failed
    }
    const error = new KmipError(ResultReason.OperationCanceledByRequester)
    this.#end(textOf(correlationValue), job, 'cancelled', {
      operation: job.request.operation,
      resultStatus: ResultStatus.OperationFailed,
      resultReason: reasonInVersion(error.reason, job.request.version),
      resultMessage: error.message,
    })
    return CancellationResult.Canceled
  }

  /** Drops what waits and resolves when what runs is done. */
  async stop(): Promise<void> {
    this.#stopped = true
    this.#ready = []
    for (const job of this.#jobs.values()) job.cancelTimer()
    await Promise.all(this.#running)
    for (const job of this.#jobs.values()) job.cancelTimer()
    this.#jobs.clear()
  }

  #jobOf(user: string, correlationValue: Uint8Array): Job | undefined {
    const job = this.#jobs.get(textOf(correlationValue))
    return job?.request.user === user ? job : undefined
  }

  /** Whether there is room for one more; a user's oldest result makes place for a new request. */
  #makeRoom(user: string): boolean {
    const { asynchronousRequestsMax, asynchronousRequestsPerUserMax } = this.#limits
    const own = [...this.#jobs].filter(([, job]) => job.request.user === user)
    if (this.#jobs.size < asynchronousRequestsMax && own.length < asynchronousRequestsPerUserMax) return true
    const ended = own.find(([, job]) => job.result !== undefined)
    if (ended === undefined) return false
    ended[1].cancelTimer()
    this.#jobs.delete(ended[0])
    return true
  }

  #pump(): void {
    while (this.#running.size < this.#limits.asynchronousRunningMax) {
      const correlation = this.#ready.shift()
      if (correlation === undefined) return
      const job = this.#jobs.get(correlation)
      if (job?.state === 'waiting') this.#start(correlation, job)
    }
  }

  #start(correlation: string, job: Job): void {
    job.cancelTimer()
    job.cancelTimer = nothing
    job.state = 'running'
    const running = job.request.run().then((result) => {
      this.#running.delete(running)
      this.#end(correlation, job, 'done', result)
      this.#pump()
    })
    this.#running.add(running)
  }

  #end(correlation: string, job: Job, state: 'done' | 'cancelled', result: ResponseBatchItem): void {
    job.cancelTimer()
    job.state = state
    job.result = result
    job.cancelTimer = this.#forgetLater(correlation)
  }

  #forgetLater(correlation: string): Cancel {
    return this.#clock.after(this.#limits.asynchronousKeepMs, () => this.#jobs.delete(correlation))
  }
}

const textOf = (correlationValue: Uint8Array): string => Buffer.from(correlationValue).toString('utf8')
