/**
 * What the main thread and the fronts say to each other. What it is: the calls of both sides by name, plain data all of them,
 * and the plain form of errors. What it is not: who answers (`front-set.ts` on the main thread, `front-interfaces.ts` in a
 * front), or the way (actor/channel.ts).
 *
 *     main ── interfaces, ticket keys, levels, seeds ──▶ every front      what all must know
 *     front ── streams, asynchronous requests, guesses, lines, changes ──▶ main      what there is one of
 */

import type { ErrorForms } from '#actor/channel'
import { errorText } from '#actor/error-text'
import { KmipError } from '#kmip/errors'
import type { ResponseBatchItem } from '#kmip/message'
import type { Version } from '#kmip/versions'
import type { DurableChange } from '#operations/server-requests'
import type { Part, StepResult, StreamKind, StreamRequest } from '#operations/streams'
import type { SentRequest } from './background.ts'
import type { InterfaceSettings } from './interface.ts'
import type { KeptSession } from './kept-sessions.ts'
import type { Sample } from './meter.ts'

/** A TLS session of an interface, and the name of the ticket keys of its time: with others it counts no more. */
export interface SharedSession extends KeptSession {
  readonly interface: string
  readonly ticketKeyName: string
}

/** A part of an operation in parts, without what cannot cross. */
export interface SentStep {
  readonly part: Part
  readonly user: string
  readonly kind: StreamKind
  readonly uniqueIdentifier: string | undefined
  /** With the first part. */
  readonly request: StreamRequest | undefined
  readonly expected: Uint8Array | undefined
  readonly aad: Uint8Array | undefined
}

/** What a front can be asked. */
export type FrontCalls = {
  /** Listens on the settings' port, unless it does already. */
  open(settings: InterfaceSettings): Promise<void>
  /** Makes ready for a change, which has a number. */
  prepare(change: { readonly number: number; readonly settings: InterfaceSettings }): Promise<void>
  /** Carries a change out, also one that it was not made ready for. */
  apply(change: { readonly number: number; readonly settings: InterfaceSettings }): Promise<void>
  abandon(change: { readonly number: number; readonly name: string }): void
  ticketKeys(keys: { readonly name: string; readonly ticketKeys: Uint8Array }): void
  endSessions(of: { readonly name: string; readonly fingerprint: string }): void
  /** Resolves when the sessions of the interface are over. */
  close(which: { readonly name: string; readonly drainTimeoutMs: number }): Promise<void>
  /** Ends what the front has beside interfaces: nothing is asked of it afterwards. */
  end(nothing: undefined): Promise<void>
  keepSession(session: SharedSession): void
  level(level: string): void
  /** Whether a licence, or none being needed, lets clients be served. */
  permits(permits: boolean): void
  seed(material: Uint8Array): void
  /** Answered by a loop that turns. */
  alive(nothing: undefined): void
  /** What the front has counted. */
  samples(nothing: undefined): readonly Sample[]
}

/** What the main thread can be asked. */
export type MainCalls = {
  /** The front can be given interfaces. */
  ready(nothing: undefined): void
  listenerFailed(reason: string): void
  line(line: string): void
  durable(what: { readonly changes: readonly DurableChange[]; readonly version: Version }): void
  admit(guess: { readonly user: string; readonly address: string }): Promise<boolean>
  guessFailed(guess: { readonly user: string; readonly address: string }): void
  guessSucceeded(guess: { readonly user: string; readonly address: string }): void
  streamObject(of: { readonly user: string; readonly correlationValue: Uint8Array }): Promise<string | undefined>
  streamStep(step: SentStep): Promise<StepResult>
  takeRequest(sent: SentRequest): Promise<Uint8Array | undefined>
  poll(of: { readonly user: string; readonly correlationValue: Uint8Array }): Promise<ResponseBatchItem | undefined>
  cancel(of: { readonly user: string; readonly correlationValue: Uint8Array }): Promise<number>
  keptSession(session: SharedSession): void
  seeded(material: Uint8Array): void
}

type PlainError =
  | { readonly kind: 'kmip'; readonly reason: number; readonly text: string }
  | { readonly kind: 'other'; readonly text: string; readonly code: string | undefined }

/** An error of the other thread that has no class here; `code` is the system's, where it gave one. */
export class FrontError extends Error {
  override readonly name = 'FrontError'
  readonly code: string | undefined

  constructor(message: string, code: string | undefined) {
    super(message)
    this.code = code
  }
}

/** Errors as they cross: what a client is told stays that, of all others the text and the system's code. */
export const errorForms: ErrorForms = {
  plain(error): PlainError {
    if (error instanceof KmipError) return { kind: 'kmip', reason: error.reason, text: error.message }
    const code = error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined
    return { kind: 'other', text: errorText(error), code }
  },
  revived(plain) {
    const error = plain as PlainError
    return error.kind === 'kmip' ? new KmipError(error.reason, error.text) : new FrontError(error.text, error.code)
  },
}

/** Bytes that share no memory with others: a copy of a view would take all of its memory along. */
export const ownBytes = <B extends Uint8Array | undefined>(bytes: B): B =>
  (bytes === undefined ? undefined : new Uint8Array(bytes)) as B

/** Of ticket keys: what stands in each ticket, and so is no secret. */
export const ticketKeyName = (ticketKeys: Uint8Array): string => Buffer.from(ticketKeys.subarray(0, 16)).toString('hex')

/** A copy of plain data whose byte arrays have memory of their own. */
export const ownData = <V>(value: V): V => cut(value) as V

const cut = (value: unknown): unknown => {
  if (value instanceof Uint8Array) return new Uint8Array(value)
  if (Array.isArray(value)) return value.map(cut)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, cut(part)]))
}
