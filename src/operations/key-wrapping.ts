/**
 * Wrapping of an object's Key Block, and the way back (KMIP 1.4 §2.1.4 to §2.1.6). What it is: a Key Value as bytes or as it
 * is, with the Key Wrapping Data that tells how. What it is not: the choice of keys (wrapping-keys.ts).
 */
import { ResultReason } from '#kmip/enums'
import { KmipError } from '#kmip/errors'
import {
  type KeyBlock,
  type KeyValue,
  type KeyWrappingSpecification,
  keyValueCodec,
  type WrappingKeyInformation,
} from '#kmip/key-block'
import { Tag } from '#kmip/tags'
import { isTtlvEncoded, type MethodSteps, methodSteps, wrappingMethods } from '#objects/key-wrapping'
import { isAttributeKnown } from '#objects/known-values'
import { attributeNames, instancesOf, type ManagedObject, wireAttribute } from '#objects/managed-object'
import { BinaryReader, BinaryWriter } from '#ttlv/binary'
import type { Context } from './operation.ts'
import {
  checkMac,
  checkWraps,
  type Direction,
  decryptUnder,
  encryptionKey,
  encryptUnder,
  macKey,
  macUnder,
  macWork,
  type WrappingKey,
  withParameters,
} from './wrapping-keys.ts'

/** What a wrapped Key Value may hold: a structure of material and attributes. */
const unwrappedLimits = { nestingDepthMax: 8, itemCountMax: 1_024 }

/** The keys that a specification names, found and allowed: what §11.12 asks first. */
export interface WrappingKeys {
  readonly steps: MethodSteps
  readonly encryption: ManagedObject | undefined
  readonly mac: ManagedObject | undefined
}

interface Named {
  readonly wrappingMethod: number
  readonly encryptionKeyInformation?: WrappingKeyInformation | undefined
  readonly macSignatureKeyInformation?: WrappingKeyInformation | undefined
}

/**
 * The keys that Key Wrapping Data or a specification names.
 * @throws KmipError Feature Not Supported for a method, Invalid Message where it names no key, Item Not Found, Illegal
 * Operation and Permission Denied for keys (§11.12)
 */
export const wrappingKeys = (named: Named, direction: Direction, context: Context): WrappingKeys => {
  const steps = methodSteps(named.wrappingMethod, context.services.policy.wrapping.wrappingAllowed)
  if (steps === undefined) throw new KmipError(ResultReason.FeatureNotSupported, 'The Wrapping Method is not supported')
  const needsMac = steps.macFirst || steps.macLast
  const { encryptionKeyInformation, macSignatureKeyInformation } = named
  if (
    (steps.encrypts && encryptionKeyInformation === undefined) ||
    (needsMac && macSignatureKeyInformation === undefined)
  ) {
    throw new KmipError(ResultReason.InvalidMessage, 'The Wrapping Method needs a key that is not named')
  }
  return {
    steps,
    encryption:
      steps.encrypts && encryptionKeyInformation !== undefined
        ? encryptionKey(encryptionKeyInformation, direction, context)
        : undefined,
    mac:
      needsMac && macSignatureKeyInformation !== undefined
        ? macKey(macSignatureKeyInformation, direction, context)
        : undefined,
  }
}

/** Whether objects leave this way without being readable: a MAC alone hides nothing. */
export const hides = ({ wrappingMethod }: Named): boolean => wrappingMethods.get(wrappingMethod)?.encrypts === true

const prepared = (
  keys: WrappingKeys,
  named: Named,
  direction: Direction,
): { readonly encryption: WrappingKey | undefined; readonly mac: WrappingKey | undefined } => ({
  encryption:
    keys.encryption !== undefined && named.encryptionKeyInformation !== undefined
      ? withParameters('encrypt', keys.encryption, named.encryptionKeyInformation, direction)
      : undefined,
  mac:
    keys.mac !== undefined && named.macSignatureKeyInformation !== undefined
      ? withParameters(macWork(keys.mac), keys.mac, named.macSignatureKeyInformation, direction)
      : undefined,
})

/**
 * The Key Block of an object, wrapped.
 * @param keyBlock in the clear, in the format that is asked for
 * @throws KmipError Item Not Found for parameters, Encoding Option Error, Permission Denied, Cryptographic Failure
 */
export const wrapped = async (
  object: ManagedObject,
  keyBlock: KeyBlock & { readonly keyValue: KeyValue },
  specification: KeyWrappingSpecification,
  keys: WrappingKeys,
  context: Context,
): Promise<KeyBlock> => {
  const { encryption, mac } = prepared(keys, specification, 'wrap')
  for (const key of [encryption, mac]) checkWraps(object.objectType, key, context)
  const { encodingOption, attributeName, wrappingMethod } = specification
  const keyValue: KeyValue = {
    keyMaterial: keyBlock.keyValue.keyMaterial,
    attribute: attributesOf(object, attributeName, context),
  }
  const plain = encoded(keyBlock, keyValue, specification, context)
  const { steps } = keys
  const first = steps.macFirst && mac !== undefined ? await macUnder(mac, plain, context) : undefined
  const cipher = encryption === undefined ? undefined : await encryptUnder(encryption, plain, context)
  const last = steps.macLast && mac !== undefined ? await macUnder(mac, cipher?.data ?? plain, context) : undefined
  return {
    ...keyBlock,
    keyValue: cipher?.data ?? keyValue,
    keyWrappingData: {
      wrappingMethod,
      encryptionKeyInformation: steps.encrypts ? specification.encryptionKeyInformation : undefined,
      macSignatureKeyInformation: mac === undefined ? undefined : specification.macSignatureKeyInformation,
      macSignature: first ?? last,
      ivCounterNonce: cipher?.iv,
      encodingOption,
    },
  }
}

