/**
 * ECDSA and DSA over a digest that the client has computed. What it is: the way to have the library, which insists on
 * hashing, sign and check a given digest. What it is not: signatures over data (signature.ts).
 *
 * With z the digest, a the digest of a fixed text and t = a / z modulo the order n of the group, a signature (r, s) of
 * z under the key d is the signature (r, s * t) of a under the key t * d: r is the same, and
 * s * t = (z + r * d) * t / k = (a + r * t * d) / k. So the library signs the fixed text under a key of another size.
 * FIPS 186-5 §6.4; KMIP 1.4 §4.31 (Digested Data).
 */

import { createECDH, ECDH, generateKeyPairSync, type KeyObject, sign, verify } from 'node:crypto'
import { HashingAlgorithm } from '#kmip/enums'
import type { CurveRow } from './curves.ts'
import { contentOf, derElement, derElements, derInteger, derSequence, integerOf, tagSequence } from './der.ts'
import { digestOf } from './digest.ts'
import { curveOf, ecPrivateKeyOf, ecPublicKeyOf, transparentECPrivateKey, transparentECPublicKey } from './ec-key.ts'
import { AlgorithmError, KeyFormatError, KeyUseError } from './errors.ts'
import type { FiniteFieldKey } from './finite-field-key.ts'
import { bigintOfBytes, bitLength, bytesOfBigint, inverseModulo, powerModulo } from './integers.ts'
import { finiteFieldObject, type UsableKey } from './key-use.ts'
import { concatenated } from './octets.ts'

/** A group that signs: its order, and a key multiplied by a number below the order. */
interface Group {
  readonly order: bigint
  readonly scaled: (factor: bigint) => KeyObject
}

const fixedText = new TextEncoder().encode('kmipd: a digest of the client')
const fixedTextHash = 'sha256'
const fixedTextDigest = digestOf(HashingAlgorithm.SHA_256, fixedText)

/** The number that a digest stands for: its leftmost bits, as many as the order has. FIPS 186-5 §6.4.1. */
function numberOf(digest: Uint8Array, order: bigint): bigint {
  const surplus = digest.length * 8 - bitLength(order)
  return (bigintOfBytes(digest) >> BigInt(Math.max(0, surplus))) % order
}

/** t, and its inverse. */
function factorOf(digest: Uint8Array, order: bigint): { readonly factor: bigint; readonly inverse: bigint } {
  const number = numberOf(digest, order)
  const fixed = numberOf(fixedTextDigest, order)
  const inverseNumber = inverseModulo(number, order)
  const inverseFixed = inverseModulo(fixed, order)
  if (inverseNumber === undefined || inverseFixed === undefined) {
    throw new KeyUseError('invalidParameter', 'The digest cannot be signed')
  }
  return { factor: (fixed * inverseNumber) % order, inverse: (number * inverseFixed) % order }
}

const signatureOf = (r: bigint, s: bigint): Uint8Array => derElement(tagSequence, derInteger(r), derInteger(s))

function numbersOf(signature: Uint8Array): readonly [bigint, bigint] {
  const [r, s, ...rest] = derSequence(signature)
  if (rest.length > 0) throw new KeyFormatError('invalid', 'The signature has more than two numbers')
  return [integerOf(r), integerOf(s)]
}

/** Signs a digest with a private ECDSA or DSA key: the DER of (r, s). Throws KeyUseError, AlgorithmError. FIPS 186-5 §6.4.1. */
export function signDigest(key: UsableKey, digest: Uint8Array): Uint8Array {
  const { order, scaled } = groupOf(key)
  const { factor, inverse } = factorOf(digest, order)
  const [r, s] = numbersOf(sign(fixedTextHash, fixedText, scaled(factor)))
  return signatureOf(r, (s * inverse) % order)
}

/** Whether a signature is one of a digest; false too for what is no signature at all. Throws AlgorithmError. FIPS 186-5 §6.4.2. */
export function verifyDigest(key: UsableKey, digest: Uint8Array, signature: Uint8Array): boolean {
  const { order, scaled } = groupOf(key)
  const { factor } = factorOf(digest, order)
  try {
    const [r, s] = numbersOf(signature)
    if (s <= 0n || s >= order) return false
    return verify(fixedTextHash, fixedText, scaled(factor), signatureOf(r, (s * factor) % order))
  } catch (error) {
    if (error instanceof KeyFormatError) return false
    throw error
  }
}

