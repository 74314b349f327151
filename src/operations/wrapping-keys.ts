/**
 * The keys that wrap and unwrap others (KMIP 1.4 §2.1.5, §2.1.6): found, checked in the order of §11.12, and used. What it
 * is: one way for Get, Export, Register and Import. What it is not: what becomes of the wrapped object (key-wrapping.ts).
 */
import type { KeyForm } from '#crypto/run'
import type { CryptographicParameters } from '#kmip/attribute-values'
import { BlockCipherMode, CryptographicAlgorithm, LinkType, ObjectType, ResultReason } from '#kmip/enums'
import { KmipError } from '#kmip/errors'
import type { WrappingKeyInformation } from '#kmip/key-block'
import { effectiveParameters, hasParameters, parametersOf } from '#objects/cryptographic-parameters'
import { type ManagedObject, valueOf } from '#objects/managed-object'
import { linkedObject } from '#objects/replacement'
import { objectionToUse, type Use } from '#objects/usage'
import { isWrappedSo, type WrappingWork, wrappingScheme } from '#objects/wrapping-table'
import { allocate, compute, keyFormOf } from './key-use.ts'
import type { Context } from './operation.ts'

/** A key with the parameters that it is used with. */
export interface WrappingKey {
  readonly work: WrappingWork
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

/** What a key of MAC/Signature Key Information does: symmetric keys make MACs, halves of pairs signatures. */
export const macWork = ({ objectType }: ManagedObject): 'mac' | 'sign' =>
  objectType === ObjectType.SymmetricKey ? 'mac' : 'sign'

const macUse = ({ objectType }: ManagedObject, direction: Direction): Use => {
  if (objectType === ObjectType.SymmetricKey) return direction === 'wrap' ? 'macGenerate' : 'macVerify'
  return direction === 'wrap' ? 'sign' : 'verify'
}

/**
 * The key with its parameters, completed with what they leave out. To wrap, the request's must be among the key's own (§2.1.6);
 * to unwrap they tell what was done (§2.1.5).
 * @throws KmipError Item Not Found for parameters that the key does not have, Key Value Not Present
 */
export const withParameters = (
  work: WrappingWork,
  object: ManagedObject,
  { cryptographicParameters }: WrappingKeyInformation,
  direction: Direction,
): WrappingKey => {
  const isMatched = cryptographicParameters === undefined || hasParameters(object, cryptographicParameters)
  if (direction === 'wrap' && (parametersOf(object).length === 0 || !isMatched)) {
    throw new KmipError(ResultReason.ItemNotFound, 'The wrapping key does not have these Cryptographic Parameters')
  }
  const key = keyFormOf(object)
  const effective = effectiveParameters(object, cryptographicParameters)
  const scheme = wrappingScheme(work, valueOf<number>(object, 'Cryptographic Algorithm'), effective)
  return { work, object, key, parameters: { ...effective, ...(scheme as CryptographicParameters) } }
}

/** @throws KmipError Permission Denied for an object that this server does not wrap under the key */
export const checkWraps = (objectType: number, wrapping: WrappingKey | undefined, context: Context): void => {
  if (wrapping === undefined) return
  const { work, object, parameters } = wrapping
  const cryptographicAlgorithm = valueOf<number>(object, 'Cryptographic Algorithm')
  const cell = {
    work,
    objectType,
    cryptographicAlgorithm,
    cryptographicLength: valueOf<number>(object, 'Cryptographic Length'),
    scheme: wrappingScheme(work, cryptographicAlgorithm, parameters),
    maskGeneratorHashingAlgorithm: parameters.maskGeneratorHashingAlgorithm,
  }
  if (isWrappedSo(cell, context.services.policy.wrapping.wrappingAllowed)) return
  throw new KmipError(ResultReason.PermissionDenied, refusals[work])
}

const refusals: Readonly<Record<WrappingWork, string>> = {
  encrypt: 'Objects of this type are not encrypted under this key with these Cryptographic Parameters',
  mac: 'Objects of this type are not MACed with this key and these Cryptographic Parameters',
  sign: 'Objects of this type are not signed with this key and these Cryptographic Parameters',
}

const keyWrapModes: ReadonlySet<number | undefined> = new Set([
  BlockCipherMode.NISTKeyWrap,
  BlockCipherMode.AESKeyWrapPadding,
])

/** What RFC 3394 and RFC 5649 do; undefined for any other scheme. */
const keyWrapRequest = ({ key, parameters }: WrappingKey, data: Uint8Array) => {
  const { blockCipherMode } = parameters
  if (key.cryptographicAlgorithm !== CryptographicAlgorithm.AES || !keyWrapModes.has(blockCipherMode)) return undefined
  return { blockCipherMode: blockCipherMode as BlockCipherMode, wrappingKey: octetsOf(key), data }
}

/** The bytes of a symmetric key. */
const octetsOf = ({ keyMaterial }: KeyForm): Uint8Array => {
  if (keyMaterial instanceof Uint8Array) return keyMaterial
  const octets = keyMaterial['key']
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
  const request = keyWrapRequest(wrapping, data)
  if (request !== undefined) return { data: await compute(context, { kind: 'wrapKey', ...request }), iv: undefined }
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
  const request = keyWrapRequest(wrapping, data)
  if (request !== undefined) return compute(context, { kind: 'unwrapKey', ...request })
  const { key, parameters } = wrapping
  return (await compute(context, { kind: 'decrypt', key, parameters, data, iv })).data
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
