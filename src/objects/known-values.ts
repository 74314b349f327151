/**
 * Which values a version of the protocol can carry: an object that a newer client made may hold enumeration values that an
 * older one cannot read. What it is: a walk over declarations and values. What it is not: which fields and attributes a
 * version has; the codec leaves out the former, `hasAttribute` knows the latter.
 */
import type { Attribute } from '#kmip/attribute'
import { attributeRow, attributeRows, hasAttribute } from '#kmip/attributes'
import { payloadCodecs } from '#kmip/payloads/index'
import { type EnumerationRow, inVersion } from '#kmip/row'
import { enumerationNamed, enumerationOfTag, enumerationValue } from '#kmip/vocabulary'
import { ItemType } from '#ttlv/item'
import type { Codec, Fields } from '#ttlv/schema'

const enumerationsByAttribute: ReadonlyMap<string, EnumerationRow> = new Map(
  [...attributeRows.values()]
    .filter(({ codec }) => codec.type === ItemType.Enumeration)
    .map(({ name }) => [name, enumerationNamed(name.replaceAll(' ', ''))]),
)

/** Whether a version has the attribute and every enumeration value that stands in this value of it. */
export const isAttributeKnown = ({ attributeName, attributeValue }: Attribute, version: number): boolean =>
  hasAttribute(attributeName, version) &&
  isValueKnown(attributeRow(attributeName)?.codec, attributeValue, enumerationsByAttribute.get(attributeName), version)

/** Whether a version has every enumeration value that stands in a structure, in the fields that the version has. */
export const isStructureKnown = (codec: Codec<unknown>, value: unknown, version: number): boolean =>
  isValueKnown(codec, value, undefined, version)

/** Whether a version has this value of the enumeration that a tag carries. */
export const isEnumerationKnown = (tag: number, value: number, version: number): boolean =>
  isNumberKnown(enumerationOfTag(tag), value, version)

/**
 * Whether a version has all that an answer tells which was made for a newer one: enumeration values, and attributes by name and
 * value, however deep.
 */
export const isAnswerKnown = (operation: number, payload: unknown, version: number): boolean => {
  const codec = payloadCodecs(operation)?.response
  return (codec === undefined || isStructureKnown(codec, payload, version)) && hasKnownAttributes(payload, version)
}

const hasKnownAttributes = (value: unknown, version: number): boolean => {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return true
  const { attributeName = [], attributeValue } = value as {
    attributeName?: string | string[]
    attributeValue?: unknown
  }
  if (attributeValue !== undefined) return isAttributeKnown(value as Attribute, version)
  const named = [attributeName].flat().every((name) => hasAttribute(name, version))
  return named && Object.values(value).every((part) => hasKnownAttributes(part, version))
}

/** Extensions are nobody's and everybody's (§9.1.3.2). */
const isNumberKnown = (row: EnumerationRow | undefined, value: number, version: number): boolean => {
  if (row === undefined || value >= 0x8000_0000) return true
  const known = enumerationValue(row, value)
  return known !== undefined && inVersion(known, version)
}

/** A field that can hold an enumeration value, by itself or deep within. */
interface WalkedField {
  readonly key: string
  readonly field: Fields[string]
  readonly row: EnumerationRow | undefined
}

/** Declarations are few and never change: what of each is to be looked at is found out once. */
const walkedFields = new Map<Codec<unknown>, readonly WalkedField[]>()

const walkedFieldsOf = (codec: Codec<unknown>): readonly WalkedField[] => {
  const known = walkedFields.get(codec)
  if (known !== undefined) return known
  const walked = Object.entries('fields' in codec ? (codec.fields as Fields) : {})
    .filter(([, { codec: inner }]) => {
      const fixed = inner as Codec<unknown> | undefined
      return fixed === undefined || fixed.type === ItemType.Enumeration || 'fields' in fixed
    })
    .map(([key, field]) => ({ key, field, row: enumerationOfTag(field.tag) }))
  walkedFields.set(codec, walked)
  return walked
}

const isValueKnown = (
  codec: Codec<unknown> | undefined,
  value: unknown,
  row: EnumerationRow | undefined,
  version: number,
): boolean => {
  if (codec?.type === ItemType.Enumeration) return isNumberKnown(row, value as number, version)
  if (codec === undefined || !('fields' in codec) || value === undefined) return true
  const values = value as Readonly<Record<string, unknown>>
  for (const { key, field, row: inRow } of walkedFieldsOf(codec)) {
    const content = values[key]
    if (content === undefined || !inVersion(field, version)) continue
    const inner = (field.codec ?? field.choose?.(values, version)) as Codec<unknown> | undefined
    if (field.kind !== 'many') {
      if (!isValueKnown(inner, content, inRow, version)) return false
    } else if (!(content as readonly unknown[]).every((each) => isValueKnown(inner, each, inRow, version))) return false
  }
  return true
}
