/**
 * Many messages as two arrays. What it is: the form in which a hundred thousand requests cross processes and threads without
 * a hundred thousand copies. What it is not: a codec.
 */

/** Messages one behind the other, and where each one ends. */
export interface Packed {
  readonly bytes: Uint8Array
  readonly ends: Uint32Array
}

/** Packs messages. */
export const pack = (messages: readonly Uint8Array[]): Packed => {
  const ends = new Uint32Array(messages.length)
  let size = 0
  messages.forEach((message, index) => {
    size += message.length
    ends[index] = size
  })
  const bytes = new Uint8Array(size)
  messages.forEach((message, index) => bytes.set(message, (ends[index] ?? 0) - message.length))
  return { bytes, ends }
}

/** How many there are. */
export const packedCount = ({ ends }: Packed): number => ends.length

/** One of them, counted over and over; not a copy. Nothing when there is none. */
export const packedAt = ({ bytes, ends }: Packed, index: number): Uint8Array => {
  if (ends.length === 0) return bytes
  const at = index % ends.length
  return bytes.subarray(at === 0 ? 0 : ends[at - 1], ends[at])
}
