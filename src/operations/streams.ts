/**
 * Cryptographic operations that come in parts (KMIP 1.4 §2.1.15 to §2.1.17). What it is: the open streams of all users, each
 * under a Correlation Value, bounded in number for each user and in time. What it is not: the cryptography, or the operations.
 *
 *     Init ──▶ open, value made ──▶ part ──▶ part ──▶ Final: result, forgotten
 *                                    └─ an error, or too long a silence: forgotten
 *
 * Streams live in memory: after a restart their Correlation Values are unknown. A batch that is decided anew, because another
 * client changed an object first, asks with the same payload: it gets the same answer, and the stream does not move twice.
 */
import type { CryptoJob, KeyForm } from '#crypto/run'
import type { CryptographicParameters } from '#kmip/attribute-values'
import { ResultReason } from '#kmip/enums'
import { KmipError } from '#kmip/errors'
import { computingError } from './failures.ts'

export type StreamKind = 'encrypt' | 'decrypt' | 'sign' | 'verifySignature' | 'mac' | 'verifyMac' | 'hash'

/** What a stream is opened with. */
export interface StreamRequest {
  readonly kind: StreamKind
  readonly key?: KeyForm | undefined
  readonly parameters: CryptographicParameters
  readonly iv?: Uint8Array | undefined
  readonly aad?: Uint8Array | undefined
}

/** What the last part gives. */
export interface StreamResult {
  readonly data?: Uint8Array | undefined
  readonly tag?: Uint8Array | undefined
  readonly signature?: Uint8Array | undefined
  readonly mac?: Uint8Array | undefined
  readonly digest?: Uint8Array | undefined
  readonly valid?: boolean | undefined
  /** What is still to be done, wherever jobs are done: its result is the stream's. */
  readonly left?: CryptoJob<'encrypt' | 'decrypt' | 'sign' | 'verifySignature'> | undefined
}

/** A stream as cryptography gives it. */
export interface CryptoStream {
  readonly iv?: Uint8Array | undefined
  update(data: Uint8Array): Uint8Array
  final(last?: Uint8Array, expected?: Uint8Array): StreamResult
}

/** The fields of a request that make it a part. */
export interface Part {
  readonly data?: Uint8Array | undefined
  readonly correlationValue?: Uint8Array | undefined
  readonly initIndicator?: boolean | undefined
  readonly finalIndicator?: boolean | undefined
}

/** One part's request. */
export interface Step {
  /** The payload itself: the same object when a batch is decided anew. */
  readonly part: Part
  readonly user: string
  readonly kind: StreamKind
  readonly uniqueIdentifier?: string | undefined
  /** What the stream is opened with; asked for on the first part. */
  readonly open: () => StreamRequest
  /** Tag, signature or MAC to compare with; it may come with any part. */
  readonly expected?: Uint8Array | undefined
  /** Additional data of the part. */
  readonly aad?: Uint8Array | undefined
}

/** What a part gives: output so far, and either the Correlation Value for the next part or the result. */
export interface StepResult extends StreamResult {
  readonly correlationValue?: Uint8Array | undefined
  /** The IV that the server made, with the first part. */
  readonly iv?: Uint8Array | undefined
}

/** The streams as operations see them: they may be in another thread. */
export interface StreamTable {
  /** The object that a stream of this user works with, for parts that do not name it. */
  objectOf(user: string, correlationValue: Uint8Array | undefined): string | undefined | Promise<string | undefined>
  /** Does one part. @throws KmipError, which can cross a thread; of what the stream throws it is the reason that a client is told */
  step(step: Step): StepResult | Promise<StepResult>
}

export interface StreamsOptions {
  readonly openStream: (request: StreamRequest) => CryptoStream
  /** Milliseconds of a clock that nobody sets. */
  readonly monotonicMs: () => number
  /** Bytes that nobody guesses. */
  readonly newCorrelationValue: () => Uint8Array
  /** Streams that one user may have open; one more is refused. */
  readonly perUserMax: number
  /** Bytes of all parts of a stream: some modes keep them to the end. */
  readonly bytesMax: number
  /** Silence after which a stream is forgotten. */
  readonly idleTimeoutMs: number
}

interface OpenStream {
  readonly kind: StreamKind
  readonly uniqueIdentifier: string | undefined
  readonly stream: CryptoStream
  readonly aad: Uint8Array | undefined
  expected: Uint8Array | undefined
  bytes: number
  usedMs: number
}

const none = new Uint8Array(0)
/** What ends with a comparison, for which one of the parts brings the signature or the MAC (§4.32, §4.34). */
const checks: ReadonlySet<StreamKind> = new Set(['verifySignature', 'verifyMac'])

const key = (correlationValue: Uint8Array): string => Buffer.from(correlationValue).toString('hex')

/** Whether a request is one part of several. Init and Final at once are the whole. */
export const isPart = ({ correlationValue, initIndicator, finalIndicator }: Part): boolean =>
  correlationValue !== undefined || (initIndicator === true && finalIndicator !== true)

