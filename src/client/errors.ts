/**
 * What a client is told when it has no answer, or an answer that is a refusal. What it is: the errors of client/, one class
 * for each thing that a caller does differently. What it is not: a server's errors (kmip/errors.ts).
 */
import { enumerationNamed, enumerationValue } from '#kmip/vocabulary'

/**
 * The connection broke, or could not be made. The request was not sent a second time: where `sent` is true, the server
 * may or may not have carried it out, and only the caller can tell whether asking again is safe.
 */
export class ConnectionLost extends Error {
  override readonly name = 'ConnectionLost'
  /** False: no byte of the request left; true: some or all of it may have reached the server. */
  readonly sent: boolean

  constructor(sent: boolean, text: string, cause?: unknown) {
    super(text, cause === undefined ? {} : { cause })
    this.sent = sent
  }
}

/** No answer came in time. A request that was sent takes its connection with it, because answers come in order. */
export class RequestTimeout extends Error {
  override readonly name = 'RequestTimeout'
  /** As in ConnectionLost. */
  readonly sent: boolean

  constructor(sent: boolean, timeoutMs: number) {
    super(`no answer came within ${timeoutMs} ms`)
    this.sent = sent
  }
}

/** More requests wait than `queueMax` allows; this one was not sent. */
export class QueueFull extends Error {
  override readonly name = 'QueueFull'

  constructor(queueMax: number) {
    super(`${queueMax} requests wait already`)
  }
}

/** The client was closed; the request was not sent. */
export class ClientClosed extends Error {
  override readonly name = 'ClientClosed'

  constructor() {
    super('the client is closed')
  }
}

/** A whole answer came that does not fit its request, or cannot be read. The connection is still in step. */
export class UnexpectedResponse extends Error {
  override readonly name = 'UnexpectedResponse'

  constructor(text: string, cause?: unknown) {
    super(text, cause === undefined ? {} : { cause })
  }
}

/** What a batch item says when it is not a success. */
export interface Refusal {
  readonly operation: string
  readonly resultStatus: number
  readonly resultReason: number | undefined
  readonly resultMessage: string | undefined
}

const reasons = enumerationNamed('ResultReason')

/** A Result Reason's name, for example `ItemNotFound`; a number that no version has is written as `0x00000042`. */
export const reasonName = (reason: number): string =>
  enumerationValue(reasons, reason)?.name ?? `0x${reason.toString(16).padStart(8, '0')}`

/** The server refused an operation (KMIP 1.4 §6.9 to §6.11). */
export class KmipResponseError extends Error {
  override readonly name = 'KmipResponseError'
  /** Result Status: Operation Failed, Operation Pending or Operation Undone. */
  readonly status: number
  /** Result Reason; undefined where the server gave none. */
  readonly reason: number | undefined
  readonly reasonName: string
  /** The operation that was asked for, for example `Create`. */
  readonly operation: string

  constructor(refusal: Refusal) {
    const reason = refusal.resultReason
    const named = reason === undefined ? 'no Result Reason' : reasonName(reason)
    super(refusal.resultMessage ?? named)
    this.status = refusal.resultStatus
    this.reason = reason
    this.reasonName = named
    this.operation = refusal.operation
  }
}
