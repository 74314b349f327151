/**
 * Secrets in parts. What it is: sharing by XOR and by polynomials over GF(2^8), GF(2^16) and a prime field, and the joining
 * of shares. What it is not: the Split Key objects, nor whether enough of their parts are there: fewer shares than the
 * threshold join to something else. KMIP 1.4 §2.2.5, §4.38, §4.39, §9.1.3.2.8; Shamir, How to share a secret (1979).
 */

import { checkPrimeSync } from 'node:crypto'
import { SplitKeyMethod } from '#kmip/enums'
import { AlgorithmError, KeyUseError } from './errors.ts'
import { randomOctets } from './generate.ts'
import { bigintOfBytes, bitLength, bytesOfBigint, inverseModulo } from './integers.ts'

/** One part: its Key Part Identifier, and its Key Material. */
export interface Share {
  readonly keyPartIdentifier: number
  readonly bytes: Uint8Array
}

/** A secret to split. */
export interface SplitRequest {
  readonly method: number
  readonly parts: number
  readonly threshold: number
  /** Prime field: the prime; without one, one above 2^L is taken, L the bits of the secret. */
  readonly primeFieldSize?: bigint | undefined
  readonly secret: Uint8Array
}

/** The parts; the prime, where the method has one. */
export interface SplitSecret {
  readonly shares: readonly Share[]
  readonly primeFieldSize?: bigint
}

/** Shares to join. */
export interface JoinRequest {
  readonly method: number
  readonly primeFieldSize?: bigint | undefined
  readonly shares: readonly Share[]
  /** Bytes of the secret, which the shares of GF(2^16) and of a prime field do not tell. */
  readonly secretBytes?: number | undefined
}

/** A field whose elements are shares: what polynomials need. */
interface Field<Element> {
  readonly zero: Element
  readonly fromNumber: (value: number) => Element
  readonly add: (left: Element, right: Element) => Element
  readonly subtract: (left: Element, right: Element) => Element
  readonly multiply: (left: Element, right: Element) => Element
  readonly invert: (value: Element) => Element
  readonly random: () => Element
  /** Elements that a Key Part Identifier can stand for: 1 to this. */
  readonly identifierMax: number
  /** The secret as elements, and back. */
  readonly elements: (bytes: Uint8Array) => Element[]
  readonly octets: (elements: readonly Element[], length: number | undefined) => Uint8Array
}

/** More parts than people: every share costs a polynomial, and joining the square of their number. */
const partsMax = 255
/** Parts times threshold times bytes of the secret: so much splitting takes some seconds. */
const workMax = 2 ** 26
/** A prime above that takes too long to find (1 s at 2000 bits), and a client's own one above the next to check. */
const foundPrimeBitsMax = 1024
const checkedPrimeBitsMax = 4096
/** Exponents of Mersenne primes: for longer secrets, up to an RSA key of 4096 bits with all its numbers. */
const mersenneExponents = [1279, 2203, 3217, 4253, 9689, 11213, 19937] as const
const primeBitsMax = mersenneExponents[6]

const wrongShares = (): KeyUseError => new KeyUseError('failed')

/** Multiplication in GF(2)[x] modulo a polynomial of degree 8, without a branch on the values. */
function multiplyBytes(left: number, right: number, polynomial: number): number {
  let product = 0
  let shifted = left
  for (let bit = 0; bit < 8; bit += 1) {
    product ^= shifted & -((right >> bit) & 1)
    shifted = (shifted << 1) ^ (polynomial & -(shifted >> 7))
  }
  return product
}

/** value^254, which is the inverse of every value but 0. */
function invertByte(value: number, polynomial: number): number {
  let result = 1
  let power = value
  for (let bit = 1; bit < 8; bit += 1) {
    power = multiplyBytes(power, power, polynomial)
    result = multiplyBytes(result, power, polynomial)
  }
  return result
}

const xor = (left: number, right: number): number => left ^ right

