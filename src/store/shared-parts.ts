/**
 * Small parts of values that many records have alike (a state, an algorithm, a flag), each kept once. What it is: parts found by
 * the bytes that they were packed as, within a bound. What it is not: a place for what could be secret: who gives it parts gives
 * none with text, byte strings or bigints in them.
 */

import { freezeAll } from './freeze.ts'

/** A part, and where its bytes are. */
interface Part {
  readonly at: number
  readonly length: number
  readonly value: object
}

/** Some thousand parts. When they are full all go, and what is met often is soon there again: dates come, and do not come back. */
const bytesMax = 64 * 1024

export class SharedParts {
  readonly #bytes = new Uint8Array(bytesMax)
  readonly #parts = new Map<number, Part>()
  #used = 0

  /** The part that these bytes are of. */
  find(bytes: Uint8Array, start: number, end: number): object | undefined {
    const part = this.#parts.get(hashOf(bytes, start, end))
    if (part === undefined || part.length !== end - start) return undefined
    for (let index = 0; index < part.length; index += 1) {
      if (this.#bytes[part.at + index] !== bytes[start + index]) return undefined
    }
    return part.value
  }

  /** Keeps a part, which nobody may change any more. */
  add(bytes: Uint8Array, start: number, end: number, value: object): void {
    if (this.#used + end - start > bytesMax) {
      this.#parts.clear()
      this.#used = 0
    }
    freezeAll(value)
    this.#bytes.set(bytes.subarray(start, end), this.#used)
    this.#parts.set(hashOf(bytes, start, end), { at: this.#used, length: end - start, value })
    this.#used += end - start
  }
}

/** A number for bytes: no more than a hint of where to look. */
export const hashOf = (bytes: Uint8Array, start: number, end: number): number => {
  let hash = end - start
  for (let at = start; at < end; at += 1) hash = Math.imul(hash ^ (bytes[at] ?? 0), 0x01000193)
  return hash ^ (hash >>> 15)
}
