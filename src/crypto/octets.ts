/** Arrays of bytes put together. What it is not: numbers (integers.ts), nor structures (der.ts). */

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
