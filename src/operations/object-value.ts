/**
 * An object as Get and Export give it (KMIP 1.4 §4.11, §4.40): in the format that is asked for, wrapped or not. What it is:
 * the checks of §11.12, in its order as far as one does not need the other. What it is not: an operation.
 */
import type { KeyForm, KeyMaterial } from '#crypto/run'
import type { Attribute } from '#kmip/attribute'
import {
  type CryptographicAlgorithm,
  type KeyCompressionType,
  KeyFormatType,
  type KeyFormatType as KeyFormatTypeNumber,
  KeyWrapType,
  ObjectType,
  type ObjectType as ObjectTypeNumber,
  ResultReason,
} from '#kmip/enums'
import { KmipError } from '#kmip/errors'
import { type KeyBlock, type KeyWrappingSpecification, keyMaterialCodec } from '#kmip/key-block'
import { type ObjectRow, objectRow } from '#kmip/objects'
import { Tag } from '#kmip/tags'
import { isAttributeKnown, isEnumerationKnown, isStructureKnown } from '#objects/known-values'
import { isTemplate, type ManagedObject, valueOf } from '#objects/managed-object'
import { templateAttributesOf } from '#objects/templates'
import { onTheWire, registeredContainer, writtenContainer } from './containers.ts'
import { hides, isWrapped, unwrapped, type WrappingKeys, wrapped, wrappingKeys } from './key-wrapping.ts'
import type { Context } from './operation.ts'

/** Objects whose Key Block tells algorithm and length; Secret Data's does not (§2.1.3). */
const keys: ReadonlySet<number> = new Set([
  ObjectType.SymmetricKey,
  ObjectType.PublicKey,
  ObjectType.PrivateKey,
  ObjectType.SplitKey,
])

const wrapTypes: ReadonlySet<number> = new Set(Object.values(KeyWrapType))

/** How an object is asked for. */
export interface Form {
  readonly keyFormatType?: number | undefined
  readonly keyCompressionType?: number | undefined
  readonly keyWrapType?: number | undefined
  readonly keyWrappingSpecification?: KeyWrappingSpecification | undefined
}

/** Reasons that `givenObject` gives, in the order of §11.12. */
export const givenObjectReasons = [
  'ItemNotFound',
  'IllegalOperation',
  'PermissionDenied',
  'KeyFormatTypeNotSupported',
  'KeyCompressionTypeNotSupported',
  'ObjectArchived',
  'EncodingOptionError',
  'FeatureNotSupported',
  'Sensitive',
  'NotExtractable',
  'InvalidMessage',
  'InvalidField',
  'CryptographicFailure',
  'KeyValueNotPresent',
] as const

/** An object in the form that was asked for. */
export interface GivenObject {
  readonly row: ObjectRow
  readonly value: unknown
}

/**
 * The object's row and its structure as the request asks for it. No promise for an object that is given as it is kept.
 * @throws KmipError with one of `givenObjectReasons`
 */
export const givenObject = (
  object: ManagedObject,
  form: Form,
  context: Context,
): GivenObject | Promise<GivenObject> => {
  const { keyWrappingSpecification: specification, keyWrapType } = form
  const row = objectRow(object.objectType)
  if (row === undefined) throw new TypeError('an object of an unknown type is in the store')
  const keys = specification === undefined ? undefined : wrappingKeys(specification, 'wrap', context)
  if (object.value === undefined) {
    throw new KmipError(ResultReason.IllegalOperation, 'The object is destroyed: the server has its attributes only')
  }
  if (keyWrapType !== undefined && !wrapTypes.has(keyWrapType)) throw new KmipError(ResultReason.FeatureNotSupported)
  if (keyWrapType === KeyWrapType.AsRegistered && specification !== undefined) {
    throw new KmipError(ResultReason.InvalidField, 'As Registered and a Key Wrapping Specification do not go together')
  }
  const given = (value: unknown): GivenObject => {
    checkMayLeave(object, form)
    if (!isStructureKnown(row.codec, value, context.version)) {
      throw new KmipError(
        ResultReason.KeyFormatTypeNotSupported,
        'The protocol version of the request has no such format',
      )
    }
    return { row, value }
  }
  const value = valueFor(object, form, keys, context)
  return value instanceof Promise ? value.then(given) : given(value)
}

const keyBlockOf = ({ value }: ManagedObject): KeyBlock | undefined =>
  (value as { readonly keyBlock?: KeyBlock } | undefined)?.keyBlock

/** §3.48, §3.50: a sensitive object leaves in wrapped form only, one that is not extractable never. */
const checkMayLeave = (object: ManagedObject, { keyWrapType, keyWrappingSpecification }: Form): void => {
  const data =
    keyWrappingSpecification ??
    (keyWrapType === KeyWrapType.NotWrapped ? undefined : keyBlockOf(object)?.keyWrappingData)
  const isHidden = data !== undefined && hides(data)
  if (valueOf(object, 'Sensitive') === true && !isHidden) throw new KmipError(ResultReason.Sensitive)
  if (valueOf(object, 'Extractable') === false) throw new KmipError(ResultReason.NotExtractable)
}

