/**
 * Answers that are given again. What it is: the answer to a request that only reads, kept under the request's own
 * bytes and whoever asked, and given to the same request as long as nothing that it was made of has changed; and of a request that
 * computes all that was decided but for its Data and the like. What it is not: a
 * way past a check: who a session acts as is asked for every request, and every request is accounted for (dispatch.ts).
 *
 *     request, sender ─▶ kept ─▶ nothing was committed since ──────────────────────▶ the same bytes, with the time of now
 *                                └ else: only objects were read, and none has changed ┘  or the same work with the Data of now
 *
 * An answer holds for as long as the store has what was read, and until the next date that changes a state. What changes is
 * dropped at once, for an answer may hold a key. A request is kept from its second coming on, so that those which never come
 * again cost a few instructions and no memory.
 *
 * @hot Giving a Get again: 0.7 µs instead of 3.7 µs for answering it (two cores, Node 26.10; bench/micro/known-answers.ts).
 */
import { SecondChance } from '#actor/second-chance'
import type { Principal } from '#identity/principals'
import type { RequestMessage } from '#kmip/message'
import { Tag } from '#kmip/tags'
import { dueField } from '#objects/locate-filter'
import type { ManagedObject } from '#objects/managed-object'
import type { Transaction } from '#operations/transaction'
import type { Store, Table } from '#store/store'
import {
  type Decision,
  type Entry,
  type KnownAnswer,
  type Made,
  SameAnswer,
  SameDecision,
  timeStampAt,
  weightOfEntry,
  withoutVarying,
} from './known-entry.ts'
import { type Place, type VaryingFields, varyingPlaces } from './varying-places.ts'

export interface KnownAnswersOptions {
  readonly store: Store
  readonly table: Table<ManagedObject>
  /** Estimate of the memory that they may take. */
  readonly bytesMax: number
  /** Reads a request that was read before. */
  readonly read: (bytes: Uint8Array) => RequestMessage
  /** Of operations that can be decided for many requests at once. */
  readonly varying: VaryingFields
}

/** Larger ones cost so much that a look-up saves little, and take the room of many. */
const requestBytesMax = 8_192
const answerBytesMax = 65_536
/**
 * When all room is taken, one of so many is let in: of more requests in turn than there is room for, each would else be thrown out
 * before it comes again, and all work be in vain.
 */
const admittedOf = 16
/** Requests whose first coming is remembered, by their hash. A power of two. */
const seenMax = 2 ** 17
/** Senders, each with what its requests depend on: beyond them all is forgotten. */
const scopesMax = 4_096
export class KnownAnswers {
  readonly #options: KnownAnswersOptions
  readonly #entries = new Map<number, Entry>()
  /** Most objects have one: that stands for itself. */
  readonly #byObject = new Map<string, Entry | Set<Entry>>()
  readonly #seen = new Uint32Array(seenMax)
  readonly #chances: SecondChance<Entry>
  #turnedAway = 0
  readonly #scopes = new Map<string, number>()
  #scopeOf = new WeakMap<Principal, number>()
  #lastScope = 0

  constructor(options: KnownAnswersOptions) {
    this.#options = options
    this.#chances = new SecondChance(options.bytesMax)
    options.store.onChanged((table, key) => {
      if (table === options.table.name) this.#dropObject(key)
    })
  }

  /**
   * The answer to a request, if it is known and holds.
   * @param bytes one whole message
   */
  find(bytes: Uint8Array, principal: Principal, hardDelete: boolean, nowSeconds: number): KnownAnswer | undefined {
    if (bytes.length > requestBytesMax) return undefined
    const scope = this.#scope(principal, hardDelete)
    const entry = this.#entries.get(hashOf(bytes, scope, varyingPlaces(bytes, this.#options.varying)))
    if (entry === undefined || entry.scope !== scope || !entry.isOf(bytes)) return undefined
    if (!this.#holds(entry, nowSeconds)) {
      this.#drop(entry)
      return undefined
    }
    entry.used = true
    return entry
  }

