/**
 * The two halves of a key pair in one inner form, and a row per Key Format Type that reads and writes it. What it is: where
 * PKCS#1, PKCS#8, SubjectPublicKeyInfo ("X.509"), ECPrivateKey, Raw and the transparent structures meet. What it is not:
 * symmetric keys, nor what a client claims about a key (key-format.ts). KMIP 1.4 §2.1.3, §2.1.7, §9.1.3.2.3.
 */

import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto'
import { CryptographicAlgorithm, type KeyCompressionType, KeyFormatType } from '#kmip/enums'
import { derElements, derSequence, readPrivateKeyInfo, readPublicKeyInfo, tagObjectIdentifier } from './der.ts'
import {
  checkEcKey,
  curveOf,
  ecPrivateKeyOf,
  ecPublicKeyInfo,
  ecPublicKeyOf,
  rawBytesOf,
  rawKeyOf,
  transparentECPrivateKey,
  transparentECPublicKey,
} from './ec-key.ts'
import { KeyFormatError } from './errors.ts'
import {
  type FiniteFieldKey,
  finiteFieldKeyOf,
  readFiniteFieldKey,
  transparentFiniteFieldKey,
  writeFiniteFieldKey,
} from './finite-field-key.ts'
import { bitLength } from './integers.ts'
import {
  checkRsaKey,
  rsaPrivateKeyOf,
  rsaPublicKeyOf,
  transparentRSAPrivateKey,
  transparentRSAPublicKey,
} from './rsa-key.ts'
import { bytesOf, type KeyMaterial, plainBytes, structureOf } from './transparent.ts'

export type Half = 'private' | 'public'
export type Family = 'rsa' | 'ec' | 'edwards' | 'montgomery' | 'dsa' | 'dh'

/** One half of a key pair: the library's object, or the numbers of a DSA or DH key. */
export type AsymmetricKey =
  | { readonly family: 'dsa' | 'dh'; readonly half: Half; readonly numbers: FiniteFieldKey }
  | { readonly family: 'rsa' | 'ec' | 'edwards' | 'montgomery'; readonly half: Half; readonly key: KeyObject }

/** Material that has the right shape but cannot be looked into: an encrypted PKCS#8 key, or raw bytes of no known order. */
export const unreadable = Symbol('unreadable')

interface FormatRow {
  readonly name: string
  readonly halves: readonly Half[]
  /** Reads material. `algorithm` is the client's claim, which Raw needs. May throw the library's errors. */
  read(material: KeyMaterial, half: Half, algorithm: number | undefined): AsymmetricKey | typeof unreadable
  /** Writes a key; undefined where the format has no place for its family. May throw the library's errors. */
  write(key: AsymmetricKey, compression: KeyCompressionType | undefined): KeyMaterial | undefined
}

const families: ReadonlyMap<string | undefined, 'rsa' | 'ec' | 'edwards' | 'montgomery'> = new Map([
  ['rsa', 'rsa'],
  ['rsa-pss', 'rsa'],
  ['ec', 'ec'],
  ['ed25519', 'edwards'],
  ['ed448', 'edwards'],
  ['x25519', 'montgomery'],
  ['x448', 'montgomery'],
])

/** The inner form of a key that the library has read or made, checked. Throws KeyFormatError. */
export function asymmetricKeyOf(key: KeyObject): AsymmetricKey {
  const family = families.get(key.asymmetricKeyType)
  if (family === undefined || key.type === 'secret')
    throw new KeyFormatError('unsupported', 'The kind of key is not supported')
  if (family === 'rsa') checkRsaKey(key)
  else if (family !== 'edwards') checkEcKey(key)
  return { family, half: key.type, key }
}

/** The inner form of a DSA or DH key. */
export function asymmetricKeyOfNumbers(numbers: FiniteFieldKey): AsymmetricKey {
  return { family: numbers.kind, half: numbers.x === undefined ? 'public' : 'private', numbers }
}

/** Object identifiers that the library may be given; a curve must come by name, not by its numbers. */
const oidEc = '2a8648ce3d0201'
const knownOids: ReadonlySet<string> = new Set([
  '2a864886f70d010101', // rsaEncryption
  '2a864886f70d01010a', // id-RSASSA-PSS
  oidEc,
  '2b656e', // X25519
  '2b656f', // X448
  '2b6570', // Ed25519
  '2b6571', // Ed448
])

function readKeyInfo(material: KeyMaterial, half: Half): AsymmetricKey | typeof unreadable {
  const bytes = bytesOf(material)
  const info = half === 'private' ? readPrivateKeyInfo(bytes) : readPublicKeyInfo(bytes)
  if (info === undefined) return unreadable
  const numbers = readFiniteFieldKey(info, half)
  if (numbers !== undefined) return asymmetricKeyOfNumbers(numbers)
  if (!knownOids.has(info.oid) || (info.oid === oidEc && info.parameters?.tag !== tagObjectIdentifier)) {
    throw new KeyFormatError('unsupported', 'The kind of key is not supported')
  }
  const key = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  return asymmetricKeyOf(
    half === 'private'
      ? createPrivateKey({ key, format: 'der', type: 'pkcs8' })
      : createPublicKey({ key, format: 'der', type: 'spki' }),
  )
}

