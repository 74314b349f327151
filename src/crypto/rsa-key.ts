/**
 * RSA keys: transparent structures to KeyObject and back, and the checks that the library leaves out. What it is: the
 * completion of a private key of which only a part is given, and the proof that its parts belong together. What it is
 * not: DER (the library reads and writes it). KMIP 1.4 §2.1.7.4, §2.1.7.5; RFC 8017 §3.
 */

import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto'
import { readPrivateKeyInfo, readPublicKeyInfo } from './der.ts'
import { KeyFormatError } from './errors.ts'
import {
  bigintOfBytes,
  bitLength,
  bytesOfBigint,
  greatestCommonDivisor,
  inverseModulo,
  powerModulo,
} from './integers.ts'
import {
  required,
  type TransparentKey,
  type TransparentRSAPrivateKey,
  type TransparentRSAPublicKey,
} from './transparent.ts'

/** The library handles no more; a longer modulus would only cost time. */
export const rsaModulusBitsMax = 16384
/** Finding the primes from an exponent takes about 25 ms at 2048 bits and grows with the cube: above this it is refused. */
export const rsaRecoveryBitsMax = 4096
/** The exponent that is meant when a private key comes without its public exponent. */
const usualPublicExponent = 65537n

const mismatch = (): KeyFormatError => new KeyFormatError('invalid', 'The parts of the RSA key do not belong together')

const encoded = (value: bigint): string => Buffer.from(bytesOfBigint(value)).toString('base64url')
const decoded = (text: string | undefined): bigint => bigintOfBytes(Buffer.from(text ?? '', 'base64url'))

function checkedPublic(modulus: bigint, publicExponent: bigint): void {
  if (modulus <= 0n || publicExponent <= 2n)
    throw new KeyFormatError('invalid', 'The RSA key has a number out of range')
  if (bitLength(modulus) > rsaModulusBitsMax) throw new KeyFormatError('unsupported', 'The RSA modulus is too long')
  if (modulus % 2n === 0n || publicExponent % 2n === 0n || publicExponent >= modulus) {
    throw new KeyFormatError('invalid', 'The RSA key has a number out of range')
  }
}

/** A public key from its structure. Throws KeyFormatError. KMIP 1.4 §2.1.7.5. */
export function rsaPublicKeyOf(structure: TransparentKey): KeyObject {
  const modulus = required(structure, 'modulus')
  const publicExponent = required(structure, 'publicExponent')
  checkedPublic(modulus, publicExponent)
  return createPublicKey({ key: { kty: 'RSA', n: encoded(modulus), e: encoded(publicExponent) }, format: 'jwk' })
}

/** The structure of a public key. */
export function transparentRSAPublicKey(key: KeyObject): TransparentRSAPublicKey {
  const { n, e } = key.export({ format: 'jwk' })
  return { modulus: decoded(n), publicExponent: decoded(e) }
}

/** The structure of a private key, with every field. */
export function transparentRSAPrivateKey(key: KeyObject): Required<TransparentRSAPrivateKey> {
  const { n, e, d, p, q, dp, dq, qi } = key.export({ format: 'jwk' })
  return {
    modulus: decoded(n),
    privateExponent: decoded(d),
    publicExponent: decoded(e),
    p: decoded(p),
    q: decoded(q),
    primeExponentP: decoded(dp),
    primeExponentQ: decoded(dq),
    crtCoefficient: decoded(qi),
  }
}

/** Whether a structure lacks a prime, so that reading it takes milliseconds: such a job goes to the pool. */
export function needsRecovery(structure: TransparentKey): boolean {
  return structure.p === undefined || structure.q === undefined
}

/** Whether the numbers of a structure are so long that arithmetic with them takes milliseconds (12 to 100 with 16384 bits). */
export function isLong({ modulus = 0n }: TransparentKey): boolean {
  return bitLength(modulus) > rsaRecoveryBitsMax
}

/**
 * A private key from its structure, completed from what is given: P and Q; or the private exponent; or the exponent of a
 * prime. Throws KeyFormatError. KMIP 1.4 §2.1.7.4.
 */
