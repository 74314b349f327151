/** Get: the object itself, in the format that is asked for. KMIP 1.4 §4.11 */
import type { KeyMaterial } from '#crypto/run'
import type { Attribute } from '#kmip/attribute'
import {
  type CryptographicAlgorithm,
  type KeyCompressionType,
  type KeyFormatType,
  KeyWrapType,
  ObjectType,
  type ObjectType as ObjectTypeNumber,
  ResultReason,
} from '#kmip/enums'
import { KmipError } from '#kmip/errors'
import { type KeyBlock, keyMaterialCodec } from '#kmip/key-block'
import { objectRow } from '#kmip/objects'
import { Tag } from '#kmip/tags'
import { isAttributeKnown, isEnumerationKnown, isStructureKnown } from '#objects/known-values'
import { isTemplate, type ManagedObject, valueOf, withValue } from '#objects/managed-object'
import { templateAttributesOf } from '#objects/templates'
import { type Context, operation } from './operation.ts'

/** Objects whose Key Block tells algorithm and length; Secret Data's does not (§2.1.3). */
const keys: ReadonlySet<number> = new Set([
  ObjectType.SymmetricKey,
  ObjectType.PublicKey,
  ObjectType.PrivateKey,
  ObjectType.SplitKey,
])

interface Format {
  readonly keyFormatType: number | undefined
  readonly keyCompressionType: number | undefined
}

export const get = operation({
  name: 'Get',
  section: '4.11',
  reasons: [
    'ItemNotFound',
    'IllegalOperation',
    'PermissionDenied',
    'KeyFormatTypeNotSupported',
    'KeyCompressionTypeNotSupported',
    'ObjectArchived',
    'FeatureNotSupported',
    'Sensitive',
    'NotExtractable',
  ],
  async handle(
    { uniqueIdentifier, keyFormatType, keyCompressionType, keyWrapType, keyWrappingSpecification },
    context,
  ) {
    const object = context.object(uniqueIdentifier, 'export')
    if (keyWrappingSpecification !== undefined) {
      throw new KmipError(ResultReason.FeatureNotSupported, 'The server wraps no keys')
    }
    if (object.value === undefined) {
      throw new KmipError(ResultReason.IllegalOperation, 'The object is destroyed: the server has its attributes only')
    }
    checkWrapType(object, keyWrapType)
    checkMayLeave(object)
    const row = objectRow(object.objectType)
    if (row === undefined) throw new TypeError('an object of an unknown type is in the store')
    const value = await valueFor(object, { keyFormatType, keyCompressionType }, context)
    if (!isStructureKnown(row.codec, value, context.version)) {
      throw new KmipError(
        ResultReason.KeyFormatTypeNotSupported,
        'The protocol version of the request has no such format',
      )
    }
    // §3.34: fresh until it has been served to a client.
    if (valueOf(object, 'Fresh') === true) context.put(withValue(object, 'Fresh', false))
    return { objectType: object.objectType, uniqueIdentifier: object.uniqueIdentifier, [row.field]: value }
  },
})

/** Whether the key was registered wrapped, which is how it is kept and given. */
const isWrapped = ({ value }: ManagedObject): boolean =>
  (value as { readonly keyBlock?: KeyBlock }).keyBlock?.keyValue instanceof Uint8Array

/** @throws KmipError Feature Not Supported for a form in which the object is not kept */
const checkWrapType = (object: ManagedObject, keyWrapType: number | undefined): void => {
  if (keyWrapType === undefined || keyWrapType === KeyWrapType.AsRegistered) return
  if (keyWrapType === KeyWrapType.NotWrapped && !isWrapped(object)) return
  throw new KmipError(ResultReason.FeatureNotSupported, 'The object is given as it was registered, wrapped or not')
}

