/**
 * A dispatcher for tests: requests go in and answers come out as bytes through the codec, on a store in memory and a clock
 * that the test sets, with real cryptography. What it is: the parts put together, checks that hold for every answer, and
 * short ways to ask. What it is not: a TLS session, or a store on disk.
 */
import assert from 'node:assert/strict'
import { after } from 'node:test'
import { SettableClock } from '#actor/clock'
import { type Entropy, systemEntropy, uniqueIdentifier } from '#actor/entropy'
import { awaitable } from '#actor/later'
import type { RequestPayload, ResponsePayload } from '#client/operation-methods'
import { SeededRandom } from '#crypto/random'
import { type CryptoRunner, createCryptoRunner } from '#crypto/run'
import { openStream } from '#crypto/stream'
import { certificateTable } from '#identity/bootstrap'
import { Issuer } from '#identity/issuer'
import type { Principal } from '#identity/principals'
import type { Caller } from '#identity/session-identity'
import { BatchErrorContinuationOption, Operation, ResultReason, ResultStatus } from '#kmip/enums'
import { KmipError } from '#kmip/errors'
import {
  type RequestBatchItem,
  type RequestHeader,
  type ResponseMessage,
  readResponse,
  writeRequest,
} from '#kmip/message'
import type { PayloadName } from '#kmip/payloads/index'
import { majorOf, minorOf, newestVersion, type Version } from '#kmip/versions'
import { type ManagedObject, withValue } from '#objects/managed-object'
import { keptObjectTypes } from '#operations/creation'
import { operations } from '#operations/index'
import { objectTable } from '#operations/object-table'
import type { OperationRow, Policy } from '#operations/operation'
import { Streams } from '#operations/streams'
import type { Accounts } from '#server/account'
import { Dispatcher, type DispatcherOptions } from '#server/dispatch'
import { Holdings } from '#server/holdings'
import { MemoryStore } from '#store/memory'
import type { Store } from '#store/store'
import { assertKnownTo } from '#test/known-to-version'
import { BinaryReader, BinaryWriter, decodeItem } from '#ttlv/binary'

export const readerLimits = { nestingDepthMax: 32, itemCountMax: 65_536 }

/** What tests begin with; `openDispatcher` takes what differs. */
export const policy: Policy = {
  instancesMax: 4,
  attributesPerObjectMax: 64,
  attributeBytesMax: 16_384,
  leaseTimeSeconds: 3600,
  replacementLeaseTimeSeconds: undefined,
  locateItemsMax: 100,
  locatePages: 'newest',
  hardDelete: false,
  createdRsaBitsMax: 4096,
  createdSymmetricBitsMax: 4096,
  keyMaterialBytesMax: 65_536,
  vendorIdentification: 'kmipd',
  assertions: {},
  streaming: 'on',
  httpsServed: false,
  missingUsageMask: 'refuse',
  asynchronousOperations: 'all',
  archivedAttributes: 'refuse',
  wrapping: { wrappingAllowed: 'common', unwrapMask: 'unwrap', registeredWrapped: 'keep' },
  computing: {
    deriveIterationsMax: 10_000,
    pkcs12Iterations: 2_048,
    randomBytesMax: 1_024,
    rngSeed: 'use',
    rngSeedBytesMax: 16,
    missingIv: 'refuse',
    unnamedPadding: 'none',
  },
}

/** Bounds of asynchronous requests, small enough to be met. */
export const asynchronousLimits = {
  asynchronousOperations: 'all',
  asynchronousRequestsMax: 4,
  asynchronousRequestsPerUserMax: 3,
  asynchronousRunningMax: 1,
  asynchronousDelayMs: 100,
  asynchronousKeepMs: 60_000,
} as const

/** Silence after which the dispatcher under test forgets a stream. */
export const streamIdleTimeoutMs = 60_000

const principal = (name: string): Principal => ({
  kind: 'client',
  domain: 'root',
  user: `local|${name}`,
  groups: [],
  clientId: `client-of-${name}`,
  administrator: false,
  fingerprint: '00'.repeat(32),
})

/** Two users of the root domain, strangers to one another. */
export const alice = principal('alice')
export const bob = principal('bob')

