/**
 * Luck from a seed, for tests that must be able to happen again. What it is: a small generator of numbers (a 32-bit counter
 * with a mixing function). What it is not: fit for secrets.
 */

/** Numbers from a seed. */
export interface SeededRandom {
  /** A whole number from 0 to `bound - 1`. */
  below(bound: number): number
  /** One of a list's members. @throws RangeError for an empty list */
  pick<T>(list: readonly T[]): T
  /** `length` bytes. */
  bytes(length: number): Buffer
}

/** @param seed any whole number; equal seeds give equal numbers */
export const seededRandom = (seed: number): SeededRandom => {
  let state = seed >>> 0
  const next = (): number => {
    state = (state + 0x9e37_79b9) >>> 0
    let mixed = state
    mixed = Math.imul(mixed ^ (mixed >>> 16), 0x21f0_aaad)
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a_2d97)
    return (mixed ^ (mixed >>> 15)) >>> 0
  }
  const below = (bound: number): number => Math.floor((next() / 0x1_0000_0000) * bound)
  return {
    below,
    pick: <T>(list: readonly T[]): T => {
      if (list.length === 0) throw new RangeError('nothing to pick from')
      return list[below(list.length)] as T
    },
    bytes: (length) => Buffer.from(Array.from({ length }, () => below(256))),
  }
}
