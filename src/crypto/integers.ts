/**
 * Arithmetic on big numbers that the library does not offer. What it is: bytes to numbers and back, inverse, power and
 * greatest common divisor. What it is not: constant in time; it works on keys that a client sends or fetches in the clear,
 * never in a signature or a decryption.
 */

/** The number that unsigned big-endian bytes stand for; no bytes give 0. */
export function bigintOfBytes(bytes: Uint8Array): bigint {
  return bytes.length === 0
    ? 0n
    : BigInt(`0x${Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('hex')}`)
}

/** Unsigned big-endian bytes of a number >= 0, with leading zeros up to `length`; without `length`, the shortest (at least one byte). */
export function bytesOfBigint(value: bigint, length = 1): Uint8Array {
  const hex = value.toString(16)
  const digits = Math.max(length * 2, hex.length + (hex.length % 2))
  return Uint8Array.from(Buffer.from(hex.padStart(digits, '0'), 'hex'))
}

/** The number of bits of a number >= 0. */
export function bitLength(value: bigint): number {
  if (value === 0n) return 0
  const hex = value.toString(16)
  return hex.length * 4 - (Math.clz32(Number.parseInt(hex.charAt(0), 16)) - 28)
}

/** The greatest common divisor of two numbers >= 0. */
export function greatestCommonDivisor(left: bigint, right: bigint): bigint {
  let [a, b] = [left, right]
  while (b !== 0n) [a, b] = [b, a % b]
  return a
}

/** The inverse of a value modulo `modulus` (> 1), or undefined where there is none. */
export function inverseModulo(value: bigint, modulus: bigint): bigint | undefined {
  let [a, b] = [((value % modulus) + modulus) % modulus, modulus]
  let [x, y] = [1n, 0n]
  while (b !== 0n) {
    const quotient = a / b
    ;[a, b] = [b, a - quotient * b]
    ;[x, y] = [y, x - quotient * y]
  }
  return a === 1n ? ((x % modulus) + modulus) % modulus : undefined
}

/** base ^ exponent modulo `modulus`, for exponent >= 0. Slow for what it is: 2048 bits take some ten milliseconds. */
export function powerModulo(base: bigint, exponent: bigint, modulus: bigint): bigint {
  let result = 1n
  const reduced = base % modulus
  // From the top bit down, so that each step multiplies by the small base.
  for (const digit of exponent.toString(2)) {
    result = (result * result) % modulus
    if (digit === '1') result = (result * reduced) % modulus
  }
  return result
}
