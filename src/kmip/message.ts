/**
 * Messages (KMIP 1.4 §6, §7): headers, batch items, and their way to and from an encoding. What it is: shapes, and the
 * reading of a request whose faulty payloads do not spoil the rest. What it is not: what a header means for a batch
 * (server/dispatch.ts).
 */
import { TtlvError } from '#ttlv/error'
import {
  anyItem,
  boolean,
  byteString,
  type Choose,
  type Codec,
  dateTime,
  type Infer,
  integer,
  many,
  one,
  optional,
  struct,
  textString,
} from '#ttlv/schema'
import type { Reader, Writer } from '#ttlv/stream'
import { authentication, nonce } from './credential.ts'
import { payloadCodecs } from './payloads/index.ts'
import { headerVersion } from './protocol-version.ts'
import { Tag } from './tags.ts'
import { v1_2, v1_4 } from './versions.ts'
import { enumerated } from './vocabulary.ts'

/** §7.2, Table 282 */
export const requestHeader = struct({
  protocolVersion: one(Tag.ProtocolVersion, headerVersion),
  maximumResponseSize: optional(Tag.MaximumResponseSize, integer),
  clientCorrelationValue: optional(Tag.ClientCorrelationValue, textString, { since: v1_4 }),
  serverCorrelationValue: optional(Tag.ServerCorrelationValue, textString, { since: v1_4 }),
  asynchronousIndicator: optional(Tag.AsynchronousIndicator, boolean),
  attestationCapableIndicator: optional(Tag.AttestationCapableIndicator, boolean, { since: v1_2 }),
  attestationType: many(Tag.AttestationType, enumerated('AttestationType'), { since: v1_2 }),
  authentication: optional(Tag.Authentication, authentication),
  batchErrorContinuationOption: optional(Tag.BatchErrorContinuationOption, enumerated('BatchErrorContinuationOption')),
  batchOrderOption: optional(Tag.BatchOrderOption, boolean),
  timeStamp: optional(Tag.TimeStamp, dateTime),
  batchCount: one(Tag.BatchCount, integer),
})
export type RequestHeader = Infer<typeof requestHeader>

/** §7.2, Table 284 */
export const responseHeader = struct({
  protocolVersion: one(Tag.ProtocolVersion, headerVersion),
  timeStamp: one(Tag.TimeStamp, dateTime),
  nonce: optional(Tag.Nonce, nonce, { since: v1_2 }),
  attestationType: many(Tag.AttestationType, enumerated('AttestationType'), { since: v1_2 }),
  clientCorrelationValue: optional(Tag.ClientCorrelationValue, textString, { since: v1_4 }),
  serverCorrelationValue: optional(Tag.ServerCorrelationValue, textString, { since: v1_4 }),
  batchCount: one(Tag.BatchCount, integer),
})
export type ResponseHeader = Infer<typeof responseHeader>

/** §6.16 */
export const messageExtension = struct({
  vendorIdentification: one(Tag.VendorIdentification, textString),
  criticalityIndicator: one(Tag.CriticalityIndicator, boolean),
  vendorExtension: one(Tag.VendorExtension, anyItem),
})

/** A payload that could not be read: its batch item fails, the others do not (§11.1). */
export class RefusedPayload {
  readonly error: TtlvError
  constructor(error: TtlvError) {
    this.error = error
  }
}

/** Payloads of operations that are not declared are passed over: the operation is not supported. */
const undeclared: Codec<unknown> = {
  type: undefined,
  read: (reader) => {
    reader.skip()
    return null
  },
  write: () => {
    throw new TypeError('a payload of an operation that is not declared cannot be written')
  },
}

/** Reads a payload, or says why not and stands behind it all the same. */
const guarded = (codec: Codec<unknown>): Codec<unknown> => ({
  ...codec,
  read(reader, tag) {
    const depth = reader.depth()
    try {
      return codec.read(reader, tag)
    } catch (error) {
      // A limit is one of the whole message; and before the payload is entered there is no end to go to.
      if (!(error instanceof TtlvError) || error.fault === 'limit' || reader.depth() === depth) throw error
      reader.leaveTo(depth + 1)
      return new RefusedPayload(error)
    }
  },
})

const requestPayload: Choose<unknown> = (parent) => payloadCodecs(Number(parent['operation']))?.request ?? undeclared
const guardedCodecs = new Map<Codec<unknown>, Codec<unknown>>()
const guardedPayload: Choose<unknown> = (parent, version) => {
  const codec = requestPayload(parent, version)
  const known = guardedCodecs.get(codec) ?? guarded(codec)
  guardedCodecs.set(codec, known)
  return known
}
const responsePayload: Choose<unknown> = (parent) => payloadCodecs(Number(parent['operation']))?.response ?? undeclared

const requestItemFields = {
  operation: one(Tag.Operation, enumerated('Operation', true)),
  uniqueBatchItemId: optional(Tag.UniqueBatchItemID, byteString),
}

/** §7.2, Table 283, as a server reads it */
export const requestBatchItem = struct({
  ...requestItemFields,
  requestPayload: one(Tag.RequestPayload, guardedPayload),
  messageExtension: optional(Tag.MessageExtension, messageExtension),
})
export type RequestBatchItem = Infer<typeof requestBatchItem>

/** §7.2, Table 285 */
export const responseBatchItem = struct({
  operation: optional(Tag.Operation, enumerated('Operation', true)),
  uniqueBatchItemId: optional(Tag.UniqueBatchItemID, byteString),
  resultStatus: one(Tag.ResultStatus, enumerated('ResultStatus')),
  resultReason: optional(Tag.ResultReason, enumerated('ResultReason', true)),
  resultMessage: optional(Tag.ResultMessage, textString),
  asynchronousCorrelationValue: optional(Tag.AsynchronousCorrelationValue, byteString),
  responsePayload: optional(Tag.ResponsePayload, responsePayload),
  messageExtension: optional(Tag.MessageExtension, messageExtension),
})
export type ResponseBatchItem = Infer<typeof responseBatchItem>

/** §7.1, Table 280 */
export const requestMessage = struct({
  requestHeader: one(Tag.RequestHeader, requestHeader),
  batchItem: many(Tag.BatchItem, requestBatchItem),
})
export type RequestMessage = Infer<typeof requestMessage>

/** §7.1, Table 281 */
export const responseMessage = struct({
  responseHeader: one(Tag.ResponseHeader, responseHeader),
  batchItem: many(Tag.BatchItem, responseBatchItem),
})
export type ResponseMessage = Infer<typeof responseMessage>

/** Reads a request; the reader's version is set by its header. @throws TtlvError when the message as a whole cannot be read. */
export const readRequest = (reader: Reader): RequestMessage => requestMessage.read(reader, Tag.RequestMessage)

/** Writes a request in the writer's version, which must be the header's. */
export const writeRequest = (writer: Writer, message: RequestMessage): void =>
  requestMessage.write(writer, Tag.RequestMessage, message)

/** Reads a response. @throws TtlvError */
export const readResponse = (reader: Reader): ResponseMessage => responseMessage.read(reader, Tag.ResponseMessage)

/** Writes a response in the writer's version, which must be the header's. */
export const writeResponse = (writer: Writer, message: ResponseMessage): void =>
  responseMessage.write(writer, Tag.ResponseMessage, message)