export class Streams implements StreamTable {
  readonly #options: StreamsOptions
  readonly #byUser = new Map<string, Map<string, OpenStream>>()
  readonly #answered = new WeakMap<Part, () => StepResult>()

  constructor(options: StreamsOptions) {
    this.#options = options
  }

  /** The object that a stream of this user works with, for parts that do not name it. */
  objectOf(user: string, correlationValue: Uint8Array | undefined): string | undefined {
    if (correlationValue === undefined) return undefined
    return this.#byUser.get(user)?.get(key(correlationValue))?.uniqueIdentifier
  }

  /**
   * Does one part.
   * @throws KmipError Item Not Found for a Correlation Value that is not of a stream of this user, key and operation;
   * Invalid Message for one beside an Init Indicator, other additional data than the first part's, or nothing to be checked; Permission Denied for one stream too many; Cryptographic Failure and the like
   * for what the stream throws.
   */
  step(step: Step): StepResult {
    const known = this.#answered.get(step.part)
    if (known !== undefined) return known()
    let answer: () => StepResult
    try {
      const result = this.#move(step)
      answer = () => result
    } catch (error) {
      const told = computingError(error)
      answer = () => {
        throw told
      }
    }
    this.#answered.set(step.part, answer)
    return answer()
  }

  #move(step: Step): StepResult {
    const { part, user, expected } = step
    const nowMs = this.#options.monotonicMs()
    const streams = this.#streamsOf(user)
    if (part.correlationValue !== undefined && part.initIndicator === true) {
      throw new KmipError(ResultReason.InvalidMessage, 'The first part has no Correlation Value: the server makes it')
    }
    const correlationValue = part.correlationValue ?? this.#open(step, streams, nowMs)
    const name = key(correlationValue)
    const open = streams.get(name)
    if (open === undefined || open.kind !== step.kind || open.uniqueIdentifier !== step.uniqueIdentifier) {
      throw new KmipError(ResultReason.ItemNotFound, 'No operation with this Correlation Value is outstanding')
    }
    // Tables 229, 231: supplied with the first part. What comes later would not be authenticated.
    if (step.aad !== undefined && Buffer.compare(step.aad, open.aad ?? none) !== 0) {
      throw new KmipError(ResultReason.InvalidMessage, 'Additional data to be authenticated comes with the first part')
    }
    if (part.finalIndicator === true && checks.has(step.kind) && (expected ?? open.expected) === undefined) {
      throw new KmipError(ResultReason.InvalidMessage, 'No part holds what is to be checked')
    }
    // Out of the table while it works: a part that fails ends its stream.
    streams.delete(name)
    open.expected = expected ?? open.expected
    open.usedMs = nowMs
    open.bytes += part.data?.length ?? 0
    if (open.bytes > this.#options.bytesMax) {
      throw new KmipError(ResultReason.PermissionDenied, `All parts together may have ${this.#options.bytesMax} bytes`)
    }
    const iv = part.correlationValue === undefined ? open.stream.iv : undefined
    if (part.finalIndicator === true) return { ...open.stream.final(part.data, open.expected), iv }
    const data = part.data === undefined ? undefined : open.stream.update(part.data)
    streams.set(name, open)
    return { data, correlationValue, iv }
  }

  #open(step: Step, streams: Map<string, OpenStream>, nowMs: number): Uint8Array {
    if (streams.size >= this.#options.perUserMax) {
      throw new KmipError(
        ResultReason.PermissionDenied,
        'Too many operations in parts are outstanding; end one of them',
      )
    }
    const request = step.open()
    const stream = this.#options.openStream(request)
    const correlationValue = this.#options.newCorrelationValue()
    const { kind, uniqueIdentifier } = step
    const aad = request.aad === undefined ? undefined : new Uint8Array(request.aad)
    const fresh = { expected: undefined, bytes: 0, usedMs: nowMs }
    streams.set(key(correlationValue), { kind, uniqueIdentifier, stream, aad, ...fresh })
    return correlationValue
  }

  /** Forgets all streams that have been silent for too long; a timer of the server calls it, for nobody else may come. */
  forgetIdle(): void {
    for (const [user, streams] of this.#byUser) {
      this.#forgetIdleOf(streams)
      if (streams.size === 0) this.#byUser.delete(user)
    }
  }

  /** How many streams are open. */
  get open(): number {
    let open = 0
    for (const streams of this.#byUser.values()) open += streams.size
    return open
  }

  /** The streams of a user, without those that were silent for too long. */
  #streamsOf(user: string): Map<string, OpenStream> {
    const streams = this.#byUser.get(user) ?? new Map<string, OpenStream>()
    this.#forgetIdleOf(streams)
    this.#byUser.set(user, streams)
    return streams
  }

  #forgetIdleOf(streams: Map<string, OpenStream>): void {
    const nowMs = this.#options.monotonicMs()
    for (const [name, { usedMs }] of streams) {
      if (nowMs - usedMs > this.#options.idleTimeoutMs) streams.delete(name)
    }
  }
}
