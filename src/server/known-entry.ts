/**
 * What is kept of a request that was answered: the answer's bytes, or all that was decided but for what varies. What it is: entries, each
 * of which makes the answer to the same request once more. What it is not: where they are found, and how long they hold
 * (`known-answers.ts`).
 */
import assert from 'node:assert/strict'
import type { Kept } from '#actor/second-chance'
import type { RequestBatchItem, RequestMessage, ResponseBatchItem } from '#kmip/message'
import type { Version } from '#kmip/versions'
import type { Prepared } from '#operations/operation'
import type { Transaction } from '#operations/transaction'
import type { Repeated } from './account.ts'
import { encodeAnswer } from './answer-encoding.ts'
import type { AnswerBounds } from './answer-growth.ts'
import { succeededItem } from './answer-items.ts'
import { binaryEncoding } from './encodings.ts'
import { type Place, varyingOf } from './varying-places.ts'

/** An answer that can be given once more. */
export interface KnownAnswer extends Repeated {
  readonly version: Version
  /** What may be told of the items: no more of them is kept. */
  readonly items: readonly ResponseBatchItem[]
  /**
   * The bytes of the answer, with the time of now. Whoever was given them may still be sending: they are never changed.
   * @param bytes the request, as it was found by
   * @throws what the operation throws of Data that it refuses
   */
  answerTo(bytes: Uint8Array, nowSeconds: number): Buffer
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

/** What was decided of a request but for what varies. */
export interface Decision extends Made {
  readonly item: RequestBatchItem
  readonly prepared: Prepared
  readonly bounds: AnswerBounds
}

/** Where an entry is found, and how long it may hold. */
export interface Standing {
  readonly hash: number
  readonly scope: number
  readonly untilSeconds: number
  /** Reads a request that was read before. */
  readonly read: (bytes: Uint8Array) => RequestMessage
}

/** The objects that an answer was made of, with their revisions. */
type Reads = readonly { readonly key: string; readonly revision: number }[]

/** Up to here a copy comes from a pool; a larger one has memory of its own, and is given again within its second. */
const copiedBytesMax = 2_048
/** What was read, what is told, and the entry itself with its places in the maps. */
export const weightOfEntry = 2_048
/** Response Message, Response Header, Protocol Version: in binary the Time Stamp stands at the same place in each answer. */
export const timeStampAt = 56
const timeStampValueAt = timeStampAt + 8

/** An entry, whichever. */
export abstract class Entry implements KnownAnswer, Kept {
  readonly version: Version
  readonly items: readonly ResponseBatchItem[]
  readonly hash: number
  readonly scope: number
  /** Undefined: indexes were asked too, so that any commit may matter. */
  readonly reads: Reads | undefined
  readonly atSeconds: number
  readonly untilSeconds: number
  abstract readonly weight: number
  /** Commits that had been made when it was last seen to hold. */
  seenAt: bigint
  used = false
  place = 0
  told: Repeated['told']
  protected abstract readonly asked: Buffer
  readonly #read: (bytes: Uint8Array) => RequestMessage

  constructor({ version, items, transaction, seenAt, atSeconds }: Made, { hash, scope, untilSeconds, read }: Standing) {
    this.version = version
    this.items = items.map(toldOf)
    this.hash = hash
    this.scope = scope
    this.reads = transaction.hasSearched ? undefined : transaction.reads()
    this.atSeconds = atSeconds
    this.untilSeconds = untilSeconds
    this.seenAt = seenAt
    this.#read = read
  }

  request(): RequestMessage {
    return this.#read(this.asked)
  }

  /** Whether it is of this request. */
  abstract isOf(bytes: Uint8Array): boolean
  abstract answerTo(bytes: Uint8Array, nowSeconds: number): Buffer
}

/** The bytes of an answer, which are given again. */
export class SameAnswer extends Entry {
  readonly weight: number
  protected readonly asked: Buffer
  readonly #answer: Buffer
  /** A large answer as it was last given, and with which time. */
  #given: { readonly bytes: Buffer; readonly seconds: number } | undefined

  constructor(asked: Uint8Array, answer: Buffer, made: Made, standing: Standing) {
    super(made, standing)
    // Memory that is not shared: what is kept for long in a piece of a pool keeps all of it, many times its size.
    const both = Buffer.allocUnsafeSlow(asked.length + answer.length)
    this.asked = both.subarray(0, asked.length)
    this.#answer = both.subarray(asked.length)
    this.asked.set(asked)
    this.#answer.set(answer)
    this.weight = weightOfEntry + both.length + (answer.length > copiedBytesMax ? answer.length : 0)
  }

  isOf(bytes: Uint8Array): boolean {
    return this.asked.equals(bytes)
  }

  answerTo(_bytes: Uint8Array, nowSeconds: number): Buffer {
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

/** A request in memory of its own, with zeros for what varies: what was to be encrypted is not kept. */
export const withoutVarying = (bytes: Uint8Array, places: readonly Place[]): Buffer => {
  const own = Buffer.allocUnsafeSlow(bytes.length)
  own.set(bytes)
  for (const { start, end } of places) own.fill(0, start, end)
  return own
}

/** All that was decided of a request, for those that are the same but for what varies. */
export class SameDecision extends Entry {
  readonly weight: number
  protected readonly asked: Buffer
  readonly #places: readonly Place[]
  readonly #decision: Pick<Decision, 'item' | 'prepared' | 'bounds'>

  /** @param asked of `withoutVarying`; the decision was made of what was read of these bytes */
  constructor(asked: Buffer, places: readonly Place[], decision: Decision, standing: Standing) {
    super(decision, standing)
    this.asked = asked
    this.#places = places
    const { item, prepared, bounds } = decision
    this.#decision = { item: { ...item, requestPayload: undefined }, prepared, bounds }
    this.weight = 2 * weightOfEntry + asked.length
  }

  isOf(bytes: Uint8Array): boolean {
    const { asked } = this
    if (asked.length !== bytes.length) return false
    let from = 0
    for (const { start, end } of this.#places) {
      if (asked.compare(bytes, from, start, from, start) !== 0) return false
      from = end
    }
    return asked.compare(bytes, from, bytes.length, from, bytes.length) === 0
  }

  answerTo(bytes: Uint8Array, nowSeconds: number): Buffer {
    const { item, prepared, bounds } = this.#decision
    const payload = prepared.run(varyingOf(bytes, this.#places))
    assert(!(payload instanceof Promise), 'what was done at once before is done at once')
    const form = { encoding: binaryEncoding, version: this.version, correlation: {} }
    return encodeAnswer(form, [succeededItem(item, payload)], nowSeconds, bounds)
  }
}

/** What account is kept of an item: who was given what. */
const toldOf = ({ operation, resultStatus, responsePayload }: ResponseBatchItem): ResponseBatchItem => {
  const { uniqueIdentifier } = (responsePayload ?? {}) as { readonly uniqueIdentifier?: unknown }
  return { operation, resultStatus, responsePayload: { uniqueIdentifier } }
}
