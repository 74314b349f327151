/** Join Split Key: the key of which parts were made. KMIP 1.4 §4.39 */
import {
  CryptographicAlgorithm,
  KeyFormatType,
  ObjectType,
  type ObjectType as ObjectTypeNumber,
  ResultReason,
  SecretDataType,
} from '#kmip/enums'
import { KmipError } from '#kmip/errors'
import type { SplitKeyValue } from '#kmip/objects'
import type { ManagedObject } from '#objects/managed-object'
import { valueOf } from '#objects/managed-object'
import { addObject, digestedKey, given, givenAttributes, keyObject } from './creation.ts'
import { materialBytes } from './key-bytes.ts'
import { compute, keyFormOf } from './key-use.ts'
import { type Context, operation } from './operation.ts'

/** What parts can be joined to. */
const joinable: ReadonlySet<number> = new Set([ObjectType.SymmetricKey, ObjectType.PrivateKey, ObjectType.SecretData])

export const joinSplitKey = operation({
  name: 'JoinSplitKey',
  section: '4.39',
  reasons: [
    'InvalidField',
    'ItemNotFound',
    'PermissionDenied',
    'CryptographicFailure',
    'IndexOutOfBounds',
    'ApplicationNamespaceNotSupported',
    'ObjectArchived',
    'KeyValueNotPresent',
  ],
  async handle({ objectType, uniqueIdentifier, secretDataType, templateAttribute }, context) {
    if (!joinable.has(objectType)) {
      throw new KmipError(ResultReason.InvalidField, 'Split Keys are joined to keys and Secret Data')
    }
    const attributes = await givenAttributes(context, objectType, [templateAttribute])
    const objects = uniqueIdentifier.map((identifier) => context.object(identifier, 'export'))
    const [first, ...others] = objects.map(partOf)
    if (first === undefined) throw new KmipError(ResultReason.CryptographicFailure, 'No Split Keys are given')
    checkParts(first, others)
    const told = {
      cryptographicAlgorithm: given<number>(attributes, 'Cryptographic Algorithm') ?? first.cryptographicAlgorithm,
      cryptographicLength: given<number>(attributes, 'Cryptographic Length') ?? first.cryptographicLength,
    }
    const keyMaterial = await joined([first, ...others], context)
    const secret = objectType === ObjectType.SecretData
    const keyFormatType = secret ? KeyFormatType.Opaque : first.keyFormatType
    const form = { keyFormatType, keyMaterial }
    const parsed = await compute(context, {
      kind: 'parseKey',
      objectType: objectType as ObjectTypeNumber,
      ...form,
      cryptographicAlgorithm: told.cryptographicAlgorithm as CryptographicAlgorithm | undefined,
      cryptographicLength: told.cryptographicLength,
    })
    const algorithm = parsed.cryptographicAlgorithm ?? told.cryptographicAlgorithm
    const length = parsed.cryptographicLength ?? told.cryptographicLength ?? keyMaterial.length * 8
    const mask = valueOf<number>(first.object, 'Cryptographic Usage Mask') ?? 0
    const added = await addObject(context, {
      uniqueIdentifier: context.services.newUniqueIdentifier(),
      objectType,
      attributes: { ...attributes, ...restrictionsOf(objects) },
      derived: {
        'Cryptographic Algorithm': algorithm,
        'Cryptographic Length': length,
        'Cryptographic Usage Mask': given<number>(attributes, 'Cryptographic Usage Mask') ?? mask,
      },
      value: secret
        ? {
            secretDataType: secretDataType ?? SecretDataType.Password,
            keyBlock: { keyFormatType, keyValue: { keyMaterial, attribute: [] } },
          }
        : keyObject(form, algorithm ?? CryptographicAlgorithm.AES, length),
      digested: digestedKey(keyFormatType, keyMaterial),
      generated: false,
    })
    context.idPlaceholder = added.uniqueIdentifier
    return { uniqueIdentifier: added.uniqueIdentifier }
  },
})

interface Part {
  readonly object: ManagedObject
  readonly value: SplitKeyValue
  readonly keyFormatType: KeyFormatType
  readonly bytes: Uint8Array
  readonly cryptographicAlgorithm: number | undefined
  readonly cryptographicLength: number | undefined
}

