/**
 * What Register and Import have in common (KMIP 1.4 §4.3, §4.41): an object made elsewhere is taken from its field, unwrapped
 * where that is asked for, and read. What it is not: an operation, or the attributes that a request gives.
 */
import { KeyFormatError, type KeyMaterial } from '#crypto/run'
import {
  type CryptographicAlgorithm,
  type KeyFormatType,
  ObjectType,
  type ObjectType as ObjectTypeNumber,
  ResultReason,
  SplitKeyMethod,
} from '#kmip/enums'
import { KmipError } from '#kmip/errors'
import type { KeyBlock } from '#kmip/key-block'
import {
  type CertificateValue,
  type ObjectField,
  type OpaqueObjectValue,
  objectRow,
  objectRows,
  type SplitKeyValue,
} from '#kmip/objects'
import type { AttributeSet } from '#objects/managed-object'
import { weightOf } from '#ttlv/weight'
import { certificateAttributes } from './certificate-attributes.ts'
import { takenOut } from './containers.ts'
import { type Digested, digestedKey, given, keptObjectTypes } from './creation.ts'
import { isWrapped, unwrapped } from './key-wrapping.ts'
import type { Context } from './operation.ts'

/** What an object tells of itself. */
export interface Reading {
  readonly derived: Readonly<Record<string, unknown>>
  readonly digested: Digested | undefined
}

/**
 * The object of a request: the one field of its Object Type.
 * @throws KmipError Invalid Field for a type that is not kept, or an object of another type; Invalid Message for none
 */
export const objectWithin = (objectType: number, objects: Readonly<Partial<Record<ObjectField, unknown>>>): object => {
  const row = objectRow(objectType)
  if (row === undefined || !keptObjectTypes.has(objectType)) {
    throw new KmipError(ResultReason.InvalidField, 'Objects of this Object Type are not registered here')
  }
  const value = objects[row.field]
  const others = objectRows.filter(({ field }) => objects[field] !== undefined && field !== row.field)
  if (others.length > 0)
    throw new KmipError(ResultReason.InvalidField, 'The object is not of the Object Type that is named')
  if (value === undefined) throw new KmipError(ResultReason.InvalidMessage, 'The request holds no object')
  return value as object
}

/** The object with its key in the clear; one that is not wrapped as it is. @throws KmipError as `unwrapped` does */
export const inTheClear = async (objectType: number, value: object, context: Context): Promise<object> => {
  const { keyBlock } = value as { readonly keyBlock?: KeyBlock }
  if (keyBlock === undefined || !isWrapped(keyBlock)) return value
  return { ...value, keyBlock: await unwrapped(objectType, keyBlock, context) }
}

/**
 * What `readObject` tells of an object that was unwrapped here: that it opened and is no key is said like that it did not open,
 * for the difference would tell of what was decrypted.
 * @throws KmipError Cryptographic Failure where the unwrapped material is not the key that it is said to be
 */
export const readUnwrapped = async <T extends Reading>(reading: Promise<T>): Promise<T> => {
  try {
    return await reading
  } catch (error) {
    throw error instanceof KeyFormatError ? new KmipError(ResultReason.CryptographicFailure) : error
  }
}

/** @throws KmipError Invalid Field for more bytes than an object may have. */
export const checkSize = (value: unknown, bytesMax: number): void => {
  if (weightOf(value) > bytesMax) throw new KmipError(ResultReason.InvalidField, `An object may have ${bytesMax} bytes`)
}

/**
 * Reads an object that a request brings; a key in a PKCS#12 container is taken out of it.
 * @throws as `readObject` and `takenOut` do
 */
export const readTaken = async (
  objectType: number,
  value: object,
  attributes: AttributeSet,
  context: Context,
): Promise<Reading & { readonly kept: object }> => {
  const taken = await takenOut(objectType, value, attributes, context)
  if (taken === undefined) return { ...(await readObject(objectType, value, attributes, context)), kept: value }
  const { friendlyName, digested, value: kept } = taken
  const { derived } = await readObject(objectType, kept, attributes, context)
  return { derived: { ...derived, 'PKCS#12 Friendly Name': friendlyName }, digested, kept }
}

/**
 * Reads what the object tells of itself, and refuses what contradicts the request.
 * @throws KmipError Invalid Field; KeyFormatError, CertificateError for material that cannot be read
 */