export interface DispatcherParts {
  readonly policy: Partial<Policy>
  readonly store: Store
  readonly clock: SettableClock
  readonly entropy: Entropy
  readonly crypto: CryptoRunner
  readonly operations: readonly OperationRow[]
  readonly asynchronous: Partial<DispatcherOptions['asynchronous']>
  readonly serverCorrelationValues: 'on' | 'off'
  readonly answerCacheBytesMax: number
  readonly batchCountMax: number
  readonly responseSizeMax: number
  readonly answers: Holdings
  readonly conflictRetriesMax: number
  readonly streamsPerUserMax: number
  readonly accounts: Accounts
  /** Whether a credential of a request is right. */
  readonly verifyCredential: (username: string, password: string | undefined) => boolean
}

/** A failure inside the server, as the log has it. */
export interface InternalFailure {
  readonly correlation: string
  readonly place: string
  readonly error: unknown
}

/** A dispatcher with what is around it. */
export interface DispatcherUnderTest {
  readonly dispatcher: Dispatcher
  readonly store: Store
  readonly clock: SettableClock
  readonly crypto: CryptoRunner
  readonly failures: InternalFailure[]
  /** By how much the clocks of clients were off, in seconds, as far as the log was told. */
  readonly skews: number[]
  readonly verifyCredential: DispatcherParts['verifyCredential']
}

/** A session that acts as the principal; its requests' credentials have to be right. */
export const callerOf = (under: Pick<DispatcherUnderTest, 'verifyCredential'>, principal: Principal): Caller => ({
  hardDelete: undefined,
  ownPrincipal: principal,
  principalOf: async (credentials) => {
    for (const { credentialValue } of credentials) {
      const { username, password } = credentialValue as { username: string; password?: string }
      if (!under.verifyCredential(username, password)) throw new KmipError(ResultReason.AuthenticationNotSuccessful)
    }
    return principal
  },
})

/** A store in memory with the table of Managed Objects. */
export const newStore = (): MemoryStore => new MemoryStore([objectTable, certificateTable])

// One pool a test file: starting one takes longer than most tests.
let sharedCrypto: CryptoRunner | undefined
const cryptoOfFile = (): CryptoRunner =>
  (sharedCrypto ??= createCryptoRunner({ placement: 'auto', workers: 1, queueMax: 64 }))
// A command that is no test has no hooks: there the runner would tell of no tests at all.
if (process.argv[1]?.endsWith('.test.ts') === true) after(() => sharedCrypto?.close())

/** A dispatcher on an empty store, or of the parts that are given. */
export const openDispatcher = (parts: Partial<DispatcherParts> = {}): DispatcherUnderTest => {
  const clock = parts.clock ?? new SettableClock()
  const store = parts.store ?? newStore()
  const entropy = parts.entropy ?? systemEntropy
  const crypto = parts.crypto ?? cryptoOfFile()
  const failures: InternalFailure[] = []
  const skews: number[] = []
  const verify = parts.verifyCredential ?? (() => false)
  const dispatcher = new Dispatcher({
    store,
    table: objectTable,
    services: {
      policy: { ...policy, ...parts.policy },
      crypto,
      random: new SeededRandom(entropy),
      streams: new Streams({
        openStream,
        monotonicMs: () => clock.monotonicMs(),
        newCorrelationValue: () => entropy.bytes(16),
        perUserMax: parts.streamsPerUserMax ?? 4,
        bytesMax: 1_024,
        idleTimeoutMs: streamIdleTimeoutMs,
      }),
      newUniqueIdentifier: () => uniqueIdentifier(clock, entropy),
      issuer: new Issuer({ store, entropy, onMade: () => undefined }),
      operations: parts.operations ?? operations,
      objectTypes: keptObjectTypes,
    },
    clock,
    readerLimits,
    asynchronous: { ...asynchronousLimits, ...parts.asynchronous },
    serverCorrelationValues: parts.serverCorrelationValues ?? 'off',
    answerCacheBytesMax: parts.answerCacheBytesMax ?? 2 ** 20,
    batchCountMax: parts.batchCountMax ?? 16,
    responseSizeMax: parts.responseSizeMax ?? 1_048_576,
    answers: parts.answers ?? new Holdings({ heldBytesPerClientMax: 8_388_608, heldBytesMax: 8_388_608 }),
    conflictRetriesMax: parts.conflictRetriesMax ?? 4,
    ...(parts.accounts === undefined ? {} : { accounts: parts.accounts }),
    newCorrelation: () => `correlation-${failures.length}`,
    log: {
      internalFailure: (correlation, place, error) => void failures.push({ correlation, place, error }),
      answered: () => undefined,
      clockSkew: (seconds) => void skews.push(seconds),
    },
  })
  return { dispatcher, store, clock, crypto, failures, skews, verifyCredential: verify }
}