/** @throws KmipError Invalid Field for what is no Split Key in the clear, Key Value Not Present */
const partOf = (object: ManagedObject): Part => {
  if (object.objectType !== ObjectType.SplitKey) {
    throw new KmipError(ResultReason.InvalidField, 'Only Split Keys can be joined')
  }
  const { keyMaterial, keyFormatType, cryptographicAlgorithm, cryptographicLength } = keyFormOf(object)
  if (!(keyMaterial instanceof Uint8Array)) {
    throw new KmipError(ResultReason.InvalidField, 'The part is not in a format whose Key Material is bytes')
  }
  const value = object.value as SplitKeyValue
  return { object, value, keyFormatType, bytes: keyMaterial, cryptographicAlgorithm, cryptographicLength }
}

/** @throws KmipError Invalid Field for parts of different splits or the same part twice, Cryptographic Failure for too few */
const checkParts = (first: Part, others: readonly Part[]): void => {
  const { splitKeyParts, splitKeyThreshold, splitKeyMethod, primeFieldSize } = first.value
  const alike = others.every(
    ({ value, bytes, keyFormatType }) =>
      value.splitKeyParts === splitKeyParts &&
      value.splitKeyThreshold === splitKeyThreshold &&
      value.splitKeyMethod === splitKeyMethod &&
      value.primeFieldSize === primeFieldSize &&
      bytes.length === first.bytes.length &&
      keyFormatType === first.keyFormatType,
  )
  if (!alike) throw new KmipError(ResultReason.InvalidField, 'The Split Keys are not parts of one key')
  const identifiers = new Set([first, ...others].map(({ value }) => value.keyPartIdentifier))
  if (identifiers.size !== others.length + 1) {
    throw new KmipError(ResultReason.InvalidField, 'The same part of the key is given twice')
  }
  if (identifiers.size < splitKeyThreshold) {
    throw new KmipError(ResultReason.CryptographicFailure, 'The Split Key Threshold is not reached')
  }
}

/** The secret. @throws KmipError Cryptographic Failure */
const joined = async (parts: readonly [Part, ...Part[]], context: Context): Promise<Uint8Array> => {
  const [{ value, cryptographicAlgorithm, cryptographicLength, keyFormatType }] = parts
  // The fields pad: a length tells what is of the secret, and structures in DER tell it themselves.
  const plain = keyFormatType === KeyFormatType.Raw || keyFormatType === KeyFormatType.Opaque
  const secretBytes =
    plain && cryptographicLength !== undefined ? materialBytes(cryptographicAlgorithm, cryptographicLength) : undefined
  const { secret } = await compute(context, {
    kind: 'joinKey',
    method: value.splitKeyMethod,
    ...(value.primeFieldSize === undefined ? {} : { primeFieldSize: value.primeFieldSize }),
    shares: parts.map((part) => ({ keyPartIdentifier: part.value.keyPartIdentifier, bytes: part.bytes })),
    ...(secretBytes === undefined ? {} : { secretBytes }),
  })
  return plain ? secret : derWithin(secret)
}

/** The DER structure in what a field padded with zeros, in front or behind (X.690 §8.1.3). */
const derWithin = (padded: Uint8Array): Uint8Array => {
  const start = padded.findIndex((byte) => byte !== 0)
  const first = padded[start + 1] ?? 0
  const lengthBytes = first < 0x80 ? 0 : first - 0x80
  const tail = padded.subarray(start + 2, start + 2 + lengthBytes)
  const length = lengthBytes === 0 ? first : tail.reduce((sum, byte) => sum * 256 + byte, 0)
  return padded.slice(Math.max(start, 0), start + 2 + lengthBytes + length)
}

/** A key is as guarded as any of its parts (§3.48, §3.50). */
const restrictionsOf = (objects: readonly ManagedObject[]) => ({
  ...(objects.some((object) => valueOf(object, 'Sensitive') === true)
    ? { Sensitive: [{ index: 0, value: true }] }
    : {}),
  ...(objects.some((object) => valueOf(object, 'Extractable') === false)
    ? { Extractable: [{ index: 0, value: false }] }
    : {}),
})