function groupOf({ family, key, numbers }: UsableKey): Group {
  if (family === 'dsa' && numbers !== undefined) return finiteFieldGroup(numbers)
  if (family !== 'ec') throw new AlgorithmError('unsupportedParameter', 'The key signs no digested data')
  const curve = curveOf(key)
  const domain = domainOf(curve)
  return {
    order: domain.order,
    scaled: (factor) =>
      key.type === 'private' ? scaledPrivate(key, factor, domain) : scaledPublic(key, factor, curve),
  }
}

function finiteFieldGroup(numbers: FiniteFieldKey): Group {
  const { p, q = 0n, x, y = 0n } = numbers
  return {
    order: q,
    scaled: (factor) =>
      finiteFieldObject(
        x === undefined ? { ...numbers, y: powerModulo(y, factor, p) } : { ...numbers, x: (x * factor) % q },
      ),
  }
}

interface Domain {
  /** Of a prime field: the prime. */
  readonly prime: bigint
  readonly order: bigint
}

const domains = new Map<string, Domain>()

/** The numbers of a curve, which the library tells only with a key that spells them out (SEC 1 appendix C.2). */
function domainOf({ libraryName }: CurveRow): Domain {
  const known = domains.get(libraryName)
  if (known !== undefined) return known
  const { publicKey } = generateKeyPairSync('ec', {
    namedCurve: libraryName,
    paramEncoding: 'explicit',
    publicKeyEncoding: { format: 'der', type: 'spki' },
    privateKeyEncoding: { format: 'der', type: 'pkcs8' },
  })
  const [algorithm] = derSequence(publicKey)
  const [, parameters] = derElements(contentOf(algorithm, tagSequence))
  const [, field, , , order] = derElements(contentOf(parameters, tagSequence))
  const [, prime] = derElements(contentOf(field, tagSequence))
  const isPrime = prime !== undefined && prime.tag !== tagSequence
  const domain = { prime: isPrime ? integerOf(prime) : 0n, order: integerOf(order) }
  domains.set(libraryName, domain)
  return domain
}

function scaledPrivate(key: KeyObject, factor: bigint, { order }: Domain): KeyObject {
  const { recommendedCurve, d } = transparentECPrivateKey(key)
  return ecPrivateKeyOf({ recommendedCurve, d: (d * factor) % order })
}

/** The library multiplies points, but gives the first coordinate only: which of the two points it is, one addition tells. */
function scaledPublic(key: KeyObject, factor: bigint, curve: CurveRow): KeyObject {
  const { prime, order } = domainOf(curve)
  if (prime === 0n) throw new AlgorithmError('unsupportedCurve', 'Digested data is not checked on that curve')
  const { recommendedCurve, qString } = transparentECPublicKey(key)
  const length = (qString.length - 1) / 2
  const multiple = (by: bigint): bigint => {
    const ecdh = createECDH(curve.libraryName)
    ecdh.setPrivateKey(bytesOfBigint(by, Math.ceil(bitLength(order) / 8)))
    return bigintOfBytes(ecdh.computeSecret(qString))
  }
  const x = multiple(factor)
  const compressed = concatenated(Uint8Array.of(2), bytesOfBigint(x, length))
  const point = ECDH.convertKey(compressed, curve.libraryName, undefined, undefined, 'uncompressed')
  const y = bigintOfBytes(Uint8Array.from(Buffer.from(point)).subarray(1 + length))
  const ownX = bigintOfBytes(qString.subarray(1, 1 + length))
  const ownY = bigintOfBytes(qString.subarray(1 + length))
  const right =
    x === ownX
      ? (y === ownY) === (factor === 1n)
      : firstOfSum([x, y], [ownX, ownY], prime) === multiple((factor + 1n) % order)
  const whole = concatenated(Uint8Array.of(4), bytesOfBigint(x, length), bytesOfBigint(right ? y : prime - y, length))
  return ecPublicKeyOf({ recommendedCurve, qString: whole })
}

type Point = readonly [bigint, bigint]

/** The first coordinate of the sum of two points that are neither equal nor opposite. SEC 1 §2.2.1. */
function firstOfSum([x1, y1]: Point, [x2, y2]: Point, prime: bigint): bigint {
  const slope = (y1 - y2) * (inverseModulo(x1 - x2, prime) ?? 0n)
  const sum = (slope * slope - x1 - x2) % prime
  return sum < 0n ? sum + prime : sum
}
