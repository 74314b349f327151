/**
 * Answers that are given again. What it is: the bytes of an answer to a request that only reads, kept under the request's own
 * bytes and whoever asked, and given to the same request as long as nothing that it was made of has changed. What it is not: a
 * way past a check: who a session acts as is asked for every request, and every request is accounted for (dispatch.ts).
 *
 *     request, sender ─▶ kept ─▶ nothing was committed since ──────────────────────▶ the same bytes, with the time of now
 *                                └ else: only objects were read, and none has changed ┘
 *
 * An answer holds for as long as the store has what was read, and until the next date that changes a state. What changes is
 * dropped at once, for an answer may hold a key. A request is kept from its second coming on, so that those which never come
 * again cost a few instructions and no memory.
 *
 * @hot Giving a Get again: 0.7 µs instead of 3.7 µs for answering it (two cores, Node 26.10; bench/micro/known-answers.ts).
 */
import { type Kept, SecondChance } from '#actor/second-chance'
import type { Principal } from '#identity/principals'
import { ResultStatus } from '#kmip/enums'
import { RefusedPayload, type RequestMessage, type ResponseBatchItem } from '#kmip/message'
import { Tag } from '#kmip/tags'
import type { Version } from '#kmip/versions'
import { dueField } from '#objects/locate-filter'
import type { ManagedObject } from '#objects/managed-object'
import type { OperationRow } from '#operations/operation'
import type { Transaction } from '#operations/transaction'
import type { Store, Table } from '#store/store'
import type { Repeated } from './account.ts'

/** An answer as it was given. */
export interface KnownAnswer extends Repeated {
  readonly version: Version
  /** What may be told of the items: no more of them is kept. */
  readonly items: readonly ResponseBatchItem[]
  /** The bytes of the answer, with the time of now. Whoever was given them may still be sending: they are never changed. */
  answerAt(nowSeconds: number): Buffer
}

/** The objects that an answer was made of, with their revisions. */
type Reads = readonly { readonly key: string; readonly revision: number }[]

class Entry implements KnownAnswer, Kept {
  readonly version: Version
  readonly items: readonly ResponseBatchItem[]
  readonly hash: number
  readonly scope: number
  readonly asked: Buffer
  /** Undefined: indexes were asked too, so that any commit may matter. */
  readonly reads: Reads | undefined
  readonly atSeconds: number
  readonly untilSeconds: number
  readonly weight: number
  /** Commits that had been made when it was last seen to hold. */
  seenAt: bigint
  used = false
  place = 0
  told: Repeated['told']
  readonly #answer: Buffer
  /** A large answer as it was last given, and with which time. */
  #given: { readonly bytes: Buffer; readonly seconds: number } | undefined
  readonly #read: (bytes: Uint8Array) => RequestMessage

  constructor(
    asked: Uint8Array,
    answer: Buffer,
    hash: number,
    scope: number,
    untilSeconds: number,
    { items, version, transaction, seenAt, atSeconds }: Made,
    read: (bytes: Uint8Array) => RequestMessage,
  ) {
    // Memory that is not shared: what is kept for long in a piece of a pool keeps all of it, many times its size.
    const both = Buffer.allocUnsafeSlow(asked.length + answer.length)
    this.asked = both.subarray(0, asked.length)
    this.#answer = both.subarray(asked.length)
    this.asked.set(asked)
    this.#answer.set(answer)
    this.#read = read
    this.version = version
    this.items = items.map(toldOf)
    this.hash = hash
    this.scope = scope
    this.reads = transaction.hasSearched ? undefined : transaction.reads()
    this.atSeconds = atSeconds
    this.untilSeconds = untilSeconds
    this.weight = weightOfEntry + both.length + (answer.length > copiedBytesMax ? answer.length : 0)
    this.seenAt = seenAt
  }

  request(): RequestMessage {
    return this.#read(this.asked)
  }