/** §3.48, §3.50: a sensitive object leaves in wrapped form only, one that is not extractable never. */
const checkMayLeave = (object: ManagedObject): void => {
  if (valueOf(object, 'Sensitive') === true && !isWrapped(object)) throw new KmipError(ResultReason.Sensitive)
  if (valueOf(object, 'Extractable') === false) throw new KmipError(ResultReason.NotExtractable)
}

const valueFor = async (object: ManagedObject, format: Format, context: Context): Promise<unknown> => {
  if (isTemplate(object)) return { attribute: knownOf(templateAttributesOf(object), context) }
  const value = object.value as { readonly keyBlock?: KeyBlock }
  if (value.keyBlock === undefined) {
    if (format.keyFormatType === undefined) return value
    throw new KmipError(ResultReason.KeyFormatTypeNotSupported, 'The object has no Key Format Type')
  }
  const keyBlock = await keyBlockFor(object, value.keyBlock, format, context)
  return { ...value, keyBlock: inVersionOf(context, keyBlock) }
}

const knownOf = (attributes: readonly Attribute[], { version }: Context): readonly Attribute[] =>
  attributes.filter((attribute) => isAttributeKnown(attribute, version))

/** The Key Block without what the request's version has no number for, as far as a Key Block can do without it. */
const inVersionOf = (context: Context, keyBlock: KeyBlock): KeyBlock => {
  const { keyValue, keyFormatType, cryptographicAlgorithm = 0 } = keyBlock
  const isNamed = isEnumerationKnown(Tag.CryptographicAlgorithm, cryptographicAlgorithm, context.version)
  const unnamed = { cryptographicAlgorithm: undefined, cryptographicLength: undefined }
  const named = isNamed || cryptographicAlgorithm === 0 ? keyBlock : { ...keyBlock, ...unnamed }
  if (keyValue === undefined || keyValue instanceof Uint8Array) return named
  if (!isStructureKnown(keyMaterialCodec(keyFormatType), keyValue.keyMaterial, context.version)) {
    throw new KmipError(ResultReason.KeyFormatTypeNotSupported, 'The protocol version of the request has no such curve')
  }
  return { ...named, keyValue: { ...keyValue, attribute: knownOf(keyValue.attribute, context) } }
}

const keyBlockFor = async (
  object: ManagedObject,
  keyBlock: KeyBlock,
  format: Format,
  context: Context,
): Promise<KeyBlock> => {
  const told = {
    cryptographicAlgorithm: keyBlock.cryptographicAlgorithm ?? valueOf<number>(object, 'Cryptographic Algorithm'),
    cryptographicLength: keyBlock.cryptographicLength ?? valueOf<number>(object, 'Cryptographic Length'),
  }
  const known: KeyBlock = keys.has(object.objectType) ? { ...keyBlock, ...told } : keyBlock
  const { keyFormatType, keyCompressionType } = format
  const same = (keyFormatType ?? keyBlock.keyFormatType) === keyBlock.keyFormatType && keyCompressionType === undefined
  if (same || keyBlock.keyValue === undefined) return known
  if (keyBlock.keyValue instanceof Uint8Array) {
    throw new KmipError(ResultReason.KeyFormatTypeNotSupported, 'The key was registered wrapped and is given as it is')
  }
  const converted = await context.services.crypto.run({
    kind: 'convertKey',
    from: {
      objectType: object.objectType as ObjectTypeNumber,
      keyFormatType: keyBlock.keyFormatType as KeyFormatType,
      keyMaterial: keyBlock.keyValue.keyMaterial as KeyMaterial,
      cryptographicAlgorithm: told.cryptographicAlgorithm as CryptographicAlgorithm | undefined,
      cryptographicLength: told.cryptographicLength,
    },
    to: {
      keyFormatType: keyFormatType as KeyFormatType | undefined,
      keyCompressionType: keyCompressionType as KeyCompressionType | undefined,
    },
  })
  return {
    ...known,
    keyFormatType: converted.keyFormatType,
    keyCompressionType: converted.keyCompressionType,
    keyValue: { keyMaterial: converted.keyMaterial, attribute: [] },
  }
}