export function rsaPrivateKeyOf(structure: TransparentKey): KeyObject {
  const modulus = required(structure, 'modulus')
  const publicExponent = structure.publicExponent ?? publicExponentOf(structure)
  checkedPublic(modulus, publicExponent)
  const [p, q] = primesOf(structure, modulus, publicExponent)
  if (p <= 1n || q <= 1n || p * q !== modulus) throw mismatch()
  const phi = (p - 1n) * (q - 1n)
  const privateExponent = structure.privateExponent ?? inverseModulo(publicExponent, phi)
  const crtCoefficient = inverseModulo(q, p)
  if (privateExponent === undefined || crtCoefficient === undefined || privateExponent <= 0n) throw mismatch()
  const complete = {
    modulus,
    publicExponent,
    privateExponent,
    p,
    q,
    primeExponentP: privateExponent % (p - 1n),
    primeExponentQ: privateExponent % (q - 1n),
    crtCoefficient,
  }
  const given: TransparentKey = complete
  for (const name of Object.keys(complete) as (keyof typeof complete)[]) {
    if (structure[name] !== undefined && structure[name] !== given[name]) throw mismatch()
  }
  checkedPrivate(complete)
  return createPrivateKey({ key: jsonWebKeyOf(complete), format: 'jwk' })
}

const jsonWebKeyOf = (key: Required<TransparentRSAPrivateKey>) => ({
  kty: 'RSA',
  n: encoded(key.modulus),
  e: encoded(key.publicExponent),
  d: encoded(key.privateExponent),
  p: encoded(key.p),
  q: encoded(key.q),
  dp: encoded(key.primeExponentP),
  dq: encoded(key.primeExponentQ),
  qi: encoded(key.crtCoefficient),
})

/** The parts of a private key must belong together: a wrong part gives signatures that tell the primes. */
function checkedPrivate(key: Required<TransparentRSAPrivateKey>): void {
  const { modulus, publicExponent, privateExponent, p, q } = key
  checkedPublic(modulus, publicExponent)
  if (p <= 1n || q <= 1n || p * q !== modulus) throw mismatch()
  const product = publicExponent * privateExponent
  if (product % (p - 1n) !== 1n || product % (q - 1n) !== 1n) throw mismatch()
  if (key.primeExponentP !== privateExponent % (p - 1n) || key.primeExponentQ !== privateExponent % (q - 1n))
    throw mismatch()
  if ((key.crtCoefficient * q) % p !== 1n) throw mismatch()
}

/** Checks a key that the library has read: size, exponent, and the parts of a private key. Throws KeyFormatError. */
export function checkRsaKey(key: KeyObject): void {
  const { modulusLength } = key.asymmetricKeyDetails ?? {}
  if (modulusLength === undefined || modulusLength > rsaModulusBitsMax) {
    throw new KeyFormatError('unsupported', 'The RSA modulus is too long')
  }
  const plain = unboundRsaKey(key)
  if (key.type === 'private') checkedPrivate(transparentRSAPrivateKey(plain))
  else {
    const { modulus, publicExponent } = transparentRSAPublicKey(plain)
    checkedPublic(modulus, publicExponent)
  }
}

/**
 * The same numbers under rsaEncryption, which the library tells and computes with, of a key of id-RSASSA-PSS (RFC 4055 §1.2): what
 * stands within its PKCS#8 or SubjectPublicKeyInfo is PKCS#1. Another key as it is. Throws KeyFormatError, or the library's error.
 */
export function unboundRsaKey(key: KeyObject): KeyObject {
  if (key.asymmetricKeyType !== 'rsa-pss') return key
  if (key.type === 'public') {
    const { key: numbers } = readPublicKeyInfo(key.export({ format: 'der', type: 'spki' }))
    return createPublicKey({ key: Buffer.from(numbers), format: 'der', type: 'pkcs1' })
  }
  const info = readPrivateKeyInfo(key.export({ format: 'der', type: 'pkcs8' }))
  if (info === undefined) throw mismatch()
  return createPrivateKey({ key: Buffer.from(info.key), format: 'der', type: 'pkcs1' })
}

