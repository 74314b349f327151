/**
 * What the operations that compute have in common (KMIP 1.4 §4.29 to §4.37): a key that may be used now, its Usage Limits
 * counted down, and the errors of cryptography as their tables name them. What it is not: an operation.
 */

import type { CryptoJob, CryptoJobKind, CryptoResult, KeyForm, KeyMaterial } from '#crypto/run'
import type { Permission } from '#identity/principals'
import {
  type CryptographicAlgorithm,
  KeyFormatType,
  ObjectType,
  type ObjectType as ObjectTypeNumber,
  ResultReason,
} from '#kmip/enums'
import { KmipError } from '#kmip/errors'
import type { KeyBlock } from '#kmip/key-block'
import type { CertificateValue } from '#kmip/objects'
import { type ManagedObject, valueOf } from '#objects/managed-object'
import { type Amount, allocated, isLimited, objectionToUse, type Use, usableUntil } from '#objects/usage'
import { computingError } from './failures.ts'
import type { Context, Prepared } from './operation.ts'
import { isPart, type Part, type Step, type StepResult, type StreamKind, type StreamRequest } from './streams.ts'

/** A key that may be used. */
export interface UsableKey {
  readonly object: ManagedObject
  readonly key: KeyForm
}

/**
 * The key of an object, in the clear.
 * @throws KmipError Key Value Not Present, Permission Denied for one that was registered wrapped
 */
export const keyFormOf = (object: ManagedObject): KeyForm => {
  if (object.objectType === ObjectType.Certificate) return certificateForm(object)
  const keyBlock = (object.value as { readonly keyBlock?: KeyBlock } | undefined)?.keyBlock
  if (keyBlock === undefined) throw new KmipError(ResultReason.PermissionDenied, 'The object has no key')
  const { keyValue, keyWrappingData } = keyBlock
  if (keyValue === undefined) throw new KmipError(ResultReason.KeyValueNotPresent)
  if (keyValue instanceof Uint8Array || keyWrappingData !== undefined) {
    throw new KmipError(ResultReason.PermissionDenied, 'The key was registered wrapped: the server cannot use it')
  }
  const algorithm = keyBlock.cryptographicAlgorithm ?? valueOf<number>(object, 'Cryptographic Algorithm')
  return {
    objectType: object.objectType as ObjectTypeNumber,
    keyFormatType: keyBlock.keyFormatType as KeyFormatType,
    keyMaterial: keyValue.keyMaterial as KeyMaterial,
    cryptographicAlgorithm: algorithm as CryptographicAlgorithm | undefined,
    cryptographicLength: keyBlock.cryptographicLength ?? valueOf<number>(object, 'Cryptographic Length'),
  }
}

/** A certificate stands for the public key within. */
const certificateForm = (object: ManagedObject): KeyForm => ({
  objectType: ObjectType.Certificate,
  keyFormatType: KeyFormatType.X_509,
  keyMaterial: (object.value as CertificateValue).certificateValue,
  cryptographicAlgorithm: valueOf<CryptographicAlgorithm>(object, 'Cryptographic Algorithm'),
})

/**
 * The key that a request names, or the ID Placeholder's, or for a later part of a stream the stream's.
 * @throws KmipError Item Not Found, Permission Denied (also for an object that may not be used so now), Object Archived,
 * Key Value Not Present, Feature Not Supported for a part where there are no streams
 */
export const usableKey = (
  context: Context,
  request: { readonly uniqueIdentifier?: string | undefined } & Part,
  permission: Permission,
  use: Use,
): UsableKey | Promise<UsableKey> => {
  checkParts(context, request)
  const { uniqueIdentifier, correlationValue } = request
  if (uniqueIdentifier !== undefined || correlationValue === undefined)
    return usableObject(context, uniqueIdentifier, permission, use)
  return usableStream(context, correlationValue, permission, use)
}

const usableStream = async (
  context: Context,
  correlationValue: Uint8Array,
  permission: Permission,
  use: Use,
): Promise<UsableKey> => {
  const identifier = await context.services.streams.objectOf(context.principal.user, correlationValue)
  return usableObject(context, identifier, permission, use)
}

const usableObject = (
  context: Context,
  identifier: string | undefined,
  permission: Permission,
  use: Use,
): UsableKey => {
  const object = context.object(identifier, permission)
  const objection = objectionToUse(object, use, context.now)
  if (objection !== undefined) throw new KmipError(ResultReason.PermissionDenied, objection)
  return { object, key: keyFormOf(object) }
}

