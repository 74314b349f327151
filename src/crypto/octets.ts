/** Arrays of bytes put together, or taken out of text. What it is not: numbers (integers.ts), nor structures (der.ts). */

/** Parts as one array of bytes, in memory of its own. */
export function concatenated(...parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0))
  let offset = 0
  for (const part of parts) {
    whole.set(part, offset)
    offset += part.length
  }
  return whole
}

/**
 * Pieces that come one after the other, put together as they come: what they take is bounded by their bytes, however many they
 * are. A list of them takes some 250 bytes for each, be it empty.
 */
export class Gathered {
  #bytes: Uint8Array = new Uint8Array(0)
  #length = 0

  /** Takes a copy of a piece. */
  add(piece: Uint8Array): void {
    const length = this.#length + piece.length
    if (length > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(length, 2 * this.#bytes.length))
      larger.set(this.#bytes.subarray(0, this.#length))
      this.#bytes.fill(0)
      this.#bytes = larger
    }
    this.#bytes.set(piece, this.#length)
    this.#length = length
  }

  /** All of them; the next piece is the first again. */
  take(): Uint8Array {
    const whole = this.#bytes.subarray(0, this.#length)
    this.#bytes = new Uint8Array(0)
    this.#length = 0
    return whole
  }
}

/**
 * Bytes that stand in a text as characters of their numbers, in memory of their own. The library gives short bytes as text in half the
 * time that it needs to give them as memory; a text cannot be wiped, so that this is not for secrets.
 */
export function bytesOfLatin1(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length)
  for (let at = 0; at < bytes.length; at += 1) bytes[at] = text.charCodeAt(at)
  return bytes
}