function writeKeyInfo(key: AsymmetricKey, compression: KeyCompressionType | undefined): KeyMaterial {
  if ('numbers' in key) return writeFiniteFieldKey(key.numbers)
  if (key.half === 'private') return key.key.export({ format: 'der', type: 'pkcs8' })
  return key.family === 'ec' ? ecPublicKeyInfo(key.key, compression) : key.key.export({ format: 'der', type: 'spki' })
}

function readPkcs1(material: KeyMaterial, half: Half): AsymmetricKey {
  const bytes = bytesOf(material)
  derSequence(bytes)
  const key = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  if (half === 'private') return asymmetricKeyOf(createPrivateKey({ key, format: 'der', type: 'pkcs1' }))
  const read = createPublicKey({ key, format: 'der', type: 'pkcs1' })
  // The library also takes a private key here and gives its public half; only an RSAPublicKey comes out as it went in.
  if (!read.export({ format: 'der', type: 'pkcs1' }).equals(key)) {
    throw new KeyFormatError('invalid', 'The key material is not an RSAPublicKey')
  }
  return asymmetricKeyOf(read)
}

/** `[0]` of an ECPrivateKey: its curve (RFC 5915 §3). */
const tagSec1Parameters = 0xa0

function readSec1(material: KeyMaterial): AsymmetricKey {
  const bytes = bytesOf(material)
  const parameters = derSequence(bytes).find(({ tag }) => tag === tagSec1Parameters)
  if (parameters !== undefined && derElements(parameters.content)[0]?.tag !== tagObjectIdentifier) {
    throw new KeyFormatError('unsupported', 'The elliptic curve is not named')
  }
  const key = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  return asymmetricKeyOf(createPrivateKey({ key, format: 'der', type: 'sec1' }))
}

const A = CryptographicAlgorithm
const edwardsTypes: ReadonlyMap<number | undefined, 'ed25519' | 'ed448'> = new Map([
  [A.Ed25519, 'ed25519'],
  [A.Ed448, 'ed448'],
])

/** Raw bytes are a known form of Edwards keys only; of others they are kept as they came. */
function readRaw(material: KeyMaterial, half: Half, algorithm: number | undefined): AsymmetricKey | typeof unreadable {
  const type = edwardsTypes.get(algorithm)
  const bytes = bytesOf(material)
  return type === undefined ? unreadable : asymmetricKeyOf(rawKeyOf(half, type, bytes))
}

const both: readonly Half[] = ['private', 'public']

const rsaRow = (half: Half): FormatRow => ({
  name: half === 'private' ? 'Transparent RSA Private Key' : 'Transparent RSA Public Key',
  halves: [half],
  read: (material) =>
    asymmetricKeyOf(
      half === 'private' ? rsaPrivateKeyOf(structureOf(material)) : rsaPublicKeyOf(structureOf(material)),
    ),
  write(key) {
    if (key.family !== 'rsa') return undefined
    return half === 'private' ? transparentRSAPrivateKey(key.key) : transparentRSAPublicKey(key.key)
  },
})

const finiteFieldRow = (kind: 'dsa' | 'dh', half: Half): FormatRow => ({
  name: `Transparent ${kind.toUpperCase()} ${half === 'private' ? 'Private' : 'Public'} Key`,
  halves: [half],
  read: (material) => asymmetricKeyOfNumbers(finiteFieldKeyOf(kind, half, structureOf(material))),
  write: (key) => (key.family === kind ? transparentFiniteFieldKey(key.numbers) : undefined),
})

const ecRow = (name: string, half: Half): FormatRow => ({
  name,
  halves: [half],
  read: (material) =>
    asymmetricKeyOf(half === 'private' ? ecPrivateKeyOf(structureOf(material)) : ecPublicKeyOf(structureOf(material))),
  write(key, compression) {
    if (key.family !== 'ec') return undefined
    return half === 'private' ? transparentECPrivateKey(key.key) : transparentECPublicKey(key.key, compression)
  },
})

const F = KeyFormatType

