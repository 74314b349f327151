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
}

/** What a try is counted on. */
interface Subject {
  readonly place: string
  /** The user at the place. */
  readonly user: string
}

/** Somebody whose turn has not come. */
interface Waiting {
  /** Told how long to wait yet: milliseconds, or undefined for a refusal. */
  readonly answer: (waitMs: number | undefined) => void
  /** The end of waiting in vain. */
  readonly cancel: Cancel
}

/**
 * What is under way at a place, and who waits for it. Users take turns, each in the order of its tries: one end lets one in, whatever
 * number waits, and nobody stands behind all tries of another.
 */
interface Place {
  underWay: number
  isToLetIn: boolean
  /** By user, for each try the end of one of which nothing is heard, the oldest first. No user without a try is kept. */
  readonly tries: Map<string, Cancel[]>
  /** By user, whose turn is next first. As many as there are sessions. No user without a waiting try is kept. */
  readonly waiting: Map<string, Set<Waiting>>
}

/** The counts of one server. Users and addresses are texts that the caller makes unlike one another. */
export class Attempts implements AttemptCounts {
  readonly #clock: Clock
  readonly #limits: AttemptLimits
  readonly #entries = new Map<string, Entry>()
  readonly #places = new Map<string, Place>()

  constructor(clock: Clock, limits: AttemptLimits = attemptLimits) {
    this.#clock = clock
    this.#limits = limits
  }

  /** Resolves when the user may try at the address: true; or false at once when too many tries wait before. */
  async admit(user: string, address: string): Promise<boolean> {
    const subject = subjectOf(user, address)
    const waitMs = this.#isOpen(subject) ? this.#enter(subject) : await this.#turnOf(subject)
    if (waitMs === undefined) return false
    if (waitMs > 0) await new Promise<void>((resolve) => this.#clock.after(waitMs, resolve))
    return true
  }

  /** Counts a failure. */
  failed(user: string, address: string): void {
    const nowMs = this.#clock.monotonicMs()
    const subject = subjectOf(user, address)
    for (const { key, free } of this.#countedOf(subject)) {
      const before = this.#live(key, nowMs)
      const failures = (before?.failures ?? 0) + 1
      const nextMs = Math.max(before?.nextMs ?? 0, nowMs + this.#intervalMs(failures - free))
      // Taken out and put in again: the first of the map is the one that failed longest ago.
      this.#entries.delete(key)
      const [oldest] = this.#entries.size >= this.#limits.entriesMax ? this.#entries.keys() : []
      if (oldest !== undefined) this.#entries.delete(oldest)
      this.#entries.set(key, { failures, lastFailureMs: nowMs, nextMs })
    }
    this.#end(subject)
  }

  /** Forgets the user's failures at the address; the address keeps its own: one right guess proves nothing of the others. */
  succeeded(user: string, address: string): void {
    const subject = subjectOf(user, address)
    this.#entries.delete(subject.user)
    this.#end(subject)
  }

  #countedOf({ place, user }: Subject): readonly Counted[] {
    const { freePerUser, freePerAddress } = this.#limits
    return [
      { key: user, free: freePerUser },
      { key: place, free: freePerAddress },
    ]
  }

  /** Whether a try may begin, or take its place in the row of those who have failed too often: not before those who wait. */
  #isOpen({ place, user }: Subject): boolean {
    const at = this.#places.get(place)
    return at?.waiting.has(user) !== true && this.#hasRoomAt(place) && this.#hasRoomFor(user, at)
  }

  #hasRoomAt(place: string): boolean {
    const { atOncePerAddress, freePerAddress } = this.#limits
    return (this.#places.get(place)?.underWay ?? 0) < atOncePerAddress || this.#isSlowed(place, freePerAddress)
  }

