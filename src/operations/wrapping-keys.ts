/**
 * The keys that wrap and unwrap others (KMIP 1.4 §2.1.5, §2.1.6): found, checked in the order of §11.12, and used. What it
 * is: one way for Get, Export, Register and Import. What it is not: what becomes of the wrapped object (key-wrapping.ts).
 */
import type { KeyForm } from '#crypto/run'
import type { CryptographicParameters } from '#kmip/attribute-values'
import { BlockCipherMode, LinkType, ObjectType, ResultReason } from '#kmip/enums'
import { KmipError } from '#kmip/errors'
import type { WrappingKeyInformation } from '#kmip/key-block'
import { effectiveParameters, hasParameters, parametersOf } from '#objects/cryptographic-parameters'
import { keyWrapModes, objectionToEncryption, objectionToMac } from '#objects/key-wrapping'
import { type ManagedObject, valueOf } from '#objects/managed-object'
import { linkedObject } from '#objects/replacement'
import { objectionToUse, type Use } from '#objects/usage'
import { allocate, compute, keyFormOf } from './key-use.ts'
import type { Context } from './operation.ts'

/** A key with the parameters that it is used with. */
export interface WrappingKey {
  readonly object: ManagedObject
  readonly key: KeyForm
  readonly parameters: CryptographicParameters
}

export type Direction = 'wrap' | 'unwrap'

const keyTypes: ReadonlySet<number> = new Set([ObjectType.SymmetricKey, ObjectType.PublicKey, ObjectType.PrivateKey])

/** The object that key information names, which must be a key. @throws KmipError Item Not Found, Permission Denied, Object Archived, Illegal Operation */
const namedKey = ({ uniqueIdentifier }: WrappingKeyInformation, context: Context): ManagedObject => {
  const object = context.object(uniqueIdentifier, 'wrap')
  if (!keyTypes.has(object.objectType)) {
    throw new KmipError(ResultReason.IllegalOperation, 'The object that is named to wrap with is not a key')
  }
  return object
}

/** The other half of a pair where that is the one that does the work, else the object itself. */
const workingHalf = (object: ManagedObject, from: number, linkType: number, context: Context): ManagedObject => {
  if (object.objectType !== from) return object
  const other = linkedObject(object, linkType)
  return other === undefined ? object : context.object(other, 'wrap')
}

const checkUse = (object: ManagedObject, uses: readonly Use[], now: number): void => {
  const objections = uses.map((use) => objectionToUse(object, use, now))
  if (!objections.includes(undefined)) throw new KmipError(ResultReason.PermissionDenied, objections[0])
}

/** The key of Encryption Key Information. @throws KmipError as §11.12 has it, up to "not able to be used for wrapping" */
export const encryptionKey = (
  information: WrappingKeyInformation,
  direction: Direction,
  context: Context,
): ManagedObject => {
  const named = namedKey(information, context)
  if (direction === 'wrap') {
    checkUse(named, ['wrap'], context.now)
    if (named.objectType !== ObjectType.PrivateKey) return named
    throw new KmipError(ResultReason.PermissionDenied, 'Keys are wrapped under symmetric keys and public keys')
  }
  const object = workingHalf(named, ObjectType.PublicKey, LinkType.PrivateKeyLink, context)
  const { unwrapMask } = context.services.policy.wrapping
  checkUse(object, unwrapMask === 'either' ? ['unwrap', 'wrap'] : ['unwrap'], context.now)
  return object
}

/** The key of MAC/Signature Key Information, which may name either half of a pair (Table 11). @throws KmipError as §11.12 has it */
export const macKey = (information: WrappingKeyInformation, direction: Direction, context: Context): ManagedObject => {
  const named = namedKey(information, context)
  const object =
    direction === 'wrap'
      ? workingHalf(named, ObjectType.PublicKey, LinkType.PrivateKeyLink, context)
      : workingHalf(named, ObjectType.PrivateKey, LinkType.PublicKeyLink, context)
  checkUse(object, [macUse(object, direction)], context.now)
  return object
}

const macUse = ({ objectType }: ManagedObject, direction: Direction): Use => {
  if (objectType === ObjectType.SymmetricKey) return direction === 'wrap' ? 'macGenerate' : 'macVerify'
  return direction === 'wrap' ? 'sign' : 'verify'
}

/**
 * The key with its parameters. To wrap, the request's must be among the key's own (§2.1.6); to unwrap they tell what was
 * done (§2.1.5).
 * @throws KmipError Item Not Found for parameters that the key does not have, Key Value Not Present
 */
export const withParameters = (
  object: ManagedObject,
  { cryptographicParameters }: WrappingKeyInformation,
  direction: Direction,
): WrappingKey => {
  const isMatched = cryptographicParameters === undefined || hasParameters(object, cryptographicParameters)
  if (direction === 'wrap' && (parametersOf(object).length === 0 || !isMatched)) {
    throw new KmipError(ResultReason.ItemNotFound, 'The wrapping key does not have these Cryptographic Parameters')
  }
  return { object, key: keyFormOf(object), parameters: effectiveParameters(object, cryptographicParameters) }
}

