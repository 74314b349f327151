/**
 * The KMIP client: one method for each operation, batches, and whole messages. What it is: the way from typed payloads to
 * bytes and back. What it is not: a connection (transport.ts) or the shapes themselves (kmip/payloads/).
 *
 *     const client = createClient({ host, port, ca, cert, key })
 *     const { uniqueIdentifier } = await client.create({ objectType: ObjectType.SymmetricKey, templateAttribute: { attribute: [...] } })
 */

import type { credential } from '#kmip/credential'
import { BatchErrorContinuationOption, Operation, ResultStatus } from '#kmip/enums'
import {
  type RequestMessage,
  type ResponseBatchItem,
  type ResponseMessage,
  readResponse,
  writeRequest,
} from '#kmip/message'
import { type PayloadName, payloads } from '#kmip/payloads/index'
import { majorOf, minorOf, newestVersion, supportedVersions, type Version } from '#kmip/versions'
import { BinaryReader, BinaryWriter } from '#ttlv/binary'
import type { Infer } from '#ttlv/schema'
import type { ReaderLimits } from '#ttlv/stream'
import { KmipResponseError, UnexpectedResponse } from './errors.ts'
import {
  type BatchRequest,
  type Input,
  methodName,
  type OperationMethods,
  type ResponsePayload,
} from './operation-methods.ts'
import { Transport, type TransportOptions } from './transport.ts'

/** A connection's settings, and what every request carries. */
export interface ClientOptions extends TransportOptions {
  /** Protocol version of every request, for example `v1_2`; default the newest. */
  readonly version?: Version
  /** Credentials of every request's header (KMIP 1.4 §6.6). */
  readonly credentials?: readonly Infer<typeof credential>[]
  /** Maximum Response Size of every request, in bytes (§6.3); the server then refuses what the client could not take. */
  readonly maximumResponseSize?: number
  /** What bounds the reading of a response; default 32 levels and 1,000,000 items. */
  readonly responseLimits?: ReaderLimits
}

/** What a batch asks of the server beside its items. */
export interface BatchOptions {
  /** Items are carried out one after the other, in order (§6.12). */
  readonly order?: boolean
  /** What happens behind an item that fails (§6.13); the server's default is to stop. */
  readonly onError?: 'continue' | 'stop' | 'undo'
}

/** What became of one item of a batch. `unanswered`: the server stopped before it. */
export type BatchResult<Name extends PayloadName = PayloadName> =
  | { readonly status: 'success'; readonly operation: Name; readonly payload: ResponsePayload<Name> }
  | { readonly status: 'failure'; readonly operation: Name; readonly error: KmipResponseError }
  | { readonly status: 'unanswered'; readonly operation: Name }

/** The results of a batch, each with the type of its own operation. */
export type BatchResults<Items extends readonly BatchRequest[]> = {
  readonly [I in keyof Items]: BatchResult<Items[I]['operation']>
}

