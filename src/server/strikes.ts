/**
 * What connections of an address came to nothing: handshakes that failed or were not finished, bytes that were no messages, requests and
 * answers that stuck, clients without service. What it is: a measure by address that fills with each and empties with time; while it is
 * full, the address is not let in. What it is not: the bound of sessions (`interface.ts`), or of guesses at passwords
 * (`identity/attempts.ts`).
 */
import type { Clock } from '#actor/clock'

export interface StrikeLimits {
  /** In a second, for long; 0: any number. */
  readonly failedSessionsPerAddressMax: number
}

/** An address may have so many seconds' worth at once: whoever mends a configuration tries often. */
const burstSeconds = 10
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

  /** Whether a connection of this address is taken. */
  admits(address: string): boolean {
    const measure = this.#measures.get(address)
    if (measure === undefined) return true
    const strikes = this.#now(measure)
    if (strikes <= 0) this.#measures.delete(address)
    return strikes < this.#limits.failedSessionsPerAddressMax * burstSeconds
  }

  /** A connection of this address came to nothing. */
  strike(address: string): void {
    if (this.#limits.failedSessionsPerAddressMax === 0) return
    const before = this.#measures.get(address)
    const strikes = before === undefined ? 0 : Math.max(0, this.#now(before))
    // Behind all others: the first of the map is the one that has been quiet for longest.
    this.#measures.delete(address)
    this.#measures.set(address, { strikes: strikes + 1, atMs: this.#clock.monotonicMs() })
    if (this.#measures.size <= addressesMax) return
    const [quietest] = this.#measures.keys()
    if (quietest !== undefined) this.#measures.delete(quietest)
  }

  #now({ strikes, atMs }: Measure): number {
    return strikes - ((this.#clock.monotonicMs() - atMs) * this.#limits.failedSessionsPerAddressMax) / 1000
  }
}
