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
 * Bytes that stand in a text as characters of their numbers, in memory of their own. The library gives short bytes as text in half the
 * time that it needs to give them as memory; a text cannot be wiped, so that this is not for secrets.
 */
export function bytesOfLatin1(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length)
  for (let at = 0; at < bytes.length; at += 1) bytes[at] = text.charCodeAt(at)
  return bytes
}