/**
 * x^8 + x^4 + x^3 + x^2 + 1: KMIP 2.1 §13.1 names it for GF(2^8), and the shares in the test cases of 1.4 are of it; the text
 * of 1.4 has no polynomial for this method.
 */
const polynomialOfBytes = 0x11d
/** x^8 + x^4 + x^3 + x + 1, below GF(2^16). KMIP 1.4 §2.2.5. */
const polynomialOfPairs = 0x11b
/** x^5 + x^4 + x^3 + x, in y^2 + y + m. KMIP 1.4 §2.2.5. */
const pairConstant = 0x3a

const byteField: Field<number> = {
  zero: 0,
  fromNumber: (value) => value,
  add: xor,
  subtract: xor,
  multiply: (left, right) => multiplyBytes(left, right, polynomialOfBytes),
  invert: (value) => invertByte(value, polynomialOfBytes),
  random: () => randomOctets(1)[0] ?? 0,
  identifierMax: 255,
  elements: (bytes) => [...bytes],
  octets: (elements) => Uint8Array.from(elements),
}

const inner = (left: number, right: number): number => multiplyBytes(left, right, polynomialOfPairs)

/**
 * (ry + s)(uy + v) = ((r + s)(u + v) + sv)y + (ru m + sv). The text prints m beside sv; since y^2 = y + m, it belongs to
 * ru, and only so is its inverse an inverse. KMIP 1.4 §2.2.5.
 */
function multiplyPairs(left: number, right: number): number {
  const [r, s, u, v] = [left >> 8, left & 0xff, right >> 8, right & 0xff]
  const low = inner(s, v)
  return ((inner(r ^ s, u ^ v) ^ low) << 8) | (inner(inner(r, u), pairConstant) ^ low)
}

/** (uy + v)^-1 = u d^-1 y + (u + v) d^-1, where d = (u + v)v + m u^2. KMIP 1.4 §2.2.5. */
function invertPair(value: number): number {
  const [u, v] = [value >> 8, value & 0xff]
  const inverse = invertByte(inner(u ^ v, v) ^ inner(pairConstant, inner(u, u)), polynomialOfPairs)
  return (inner(u, inverse) << 8) | inner(u ^ v, inverse)
}

const pairField: Field<number> = {
  zero: 0,
  fromNumber: (value) => value,
  add: xor,
  subtract: xor,
  multiply: multiplyPairs,
  invert: invertPair,
  random: () => Number(bigintOfBytes(randomOctets(2))),
  identifierMax: 65535,
  elements(bytes) {
    // A last piece of one byte is filled up with a zero behind it.
    const even = bytes.length + (bytes.length % 2)
    return Array.from({ length: even / 2 }, (_, index) => ((bytes[2 * index] ?? 0) << 8) | (bytes[2 * index + 1] ?? 0))
  },
  octets: (elements, length) =>
    Uint8Array.from(elements.flatMap((element) => [element >> 8, element & 0xff])).slice(0, length),
}

function primeField(prime: bigint): Field<bigint> {
  const bytes = Math.ceil(bitLength(prime) / 8)
  const modulo = (value: bigint): bigint => ((value % prime) + prime) % prime
  return {
    zero: 0n,
    fromNumber: (value) => BigInt(value),
    add: (left, right) => modulo(left + right),
    subtract: (left, right) => modulo(left - right),
    multiply: (left, right) => modulo(left * right),
    invert(value) {
      const inverse = inverseModulo(value, prime)
      if (inverse === undefined) throw wrongShares()
      return inverse
    },
    // 16 bytes more than the prime has leave no bias that could be seen.
    random: () => bigintOfBytes(randomOctets(bytes + 16)) % prime,
    identifierMax: prime > 65536n ? 65535 : Number(prime - 1n),
    elements(secret) {
      const value = bigintOfBytes(secret)
      if (value >= prime) throw wrongShares()
      return [value]
    },
    octets([element = 0n], length = bytes) {
      if (bitLength(element) > length * 8) throw wrongShares()
      return bytesOfBigint(element, length)
    },
  }
}