  answerAt(nowSeconds: number): Buffer {
    if (this.#answer.length <= copiedBytesMax) return this.#copyAt(nowSeconds)
    if (this.#given?.seconds !== nowSeconds) {
      this.#given = { bytes: this.#copyAt(nowSeconds), seconds: nowSeconds }
    }
    return this.#given.bytes
  }

  #copyAt(nowSeconds: number): Buffer {
    const bytes = Buffer.allocUnsafe(this.#answer.length)
    bytes.set(this.#answer)
    if (nowSeconds !== this.atSeconds) {
      bytes.writeUInt32BE(Math.floor(nowSeconds / 2 ** 32), timeStampValueAt)
      bytes.writeUInt32BE(nowSeconds % 2 ** 32, timeStampValueAt + 4)
    }
    return bytes
  }
}

export interface KnownAnswersOptions {
  readonly store: Store
  readonly table: Table<ManagedObject>
  /** Estimate of the memory that they may take. */
  readonly bytesMax: number
  /** Reads a request that was read before. */
  readonly read: (bytes: Uint8Array) => RequestMessage
}

/** What an answer was made of. */
export interface Made {
  readonly version: Version
  readonly items: readonly ResponseBatchItem[]
  readonly transaction: Transaction
  /** Commits that had been made before anything was read. */
  readonly seenAt: bigint
  readonly atSeconds: number
}

/** Larger ones cost so much that a look-up saves little, and take the room of many. */
const requestBytesMax = 8_192
const answerBytesMax = 65_536
/** Up to here a copy comes from a pool; a larger one has memory of its own, and is given again within its second. */
const copiedBytesMax = 2_048
/** What was read, what is told, and the entry itself with its places in the maps. */
const weightOfEntry = 2_048
/**
 * When all room is taken, one of so many is let in: of more requests in turn than there is room for, each would else be thrown out
 * before it comes again, and all work be in vain.
 */
const admittedOf = 16
/** Requests whose first coming is remembered, by their hash. A power of two. */
const seenMax = 2 ** 17
/** Senders, each with what its requests depend on: beyond them all is forgotten. */
const scopesMax = 4_096
/** Response Message, Response Header, Protocol Version: in binary the Time Stamp stands at the same place in each answer. */
const timeStampAt = 56
const timeStampValueAt = timeStampAt + 8

export class KnownAnswers {
  readonly #options: KnownAnswersOptions
  readonly #entries = new Map<number, Entry>()
  /** Most objects have one: that stands for itself. */
  readonly #byObject = new Map<string, Entry | Set<Entry>>()
  readonly #seen = new Uint32Array(seenMax)
  readonly #chances = new SecondChance<Entry>()
  #weight = 0
  #turnedAway = 0
  readonly #scopes = new Map<string, number>()
  #scopeOf = new WeakMap<Principal, number>()
  #lastScope = 0

  constructor(options: KnownAnswersOptions) {
    this.#options = options
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
    const entry = this.#entries.get(hashOf(bytes, scope))
    if (entry === undefined || entry.scope !== scope || !entry.asked.equals(bytes)) return undefined
    if (!this.#holds(entry, nowSeconds)) {
      this.#drop(entry)
      return undefined
    }
    entry.used = true
    return entry
  }

  /** Keeps an answer, if it is of a kind that can be given again and the request has come before. */
  keep(bytes: Uint8Array, answer: Buffer, principal: Principal, hardDelete: boolean, made: Made): void {
    if (bytes.length > requestBytesMax || answer.length > answerBytesMax) return
    const scope = this.#scope(principal, hardDelete)
    const hash = hashOf(bytes, scope)
    if (!this.#hasCome(hash) || !this.#admits()) return
    const untilSeconds = this.#dueAfter(made.transaction)
    if (untilSeconds <= made.atSeconds || answer.readUIntBE(timeStampAt, 3) !== Tag.TimeStamp) return
    const entry = new Entry(bytes, answer, hash, scope, untilSeconds, made, this.#options.read)
    if (entry.weight > this.#options.bytesMax) return
    const before = this.#entries.get(hash)
    if (before !== undefined) this.#drop(before)
    this.#makeRoom(entry.weight)
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
    if (this.#weight + weightOfEntry <= this.#options.bytesMax) return true
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
    this.#weight += entry.weight
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
    this.#weight -= entry.weight
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

  #makeRoom(weight: number): void {
    while (this.#weight + weight > this.#options.bytesMax) {
      const entry = this.#chances.next()
      if (entry === undefined) return
      this.#drop(entry)
    }
  }
}

/** Whether a request's answer depends on nothing but its bytes, its sender and the store. */
export const isRepeatable = (
  { requestHeader, batchItem }: RequestMessage,
  operations: ReadonlyMap<number, OperationRow>,
): boolean =>
  requestHeader.authentication === undefined &&
  requestHeader.timeStamp === undefined &&
  requestHeader.asynchronousIndicator !== true &&
  batchItem.every(
    ({ operation, requestPayload }) =>
      !(requestPayload instanceof RefusedPayload) && operations.get(operation)?.repeatable(requestPayload) === true,
  )

/** What account is kept of an item: who was given what. */
const toldOf = ({ operation, resultStatus, responsePayload }: ResponseBatchItem): ResponseBatchItem => {
  const { uniqueIdentifier } = (responsePayload ?? {}) as { readonly uniqueIdentifier?: unknown }
  return { operation, resultStatus, responsePayload: { uniqueIdentifier } }
}

/** Whether all items of an answer have succeeded. */
export const hasSucceeded = (items: readonly ResponseBatchItem[]): boolean =>
  items.every(({ resultStatus }) => resultStatus === ResultStatus.Success)

/** A number for bytes: quick, and no more than a hint of where to look. The length of a message is a multiple of 8. */
const hashOf = (bytes: Uint8Array, seed: number): number => {
  let hash = Math.imul(seed, 0x9e3779b1) ^ bytes.length
  for (let at = 8; at + 4 <= bytes.length; at += 4) {
    const word =
      ((bytes[at] ?? 0) << 24) | ((bytes[at + 1] ?? 0) << 16) | ((bytes[at + 2] ?? 0) << 8) | (bytes[at + 3] ?? 0)
    hash = Math.imul(hash ^ word, 0x85ebca6b)
    hash ^= hash >>> 15
  }
  return hash
}
