/** Register: an object that was made elsewhere. KMIP 1.4 §4.3 */
import type { KeyMaterial } from '#crypto/run'
import type { TemplateAttribute } from '#kmip/attribute'
import {
  type CryptographicAlgorithm,
  type KeyFormatType,
  ObjectType,
  type ObjectType as ObjectTypeNumber,
  ResultReason,
} from '#kmip/enums'
import { KmipError } from '#kmip/errors'
import type { KeyBlock } from '#kmip/key-block'
import { type CertificateValue, type OpaqueObjectValue, objectRow, objectRows, type TemplateValue } from '#kmip/objects'
import type { AttributeSet } from '#objects/managed-object'
import { bigIntegerBytes } from '#ttlv/binary'
import { certificateAttributes } from './certificate-attributes.ts'
import { addObject, type Digested, digestedKey, given, givenAttributes, keptObjectTypes } from './creation.ts'
import { type Context, operation } from './operation.ts'

/** What an object tells of itself. */
interface Reading {
  readonly derived: Readonly<Record<string, unknown>>
  readonly digested: Digested | undefined
}

export const register = operation({
  name: 'Register',
  section: '4.3',
  reasons: [
    'InvalidField',
    'ItemNotFound',
    'InvalidMessage',
    'IndexOutOfBounds',
    'ApplicationNamespaceNotSupported',
    'ObjectArchived',
    'KeyFormatTypeNotSupported',
  ],
  async handle({ objectType, templateAttribute, ...objects }, context) {
    const row = objectRow(objectType)
    if (row === undefined || !keptObjectTypes.has(objectType)) {
      throw new KmipError(ResultReason.InvalidField, 'Objects of this Object Type are not registered here')
    }
    const value = objects[row.field]
    const others = objectRows.filter(({ field }) => objects[field] !== undefined && field !== row.field)
    if (others.length > 0)
      throw new KmipError(ResultReason.InvalidField, 'The object is not of the Object Type that is named')
    if (value === undefined) throw new KmipError(ResultReason.InvalidMessage, 'The request holds no object')
    checkSize(value, context.services.policy.keyMaterialBytesMax)
    const within = objectType === ObjectType.Template ? [attributesWithin(value as TemplateValue)] : []
    const attributes = await givenAttributes(context, objectType, [...within, templateAttribute])
    const { derived, digested } = await read(objectType, value, attributes, context)
    const { uniqueIdentifier } = await addObject(context, {
      uniqueIdentifier: context.services.newUniqueIdentifier(),
      objectType,
      attributes,
      derived,
      value,
      digested,
      generated: false,
    })
    context.idPlaceholder = uniqueIdentifier
    return { uniqueIdentifier }
  },
})

/** @throws KmipError Invalid Field for more bytes than an object may have. */
const checkSize = (value: unknown, bytesMax: number): void => {
  if (bytesWithin(value) > bytesMax)
    throw new KmipError(ResultReason.InvalidField, `An object may have ${bytesMax} bytes`)
}

/** Bytes of all byte strings and numbers of an object's structure, whose nesting the codec has bounded. */
const bytesWithin = (value: unknown): number => {
  if (value instanceof Uint8Array) return value.length
  if (typeof value === 'bigint') return bigIntegerBytes(value).length
  if (typeof value !== 'object' || value === null) return 0
  return Object.values(value).reduce<number>((sum, part) => sum + bytesWithin(part), 0)
}

/** Reads what the object tells of itself, and refuses what contradicts the request. */
const read = (
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

/**
 * What a Template holds, as the lowest of the sources of its attributes.
 * @throws KmipError Invalid Field for a Name, which stands in the request alone (§11.4)
 */
const attributesWithin = ({ attribute }: TemplateValue): TemplateAttribute => {
  if (attribute.some(({ attributeName }) => attributeName === 'Name')) {
    throw new KmipError(
      ResultReason.InvalidField,
      "A Template's Name stands in the Template-Attribute, not in the Template",
    )
  }
  return { name: [], attribute }
}
