/**
 * What connections of an address came to nothing: handshakes that failed or were not finished, sessions in which nothing was asked that
 * could be read, bytes that were no messages, requests and answers that stuck, clients without service. What it is: a measure by address
 * that fills with each and empties with time. What it is not: what follows when it is full (`entrance.ts`), or the bound of guesses at
 * passwords (`identity/attempts.ts`).
 */
import type { Clock } from '#actor/clock'

export interface StrikeLimits {
  /** In a second, in the long run; 0: any number. */
  readonly failedSessionsPerAddressMax: number
}

/** So much of it may come at once: a client that tries a few ways in, machines that start together. */
const atOnceSeconds = 4
/** More of an address do not count: what it did is made up for in so many seconds. */
const countedSeconds = 10
/** Addresses that are remembered; beyond it those go first that have been quiet for long. */
const addressesMax = 10_000

interface Measure {
  strikes: number
  atMs: number
}

export class Strikes {
  readonly #limits: StrikeLimits
  readonly #clock: Clock
  readonly #measures = new Map<string, Measure>()

  constructor(limits: StrikeLimits, clock: Clock) {
    this.#limits = limits
    this.#clock = clock
  }

  /** Whether an address has had what may come at once, and the time since has not made up for it. */
  isFull(address: string): boolean {
    const measure = this.#measures.get(address)
    if (measure === undefined) return false
    const strikes = this.#now(measure)
    if (strikes <= 0) this.#measures.delete(address)
    return strikes >= this.#limits.failedSessionsPerAddressMax * atOnceSeconds
  }

  /** A connection of this address came to nothing. */
  strike(address: string): void {
    if (this.#limits.failedSessionsPerAddressMax === 0) return
    const before = this.#measures.get(address)
    const strikes = before === undefined ? 0 : Math.max(0, this.#now(before))
    // Behind all others: the first of the map is the one that has been quiet for longest.
    this.#measures.delete(address)
    const strikesMax = this.#limits.failedSessionsPerAddressMax * countedSeconds
    this.#measures.set(address, { strikes: Math.min(strikesMax, strikes + 1), atMs: this.#clock.monotonicMs() })
    if (this.#measures.size <= addressesMax) return
    const [quietest] = this.#measures.keys()
    if (quietest !== undefined) this.#measures.delete(quietest)
  }

  #now({ strikes, atMs }: Measure): number {
    return strikes - ((this.#clock.monotonicMs() - atMs) * this.#limits.failedSessionsPerAddressMax) / 1000
  }
}