/** A client's own methods, beside one for each operation. */
export interface ClientMethods {
  /** The session beneath, for those who have bytes. */
  readonly transport: Transport
  /**
   * Several operations in one message. An item that fails does not reject: its result says so.
   * @throws KmipResponseError when the server refused the message as a whole
   */
  batch<const Items extends readonly BatchRequest[]>(items: Items, options?: BatchOptions): Promise<BatchResults<Items>>
  /** A whole message as it stands; a response that tells of a failure does not reject. */
  request(message: Input<RequestMessage>): Promise<ResponseMessage>
  /** Takes no more requests, waits for the answers to those taken, then ends the connection. */
  close(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

/** A KMIP client. Every method rejects with one of the errors of errors.ts, or a TypeError for a value that has no encoding. */
export type Client = ClientMethods & OperationMethods

type Item = RequestMessage['batchItem'][number]

const defaultResponseLimits: ReaderLimits = { nestingDepthMax: 32, itemCountMax: 1_000_000 }

const continuation = {
  continue: BatchErrorContinuationOption.Continue,
  stop: BatchErrorContinuationOption.Stop,
  undo: BatchErrorContinuationOption.Undo,
} as const

/**
 * Makes a client. It connects when the first request is made, and again when the connection broke.
 * @throws TypeError for a version that is not known
 */
export const createClient = (options: ClientOptions): Client => {
  const version = options.version ?? newestVersion
  if (!supportedVersions.includes(version)) throw new TypeError(`protocol version ${version} is not known; 1.4 is 104`)
  const transport = new Transport(options)
  const limits = options.responseLimits ?? defaultResponseLimits
  const exchange = async (message: Input<RequestMessage>): Promise<ResponseMessage> =>
    decodeResponse(await transport.send(encodeRequest(message)), limits)
  const header = (batchCount: number) => requestHeader(options, version, batchCount)

  const single = async (name: PayloadName, payload: unknown): Promise<unknown> => {
    const item: Item = { operation: Operation[name], requestPayload: payload ?? {} }
    const response = await exchange({ requestHeader: header(1), batchItem: [item] })
    const answer = response.batchItem[0]
    if (answer === undefined || response.batchItem.length > 1)
      throw new UnexpectedResponse(`${response.batchItem.length} answers came to one operation`)
    return successPayload(name, answer)
  }

  const batch = async (
    items: readonly BatchRequest[],
    batchOptions: BatchOptions = {},
  ): Promise<readonly BatchResult[]> => {
    const { order, onError } = batchOptions
    const response = await exchange({
      requestHeader: {
        ...header(items.length),
        ...(order === undefined ? {} : { batchOrderOption: order }),
        ...(onError === undefined ? {} : { batchErrorContinuationOption: continuation[onError] }),
      },
      batchItem: items.map((item, index) => ({
        operation: Operation[item.operation],
        uniqueBatchItemId: batchItemId(index),
        requestPayload: item.payload ?? {},
      })),
    })
    return batchResults(items, response)
  }

  const methods = Object.fromEntries(
    Object.keys(payloads).map((name) => [
      methodName(name),
      (payload?: unknown) => single(name as PayloadName, payload),
    ]),
  )
  const own: ClientMethods = {
    transport,
    // The results are made item by item; that their types follow the items is known here only.
    batch: batch as ClientMethods['batch'],
    request: exchange,
    close: () => transport.close(),
    [Symbol.asyncDispose]: () => transport.close(),
  }
  return Object.assign(methods as OperationMethods, own)
}

/** The header that a client's every request has (KMIP 1.4 §7.2). */
const requestHeader = (
  options: ClientOptions,
  version: Version,
  batchCount: number,
): Input<RequestMessage['requestHeader']> => ({
  protocolVersion: { protocolVersionMajor: majorOf(version), protocolVersionMinor: minorOf(version) },
  ...(options.maximumResponseSize === undefined ? {} : { maximumResponseSize: options.maximumResponseSize }),
  ...(options.credentials === undefined ? {} : { authentication: { credential: options.credentials } }),
  batchCount,
})

/**
 * The bytes of a request, in the version that its header names.
 * @throws TypeError or RangeError for a value that its item type cannot carry, and for a field that the version does not have
 */
export const encodeRequest = (message: Input<RequestMessage>): Buffer => {
  const { protocolVersionMajor, protocolVersionMinor } = message.requestHeader.protocolVersion
  const writer = new BinaryWriter(protocolVersionMajor * 100 + protocolVersionMinor, Number.POSITIVE_INFINITY, true)
  // Lists that were left out are written as none, which is what the writer makes of them.
  writeRequest(writer, message as RequestMessage)
  return writer.bytes()
}

/** Reads a whole response. @throws UnexpectedResponse when it cannot be read */
export const decodeResponse = (bytes: Uint8Array, limits: ReaderLimits = defaultResponseLimits): ResponseMessage => {
  try {
    return readResponse(new BinaryReader(bytes, limits))
  } catch (error) {
    throw new UnexpectedResponse('the response cannot be read', error)
  }
}

const batchItemId = (index: number): Buffer => {
  const id = Buffer.alloc(4)
  id.writeUInt32BE(index)
  return id
}

const refusalOf = (name: string, item: ResponseBatchItem): KmipResponseError =>
  new KmipResponseError({
    operation: name,
    resultStatus: item.resultStatus,
    resultReason: item.resultReason,
    resultMessage: item.resultMessage,
  })

const successPayload = (name: PayloadName, item: ResponseBatchItem): unknown => {
  if (item.resultStatus !== ResultStatus.Success) throw refusalOf(name, item)
  if (item.operation !== undefined && item.operation !== Operation[name])
    throw new UnexpectedResponse(`the answer to ${name} is to another operation`)
  if (item.responsePayload === undefined) throw new UnexpectedResponse(`the answer to ${name} has no payload`)
  return item.responsePayload
}

/**
 * Brings the answers to the items that they belong to. A server that refuses a message as a whole answers with one
 * failure that names no item (§7.2).
 */
const batchResults = (items: readonly BatchRequest[], response: ResponseMessage): readonly BatchResult[] => {
  const answers = new Map<number, ResponseBatchItem>()
  for (const answer of response.batchItem) {
    const id = answer.uniqueBatchItemId
    if (id === undefined) {
      if (answer.resultStatus === ResultStatus.Success)
        throw new UnexpectedResponse('an answer names no item of the batch')
      throw refusalOf('batch', answer)
    }
    const index = id.length === 4 ? Buffer.from(id).readUInt32BE() : -1
    if (index < 0 || index >= items.length || answers.has(index))
      throw new UnexpectedResponse('an answer names an item that was not asked, or was answered')
    answers.set(index, answer)
  }
  return items.map((item, index): BatchResult => {
    const answer = answers.get(index)
    if (answer === undefined) return { status: 'unanswered', operation: item.operation }
    if (answer.resultStatus !== ResultStatus.Success)
      return { status: 'failure', operation: item.operation, error: refusalOf(item.operation, answer) }
    return {
      status: 'success',
      operation: item.operation,
      payload: successPayload(item.operation, answer) as ResponsePayload<PayloadName>,
    }
  })
}