function publicExponentOf(structure: TransparentKey): bigint {
  const { p, q, privateExponent } = structure
  if (p === undefined || q === undefined || privateExponent === undefined || p <= 1n || q <= 1n)
    return usualPublicExponent
  if (bitLength(p) + bitLength(q) > rsaModulusBitsMax + 1) return usualPublicExponent
  // Several exponents may answer modulo (P-1)(Q-1); the usual one is meant if it is among them.
  if (
    (usualPublicExponent * privateExponent) % (p - 1n) === 1n &&
    (usualPublicExponent * privateExponent) % (q - 1n) === 1n
  ) {
    return usualPublicExponent
  }
  return inverseModulo(privateExponent, (p - 1n) * (q - 1n)) ?? usualPublicExponent
}

/** P and Q: given, or the other factor of one that is given, or found from an exponent. */
function primesOf(structure: TransparentKey, modulus: bigint, publicExponent: bigint): readonly [bigint, bigint] {
  const { p, q, privateExponent, primeExponentP, primeExponentQ } = structure
  if (p !== undefined && q !== undefined) return [p, q]
  if (p !== undefined && p > 1n) return [p, modulus / p]
  if (q !== undefined && q > 1n) return [modulus / q, q]
  if (privateExponent === undefined && primeExponentP === undefined && primeExponentQ === undefined) {
    throw new KeyFormatError('invalid', 'The RSA private key has neither exponent nor primes')
  }
  const exponents = [privateExponent, primeExponentP, primeExponentQ].filter((exponent) => exponent !== undefined)
  const longest = Math.max(...[modulus, publicExponent, ...exponents].map(bitLength))
  if (longest > rsaRecoveryBitsMax || exponents.some((exponent) => exponent <= 0n)) {
    throw new KeyFormatError('unsupported', 'The RSA private key without its primes is too long to complete')
  }
  if (privateExponent === undefined && primeExponentP === undefined) {
    const found = primeOfExponent(publicExponent * (primeExponentQ ?? 0n) - 1n, modulus)
    return [modulus / found, found]
  }
  if (primeExponentP !== undefined) {
    const found = primeOfExponent(publicExponent * primeExponentP - 1n, modulus)
    return [found, modulus / found]
  }
  const found = factorByPrivateExponent(publicExponent * (privateExponent ?? 0n) - 1n, modulus)
  const other = modulus / found
  return found > other ? [found, other] : [other, found]
}

/** Bases to try: each fails for a right key with a chance of at most one half. */
const bases: readonly bigint[] = [2n, 3n, 5n, 7n, 11n, 13n, 17n, 19n, 23n, 29n, 31n, 37n, 41n, 43n, 47n, 53n]

/** The prime P for which `multiple` is a multiple of P-1: base ^ multiple is 1 modulo P, hardly ever modulo Q. */
function primeOfExponent(multiple: bigint, modulus: bigint): bigint {
  if (multiple <= 0n) throw mismatch()
  for (const base of bases.slice(0, 4)) {
    const factor = greatestCommonDivisor(powerModulo(base, multiple, modulus) + modulus - 1n, modulus)
    if (factor > 1n && factor < modulus) return factor
  }
  throw mismatch()
}

/** A factor of the modulus from a multiple of the order of its group, by roots of 1 (NIST SP 800-56B appendix C.1). */
function factorByPrivateExponent(multiple: bigint, modulus: bigint): bigint {
  if (multiple <= 0n || multiple % 2n === 1n) throw mismatch()
  let odd = multiple
  let halvings = 0
  while (odd % 2n === 0n) {
    odd /= 2n
    halvings += 1
  }
  for (const base of bases) {
    let root = powerModulo(base, odd, modulus)
    for (let step = 0; step < halvings && root !== 1n && root !== modulus - 1n; step += 1) {
      const square = (root * root) % modulus
      if (square === 1n) return greatestCommonDivisor(root - 1n, modulus)
      root = square
    }
  }
  throw mismatch()
}
