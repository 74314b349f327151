/**
 * A whole server with its clients, simulated: one thread, time and luck from a seed, one event after the other. What it is: the
 * real dispatcher, operations and connection actors on a store, a network, a clock and crypto that do what the seed says, and
 * clients who write down what they saw. What it is not: TLS, LMDB or threads; those have tests of their own.
 *
 *     client ── bytes ──▶ network ── parts ──▶ connection ──▶ dispatcher of a front ──▶ store: done, answered, conflict, unavailable
 *        ▲                   │ cut                              │ a front dies: its sessions; what it has sent to the store is done
 *        └──── answers ◀─────┘                                  │ crash: all fronts, all that is not done
 *                                                               └ the next server on what the disk has
 */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { setImmediate as turn } from 'node:timers/promises'
import { SettableClock } from '#actor/clock'
import { awaitable, type Soon } from '#actor/later'
import { executeJob } from '#crypto/jobs'
import type { CryptoRunner } from '#crypto/run'
import { type Answer, bytesOf, type Responder } from '#server/connection'
import { alice, callerOf, newStore, openDispatcher } from '#test/dispatcher'
import { type SeededRandom, seededRandom } from '#test/seeded-random'
import { Client, type Subject } from './clients.ts'
import { historyText, isLinearizable } from './model.ts'
import { SlowStore, type StoreCanary } from './store.ts'

/** A server that is broken on purpose, beside those of the store: it answers the second of two requests first. */
export type Canary = StoreCanary | 'answers out of order'

export interface WorldOptions {
  readonly seed: number
  /** Events. */
  readonly steps: number
  readonly clients: number
  /** Dispatchers of the server, each with a cache and sessions of its own, on one store. */
  readonly fronts: number
  readonly canary?: Canary | undefined
}

export interface WorldReport {
  /** What must not be, with the history that shows it. */
  readonly wrong: readonly string[]
  /** Of everything that happened: the same seed has the same. */
  readonly trace: string
  readonly counts: Readonly<Record<string, number>>
}

/** A part of the server that sessions are opened to. */
interface Front {
  readonly responder: Responder
}

interface Event {
  readonly label: string
  readonly run: () => void
}

/** What may happen next, and how likely it is beside the others. */
interface Choice {
  readonly label: string
  readonly weight: number
  readonly run: () => void
}

/** Runs a world to its end. */
export const simulate = (options: WorldOptions): Promise<WorldReport> => new World(options).run()

class World {
  readonly #options: WorldOptions
  readonly #random: SeededRandom
  readonly #clock = new SettableClock()
  readonly #disk = newStore()
  readonly #clients: readonly Client[]
  readonly #subjects: Subject[] = []
  readonly #trace = createHash('sha256')
  readonly #counts: Record<string, number> = {}
  readonly #wrong: string[] = []
  #events: Event[] = []
  #step = 0
  #fronts: Front[]