const valueFor = (object: ManagedObject, form: Form, keys: WrappingKeys | undefined, context: Context): unknown => {
  const { keyWrappingSpecification: specification } = form
  const keyBlock = keyBlockOf(object)
  if (keyBlock === undefined && specification !== undefined) {
    throw new KmipError(ResultReason.IllegalOperation, 'Only objects with a Key Block are wrapped')
  }
  const value = object.value as object
  if (keyBlock === undefined) {
    if (form.keyFormatType !== undefined) {
      throw new KmipError(ResultReason.KeyFormatTypeNotSupported, 'The object has no Key Format Type')
    }
    return isTemplate(object) ? { attribute: knownOf(templateAttributesOf(object), context) } : value
  }
  const opens = specification !== undefined || form.keyWrapType === KeyWrapType.NotWrapped
  if (opens && isWrapped(keyBlock)) {
    return unwrapped(object.objectType, keyBlock, context).then((plain) => keyFor(object, plain, form, keys, context))
  }
  return keyFor(object, keyBlock, form, keys, context)
}

const keyFor = (
  object: ManagedObject,
  plain: KeyBlock,
  form: Form,
  keys: WrappingKeys | undefined,
  context: Context,
): unknown => {
  const formed = keyBlockFor(object, plain, form, context)
  const finished = (keyBlock: KeyBlock): unknown =>
    keyLeaving(object, inVersionOf(context, keyBlock), form, keys, context)
  return formed instanceof Promise ? formed.then(finished) : finished(formed)
}

const keyLeaving = (
  object: ManagedObject,
  formed: KeyBlock,
  { keyWrappingSpecification: specification }: Form,
  keys: WrappingKeys | undefined,
  context: Context,
): unknown => {
  const value = object.value as object
  if (specification === undefined || keys === undefined) return { ...value, keyBlock: onTheWire(formed) }
  const { keyValue } = formed
  if (keyValue === undefined || keyValue instanceof Uint8Array) {
    throw new KmipError(ResultReason.IllegalOperation, 'There is no Key Value here that could be wrapped')
  }
  return wrapped(object, { ...formed, keyValue }, specification, keys, context).then((keyBlock) => ({
    ...value,
    keyBlock,
  }))
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

const keyBlockFor = (
  object: ManagedObject,
  keyBlock: KeyBlock,
  format: Form,
  context: Context,
): KeyBlock | Promise<KeyBlock> => {
  const told = {
    cryptographicAlgorithm: keyBlock.cryptographicAlgorithm ?? valueOf<number>(object, 'Cryptographic Algorithm'),
    cryptographicLength: keyBlock.cryptographicLength ?? valueOf<number>(object, 'Cryptographic Length'),
  }
  const known: KeyBlock = keys.has(object.objectType) ? { ...keyBlock, ...told } : keyBlock
  const { keyFormatType, keyCompressionType } = format
  const asRegistered =
    keyFormatType === undefined && keyCompressionType === undefined ? registeredContainer(object) : undefined
  if (asRegistered !== undefined) return asRegistered
  const same = (keyFormatType ?? keyBlock.keyFormatType) === keyBlock.keyFormatType && keyCompressionType === undefined
  if (same || keyBlock.keyValue === undefined) return known
  if (keyBlock.keyValue instanceof Uint8Array || isWrapped(keyBlock)) {
    throw new KmipError(ResultReason.KeyFormatTypeNotSupported, 'The key was registered wrapped and is given as it is')
  }
  const from: KeyForm = {
    objectType: object.objectType as ObjectTypeNumber,
    keyFormatType: keyBlock.keyFormatType as KeyFormatTypeNumber,
    keyMaterial: keyBlock.keyValue.keyMaterial as KeyMaterial,
    cryptographicAlgorithm: told.cryptographicAlgorithm as CryptographicAlgorithm | undefined,
    cryptographicLength: told.cryptographicLength,
  }
  const isContainer = keyFormatType === KeyFormatType.PKCS_12 && keyCompressionType === undefined
  if (isContainer && object.objectType === ObjectType.PrivateKey) return writtenContainer(object, from, context)
  return converted(known, from, format, context)
}

const converted = async (
  known: KeyBlock,
  from: KeyForm,
  { keyFormatType, keyCompressionType }: Form,
  context: Context,
): Promise<KeyBlock> => {
  const made = await context.services.crypto.run({
    kind: 'convertKey',
    from,
    to: {
      keyFormatType: keyFormatType as KeyFormatTypeNumber | undefined,
      keyCompressionType: keyCompressionType as KeyCompressionType | undefined,
    },
  })
  return {
    ...known,
    keyFormatType: made.keyFormatType,
    keyCompressionType: made.keyCompressionType,
    keyValue: { keyMaterial: made.keyMaterial, attribute: [] },
  }
}