/**
 * A use of a key, decided but for what varies. Undefined for a part of a stream, and where each use is counted.
 * @param runOf what is done then
 * @throws KmipError as `usableKey`
 */
export const preparedUse = <Answer>(
  context: Context,
  request: { readonly uniqueIdentifier?: string | undefined } & Part,
  permission: Permission,
  use: Use,
  runOf: (usable: UsableKey) => Prepared<Answer>['run'],
): Prepared<Answer> | undefined => {
  if (isPart(request)) return undefined
  const usable = usableObject(context, request.uniqueIdentifier, permission, use)
  if (isLimited(usable.object, use)) return undefined
  return { untilSeconds: usableUntil(usable.object, use), run: runOf(usable) }
}

/** Counts what is protected with a key off its Usage Limits. @throws KmipError Permission Denied when too little is left */
export const allocate = (context: Context, object: ManagedObject, use: Use, amount: Amount): void => {
  const left = allocated(object, use, amount)
  if (left !== object) context.put(left)
}

/** How much a request protects: the parts of a stream after the first are of the same object (§3.21). */
export const amountOf = (part: Part, bytes: number = part.data?.length ?? 0): Amount => ({
  bytes,
  objects: part.correlationValue === undefined ? 1 : 0,
})

/** Runs a job of an operation that computes. No promise where it is done in place. @throws KmipError Cryptographic Failure */
export const compute = <Kind extends CryptoJobKind>(
  context: Pick<Context, 'services'>,
  job: CryptoJob<Kind>,
): CryptoResult<Kind> | Promise<CryptoResult<Kind>> => {
  const failed = (error: unknown): never => {
    throw computingError(error)
  }
  try {
    const result = context.services.crypto.run(job)
    return result instanceof Promise ? result.catch(failed) : result
  } catch (error) {
    return failed(error)
  }
}

/** Goes on with a value, at once where it is there: a turn of the loop costs as much as a small computation. */
export const after = <Value, Next>(
  value: Value | Promise<Value>,
  next: (value: Value) => Next | Promise<Next>,
): Next | Promise<Next> => (value instanceof Promise ? value.then(next) : next(value))

/**
 * Does one part of a stream, or gives undefined for a request that is the whole.
 * @throws KmipError Item Not Found for an unknown Correlation Value, Invalid Message, Permission Denied, Cryptographic Failure,
 * Feature Not Supported where there are no streams
 */
export const streamed = (
  context: Context,
  part: Part & { readonly authenticatedEncryptionAdditionalData?: Uint8Array | undefined },
  kind: StreamKind,
  uniqueIdentifier: string | undefined,
  open: () => Omit<StreamRequest, 'kind'>,
  expected?: Uint8Array,
): Promise<StepResult> | undefined => {
  if (!isPart(part)) return undefined
  checkParts(context, part)
  const { user } = context.principal
  const { authenticatedEncryptionAdditionalData: aad } = part
  return steppedBy(context, { part, user, kind, uniqueIdentifier, open: () => ({ kind, ...open() }), expected, aad })
}

const steppedBy = async ({ services }: Context, step: Step): Promise<StepResult> => {
  const { left, ...made } = await services.streams.step(step)
  return left === undefined ? made : { ...made, ...(await compute({ services }, left)) }
}

/** §6.10, "An OPTIONAL feature specified in the request is not supported". @throws KmipError Feature Not Supported */
const checkParts = (context: Context, part: Part): void => {
  if (isPart(part) && context.services.policy.streaming === 'off') {
    throw new KmipError(
      ResultReason.FeatureNotSupported,
      'The server takes no operations in parts; send the data at once',
    )
  }
}

/** The data of a request that is the whole. @throws KmipError Invalid Message when there is none (Tables 229 to 245) */
export const wholeData = (data: Uint8Array | undefined): Uint8Array => {
  if (data === undefined) throw new KmipError(ResultReason.InvalidMessage, 'The request holds no Data')
  return data
}

/** What of a stream's output a response carries: nothing rather than no bytes. */
export const someBytes = (data: Uint8Array | undefined): Uint8Array | undefined =>
  data === undefined || data.length === 0 ? undefined : data