/** The attributes that travel with the key, as far as the object and the version of the request have them (§2.1.6). */
const attributesOf = (object: ManagedObject, names: readonly string[], { version }: Context) => {
  const own = new Set(attributeNames(object))
  return [...new Set(names)]
    .filter((name) => own.has(name))
    .flatMap((name) => instancesOf(object, name).map((instance) => wireAttribute(name, instance)))
    .filter((attribute) => isAttributeKnown(attribute, version))
}

/** The bytes that are wrapped. @throws KmipError Encoding Option Error */
const encoded = (
  { keyFormatType }: KeyBlock,
  keyValue: KeyValue,
  { encodingOption, attributeName }: KeyWrappingSpecification,
  { version }: Context,
): Uint8Array => {
  if (isTtlvEncoded(encodingOption)) return ttlvOf(keyFormatType, keyValue, version)
  if (!(keyValue.keyMaterial instanceof Uint8Array)) {
    throw new KmipError(ResultReason.EncodingOptionError, 'Key Material that is a structure needs TTLV Encoding')
  }
  if (attributeName.length > 0) {
    throw new KmipError(ResultReason.EncodingOptionError, 'Attributes are wrapped with TTLV Encoding only')
  }
  return keyValue.keyMaterial
}

const ttlvOf = (keyFormatType: number, keyValue: KeyValue, version: number): Uint8Array => {
  const writer = new BinaryWriter(version)
  keyValueCodec(keyFormatType).write(writer, Tag.KeyValue, keyValue)
  return writer.bytes()
}

/** Whether the Key Value of a block is wrapped; clients put wrapped material also where plain material stands. */
export const isWrapped = (keyBlock: KeyBlock | undefined): boolean =>
  keyBlock?.keyValue instanceof Uint8Array || keyBlock?.keyWrappingData !== undefined

/**
 * The Key Block of a wrapped key in the clear, without the attributes that were wrapped with it.
 * @throws KmipError Item Not Found, Illegal Operation and Permission Denied for the keys that wrapped it; Cryptographic
 * Failure where it does not open, whatever the cause: what is said more would help those who try
 */
export const unwrapped = async (objectType: number, keyBlock: KeyBlock, context: Context): Promise<KeyBlock> => {
  const { keyWrappingData, keyValue, ...rest } = keyBlock
  if (keyWrappingData === undefined || keyValue === undefined) return keyBlock
  const keys = wrappingKeys(keyWrappingData, 'unwrap', context)
  const { encryption, mac } = prepared(keys, keyWrappingData, 'unwrap')
  for (const key of [encryption, mac]) checkWraps(objectType, key, context)
  const { steps } = keys
  const { encodingOption, ivCounterNonce, macSignature } = keyWrappingData
  const received = receivedBytes(keyBlock, steps, context)
  const check = async (data: Uint8Array): Promise<void> => {
    if (mac === undefined) return
    if (macSignature === undefined) throw new KmipError(ResultReason.CryptographicFailure)
    await checkMac(mac, data, macSignature, context)
  }
  const plain = await quietly(async () => {
    if (steps.macLast) await check(received)
    const opened =
      encryption === undefined ? received : await decryptUnder(encryption, received, ivCounterNonce, context)
    if (steps.macFirst) await check(opened)
    return opened
  })
  return { ...rest, keyValue: decoded(rest.keyFormatType, plain, encodingOption, context) }
}

/** One text for whatever does not open: padding, tag, MAC and what is read later must look alike. @throws KmipError Cryptographic Failure */
const quietly = async <T>(open: () => Promise<T>): Promise<T> => {
  try {
    return await open()
  } catch (error) {
    const isSaid = error instanceof KmipError && error.reason === ResultReason.CryptographicFailure
    throw isSaid ? new KmipError(ResultReason.CryptographicFailure) : error
  }
}

/** The bytes that a wrapped Key Value holds, whether it is a byte string or a structure round them. */
const receivedBytes = (
  { keyValue, keyWrappingData, keyFormatType }: KeyBlock,
  { encrypts }: MethodSteps,
  { version }: Context,
): Uint8Array => {
  if (keyValue instanceof Uint8Array) return keyValue
  if (keyValue === undefined) throw new KmipError(ResultReason.KeyValueNotPresent)
  if (!encrypts && isTtlvEncoded(keyWrappingData?.encodingOption)) return ttlvOf(keyFormatType, keyValue, version)
  if (keyValue.keyMaterial instanceof Uint8Array) return keyValue.keyMaterial
  throw new KmipError(ResultReason.CryptographicFailure)
}

const decoded = (
  keyFormatType: number,
  plain: Uint8Array,
  encodingOption: number | undefined,
  { version }: Context,
): KeyValue => {
  if (!isTtlvEncoded(encodingOption)) return { keyMaterial: plain, attribute: [] }
  const reader = new BinaryReader(plain, unwrappedLimits, version)
  const { keyMaterial } = readQuietly(() => keyValueCodec(keyFormatType).read(reader, Tag.KeyValue))
  if (!reader.atEnd()) throw new KmipError(ResultReason.CryptographicFailure)
  return { keyMaterial, attribute: [] }
}

/** Where and why unwrapped bytes cannot be read would tell of what was decrypted. @throws KmipError Cryptographic Failure */
const readQuietly = <T>(read: () => T): T => {
  try {
    return read()
  } catch {
    throw new KmipError(ResultReason.CryptographicFailure)
  }
}
