/**
 * Looking up the vocabulary by number and by name. What it is: indexes over the generated rows, for the codecs that need
 * names (XML, JSON, text) and for enumeration checks. What it is not: the rows (tags.ts, enums.ts).
 */
import { type Item, ItemType } from '#ttlv/item'
import type { Codec } from '#ttlv/schema'
import { type EnumerationValues, enumeration } from '#ttlv/schema'
import type { ValueNames, Vocabulary } from '#ttlv/vocabulary'
import { enumerationRows } from './enums.ts'
import type { EnumerationRow, Row } from './row.ts'
import { Tag, tagRows } from './tags.ts'

const byNumber = new Map(tagRows.map((row) => [row.value, row]))
const byName = new Map(tagRows.flatMap((row) => [row.name, ...(row.aliases ?? [])].map((name) => [name, row] as const)))
const enumerations = new Map(enumerationRows.map((row) => [row.name, row]))
const enumerationsByTag = new Map(
  enumerationRows.flatMap((row) => row.tags.map((tag) => [byName.get(tag)?.value ?? 0, row] as const)),
)

/** The row of a tag number, or undefined for one that no version has. */
export const tagRow = (tag: number): Row | undefined => byNumber.get(tag)

/** A tag's name as XML and JSON write it; unknown tags as `0x54ABCD`. */
export const tagName = (tag: number): string =>
  byNumber.get(tag)?.name ?? `0x${tag.toString(16).toUpperCase().padStart(6, '0')}`

/** The row of a tag's XML name, or undefined. */
export const tagByName = (name: string): Row | undefined => byName.get(name)

/** The enumeration or mask that a tag carries, or undefined. */
export const enumerationOfTag = (tag: number): EnumerationRow | undefined => enumerationsByTag.get(tag)

/** The enumeration or mask with this name (`CryptographicAlgorithm`). @throws Error for a name that no row has. */
export const enumerationNamed = (name: string): EnumerationRow => {
  const row = enumerations.get(name)
  if (row === undefined) throw new TypeError(`no enumeration is named ${name}`)
  return row
}

/** The first of rows of one value is the one that counts: later ones are other versions' names. */
const valuesByNumber = new Map(
  enumerationRows.map((row) => [row, new Map(row.values.map((entry) => [entry.value, entry] as const).toReversed())]),
)

/** The row of a value of an enumeration, or undefined. */
export const enumerationValue = (row: EnumerationRow, value: number): Row | undefined =>
  valuesByNumber.get(row)?.get(value)

/** The value that a name (or an earlier spelling) stands for in an enumeration, or undefined. */
export const enumerationByName = (row: EnumerationRow, name: string): Row | undefined =>
  row.values.find((entry) => entry.name === name || entry.aliases?.includes(name))

/** The codec of an enumeration by its name. `open`: unknown values are left to whoever reads the field. */
export const enumerated = <E extends number = number>(name: string, open = false): Codec<E> =>
  enumeration<E>(enumerationNamed(name) satisfies EnumerationValues, open)

/** A path of tags as people read it: `RequestMessage.BatchItem.RequestPayload`. */
export const pathText = (path: readonly number[]): string => path.map(tagName).join('.')

/** The attribute name as the vocabulary has it: files of early versions have runs of white space in their names. */
const tagOfAttributeName = (name: string): number | undefined => tagsByText.get(name.replace(/\s+/g, ' ').trim())
const tagsByText = new Map(tagRows.map((row) => [row.text, row.value]))

const valueNamesByRow = new Map<EnumerationRow, ValueNames>(
  enumerationRows.map((row) => [
    row,
    {
      kind: row.kind,
      nameOf: (value) => enumerationValue(row, value)?.name,
      valueOf: (name) => enumerationByName(row, name)?.value,
    },
  ]),
)

/** Tags as the values of an enumeration: how KMIP 2.x refers to an attribute. */
const tagValueNames: ValueNames = {
  kind: 'enumeration',
  nameOf: (value) => byNumber.get(value)?.name,
  valueOf: (name) => byName.get(name)?.value,
}

/**
 * The vocabulary that the encodings with names need (XML, JSON, text). The value of an Attribute takes its names from
 * the Attribute Name that stands before it (KMIP 1.4 §2.1.1).
 */
export const vocabulary: Vocabulary = {
  tagName: (tag) => byNumber.get(tag)?.name,
  tagByName: (name) => byName.get(name)?.value,
  valueNames(tag, earlier) {
    if (tag === Tag.AttributeReference) return tagValueNames
    const named = tag === Tag.AttributeValue ? attributeTag(earlier) : tag
    const row = named === undefined ? undefined : enumerationsByTag.get(named)
    return row === undefined ? undefined : valueNamesByRow.get(row)
  },
}

const attributeTag = (earlier: readonly Item[]): number | undefined => {
  const name = earlier.findLast((item) => item.tag === Tag.AttributeName)
  return name?.type === ItemType.TextString ? tagOfAttributeName(name.value) : undefined
}
