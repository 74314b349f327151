/**
 * Making keys. What it is: random symmetric keys and key pairs of every row that generates, in the formats asked for. What
 * it is not: where the work runs (run.ts). KMIP 1.4 §4.1, §4.2. Entropy enters here: from the library's generator alone.
 */

import { createDiffieHellmanGroup, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { systemEntropy } from '#actor/entropy'
import { type CryptographicAlgorithm, KeyFormatType, type RecommendedCurve } from '#kmip/enums'
import { type AlgorithmRow, algorithmRows, lengthAllowed, materialBytesOf } from './algorithms.ts'
import {
  type AsymmetricKey,
  asymmetricFormats,
  asymmetricKeyOf,
  asymmetricKeyOfNumbers,
  type Half,
  lengthBitsOf,
  readAsymmetricKey,
  recommendedCurveOf,
  unreadable,
  writeAsymmetricKey,
} from './asymmetric-key.ts'
import { type CurveRow, curveByLengthBits, curveRows } from './curves.ts'
import { AlgorithmError, CryptoFailure } from './errors.ts'
import { bigintOfBytes } from './integers.ts'
import type { KeyMaterial } from './transparent.ts'

/** What to make. Lengths in bits; what is left open the server picks. KMIP 1.4 §4.1. */
export interface SymmetricKeyRequest {
  readonly cryptographicAlgorithm: CryptographicAlgorithm
  readonly cryptographicLength?: number | undefined
}

/** What to make. Lengths in bits; what is left open the server picks. KMIP 1.4 §4.2, §3.7 (Q Length, Recommended Curve). */
export interface KeyPairRequest {
  readonly cryptographicAlgorithm: CryptographicAlgorithm
  readonly cryptographicLength?: number | undefined
  readonly recommendedCurve?: RecommendedCurve | undefined
  /** DSA: bits of Q. */
  readonly qLength?: number | undefined
  /** RSA: 65537 if left open. */
  readonly publicExponent?: number | undefined
  readonly privateKeyFormatType?: KeyFormatType | undefined
  readonly publicKeyFormatType?: KeyFormatType | undefined
}

/** A key in a format. */
export interface KeyInFormat {
  readonly keyFormatType: KeyFormatType
  readonly keyMaterial: KeyMaterial
}

/** A new symmetric key, in format Raw. */
export interface GeneratedKey {
  readonly cryptographicAlgorithm: CryptographicAlgorithm
  readonly cryptographicLength: number
  readonly keyFormatType: KeyFormatType
  readonly keyMaterial: Uint8Array
}

/** A new key pair. */
export interface GeneratedKeyPair {
  readonly cryptographicAlgorithm: CryptographicAlgorithm
  readonly cryptographicLength: number
  readonly recommendedCurve?: number
  readonly privateKey: KeyInFormat
  readonly publicKey: KeyInFormat
}

const unsupported = (what: 'Algorithm' | 'Length' | 'Curve' | 'Parameter'): AlgorithmError =>
  new AlgorithmError(`unsupported${what}`, `The server makes no key of that ${what.toLowerCase()}`)

/** Random bytes for initialization vectors, salts and the like: an own buffer, which can be wiped and holds nothing else. */
export function randomOctets(length: number): Uint8Array {
  return systemEntropy.bytes(length)
}

/** Makes a symmetric or HMAC key. Throws AlgorithmError. KMIP 1.4 §4.1. */
export function generateSymmetricKey(request: SymmetricKeyRequest): GeneratedKey {
  const row = algorithmRows.get(request.cryptographicAlgorithm)
  if (row === undefined || (row.kind !== 'symmetric' && row.kind !== 'hmac')) throw unsupported('Algorithm')
  const cryptographicLength = lengthBitsFor(row, request.cryptographicLength)
  const bytes = materialBytesOf(row, cryptographicLength)
  const keyMaterial = randomOctets(bytes)
  if (row.parity === true) setOddParity(keyMaterial)
  return { cryptographicAlgorithm: row.value, cryptographicLength, keyFormatType: KeyFormatType.Raw, keyMaterial }
}

/** The length of a request, or the row's own. Throws AlgorithmError. */
function lengthBitsFor(row: AlgorithmRow, lengthBits: number | undefined): number {
  const bits = lengthBits ?? row.defaultLengthBits
  if (bits === undefined || !lengthAllowed(row.lengths, bits)) throw unsupported('Length')
  return bits
}

/** Sets the lowest bit of every byte so that the byte has an odd number of ones (FIPS 46-3). */
function setOddParity(bytes: Uint8Array): void {
  for (const [index, byte] of bytes.entries()) {
    let ones = 0
    for (let bit = 1; bit < 8; bit += 1) ones += (byte >> bit) & 1
    bytes[index] = (byte & 0xfe) | ((ones + 1) & 1)
  }
}

type Pair = { readonly privateKey: AsymmetricKey; readonly publicKey: AsymmetricKey }
type Maker = (row: AlgorithmRow, request: KeyPairRequest) => Pair

/** Makes a key pair. Throws AlgorithmError, or KeyFormatError for formats that such a pair does not have. KMIP 1.4 §4.2. */
export function generateKeyPair(request: KeyPairRequest): GeneratedKeyPair {
  const row = algorithmRows.get(request.cryptographicAlgorithm)
  const make = row === undefined ? undefined : makers[row.kind]
  if (row === undefined || make === undefined) throw unsupported('Algorithm')
  const { privateKey, publicKey } = make(row, request)
  const recommendedCurve = recommendedCurveOf(privateKey)
  return {
    cryptographicAlgorithm: row.value,
    cryptographicLength: lengthBitsOf(privateKey),
    ...(recommendedCurve === undefined ? {} : { recommendedCurve }),
    privateKey: inFormat(row, privateKey, 'private', request.privateKeyFormatType),
    publicKey: inFormat(row, publicKey, 'public', request.publicKeyFormatType),
  }
}

function inFormat(row: AlgorithmRow, key: AsymmetricKey, half: Half, asked: KeyFormatType | undefined): KeyInFormat {
  const own = half === 'private' ? row.formats?.privateKey : row.formats?.publicKey
  const general = half === 'private' ? KeyFormatType.PKCS_8 : KeyFormatType.X_509
  // ECPrivateKey is for curves with points; the Montgomery curves among ECDH's have PKCS#8.
  const keyFormatType = asked ?? (key.family === 'montgomery' ? general : (own ?? general))
  if (!asymmetricFormats.has(keyFormatType)) throw unsupported('Parameter')
  return { keyFormatType, keyMaterial: writeAsymmetricKey(keyFormatType, key) }
}

const pairOf = (pair: { privateKey: KeyObject; publicKey: KeyObject }): Pair => ({
  privateKey: asymmetricKeyOf(pair.privateKey),
  publicKey: asymmetricKeyOf(pair.publicKey),
})

function makeRsa(row: AlgorithmRow, request: KeyPairRequest): Pair {
  const modulusLength = lengthBitsFor(row, request.cryptographicLength)
  const publicExponent = request.publicExponent ?? 65537
  // Below 65537 are exponents with known pitfalls (FIPS 186-5 §A.1.1); above 32 bits the library does not go.
  if (publicExponent % 2 !== 1 || publicExponent < 65537 || publicExponent > 0xffffffff) throw unsupported('Parameter')
  return pairOf(generateKeyPairSync('rsa', { modulusLength, publicExponent }))
}

/** The curve of a request: named, or meant by its length. Throws AlgorithmError. */
function curveFor(row: AlgorithmRow, request: KeyPairRequest): CurveRow {
  const { recommendedCurve, cryptographicLength } = request
  if (recommendedCurve === undefined) {
    const curve = curveByLengthBits.get(lengthBitsFor(row, cryptographicLength))
    if (curve === undefined) throw unsupported('Length')
    return curve
  }
  const curve = curveRows.get(recommendedCurve)
  if (curve === undefined) throw unsupported('Curve')
  const { lengthBits } = curve
  const roundedBits = Math.ceil(lengthBits / 8) * 8
  if (cryptographicLength !== undefined && cryptographicLength !== lengthBits && cryptographicLength !== roundedBits) {
    throw unsupported('Length')
  }
  return curve
}

const montgomeryPair = (type: string): { privateKey: KeyObject; publicKey: KeyObject } =>
  type === 'x25519' ? generateKeyPairSync('x25519') : generateKeyPairSync('x448')

function makeEc(row: AlgorithmRow, request: KeyPairRequest): Pair {
  const curve = curveFor(row, request)
  if (curve.field !== 'montgomery') return pairOf(generateKeyPairSync('ec', { namedCurve: curve.libraryName }))
  // The Montgomery curves agree on keys; they do not sign.
  if (row.name !== 'ECDH' && row.name !== 'EC') throw unsupported('Curve')
  return pairOf(montgomeryPair(curve.libraryName))
}

function makeEdwards(row: AlgorithmRow, request: KeyPairRequest): Pair {
  const lengthBits = lengthBitsFor(row, request.cryptographicLength)
  return pairOf(lengthBits === 256 ? generateKeyPairSync('ed25519') : generateKeyPairSync('ed448'))
}

/** Bits of Q for each length of P, the usual one first (FIPS 186-4 §4.2). */
const qLengths: ReadonlyMap<number, readonly number[]> = new Map([
  [1024, [160]],
  [2048, [256, 224]],
  [3072, [256]],
])

function makeDsa(row: AlgorithmRow, request: KeyPairRequest): Pair {
  const modulusLength = lengthBitsFor(row, request.cryptographicLength)
  const allowed = qLengths.get(modulusLength) ?? []
  const divisorLength = request.qLength ?? allowed[0]
  if (divisorLength === undefined || !allowed.includes(divisorLength)) throw unsupported('Parameter')
  const { privateKey, publicKey } = generateKeyPairSync('dsa', { modulusLength, divisorLength })
  return {
    privateKey: readBack(KeyFormatType.PKCS_8, privateKey.export({ format: 'der', type: 'pkcs8' }), 'private'),
    publicKey: readBack(KeyFormatType.X_509, publicKey.export({ format: 'der', type: 'spki' }), 'public'),
  }
}

function readBack(keyFormatType: KeyFormatType, der: Uint8Array, half: Half): AsymmetricKey {
  const key = readAsymmetricKey(keyFormatType, der, half)
  if (key === unreadable) throw new CryptoFailure('DSA key not read back')
  return key
}

/** RFC 2409 §6.2 and RFC 3526, by bits of the prime. */
const groups: ReadonlyMap<number, string> = new Map([
  [1024, 'modp2'],
  [1536, 'modp5'],
  [2048, 'modp14'],
  [3072, 'modp15'],
  [4096, 'modp16'],
])

function makeDh(row: AlgorithmRow, request: KeyPairRequest): Pair {
  const group = groups.get(lengthBitsFor(row, request.cryptographicLength))
  if (group === undefined) throw unsupported('Length')
  const exchange = createDiffieHellmanGroup(group)
  const y = bigintOfBytes(exchange.generateKeys())
  const x = bigintOfBytes(exchange.getPrivateKey())
  const domain = {
    kind: 'dh' as const,
    p: bigintOfBytes(exchange.getPrime()),
    g: bigintOfBytes(exchange.getGenerator()),
  }
  return {
    privateKey: asymmetricKeyOfNumbers({ ...domain, x }),
    publicKey: asymmetricKeyOfNumbers({ ...domain, y }),
  }
}

const makers: Readonly<Partial<Record<AlgorithmRow['kind'], Maker>>> = {
  rsa: makeRsa,
  ec: makeEc,
  edwards: makeEdwards,
  dsa: makeDsa,
  dh: makeDh,
}
