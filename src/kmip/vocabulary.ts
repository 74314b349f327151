/**
 * Looking up the vocabulary by number and by name. What it is: indexes over the generated rows, for the codecs that need
 * names (XML, JSON, text) and for enumeration checks. What it is not: the rows (tags.ts, enums.ts).
 */
import { enumeration, type EnumerationValues } from '#ttlv/schema'
import type { Codec } from '#ttlv/schema'
import { enumerationRows } from './enums.ts'
import type { EnumerationRow, Row } from './row.ts'
import { tagRows } from './tags.ts'

const byNumber = new Map(tagRows.map(row => [row.value, row]))
const byName = new Map(tagRows.flatMap(row => [row.name, ...(row.aliases ?? [])].map(name => [name, row] as const)))
const enumerations = new Map(enumerationRows.map(row => [row.name, row]))
const enumerationsByTag = new Map(enumerationRows.flatMap(row => row.tags.map(tag => [byName.get(tag)?.value ?? 0, row] as const)))

/** The row of a tag number, or undefined for one that no version has. */
export const tagRow = (tag: number): Row | undefined => byNumber.get(tag)

/** A tag's name as XML and JSON write it; unknown tags as `0x54ABCD`. */
export const tagName = (tag: number): string => byNumber.get(tag)?.name ?? `0x${tag.toString(16).toUpperCase().padStart(6, '0')}`

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

/** The row of a value of an enumeration, or undefined. */
export const enumerationValue = (row: EnumerationRow, value: number): Row | undefined => row.values.find(entry => entry.value === value)

/** The value that a name (or an earlier spelling) stands for in an enumeration, or undefined. */
export const enumerationByName = (row: EnumerationRow, name: string): Row | undefined =>
  row.values.find(entry => entry.name === name || entry.aliases?.includes(name))

/** The codec of an enumeration by its name. `open`: unknown values are left to whoever reads the field. */
export const enumerated = <E extends number = number>(name: string, open = false): Codec<E> =>
  enumeration<E>(enumerationNamed(name) satisfies EnumerationValues, open)

/** A path of tags as people read it: `RequestMessage.BatchItem.RequestPayload`. */
export const pathText = (path: readonly number[]): string => path.map(tagName).join('.')