  #hasRoomFor(user: string, at: Place | undefined): boolean {
    const { atOncePerUser, freePerUser } = this.#limits
    return (at?.tries.get(user)?.length ?? 0) < atOncePerUser || this.#isSlowed(user, freePerUser)
  }

  #isSlowed(key: string, free: number): boolean {
    return (this.#live(key, this.#clock.monotonicMs())?.failures ?? 0) > free
  }

  /** Begins a try that may begin. Gives how long it has to wait in the row; undefined when that is too long, and nothing has begun. */
  #enter(subject: Subject): number | undefined {
    const nowMs = this.#clock.monotonicMs()
    const entries = this.#countedOf(subject).flatMap(({ key, free }) => {
      const entry = this.#live(key, nowMs)
      return entry === undefined ? [] : [{ entry, intervalMs: this.#intervalMs(entry.failures - free) }]
    })
    const startMs = Math.max(nowMs, ...entries.map(({ entry }) => entry.nextMs))
    if (startMs - nowMs > this.#limits.waitMaxMs) return undefined
    // Each try takes its place in the row, so that many sessions at once guess no faster than one.
    for (const { entry, intervalMs } of entries) entry.nextMs = startMs + intervalMs
    const at = this.#at(subject.place)
    at.underWay += 1
    const tries = at.tries.get(subject.user) ?? []
    at.tries.set(subject.user, tries)
    tries.push(this.#clock.after(this.#limits.waitMaxMs, () => this.#end(subject)))
    return startMs - nowMs
  }

  /** Resolves as `#enter` does, once a try may begin; undefined when that takes too long. */
  #turnOf({ place, user }: Subject): Promise<number | undefined> {
    const { promise, resolve: answer } = Promise.withResolvers<number | undefined>()
    const { waiting } = this.#at(place)
    const ofUser = waiting.get(user) ?? new Set()
    waiting.set(user, ofUser)
    const cancel = this.#clock.after(this.#limits.turnMaxMs, () => {
      ofUser.delete(one)
      if (ofUser.size === 0) waiting.delete(user)
      answer(undefined)
    })
    const one: Waiting = { answer, cancel }
    ofUser.add(one)
    return promise
  }

  #at(place: string): Place {
    const at = this.#places.get(place) ?? { underWay: 0, isToLetIn: false, tries: new Map(), waiting: new Map() }
    this.#places.set(place, at)
    return at
  }

  /** The oldest try has ended, if there is one; those who may begin now do. */
  #end({ place, user }: Subject): void {
    const at = this.#places.get(place)
    if (at === undefined) return
    const tries = at.tries.get(user)
    if (tries !== undefined) {
      tries.shift()?.()
      at.underWay -= 1
      if (tries.length === 0) at.tries.delete(user)
    }
    if (at.waiting.size > 0) this.#letInSoon(place, at)
    else this.#forgetIdle(place, at)
  }

  #forgetIdle(place: string, at: Place): void {
    if (at.underWay === 0 && at.waiting.size === 0) this.#places.delete(place)
  }

  /** Once all is counted that ended at the same time: several failures may be too many, of which each alone is not. */
  #letInSoon(place: string, at: Place): void {
    if (at.isToLetIn) return
    at.isToLetIn = true
    queueMicrotask(() => {
      at.isToLetIn = false
      this.#letIn(place, at)
      // Who has failed too often may be refused there, so that nothing has begun.
      this.#forgetIdle(place, at)
    })
  }

  /**
   * Lets in who may begin, user by user. Users without room are passed over: each of them has tries under way, so they are as few as
   * the place has room for.
   */
  #letIn(place: string, at: Place): void {
    while (this.#hasRoomAt(place)) {
      const user = firstThat(at.waiting.keys(), (each) => this.#hasRoomFor(each, at))
      const ofUser = user === undefined ? undefined : at.waiting.get(user)
      const [first] = ofUser ?? []
      if (user === undefined || ofUser === undefined || first === undefined) return
      ofUser.delete(first)
      // Taken out and put in again: the user's next turn is after those of all others.
      at.waiting.delete(user)
      if (ofUser.size > 0) at.waiting.set(user, ofUser)
      first.cancel()
      first.answer(this.#enter({ place, user }))
    }
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

const subjectOf = (user: string, address: string): Subject => {
  const place = placeOf(address)
  return { place, user: `${place}|${user}` }
}

const firstThat = <T>(values: Iterable<T>, holds: (value: T) => boolean): T | undefined => {
  for (const value of values) if (holds(value)) return value
  return undefined
}

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