/** The smallest prime above 2^bits, or for long secrets the next Mersenne prime. */
function primeAbove(bits: number): bigint {
  if (bits >= foundPrimeBitsMax) {
    const exponent = mersenneExponents.find((each) => each > bits)
    if (exponent === undefined)
      throw new KeyUseError('invalidLength', 'The secret is too long for the split key method')
    return 2n ** BigInt(exponent) - 1n
  }
  let candidate = (1n << BigInt(bits)) + 1n
  while (!checkPrimeSync(candidate)) candidate += 2n
  return candidate
}

/** Whether a number is known to be a Mersenne prime, or is found to be a prime. */
function isPrime(value: bigint): boolean {
  const bits = bitLength(value)
  if (mersenneExponents.some((exponent) => exponent === bits && value === 2n ** BigInt(exponent) - 1n)) return true
  return bits <= checkedPrimeBitsMax && checkPrimeSync(value)
}

/** Checks the prime that a client names: a prime above 2^L. KMIP 1.4 §2.2.5. */
function checkedPrime(prime: bigint, secretBits: number): bigint {
  if (prime <= 0n || bitLength(prime) <= secretBits || !isPrime(prime)) {
    throw new KeyUseError('invalidParameter', 'The prime field size is not a prime above the secret')
  }
  return prime
}

/** The values of a random polynomial through the secret, at 1 to `parts`, piece by piece. */
function polynomialShares<Element>(field: Field<Element>, { parts, threshold, secret }: SplitRequest): Share[] {
  if (parts > field.identifierMax) {
    throw new KeyUseError('invalidParameter', 'The split key method does not have so many parts')
  }
  const polynomials = field
    .elements(secret)
    .map((piece) => [piece, ...Array.from({ length: threshold - 1 }, () => field.random())])
  return Array.from({ length: parts }, (_, index) => {
    const at = field.fromNumber(index + 1)
    const values = polynomials.map((coefficients) =>
      coefficients.reduceRight((sum, coefficient) => field.add(field.multiply(sum, at), coefficient), field.zero),
    )
    return { keyPartIdentifier: index + 1, bytes: field.octets(values, undefined) }
  })
}

/** The inverses of all values by one inversion, which costs hundreds of multiplications: each from the product of all. */
function inverted<Element>(field: Field<Element>, values: readonly Element[]): Element[] {
  const one = field.fromNumber(1)
  const products = [one]
  for (const value of values) products.push(field.multiply(products.at(-1) ?? one, value))
  let rest = field.invert(products.at(-1) ?? one)
  const inverses: Element[] = []
  for (let index = values.length - 1; index >= 0; index -= 1) {
    inverses[index] = field.multiply(rest, products[index] ?? one)
    rest = field.multiply(rest, values[index] ?? one)
  }
  return inverses
}

/** The value at 0 of the polynomial through the shares, piece by piece (Lagrange). */
function interpolated<Element>(field: Field<Element>, { shares, secretBytes }: JoinRequest): Uint8Array {
  const points = shares.map(({ keyPartIdentifier, bytes }) => {
    if (keyPartIdentifier < 1 || keyPartIdentifier > field.identifierMax) throw wrongShares()
    return { at: field.fromNumber(keyPartIdentifier), values: field.elements(bytes) }
  })
  const one = field.fromNumber(1)
  const fractions = points.map(({ at }, own) => {
    let [over, under] = [one, one]
    for (const [index, { at: other }] of points.entries()) {
      if (index === own) continue
      over = field.multiply(over, other)
      under = field.multiply(under, field.subtract(other, at))
    }
    return { over, under }
  })
  const inverses = inverted(
    field,
    fractions.map(({ under }) => under),
  )
  const weights = fractions.map(({ over }, index) => field.multiply(over, inverses[index] ?? one))
  const pieces = points[0]?.values ?? []
  const secret = pieces.map((_, piece) =>
    points.reduce((sum, { values }, index) => {
      const product = field.multiply(values[piece] ?? field.zero, weights[index] ?? field.zero)
      return field.add(sum, product)
    }, field.zero),
  )
  return field.octets(secret, secretBytes)
}

