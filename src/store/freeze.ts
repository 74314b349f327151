/**
 * Values that many readers are given. What it is: a walk over a value that makes it unchangeable and tells what memory it takes.
 * What it is not: exact; what the engine takes for an object depends on how it was made.
 */

/** What objects take beside what is in them (Node 26, 64 bits). */
const structureBytes = 24
const listBytes = 48
const slotBytes = 8
const textBytes = 24
/** An array of bytes is three objects. */
const byteStringBytes = 224
/** A part of an RSA key; its length could only be told by writing it out. */
const bigintBytes = 256

/**
 * Makes structures and lists unchangeable, since several readers are given the same; the bytes of a byte string cannot be.
 * @returns the memory that they take, about; what is unchangeable already is others' too and takes none
 */
export const freezeAll = (value: unknown): number => {
  if (typeof value === 'string') return textBytes + value.length
  if (typeof value === 'bigint') return bigintBytes
  if (typeof value !== 'object' || value === null) return 0
  if (ArrayBuffer.isView(value)) return byteStringBytes + value.byteLength
  if (Object.isFrozen(value)) return 0
  Object.freeze(value)
  let bytes = Array.isArray(value) ? listBytes : structureBytes
  for (const part of Object.values(value)) bytes += slotBytes + freezeAll(part)
  return bytes
}
