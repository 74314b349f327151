/**
 * How fast somebody may guess. What it is: a count of failed log-ins per user and address, and per address alone, that makes
 * the next tries wait, in bounded memory. What it is not: a lock: who waits long enough may always try again, so that nobody
 * can shut a user out from elsewhere.
 *
 * While nobody has failed so often, only so many tries are under way at once: what is not known to be wrong yet is no free guess.
 *
 *     failures   1 … free   free + 1   free + 2   free + 3   …
 *     interval   0          first      2 × first  4 × first  … intervalMax
 */
import type { Cancel, Clock } from '#actor/clock'

export interface AttemptLimits {
  /** Names and addresses that are remembered; beyond them the one that failed longest ago is forgotten. */
  readonly entriesMax: number
  /** Failures of a user at an address that cost no time: slips of the pen. */
  readonly freePerUser: number
  /** The same for an address, behind which many honest clients may stand. */
  readonly freePerAddress: number
  /** Tries of a user at an address that are under way at once: enough for a client that opens many sessions. */
  readonly atOncePerUser: number
  readonly atOncePerAddress: number
  /** Who waits longer than this for tries of others to end is refused: nobody has failed so far, and a busy machine is slow. */
  readonly turnMaxMs: number
  readonly firstIntervalMs: number
  readonly intervalMaxMs: number
  /** Who would wait longer than this is refused at once. */
  readonly waitMaxMs: number
  /** Time without a failure after which all is forgotten. */
  readonly forgetAfterMs: number
}

export const attemptLimits: AttemptLimits = {
  entriesMax: 10_000,
  freePerUser: 3,
  freePerAddress: 30,
  atOncePerUser: 16,
  atOncePerAddress: 64,
  turnMaxMs: 60_000,
  firstIntervalMs: 250,
  intervalMaxMs: 10_000,
  waitMaxMs: 20_000,
  forgetAfterMs: 15 * 60_000,
}

/** Counts of guesses, here or in another thread: those of a server are one. */
export interface AttemptCounts {
  /** Resolves when the user may try at the address: true; or false at once when too many tries wait before. */
  admit(user: string, address: string): Promise<boolean>
  /** Counts a failure. */
  failed(user: string, address: string): void
  /** Forgets the user's failures at the address. */
  succeeded(user: string, address: string): void
}

interface Entry {
  failures: number
  lastFailureMs: number
  /** When the next try may begin. */
  nextMs: number
}

/** One of the two things that a try is counted on. */
interface Counted {
  readonly key: string
  readonly free: number
  readonly atOnce: number
}

/** Tries that are under way. */
interface UnderWay {
  /** One each, the oldest first: the end of a try of which nothing is heard. */
  readonly tries: Cancel[]
  readonly waiting: Set<() => void>
}

/** The counts of one server. Users and addresses are texts that the caller makes unlike one another. */
export class Attempts implements AttemptCounts {
  readonly #clock: Clock
  readonly #limits: AttemptLimits
  readonly #entries = new Map<string, Entry>()
  readonly #underWay = new Map<string, UnderWay>()

  constructor(clock: Clock, limits: AttemptLimits = attemptLimits) {
    this.#clock = clock
    this.#limits = limits
  }