/** The formats that the two halves of a key pair may have. */
export const asymmetricFormats: ReadonlyMap<number, FormatRow> = new Map<number, FormatRow>([
  [
    F.Raw,
    {
      name: 'Raw',
      halves: both,
      read: readRaw,
      write: (key) => (key.family === 'edwards' || key.family === 'montgomery' ? rawBytesOf(key.key) : undefined),
    },
  ],
  [
    F.Opaque,
    { name: 'Opaque', halves: both, read: (material) => (bytesOf(material), unreadable), write: () => undefined },
  ],
  [
    F.PKCS_1,
    {
      name: 'PKCS#1',
      halves: both,
      read: readPkcs1,
      write: (key) => (key.family === 'rsa' ? key.key.export({ format: 'der', type: 'pkcs1' }) : undefined),
    },
  ],
  [F.PKCS_8, { name: 'PKCS#8', halves: ['private'], read: readKeyInfo, write: writeKeyInfo }],
  [F.X_509, { name: 'X.509', halves: ['public'], read: readKeyInfo, write: writeKeyInfo }],
  [
    F.ECPrivateKey,
    {
      name: 'ECPrivateKey',
      halves: ['private'],
      read: readSec1,
      write: (key) => (key.family === 'ec' ? key.key.export({ format: 'der', type: 'sec1' }) : undefined),
    },
  ],
  [F.TransparentDSAPrivateKey, finiteFieldRow('dsa', 'private')],
  [F.TransparentDSAPublicKey, finiteFieldRow('dsa', 'public')],
  [F.TransparentRSAPrivateKey, rsaRow('private')],
  [F.TransparentRSAPublicKey, rsaRow('public')],
  [F.TransparentDHPrivateKey, finiteFieldRow('dh', 'private')],
  [F.TransparentDHPublicKey, finiteFieldRow('dh', 'public')],
  [F.TransparentECDSAPrivateKey, ecRow('Transparent ECDSA Private Key', 'private')],
  [F.TransparentECDSAPublicKey, ecRow('Transparent ECDSA Public Key', 'public')],
  [F.TransparentECDHPrivateKey, ecRow('Transparent ECDH Private Key', 'private')],
  [F.TransparentECDHPublicKey, ecRow('Transparent ECDH Public Key', 'public')],
  [F.TransparentECMQVPrivateKey, ecRow('Transparent ECMQV Private Key', 'private')],
  [F.TransparentECMQVPublicKey, ecRow('Transparent ECMQV Public Key', 'public')],
  [F.TransparentECPrivateKey, ecRow('Transparent EC Private Key', 'private')],
  [F.TransparentECPublicKey, ecRow('Transparent EC Public Key', 'public')],
])

/**
 * Reads one half of a key pair, and checks it. Throws KeyFormatError: `unsupported` for a format or kind of key that is
 * not known, `invalid` for all else; the library's own errors, whose texts a peer has no use for, become `invalid`.
 */
export function readAsymmetricKey(
  keyFormatType: number,
  material: KeyMaterial,
  half: Half,
  algorithm?: number,
): AsymmetricKey | typeof unreadable {
  const row = asymmetricFormats.get(keyFormatType)
  if (row === undefined)
    throw new KeyFormatError('unsupported', 'The key format type is not supported for a key of a pair')
  if (!row.halves.includes(half))
    throw new KeyFormatError('invalid', `The key format type ${row.name} is not for a ${half} key`)
  try {
    return row.read(material, half, algorithm)
  } catch (error) {
    if (!isOfLibrary(error)) throw error
    throw new KeyFormatError('invalid', `The key material is not a ${half} key of format ${row.name}`)
  }
}

/** Writes one half of a key pair. Throws KeyFormatError (`unsupported`, `unsupportedCompression`). */
export function writeAsymmetricKey(
  keyFormatType: number,
  key: AsymmetricKey,
  compression?: KeyCompressionType,
): KeyMaterial {
  const row = asymmetricFormats.get(keyFormatType)
  if (compression !== undefined && (key.family !== 'ec' || key.half !== 'public')) {
    throw new KeyFormatError('unsupportedCompression', 'The key has no point to compress')
  }
  const material = row?.halves.includes(key.half) === true ? writtenBy(row, key, compression) : undefined
  if (material === undefined) throw new KeyFormatError('unsupported', 'The key cannot be given in that key format type')
  return material instanceof Uint8Array ? plainBytes(material) : material
}

/** The library's errors have a code or name their part of it; a mistake of ours must not look like a bad key. */
const isOfLibrary = (error: unknown): boolean =>
  error instanceof Error && ('library' in error || ('code' in error && String(error.code).startsWith('ERR_')))

function writtenBy(
  row: FormatRow,
  key: AsymmetricKey,
  compression: KeyCompressionType | undefined,
): KeyMaterial | undefined {
  try {
    return row.write(key, compression)
  } catch (error) {
    if (!isOfLibrary(error)) throw error
    // A key that is bound to RSA-PSS has no PKCS#1 and no JSON form.
    throw new KeyFormatError('unsupported', 'The key cannot be given in that key format type')
  }
}

/** The Cryptographic Length of a key: bits of the modulus, the prime or the field. KMIP 1.4 §3.5. */
export function lengthBitsOf(key: AsymmetricKey): number {
  if ('numbers' in key) return bitLength(key.numbers.p)
  if (key.family === 'rsa') return key.key.asymmetricKeyDetails?.modulusLength ?? 0
  if (key.family === 'edwards') return key.key.asymmetricKeyType === 'ed25519' ? 256 : 456
  return curveOf(key.key).lengthBits
}

/** The Recommended Curve of a key that has one. KMIP 1.4 §3.6. */
export function recommendedCurveOf(key: AsymmetricKey): number | undefined {
  return key.family === 'ec' || key.family === 'montgomery' ? curveOf(key.key).value : undefined
}
