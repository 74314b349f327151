/**
 * Actors and their supervision. What it is: a run loop that hands waiting messages, one batch at a time, to a handler,
 * and a supervisor that starts again what failed, so often and no oftener. What it is not: a transport; how messages
 * come from another thread is the owner's business.
 *
 *   send ──▶ mailbox ──▶ handle(batch) ── returns ──▶ next batch, one turn of the event loop later
 *                                      ── throws ───▶ the actor ends; its supervisor is told, with what was not delivered
 */

import assert from 'node:assert/strict'
import type { Clock } from './clock.ts'
import { Mailbox } from './mailbox.ts'

/** How an actor ended: stopped by its owner, or failed in its handler. */
export type Ending<M> =
  | { readonly kind: 'stopped' }
  | { readonly kind: 'failed'; readonly failure: unknown; readonly batch: readonly M[]; readonly waiting: readonly M[] }

export interface ActorOptions<M> {
  readonly name: string
  /** How many messages may wait. */
  readonly capacity: number
  /** How many messages the handler gets at once, at most; 1 for one by one. */
  readonly batchMax: number
  /** Handles a batch. The next batch comes only after it has returned or its promise has settled. A throw ends the actor. */
  readonly handle: (batch: readonly M[]) => void | Promise<void>
  /** Told once, when the actor has ended. */
  readonly onEnd?: (ending: Ending<M>) => void
}

/** One actor: a mailbox and a handler that is never entered twice at a time. */
export class Actor<M> {
  readonly name: string
  readonly ended: Promise<Ending<M>>
  readonly #options: ActorOptions<M>
  readonly #mailbox: Mailbox<M>
  #state: 'open' | 'stopping' | 'ended' = 'open'
  #busy = false
  #end: (ending: Ending<M>) => void = () => undefined

  constructor(options: ActorOptions<M>) {
    assert(options.batchMax >= 1, 'an actor needs a batch of at least 1')
    this.name = options.name
    this.#options = options
    this.#mailbox = new Mailbox(options.capacity)
    this.ended = new Promise((resolve) => {
      this.#end = resolve
    })
  }

  /** How many messages wait. */
  get waiting(): number {
    return this.#mailbox.size
  }

  /** Gives a message to the actor. False when there is no room, or when it takes no more because it stops or has ended. */
  send(message: M): boolean {
    if (this.#state !== 'open' || !this.#mailbox.offer(message)) return false
    this.#schedule()
    return true
  }

  /** Takes no more, handles what waits, then ends. Resolves when it has ended, whichever way. */
  async stop(): Promise<Ending<M>> {
    if (this.#state === 'open') {
      this.#state = 'stopping'
      this.#schedule()
    }
    return this.ended
  }

  #schedule(): void {
    if (this.#busy) return
    this.#busy = true
    // A whole turn, not a microtask: what other threads and sockets sent during the last batch joins the next one.
    setImmediate(() => void this.#turn())
  }

  async #turn(): Promise<void> {
    const batch = this.#mailbox.take(this.#options.batchMax)
    try {
      if (batch.length > 0) await this.#options.handle(batch)
    } catch (failure) {
      this.#finish({ kind: 'failed', failure, batch, waiting: this.#mailbox.take() })
      return
    }
    this.#busy = false
    if (this.#mailbox.size > 0) this.#schedule()
    else if (this.#state === 'stopping') this.#finish({ kind: 'stopped' })
  }

  #finish(ending: Ending<M>): void {
    this.#state = 'ended'
    this.#busy = true
    this.#end(ending)
    this.#options.onEnd?.(ending)
  }
}

/** Something that a supervisor keeps running. */
export interface Child {
  readonly name: string
  /**
   * Starts it. The child calls `failed` at most once, when it has failed by itself; never after `stop` was called.
   * A throw of `start` counts as a failure.
   */
  readonly start: (failed: (reason: unknown) => void) => Running | Promise<Running>
}

/** A started child. */
export interface Running {
  stop(): Promise<unknown>
}

export interface SupervisorOptions {
  readonly clock: Clock
  /** More failures of one child than this within `withinMs` are too many. 0: the first failure is too many. */
  readonly restartsMax: number
  readonly withinMs: number
  /** Told of every failure, before the restart. */
  readonly onFailure?: (name: string, reason: unknown) => void
  /** Told when a child failed too often; the supervisor has then stopped all others. */
  readonly onGiveUp: (name: string, reason: unknown) => void
}

interface Supervised {
  readonly child: Child
  /** What its last start has come to, or will: whoever stops it waits for that, whenever the start ends. */
  running: Running | Promise<Running> | undefined
  readonly failuresAtMs: number[]
}

/** Starts children in order, restarts one that fails, gives up when one fails too often, stops all in reverse order. */
export class Supervisor {
  readonly #options: SupervisorOptions
  readonly #children: Supervised[] = []
  #stopped = false

  constructor(options: SupervisorOptions) {
    this.#options = options
  }

  /**
   * Starts a child and keeps it running.
   * @throws what the child's first start throws: a beginning that fails is the starter's to see, not to be retried.
   */
  async add(child: Child): Promise<void> {
    assert(!this.#stopped, 'a stopped supervisor takes no children')
    const supervised: Supervised = { child, running: undefined, failuresAtMs: [] }
    supervised.running = await child.start((reason) => this.#failed(supervised, reason))
    this.#children.push(supervised)
  }

  /** Stops all children, the last started first. @throws the first failure of one to stop, when the others have */
  async stop(): Promise<void> {
    this.#stopped = true
    const failures: unknown[] = []
    for (const supervised of this.#children.toReversed()) {
      const { running } = supervised
      supervised.running = undefined
      try {
        // One that is just being started again is waited for: what it stands on must not end before it.
        await (await startedOf(running))?.stop()
      } catch (failure) {
        failures.push(failure)
      }
    }
    if (failures.length > 0) throw failures[0]
  }

  #failed(supervised: Supervised, reason: unknown): void {
    if (this.#stopped) return
    supervised.running = undefined
    this.#restart(supervised, reason).catch((failure: unknown) => this.#giveUp(supervised, failure))
  }

  async #restart(supervised: Supervised, reason: unknown): Promise<void> {
    const { clock, restartsMax, withinMs, onFailure } = this.#options
    const now = clock.monotonicMs()
    const recent = supervised.failuresAtMs.filter((atMs) => now - atMs < withinMs)
    recent.push(now)
    supervised.failuresAtMs.splice(0, supervised.failuresAtMs.length, ...recent)
    onFailure?.(supervised.child.name, reason)
    if (recent.length > restartsMax) return this.#giveUp(supervised, reason)
    try {
      const running = supervised.child.start((next) => this.#failed(supervised, next))
      supervised.running = running
      await running
    } catch (failure) {
      this.#failed(supervised, failure)
    }
  }

  async #giveUp(supervised: Supervised, reason: unknown): Promise<void> {
    try {
      await this.stop()
    } finally {
      this.#options.onGiveUp(supervised.child.name, reason)
    }
  }
}

/** What a start has come to; one that fails leaves nothing to be stopped. */
const startedOf = async (running: Supervised['running']): Promise<Running | undefined> => {
  try {
    return await running
  } catch {
    return undefined
  }
}