const factsOf = ({ object, parameters }: WrappingKey) => ({
  cryptographicAlgorithm: valueOf<number>(object, 'Cryptographic Algorithm'),
  cryptographicLength: valueOf<number>(object, 'Cryptographic Length'),
  parameters,
})

/** @throws KmipError Permission Denied for an object that this server does not wrap under the key */
export const checkWraps = (
  objectType: number,
  encryption: WrappingKey | undefined,
  mac: WrappingKey | undefined,
  context: Context,
): void => {
  if (context.services.policy.wrapping.wrappingAllowed === 'all') return
  const objection =
    (encryption === undefined ? undefined : objectionToEncryption(objectType, factsOf(encryption))) ??
    (mac === undefined ? undefined : objectionToMac(objectType, factsOf(mac)))
  if (objection !== undefined) throw new KmipError(ResultReason.PermissionDenied, objection)
}

const modeOf = ({ parameters }: WrappingKey): BlockCipherMode =>
  (parameters.blockCipherMode ?? BlockCipherMode.NISTKeyWrap) as BlockCipherMode

const isForKeys = (wrapping: WrappingKey): boolean =>
  wrapping.object.objectType === ObjectType.SymmetricKey && keyWrapModes.has(modeOf(wrapping))

/** The bytes of a symmetric key. */
const octetsOf = ({ key }: WrappingKey): Uint8Array => {
  if (key.keyMaterial instanceof Uint8Array) return key.keyMaterial
  const octets = key.keyMaterial['key']
  if (!(octets instanceof Uint8Array)) throw new KmipError(ResultReason.CryptographicFailure)
  return octets
}

/** Encrypts, and counts it off the key's Usage Limits. A tag of authenticated encryption stands behind the cipher text. @throws KmipError Cryptographic Failure, Permission Denied */
export const encryptUnder = async (
  wrapping: WrappingKey,
  data: Uint8Array,
  context: Context,
): Promise<{ readonly data: Uint8Array; readonly iv: Uint8Array | undefined }> => {
  allocate(context, wrapping.object, 'wrap', { bytes: data.length, objects: 1 })
  if (isForKeys(wrapping)) {
    const request = { blockCipherMode: modeOf(wrapping), wrappingKey: octetsOf(wrapping), data }
    return { data: await compute(context, { kind: 'wrapKey', ...request }), iv: undefined }
  }
  const { key, parameters } = wrapping
  const done = await compute(context, { kind: 'encrypt', key, parameters: { ...parameters, randomIv: true }, data })
  return { data: done.tag === undefined ? done.data : Buffer.concat([done.data, done.tag]), iv: done.iv }
}

/** Decrypts what `encryptUnder` made. @throws KmipError Cryptographic Failure, whatever is wrong */
export const decryptUnder = async (
  wrapping: WrappingKey,
  data: Uint8Array,
  iv: Uint8Array | undefined,
  context: Context,
): Promise<Uint8Array> => {
  if (isForKeys(wrapping)) {
    const request = { blockCipherMode: modeOf(wrapping), wrappingKey: octetsOf(wrapping), data }
    return compute(context, { kind: 'unwrapKey', ...request })
  }
  const { key, parameters } = wrapping
  const tagged =
    parameters.blockCipherMode === BlockCipherMode.GCM || parameters.blockCipherMode === BlockCipherMode.CCM
  const tagBytes = tagged ? (parameters.tagLength ?? 16) : 0
  const body = data.subarray(0, Math.max(0, data.length - tagBytes))
  const tag = tagBytes === 0 ? undefined : data.subarray(body.length)
  return (await compute(context, { kind: 'decrypt', key, parameters, data: body, iv, tag })).data
}

/** The MAC or the signature, counted off the key's Usage Limits. @throws KmipError Cryptographic Failure, Permission Denied */
export const macUnder = async (wrapping: WrappingKey, data: Uint8Array, context: Context): Promise<Uint8Array> => {
  const { object, key, parameters } = wrapping
  allocate(context, object, macUse(object, 'wrap'), { bytes: data.length, objects: 1 })
  if (object.objectType === ObjectType.SymmetricKey)
    return (await compute(context, { kind: 'mac', key, parameters, data })).mac
  return (await compute(context, { kind: 'sign', key, parameters, data })).signature
}

/** @throws KmipError Cryptographic Failure for a MAC or signature that is not the one of the data */
export const checkMac = async (
  { object, key, parameters }: WrappingKey,
  data: Uint8Array,
  macSignature: Uint8Array,
  context: Context,
): Promise<void> => {
  const { valid } =
    object.objectType === ObjectType.SymmetricKey
      ? await compute(context, { kind: 'verifyMac', key, parameters, data, mac: macSignature })
      : await compute(context, { kind: 'verifySignature', key, parameters, data, signature: macSignature })
  if (!valid) throw new KmipError(ResultReason.CryptographicFailure)
}
