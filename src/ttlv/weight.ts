/**
 * How heavy a value is: about the bytes that it has on the wire, never more, found without writing it. What it is: the measure of what
 * an object keeps and of what an answer grows to. What it is not: the exact size of a message, which the encoder knows (binary.ts).
 */

/** What every element of a list costs, whatever it is: the header of an item. */
const headerBytes = 8
/** A text of so many characters or fewer is not looked at for what they are. */
const shortText = 64

/** Bytes of all texts, byte strings and big numbers of a value whose nesting is bounded, with a header for each element of a list. */
export const weightOf = (value: unknown): number => {
  if (typeof value === 'string') return value.length <= shortText ? value.length : Buffer.byteLength(value, 'utf8')
  if (value instanceof Uint8Array) return value.length
  if (typeof value === 'bigint') return Math.ceil(value.toString(16).length / 2)
  if (typeof value !== 'object' || value === null) return 0
  if (Array.isArray(value)) return value.reduce<number>((sum, element) => sum + headerBytes + weightOf(element), 0)
  let weight = 0
  for (const key in value) weight += weightOf((value as Readonly<Record<string, unknown>>)[key])
  return weight
}