  /** Resolves when the user may try at the address: true; or false at once when too many tries wait before. */
  async admit(user: string, address: string): Promise<boolean> {
    const counted = this.#keysOf(user, address)
    const lateMs = this.#clock.monotonicMs() + this.#limits.turnMaxMs
    for (let full = this.#fullOf(counted); full !== undefined; full = this.#fullOf(counted)) {
      if (!(await this.#changed(full, lateMs))) return false
    }
    const nowMs = this.#clock.monotonicMs()
    const entries = counted.flatMap(({ key, free }) => {
      const entry = this.#live(key, nowMs)
      return entry === undefined ? [] : [{ entry, intervalMs: this.#intervalMs(entry.failures - free) }]
    })
    const startMs = Math.max(nowMs, ...entries.map(({ entry }) => entry.nextMs))
    if (startMs - nowMs > this.#limits.waitMaxMs) return false
    // Each try takes its place in the row, so that many sessions at once guess no faster than one.
    for (const { entry, intervalMs } of entries) entry.nextMs = startMs + intervalMs
    for (const { key } of counted) this.#begin(key)
    if (startMs > nowMs) await new Promise<void>((resolve) => this.#clock.after(startMs - nowMs, resolve))
    return true
  }

  /** Counts a failure. */
  failed(user: string, address: string): void {
    const nowMs = this.#clock.monotonicMs()
    for (const { key, free } of this.#keysOf(user, address)) {
      const before = this.#live(key, nowMs)
      const failures = (before?.failures ?? 0) + 1
      const nextMs = Math.max(before?.nextMs ?? 0, nowMs + this.#intervalMs(failures - free))
      // Taken out and put in again: the first of the map is the one that failed longest ago.
      this.#entries.delete(key)
      const [oldest] = this.#entries.size >= this.#limits.entriesMax ? this.#entries.keys() : []
      if (oldest !== undefined) this.#entries.delete(oldest)
      this.#entries.set(key, { failures, lastFailureMs: nowMs, nextMs })
    }
    this.#end(user, address)
  }

  /** Forgets the user's failures at the address; the address keeps its own: one right guess proves nothing of the others. */
  succeeded(user: string, address: string): void {
    this.#entries.delete(userKeyOf(user, placeOf(address)))
    this.#end(user, address)
  }

  #keysOf(user: string, address: string): readonly Counted[] {
    const place = placeOf(address)
    const { freePerUser, freePerAddress, atOncePerUser, atOncePerAddress } = this.#limits
    return [
      { key: userKeyOf(user, place), free: freePerUser, atOnce: atOncePerUser },
      { key: place, free: freePerAddress, atOnce: atOncePerAddress },
    ]
  }

  /** Of what so many tries are under way that another one has to wait. Who has failed too often stands in a row already. */
  #fullOf(counted: readonly Counted[]): string | undefined {
    const nowMs = this.#clock.monotonicMs()
    return counted.find(
      ({ key, free, atOnce }) =>
        (this.#underWay.get(key)?.tries.length ?? 0) >= atOnce && (this.#live(key, nowMs)?.failures ?? 0) <= free,
    )?.key
  }

  /** Resolves true when one of the tries has ended, false when that is too late. */
  #changed(key: string, lateMs: number): Promise<boolean> {
    const { promise, resolve } = Promise.withResolvers<boolean>()
    const waiting = this.#underWay.get(key)?.waiting
    const wake = (): void => {
      cancel()
      resolve(true)
    }
    const cancel = this.#clock.after(Math.max(0, lateMs - this.#clock.monotonicMs()), () => {
      waiting?.delete(wake)
      resolve(false)
    })
    waiting?.add(wake)
    return promise
  }

  #begin(key: string): void {
    const underWay = this.#underWay.get(key) ?? { tries: [], waiting: new Set() }
    underWay.tries.push(this.#clock.after(this.#limits.waitMaxMs, () => this.#endOf(key)))
    this.#underWay.set(key, underWay)
  }

  #end(user: string, address: string): void {
    for (const { key } of this.#keysOf(user, address)) this.#endOf(key)
  }

  #endOf(key: string): void {
    const underWay = this.#underWay.get(key)
    if (underWay === undefined) return
    const { tries, waiting } = underWay
    tries.shift()?.()
    const woken = [...waiting]
    waiting.clear()
    // Who still waits makes it anew: nobody stays in the map for good.
    if (tries.length === 0) this.#underWay.delete(key)
    for (const wake of woken) wake()
  }

  #live(key: string, nowMs: number): Entry | undefined {
    const entry = this.#entries.get(key)
    if (entry === undefined || nowMs - entry.lastFailureMs <= this.#limits.forgetAfterMs) return entry
    this.#entries.delete(key)
    return undefined
  }

  #intervalMs(beyondFree: number): number {
    if (beyondFree <= 0) return 0
    // The exponent is bounded, or it would leave the numbers.
    return Math.min(this.#limits.firstIntervalMs * 2 ** Math.min(beyondFree - 1, 30), this.#limits.intervalMaxMs)
  }
}

const userKeyOf = (user: string, address: string): string => `${address}|${user}`

/**
 * Where an address counts as: an IPv6 address as its network of 64 bits, of which one host may use every address.
 * `2001:db8::1` is `2001:db8:0:0`; an IPv4 address is itself, also within IPv6.
 */
const placeOf = (address: string): string => {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1]
  if (mapped !== undefined || !address.includes(':')) return mapped ?? address
  const [head = '', tail] = address.split('::', 2)
  const [first, last] = [head, tail ?? ''].map((part) => (part === '' ? [] : part.split(':')))
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - (first?.length ?? 0) - (last?.length ?? 0))
  return [...(first ?? []), ...Array<string>(zeros).fill('0'), ...(last ?? [])].slice(0, 4).join(':')
}