function xorShares({ parts, threshold, secret }: SplitRequest): Share[] {
  if (parts !== threshold) {
    throw new KeyUseError('invalidParameter', 'With XOR the threshold is the number of parts')
  }
  const random = Array.from({ length: parts - 1 }, () => randomOctets(secret.length))
  return [...random, xorOf([secret, ...random])].map((bytes, index) => ({ keyPartIdentifier: index + 1, bytes }))
}

const xorOf = (parts: readonly Uint8Array[]): Uint8Array =>
  parts.reduce(
    (sum, part) => sum.map((byte, index) => byte ^ (part[index] ?? 0)),
    new Uint8Array(parts[0]?.length ?? 0),
  )

const S = SplitKeyMethod
const unsupported = (): AlgorithmError =>
  new AlgorithmError('unsupportedParameter', 'The split key method is not supported')

/**
 * Splits a secret. Throws KeyUseError (`invalidParameter`, `invalidLength`), AlgorithmError for another method. KMIP 1.4 §4.38,
 * §2.2.5.
 */
export function splitKey(request: SplitRequest): SplitSecret {
  const { method, parts, threshold, secret } = request
  if (secret.length === 0) throw new KeyUseError('invalidLength', 'The secret is empty')
  const whole = Number.isInteger(parts) && Number.isInteger(threshold)
  const work = parts * threshold * secret.length
  if (!whole || threshold < 1 || threshold > parts || parts > partsMax || work > workMax) {
    throw new KeyUseError('invalidParameter', 'The parts or the threshold are out of range')
  }
  if (method === S.XOR) return { shares: xorShares(request) }
  if (method === S.PolynomialSharingGF2_8) return { shares: polynomialShares(byteField, request) }
  if (method === S.PolynomialSharingGF2_16) return { shares: polynomialShares(pairField, request) }
  if (method !== S.PolynomialSharingPrimeField) throw unsupported()
  const secretBits = secret.length * 8
  const primeFieldSize =
    request.primeFieldSize === undefined ? primeAbove(secretBits) : checkedPrime(request.primeFieldSize, secretBits)
  return { shares: polynomialShares(primeField(primeFieldSize), request), primeFieldSize }
}

/**
 * Joins shares. Throws KeyUseError (`failed`, always alike) for shares that do not go together, `missingParameter` for a prime
 * field without its prime, AlgorithmError for another method. KMIP 1.4 §4.39, §2.2.5.
 */
export function joinKey(request: JoinRequest): Uint8Array {
  const { method, shares, primeFieldSize, secretBytes } = request
  const [first] = shares
  const identifiers = new Set(shares.map(({ keyPartIdentifier }) => keyPartIdentifier))
  const work = shares.length ** 2 * (first?.bytes.length ?? 0)
  if (first === undefined || shares.length > partsMax || work > workMax || identifiers.size !== shares.length) {
    throw wrongShares()
  }
  if (method === S.PolynomialSharingPrimeField) {
    if (primeFieldSize === undefined) throw new KeyUseError('missingParameter', 'The prime field size is missing')
    if (primeFieldSize < 2n || bitLength(primeFieldSize) > primeBitsMax) throw wrongShares()
    return interpolated(primeField(primeFieldSize), request)
  }
  if (shares.some(({ bytes }) => bytes.length !== first.bytes.length)) throw wrongShares()
  if (method === S.XOR) return xorOf([first.bytes, ...shares.slice(1).map(({ bytes }) => bytes)]).slice(0, secretBytes)
  if (method === S.PolynomialSharingGF2_8) return interpolated(byteField, request)
  if (method === S.PolynomialSharingGF2_16) return interpolated(pairField, request)
  throw unsupported()
}