  constructor(options: WorldOptions) {
    this.#options = options
    this.#random = seededRandom(options.seed)
    this.#fronts = this.#startServer()
    this.#clients = Array.from(
      { length: options.clients },
      (_, number) =>
        new Client({
          number,
          random: this.#random,
          clock: this.#clock,
          responder: () => this.#random.pick(this.#fronts).responder,
          now: () => this.#step,
          subjects: this.#subjects,
          wrong: (what) => void this.#wrong.push(what),
        }),
    )
  }

  async run(): Promise<WorldReport> {
    for (this.#step = 1; this.#step <= this.#options.steps && this.#wrong.length === 0; this.#step += 1) {
      await this.#happen(this.#choices(true))
    }
    await this.#settle()
    this.#judge()
    return { wrong: this.#wrong, trace: this.#trace.digest('hex'), counts: this.#counts }
  }

  /** Nothing new is asked and nothing fails any more; then every client looks at everything. */
  async #settle(): Promise<void> {
    const quiet = async (): Promise<void> => {
      for (let choices = this.#choices(false); choices.length > 0; choices = this.#choices(false)) {
        this.#step += 1
        await this.#happen(choices)
      }
    }
    await quiet()
    for (const client of this.#clients) client.lookAtAll()
    await quiet()
    for (const client of this.#clients) if (client.isWaiting) this.#wrong.push('a client waits for ever')
  }

  async #happen(choices: readonly Choice[]): Promise<void> {
    let luck = this.#random.below(choices.reduce((sum, { weight }) => sum + weight, 0))
    const chosen = choices.find(({ weight }) => (luck -= weight) < 0)
    assert.ok(chosen !== undefined)
    this.#trace.update(`${chosen.label}\n`)
    this.#counts[chosen.label] = (this.#counts[chosen.label] ?? 0) + 1
    chosen.run()
    // All promises that this event settled, and those that they settle.
    await turn()
  }

  /** @param lively whether anything new may come, and anything may break */
  #choices(lively: boolean): Choice[] {
    const choices: Choice[] = this.#events.map((event) => ({
      label: event.label,
      weight: 80,
      run: () => {
        this.#events = this.#events.filter((other) => other !== event)
        event.run()
      },
    }))
    const add = (label: string, weight: number, run: () => void): void => void choices.push({ label, weight, run })
    for (const client of this.#clients) {
      const { wire } = client
      if (wire?.hasRequests) add('bytes reach the server', 80, () => wire.deliverRequests(this.#random))
      if (wire?.hasAnswers) add('bytes reach a client', 80, () => wire.deliverAnswers(this.#random))
      if (lively && client.mayAsk) add('a client asks', 60, () => client.ask())
      else if (!lively && client.hasUnsent) add('a client asks', 60, () => client.sendUnsent())
      if (lively && wire !== undefined && !wire.isOver) add('a session breaks', 1, () => wire.cut())
    }
    if (!lively) return choices
    add('time passes', 20, () => this.#clock.advance(this.#random.below(2_000)))
    add('the clock is set', 4, () => this.#clock.set(this.#clock.nowMs() + this.#random.below(7_200_000) - 3_600_000))
    add('the server dies', 2, () => this.#crash())
    if (this.#fronts.length > 1) add('a front dies', 2, () => this.#crashOf(this.#random.below(this.#fronts.length)))
    return choices
  }

  #crash(): void {
    this.#events = []
    for (const { wire } of this.#clients) wire?.cut()
    this.#fronts = this.#startServer()
  }

  /** What it has sent to the store is done all the same, and nobody hears of it. */
  #crashOf(place: number): void {
    const dead = this.#fronts[place]?.responder
    for (const { wire } of this.#clients) if (wire?.responder === dead) wire?.cut()
    this.#fronts = this.#fronts.with(place, this.#startFront())
  }

  #startServer(): Front[] {
    return Array.from({ length: this.#options.fronts }, () => this.#startFront())
  }

  #startFront(): Front {
    const { canary } = this.#options
    const later = (label: string, run: () => void): void => void this.#events.push({ label, run })
    const storeCanary = canary === 'answers out of order' ? undefined : canary
    const store = new SlowStore({ inner: this.#disk, random: this.#random, later, canary: storeCanary })
    const crypto: CryptoRunner = {
      run: (job) =>
        new Promise((resolve, reject) => {
          later('a job is done', () => {
            try {
              resolve(executeJob(job))
            } catch (error) {
              reject(error instanceof Error ? error : new TypeError(String(error)))
            }
          })
        }),
      close: () => Promise.resolve(),
    }
    const entropy = { bytes: (length: number) => new Uint8Array(this.#random.bytes(length)) }
    const under = openDispatcher({ store, crypto, entropy, clock: this.#clock })
    const { dispatcher } = under
    const caller = callerOf(under, alice)
    const answer = (message: Buffer): Soon<Answer> => dispatcher.answer(message, caller)
    const responder: Responder = {
      answer: canary === 'answers out of order' ? swapping(answer) : answer,
      refusal: (error) => dispatcher.refusal(error),
      unreadable: 0,
    }
    return { responder }
  }

  #judge(): void {
    for (const { uniqueIdentifier, calls } of this.#subjects) {
      if (isLinearizable(calls)) continue
      this.#wrong.push(`no order explains what was seen of ${uniqueIdentifier}\n${historyText(calls)}`)
    }
  }
}

/** A responder that holds one answer in many back and gives it for the next request. */
const swapping = (answer: Responder['answer']): Responder['answer'] => {
  let held: Buffer | undefined
  let count = 0
  return async (message) => {
    count += 1
    const given = await awaitable(answer(message))
    if (count % 16 === 0 && held === undefined) {
      held = bytesOf(given)
      return given
    }
    if (held === undefined) return given
    const swapped = held
    held = undefined
    return swapped
  }
}
