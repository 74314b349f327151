/**
 * One message of each kind that clients send most, with its answer. What it is: data for the micro-benchmarks. What it is
 * not: conformance cases.
 */
import { attribute, nameAttribute } from '#client/attribute'
import { encodeRequest } from '#client/client'
import type { BatchRequest } from '#client/operation-methods'
import {
  CryptographicAlgorithm,
  CryptographicUsageMask,
  KeyFormatType,
  ObjectType,
  Operation,
  QueryFunction,
  ResultReason,
  ResultStatus,
  SecretDataType,
  State,
} from '#kmip/enums'
import { type ResponseBatchItem, writeResponse } from '#kmip/message'
import { majorOf, minorOf, newestVersion } from '#kmip/versions'
import { BinaryWriter } from '#ttlv/binary'

/** A message of a kind, encoded. */
export interface MessagePair {
  readonly kind: string
  readonly request: Buffer
  readonly response: Buffer
}

const protocolVersion = { protocolVersionMajor: majorOf(newestVersion), protocolVersionMinor: minorOf(newestVersion) }
const uniqueIdentifier = '0d4d4c6e-6f0b-4f0e-9c1a-2f7c3b8e5a10'

const pair = (kind: string, items: readonly BatchRequest[], answers: readonly unknown[]): MessagePair => {
  const batchItem = items.map(
    (item, index): ResponseBatchItem => ({
      operation: Operation[item.operation],
      ...(items.length === 1 ? {} : { uniqueBatchItemId: Uint8Array.of(index) }),
      ...(answers[index] === undefined
        ? {
            resultStatus: ResultStatus.OperationFailed,
            resultReason: ResultReason.ItemNotFound,
            resultMessage: 'The object does not exist',
          }
        : { resultStatus: ResultStatus.Success, responsePayload: answers[index] }),
    }),
  )
  const writer = new BinaryWriter(newestVersion)
  const responseHeader = { protocolVersion, timeStamp: 1_700_000_000, attestationType: [], batchCount: items.length }
  writeResponse(writer, { responseHeader, batchItem })
  const request = encodeRequest({
    requestHeader: { protocolVersion, batchCount: items.length },
    batchItem: items.map((item, index) => ({
      operation: Operation[item.operation],
      ...(items.length === 1 ? {} : { uniqueBatchItemId: Uint8Array.of(index) }),
      requestPayload: item.payload ?? {},
    })),
  })
  return { kind, request, response: writer.bytes() }
}

const keyAttributes = [
  attribute('Cryptographic Algorithm', CryptographicAlgorithm.AES),
  attribute('Cryptographic Length', 256),
  attribute('Cryptographic Usage Mask', CryptographicUsageMask.Encrypt | CryptographicUsageMask.Decrypt),
  nameAttribute('volume 17'),
]
const keyBlock = { keyFormatType: KeyFormatType.Raw, keyValue: { keyMaterial: new Uint8Array(32), attribute: [] } }
const create: BatchRequest = {
  operation: 'Create',
  payload: { objectType: ObjectType.SymmetricKey, templateAttribute: { attribute: keyAttributes } },
}
const created = { objectType: ObjectType.SymmetricKey, uniqueIdentifier }

/** Every kind. */
export const messagePairs: readonly MessagePair[] = [
  pair(
    'discover versions',
    [{ operation: 'DiscoverVersions' }],
    [{ protocolVersion: [4, 3, 2, 1, 0].map((minor) => ({ protocolVersionMajor: 1, protocolVersionMinor: minor })) }],
  ),
  pair(
    'query',
    [{ operation: 'Query', payload: { queryFunction: [QueryFunction.QueryOperations, QueryFunction.QueryObjects] } }],
    [{ operation: Array.from({ length: 24 }, (_, index) => index + 1), objectType: [1, 2, 3, 4, 7, 8] }],
  ),
  pair('create', [create], [created]),
  pair(
    'register',
    [
      {
        operation: 'Register',
        payload: {
          objectType: ObjectType.SecretData,
          templateAttribute: { attribute: keyAttributes },
          secretData: { secretDataType: SecretDataType.Password, keyBlock },
        },
      },
    ],
    [{ uniqueIdentifier }],
  ),
  pair('get', [{ operation: 'Get', payload: { uniqueIdentifier } }], [{ ...created, symmetricKey: { keyBlock } }]),
  pair(
    'get attributes',
    [{ operation: 'GetAttributes', payload: { uniqueIdentifier } }],
    [
      {
        uniqueIdentifier,
        attribute: [...keyAttributes, attribute('State', State.Active), attribute('Initial Date', 1_700_000_000)],
      },
    ],
  ),
  pair(
    'locate',
    [{ operation: 'Locate', payload: { attribute: [nameAttribute('volume 17')] } }],
    [{ locatedItems: 1, uniqueIdentifier: [uniqueIdentifier] }],
  ),
  pair('refusal', [{ operation: 'Get', payload: { uniqueIdentifier } }], [undefined]),
  pair(
    'batch of three',
    [create, { operation: 'Activate' }, { operation: 'Get' }],
    [created, { uniqueIdentifier }, { ...created, symmetricKey: { keyBlock } }],
  ),
]