const readObject = (
  objectType: number,
  value: unknown,
  attributes: AttributeSet,
  context: Context,
): Promise<Reading> | Reading => {
  switch (objectType) {
    case ObjectType.Certificate:
      return readCertificate(value as CertificateValue, attributes, context)
    case ObjectType.OpaqueObject:
      return {
        derived: {},
        digested: { encodedMaterial: (value as OpaqueObjectValue).opaqueDataValue, keyFormatType: undefined },
      }
    case ObjectType.Template:
      return { derived: {}, digested: undefined }
    case ObjectType.SplitKey:
      checkPart(value as SplitKeyValue)
      return readKey(objectType, (value as SplitKeyValue).keyBlock, attributes, context)
    default:
      return readKey(objectType, (value as { readonly keyBlock: KeyBlock }).keyBlock, attributes, context)
  }
}

const readCertificate = async (
  value: CertificateValue,
  attributes: AttributeSet,
  context: Context,
): Promise<Reading> => {
  const derived = await certificateAttributes(value, context)
  for (const [name, told] of Object.entries(derived)) checkSame(attributes, name, told)
  return {
    derived: withUsageMask(derived, attributes),
    digested: { encodedMaterial: value.certificateValue, keyFormatType: undefined },
  }
}

/** §2.2.5: a part is one of so many, and no more than all of them are needed. @throws KmipError Invalid Field */
const checkPart = ({ keyPartIdentifier, splitKeyParts, splitKeyThreshold, splitKeyMethod }: SplitKeyValue): void => {
  const xor = splitKeyMethod === SplitKeyMethod.XOR
  const partFits = keyPartIdentifier >= 1 && keyPartIdentifier <= splitKeyParts
  const thresholdFits = splitKeyThreshold >= 1 && splitKeyThreshold <= splitKeyParts
  if (!partFits || !thresholdFits || (xor && splitKeyThreshold !== splitKeyParts)) {
    throw new KmipError(ResultReason.InvalidField, 'The numbers of the Split Key contradict one another')
  }
}

const readKey = async (
  objectType: number,
  keyBlock: KeyBlock,
  attributes: AttributeSet,
  context: Context,
): Promise<Reading> => {
  const { keyValue, keyFormatType, keyWrappingData } = keyBlock
  const cryptographicAlgorithm = keyBlock.cryptographicAlgorithm ?? given<number>(attributes, 'Cryptographic Algorithm')
  const cryptographicLength = keyBlock.cryptographicLength ?? given<number>(attributes, 'Cryptographic Length')
  const claimed = { 'Cryptographic Algorithm': cryptographicAlgorithm, 'Cryptographic Length': cryptographicLength }
  for (const [name, told] of Object.entries(claimed)) checkSame(attributes, name, told)
  if (keyValue instanceof Uint8Array || keyWrappingData !== undefined || keyValue === undefined) {
    if (keyValue instanceof Uint8Array && keyWrappingData === undefined) {
      throw new KmipError(
        ResultReason.InvalidField,
        'A Key Value of bytes is a wrapped one and needs Key Wrapping Data',
      )
    }
    // §3.41: Key Value Present tells that the value is kept elsewhere. Wrapped material is kept as it is, unread.
    const present = keyValue === undefined ? { 'Key Value Present': false } : {}
    return { derived: withUsageMask({ ...claimed, ...present }, attributes), digested: undefined }
  }
  const parsed = await context.services.crypto.run({
    kind: 'parseKey',
    objectType: objectType as ObjectTypeNumber,
    keyFormatType: keyFormatType as KeyFormatType,
    keyMaterial: keyValue.keyMaterial as KeyMaterial,
    cryptographicAlgorithm: cryptographicAlgorithm as CryptographicAlgorithm | undefined,
    cryptographicLength,
  })
  const derived = {
    'Cryptographic Algorithm': parsed.cryptographicAlgorithm ?? cryptographicAlgorithm,
    'Cryptographic Length': parsed.cryptographicLength ?? cryptographicLength,
  }
  return { derived: withUsageMask(derived, attributes), digested: digestedKey(keyFormatType, keyValue.keyMaterial) }
}

/** §3.19: the mask always has a value. Clients leave it out for secret data and certificates: then nothing is allowed by it. */
const withUsageMask = (
  derived: Readonly<Record<string, unknown>>,
  attributes: AttributeSet,
): Readonly<Record<string, unknown>> =>
  given(attributes, 'Cryptographic Usage Mask') === undefined ? { ...derived, 'Cryptographic Usage Mask': 0 } : derived

/** @throws KmipError Invalid Field where the request says otherwise than the object. */
const checkSame = (attributes: AttributeSet, name: string, told: unknown): void => {
  const said = given(attributes, name)
  if (said !== undefined && told !== undefined && said !== told) {
    throw new KmipError(ResultReason.InvalidField, `${name} is not that of the object`)
  }
}