/** One item of a request: an operation, its payload, and what else an item may carry. */
export interface RequestedItem extends Partial<Omit<RequestBatchItem, 'operation' | 'requestPayload'>> {
  readonly operation: PayloadName
  readonly payload: unknown
}

/** An item of a batch. */
export const item = <N extends PayloadName>(
  operation: N,
  payload: RequestPayload<N>,
  others: Partial<RequestBatchItem> = {},
): RequestedItem => ({ ...others, operation, payload })

/** An item of an answer, with names for its numbers. */
export interface AnsweredItem {
  readonly operation: string | undefined
  readonly uniqueBatchItemId: Uint8Array | undefined
  readonly status: string
  readonly reason: string | undefined
  readonly message: string | undefined
  readonly payload: unknown
}

export interface Answer {
  readonly bytes: Buffer
  readonly message: ResponseMessage
  readonly items: readonly AnsweredItem[]
}

const nameIn = (names: Readonly<Record<string, number>>, value: number | undefined): string | undefined =>
  value === undefined ? undefined : (Object.entries(names).find(([, number]) => number === value)?.[0] ?? `${value}`)

/** A request as bytes. Everything that the declarations know is written, also what the version that is named does not have. */
export const requestBytes = (
  version: Version,
  items: readonly RequestedItem[],
  header: Partial<RequestHeader> = {},
): Buffer => {
  const writer = new BinaryWriter(newestVersion)
  writeRequest(writer, {
    requestHeader: {
      protocolVersion: { protocolVersionMajor: majorOf(version), protocolVersionMinor: minorOf(version) },
      attestationType: [],
      batchCount: items.length,
      ...header,
    },
    batchItem: items.map(({ operation, payload, ...others }, index) => ({
      uniqueBatchItemId: items.length > 1 ? Uint8Array.of(index) : undefined,
      ...others,
      operation: Operation[operation],
      requestPayload: payload,
    })),
  })
  return writer.bytes()
}

/**
 * An answer as names and payloads. Checks what holds for every answer: it can be read by its own version's rules, its header
 * is complete, and it holds nothing that is newer than its version.
 */
export const readAnswer = (bytes: Buffer): Answer => {
  const reader = new BinaryReader(bytes, readerLimits)
  const message = readResponse(reader)
  assert.ok(reader.atEnd())
  assertKnownTo(reader.version, decodeItem(bytes, readerLimits))
  assert.equal(message.responseHeader.batchCount, message.batchItem.length)
  const items = message.batchItem.map((answered) => {
    const failed = answered.resultStatus === ResultStatus.OperationFailed
    assert.equal(answered.resultReason !== undefined, failed, 'a failure, and nothing else, has a Result Reason')
    return {
      operation: nameIn(Operation, answered.operation),
      uniqueBatchItemId: answered.uniqueBatchItemId,
      status: nameIn(ResultStatus, answered.resultStatus) ?? '',
      reason: nameIn(ResultReason, answered.resultReason),
      message: answered.resultMessage,
      payload: answered.responsePayload,
    }
  })
  return { bytes, message, items }
}

/** Checks that an answer is in the request's version, and its items under their own names and identifiers, from the first on. */
export const assertAnswers = (version: Version, items: readonly RequestedItem[], answer: Answer): void => {
  const { protocolVersionMajor, protocolVersionMinor } = answer.message.responseHeader.protocolVersion
  assert.equal(protocolVersionMajor * 100 + protocolVersionMinor, Math.min(version, newestVersion))
  for (const [index, { operation, uniqueBatchItemId }] of answer.items.entries()) {
    const asked = items[index]
    const identifier = items.length > 1 ? Uint8Array.of(index) : undefined
    assert.equal(operation, asked?.operation)
    const expected = asked !== undefined && 'uniqueBatchItemId' in asked ? asked.uniqueBatchItemId : identifier
    assert.deepEqual(uniqueBatchItemId && Buffer.from(uniqueBatchItemId), expected && Buffer.from(expected))
  }
}

/** The answer to a request of bytes, with the checks of `readAnswer`; its time is that of the clock under test. */
export const sendBytes = async (
  under: DispatcherUnderTest,
  who: Principal | KmipError,
  bytes: Uint8Array,
): Promise<Answer> => {
  const { dispatcher, clock } = under
  const answer = readAnswer(
    await awaitable(dispatcher.answer(bytes, who instanceof KmipError ? who : callerOf(under, who))),
  )
  assert.equal(answer.message.responseHeader.timeStamp, clock.nowSeconds())
  return answer
}