  /** Keeps an answer that can be given again, if the request has come before. */
  keep(bytes: Uint8Array, answer: Buffer, principal: Principal, hardDelete: boolean, made: Made): void {
    if (bytes.length > requestBytesMax || answer.length > answerBytesMax) return
    const scope = this.#scope(principal, hardDelete)
    const hash = hashOf(bytes, scope, undefined)
    if (!this.#isWorthIt(hash) || answer.readUIntBE(timeStampAt, 3) !== Tag.TimeStamp) return
    const untilSeconds = this.#dueAfter(made.transaction)
    const { read } = this.#options
    this.#take(new SameAnswer(bytes, answer, made, { hash, scope, untilSeconds, read }))
  }

  /**
   * Keeps what was decided of a request but for what varies, if one that is the same otherwise has come before.
   * @param decide decides it once more, of other memory, without what varies; undefined where it cannot be kept
   */
  keepDecision(
    bytes: Uint8Array,
    principal: Principal,
    hardDelete: boolean,
    decide: (request: RequestMessage) => Decision | undefined,
  ): void {
    if (bytes.length > requestBytesMax) return
    const places = varyingPlaces(bytes, this.#options.varying)
    if (places === undefined) return
    const scope = this.#scope(principal, hardDelete)
    const hash = hashOf(bytes, scope, places)
    if (!this.#isWorthIt(hash)) return
    const { read } = this.#options
    const asked = withoutVarying(bytes, places)
    const decision = decide(read(asked))
    if (decision === undefined) return
    const untilSeconds = Math.min(this.#dueAfter(decision.transaction), decision.prepared.untilSeconds)
    this.#take(new SameDecision(asked, places, decision, { hash, scope, untilSeconds, read }))
  }

  #isWorthIt(hash: number): boolean {
    return this.#hasCome(hash) && this.#admits()
  }

  #take(entry: Entry): void {
    if (entry.untilSeconds <= entry.atSeconds || entry.weight > this.#options.bytesMax) return
    const before = this.#entries.get(entry.hash)
    if (before !== undefined) this.#drop(before)
    this.#chances.makeRoom(entry.weight, (each) => this.#drop(each))
    this.#add(entry)
  }

  #holds(entry: Entry, nowSeconds: number): boolean {
    const { store, table } = this.#options
    if (nowSeconds >= entry.untilSeconds || nowSeconds < entry.atSeconds) return false
    const commits = store.committed()
    if (commits === entry.seenAt) return true
    if (entry.reads === undefined) return false
    for (const { key, revision } of entry.reads) {
      if ((store.revision(table, key) ?? 0) !== revision) return false
    }
    entry.seenAt = commits
    return true
  }

  /** The next date that may change what a transaction has read. */
  #dueAfter(transaction: Transaction): number {
    const { store, table } = this.#options
    return transaction.hasSearched ? store.least(table, dueField) : transaction.nextDue()
  }

  /** Whether there is room; of those that come when there is none, only some take the place of others. */
  #admits(): boolean {
    if (this.#chances.hasRoom(weightOfEntry)) return true
    this.#turnedAway = (this.#turnedAway + 1) % admittedOf
    return this.#turnedAway === 0
  }

  #hasCome(hash: number): boolean {
    const place = hash & (seenMax - 1)
    const wanted = hash >>> 0
    if (this.#seen[place] === wanted || this.#seen[place ^ 1] === wanted) return true
    this.#seen[place ^ 1] = this.#seen[place] ?? 0
    this.#seen[place] = wanted
    return false
  }

  /** What an answer depends on beside the request's bytes and the store: a number for each. */
  #scope(principal: Principal, hardDelete: boolean): number {
    const known = this.#scopeOf.get(principal)
    if (known !== undefined) return hardDelete ? -known : known
    const text = JSON.stringify(principal)
    let scope = this.#scopes.get(text)
    if (scope === undefined) {
      if (this.#scopes.size >= scopesMax) this.#forgetAll()
      this.#lastScope += 1
      scope = this.#lastScope
      this.#scopes.set(text, scope)
    }
    this.#scopeOf.set(principal, scope)
    return hardDelete ? -scope : scope
  }

  #forgetAll(): void {
    this.#scopes.clear()
    this.#scopeOf = new WeakMap()
    for (const entry of this.#entries.values()) this.#drop(entry)
  }

  #add(entry: Entry): void {
    this.#entries.set(entry.hash, entry)
    this.#chances.add(entry)
    for (const { key } of entry.reads ?? []) {
      const others = this.#byObject.get(key)
      if (others === undefined) this.#byObject.set(key, entry)
      else if (others instanceof Set) others.add(entry)
      else if (others !== entry) this.#byObject.set(key, new Set([others, entry]))
    }
  }

  #drop(entry: Entry): void {
    if (this.#entries.get(entry.hash) === entry) this.#entries.delete(entry.hash)
    this.#chances.remove(entry)
    for (const { key } of entry.reads ?? []) {
      const all = this.#byObject.get(key)
      if (all instanceof Set) all.delete(entry)
      if (all === entry || (all instanceof Set && all.size === 0)) this.#byObject.delete(key)
    }
  }

  /** Forgets what was made of an object that has changed. */
  #dropObject(key: string): void {
    const all = this.#byObject.get(key)
    if (all instanceof Set) for (const entry of all) this.#drop(entry)
    else if (all !== undefined) this.#drop(all)
  }
}

/**
 * A number for bytes: quick, and no more than a hint of where to look. The length of a message is a multiple of 8.
 * @param places are passed over
 */
const hashOf = (bytes: Uint8Array, seed: number, places: readonly Place[] | undefined): number => {
  let hash = Math.imul(seed, 0x9e3779b1) ^ bytes.length
  let from = 8
  for (const { start, end } of places ?? none) {
    hash = mixed(bytes, hash, from, start)
    from = end + (-end & 7)
  }
  return mixed(bytes, hash, from, bytes.length)
}

const none: readonly Place[] = []

const mixed = (bytes: Uint8Array, before: number, from: number, to: number): number => {
  let hash = before
  for (let at = from; at + 4 <= to; at += 4) {
    const word =
      ((bytes[at] ?? 0) << 24) | ((bytes[at + 1] ?? 0) << 16) | ((bytes[at + 2] ?? 0) << 8) | (bytes[at + 3] ?? 0)
    hash = Math.imul(hash ^ word, 0x85ebca6b)
    hash ^= hash >>> 15
  }
  return hash
}
