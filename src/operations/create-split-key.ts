/** Create Split Key: a key, new or there already, in parts. KMIP 1.4 §4.38 */
import type { KeyForm } from '#crypto/run'
import { type CryptographicAlgorithm, type KeyFormatType, ObjectType, ResultReason, SplitKeyMethod } from '#kmip/enums'
import { KmipError } from '#kmip/errors'
import { type AttributeSet, instancesOf, type ManagedObject, valueOf } from '#objects/managed-object'
import { addObject, checkLength, digestedKey, given, givenAttributes, required } from './creation.ts'
import { keyAsBytes } from './key-bytes.ts'
import { keyFormOf } from './key-use.ts'
import { type Context, operation } from './operation.ts'

/** GF(2^8) has no more places than this; nobody hands out more parts. */
const partsMax = 255

/** What may be split. */
const splittable: ReadonlySet<number> = new Set([ObjectType.SymmetricKey, ObjectType.PrivateKey, ObjectType.SecretData])

/** Attributes that parts take from the key: they stand above those of the request (§4.38). */
const inherited = [
  'Cryptographic Algorithm',
  'Cryptographic Length',
  'Cryptographic Usage Mask',
  'Sensitive',
  'Extractable',
]

interface Secret {
  readonly keyFormatType: KeyFormatType
  readonly bytes: Uint8Array
  readonly attributes: AttributeSet
}

export const createSplitKey = operation({
  name: 'CreateSplitKey',
  section: '4.38',
  reasons: [
    'InvalidField',
    'ItemNotFound',
    'InvalidMessage',
    'PermissionDenied',
    'CryptographicFailure',
    'IndexOutOfBounds',
    'ApplicationNamespaceNotSupported',
    'ObjectArchived',
    'KeyValueNotPresent',
  ],
  async handle({ objectType, uniqueIdentifier, templateAttribute, ...split }, context) {
    if (objectType !== ObjectType.SplitKey) {
      throw new KmipError(ResultReason.InvalidField, 'Create Split Key makes Split Keys')
    }
    const { splitKeyParts, splitKeyThreshold, splitKeyMethod, primeFieldSize } = split
    checkSplit(splitKeyParts, splitKeyThreshold, splitKeyMethod, primeFieldSize)
    const asked = await givenAttributes(context, objectType, [templateAttribute])
    const secret =
      uniqueIdentifier === undefined
        ? await newSecret(asked, context)
        : await oldSecret(uniqueIdentifier, asked, context)
    const { shares, primeFieldSize: prime } = await context.services.crypto.run({
      kind: 'splitKey',
      method: splitKeyMethod,
      parts: splitKeyParts,
      threshold: splitKeyThreshold,
      ...(primeFieldSize === undefined ? {} : { primeFieldSize }),
      secret: secret.bytes,
    })
    const { keyFormatType, attributes } = secret
    const cryptographicAlgorithm = given<number>(attributes, 'Cryptographic Algorithm')
    const cryptographicLength = given<number>(attributes, 'Cryptographic Length') ?? secret.bytes.length * 8
    const made: string[] = []
    for (const { keyPartIdentifier, bytes } of shares) {
      const part = await addObject(context, {
        uniqueIdentifier: context.services.newUniqueIdentifier(),
        objectType,
        attributes,
        derived: {
          'Cryptographic Algorithm': cryptographicAlgorithm,
          'Cryptographic Length': cryptographicLength,
          'Cryptographic Usage Mask': given<number>(attributes, 'Cryptographic Usage Mask') ?? 0,
        },
        value: {
          splitKeyParts,
          keyPartIdentifier,
          splitKeyThreshold,
          splitKeyMethod,
          primeFieldSize: prime ?? primeFieldSize,
          keyBlock: {
            keyFormatType,
            keyValue: { keyMaterial: bytes, attribute: [] },
            cryptographicAlgorithm,
            cryptographicLength,
          },
        },
        digested: digestedKey(keyFormatType, bytes),
        generated: uniqueIdentifier === undefined,
      })
      made.push(part.uniqueIdentifier)
      if (keyPartIdentifier === 1) context.idPlaceholder = part.uniqueIdentifier
    }
    return { uniqueIdentifier: made }
  },
})

/** @throws KmipError Invalid Field for numbers that make no split (§2.2.5) */
const checkSplit = (parts: number, threshold: number, method: number, prime: bigint | undefined): void => {
  if (parts < 2 || parts > partsMax) {
    throw new KmipError(ResultReason.InvalidField, `The Split Key Parts are 2 to ${partsMax}`)
  }
  if (threshold < 2 || threshold > parts) {
    throw new KmipError(ResultReason.InvalidField, 'The Split Key Threshold is 2 to the Split Key Parts')
  }
  if (method === SplitKeyMethod.XOR && threshold !== parts) {
    throw new KmipError(ResultReason.InvalidField, 'With XOR the Split Key Threshold is the Split Key Parts')
  }
  if (method !== SplitKeyMethod.PolynomialSharingPrimeField && prime !== undefined) {
    throw new KmipError(ResultReason.InvalidField, 'This Split Key Method has no Prime Field Size')
  }
}

/** A new symmetric key, of which the parts are all that is kept. */
const newSecret = async (attributes: AttributeSet, context: Context): Promise<Secret> => {
  required(attributes, 'Cryptographic Usage Mask')
  const cryptographicLength = given<number>(attributes, 'Cryptographic Length')
  checkLength(cryptographicLength, context.services.policy.createdSymmetricBitsMax)
  const key = await context.services.crypto.run({
    kind: 'generateSymmetricKey',
    cryptographicAlgorithm: required<CryptographicAlgorithm>(attributes, 'Cryptographic Algorithm'),
    cryptographicLength,
  })
  const { bytes, keyFormatType } = await keyAsBytes({ ...key, objectType: ObjectType.SymmetricKey }, context)
  return { keyFormatType, bytes, attributes: { ...attributes, ...lengthOf(key.cryptographicLength) } }
}

const lengthOf = (value: number): AttributeSet => ({ 'Cryptographic Length': [{ index: 0, value }] })

/**
 * A key that is there. Its parts together are its value, so that it takes the right to export it.
 * @throws KmipError Item Not Found, Permission Denied, Object Archived, Key Value Not Present, Invalid Field
 */
const oldSecret = async (uniqueIdentifier: string, asked: AttributeSet, context: Context): Promise<Secret> => {
  const object = context.object(uniqueIdentifier, 'export')
  if (!splittable.has(object.objectType)) {
    throw new KmipError(ResultReason.InvalidField, 'Symmetric and Private Keys and Secret Data can be split')
  }
  checkMayLeave(object)
  const key: KeyForm = keyFormOf(object)
  const attributes: Record<string, AttributeSet[string]> = { ...asked }
  for (const name of inherited) {
    const own = instancesOf(object, name)
    if (own.length > 0) attributes[name] = own
  }
  return { ...(await keyAsBytes(key, context)), attributes }
}

/** §3.48, §3.50: parts are given in the clear, and enough of them are the key. */
const checkMayLeave = (object: ManagedObject): void => {
  if (valueOf(object, 'Sensitive') === true || valueOf(object, 'Extractable') === false) {
    throw new KmipError(ResultReason.PermissionDenied, 'The key is sensitive or not extractable: it is not split')
  }
}