/** The answer to a batch, whose items are answered under their own names and identifiers, from the first on. */
export const send = async (
  under: DispatcherUnderTest,
  who: Principal | KmipError,
  version: Version,
  items: readonly RequestedItem[],
  header: Partial<RequestHeader> = {},
): Promise<Answer> => {
  const answer = await sendBytes(under, who, requestBytes(version, items, header))
  assertAnswers(version, items, answer)
  return answer
}

/** The answer to one operation. */
export const ask = async <N extends PayloadName>(
  under: DispatcherUnderTest,
  operation: N,
  payload: RequestPayload<N>,
  { who = alice, version = newestVersion }: { readonly who?: Principal; readonly version?: Version } = {},
): Promise<AnsweredItem> => {
  const { items } = await send(under, who, version, [item(operation, payload)])
  assert.equal(items.length, 1)
  const [only] = items
  assert.ok(only)
  return only
}

/** The response payload of one operation, which must succeed. */
export const succeed = async <N extends PayloadName>(
  under: DispatcherUnderTest,
  operation: N,
  payload: RequestPayload<N>,
  options: { readonly who?: Principal; readonly version?: Version } = {},
): Promise<ResponsePayload<N>> => {
  const answered = await ask(under, operation, payload, options)
  assert.deepEqual([answered.status, answered.reason, answered.message], ['Success', undefined, undefined])
  return answered.payload as ResponsePayload<N>
}

/** Status and Reason of one operation: `Success`, or the reason's name. */
export const outcome = async <N extends PayloadName>(
  under: DispatcherUnderTest,
  operation: N,
  payload: RequestPayload<N>,
  options: { readonly who?: Principal; readonly version?: Version } = {},
): Promise<string> => {
  const { status, reason } = await ask(under, operation, payload, options)
  return reason ?? status
}

/** The response payload of an item of a batch, which must be one of this operation's. */
export const payloadOf = <N extends PayloadName>(
  { items }: Answer,
  index: number,
  operation: N,
): ResponsePayload<N> => {
  const answered = items[index]
  assert.ok(answered !== undefined && answered.status === 'Success')
  assert.equal(answered.operation, operation)
  return answered.payload as ResponsePayload<N>
}

/** Outcomes of all items of an answer. */
export const outcomesOf = ({ items }: Answer): readonly string[] => items.map(({ status, reason }) => reason ?? status)

/** An object as it lies in the store. @throws AssertionError when there is none */
export const stored = ({ store }: DispatcherUnderTest, uniqueIdentifier: string): ManagedObject => {
  const found = store.read(objectTable, uniqueIdentifier)
  assert.ok(found, 'the object is in the store')
  return found.value
}

/** Puts an object into the store behind the server's back, in place of what is there. */
export const place = async ({ store }: DispatcherUnderTest, object: ManagedObject): Promise<void> => {
  const before = store.read(objectTable, object.uniqueIdentifier)
  const { done } = await store.commit([
    {
      table: objectTable.name,
      key: object.uniqueIdentifier,
      revision: before?.revision ?? 0,
      previous: before?.value,
      value: object,
    },
  ])
  assert.ok(done)
}

/** Makes an object archived, which no operation of the server does yet. */
export const archive = async (under: DispatcherUnderTest, uniqueIdentifier: string): Promise<void> =>
  place(under, withValue(stored(under, uniqueIdentifier), 'Archive Date', under.clock.nowSeconds()))

/** The values of an object's attributes, as Get Attributes tells them: a list a name. */
export const attributesOf = async (
  under: DispatcherUnderTest,
  uniqueIdentifier: string,
  options: { readonly who?: Principal; readonly version?: Version } = {},
): Promise<Readonly<Record<string, readonly unknown[]>>> => {
  const { attribute } = await succeed(under, 'GetAttributes', { uniqueIdentifier }, options)
  const values: Record<string, unknown[]> = {}
  for (const { attributeName, attributeValue } of attribute) (values[attributeName] ??= []).push(attributeValue)
  return values
}

export const stopOnError = { batchErrorContinuationOption: BatchErrorContinuationOption.Stop }
export const continueOnError = { batchErrorContinuationOption: BatchErrorContinuationOption.Continue }
export const undoOnError = { batchErrorContinuationOption: BatchErrorContinuationOption.Undo }
