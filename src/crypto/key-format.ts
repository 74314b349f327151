/**
 * What a client registers and fetches: key blocks' materials checked against what is said of them, and turned into other
 * formats. What it is: the two verbs `parseKey` (Register, Import) and `convertKey` (Get, Export). What it is not:
 * wrapped keys (unwrap first, wrap.ts), PKCS#12 (pkcs12.ts), certificates. KMIP 1.4 §2.1.3, §4.3, §4.11, §2.1.7.
 */

import { CryptographicAlgorithm, type KeyCompressionType, KeyFormatType, ObjectType } from '#kmip/enums'
import { type AlgorithmRow, algorithmRows, lengthAllowed, lengthBitsOfMaterial, materialBytesOf } from './algorithms.ts'
import {
  type AsymmetricKey,
  type Family,
  type Half,
  lengthBitsOf,
  readAsymmetricKey,
  recommendedCurveOf,
  unreadable,
  writeAsymmetricKey,
} from './asymmetric-key.ts'
import { KeyFormatError } from './errors.ts'
import { bytesOf, type KeyMaterial, required, structureOf } from './transparent.ts'

/** A key in the clear, with what its Key Block and attributes say of it. Fields are the specification's own. */
export interface KeyForm {
  /** Symmetric Key, Public Key, Private Key, Secret Data, Split Key or PGP Key. */
  readonly objectType: ObjectType
  readonly keyFormatType: KeyFormatType
  readonly keyMaterial: KeyMaterial
  readonly cryptographicAlgorithm?: CryptographicAlgorithm | undefined
  /** Bits. */
  readonly cryptographicLength?: number | undefined
}

/** What is known of a key after reading it. */
export interface ParsedKey {
  readonly cryptographicAlgorithm?: CryptographicAlgorithm
  /** Bits: as said by the client where that fits the material, else as measured. */
  readonly cryptographicLength?: number
  readonly recommendedCurve?: number
  /** False where the material cannot be looked into (encrypted PKCS#8, Opaque, PGP, ...): then the rest is as claimed. */
  readonly checked: boolean
}

/** A key in the format that was asked for. */
export interface ConvertedKey {
  readonly keyFormatType: KeyFormatType
  readonly keyMaterial: KeyMaterial
  readonly keyCompressionType?: KeyCompressionType
}

const F = KeyFormatType
const A = CryptographicAlgorithm

/** Formats that hold nothing but the bytes of a key. */
const octetFormats: ReadonlySet<number> = new Set([F.Raw, F.Opaque, F.TransparentSymmetricKey])

const halves: ReadonlyMap<number, Half> = new Map([
  [ObjectType.PrivateKey, 'private'],
  [ObjectType.PublicKey, 'public'],
])

/** Objects whose material is their owner's affair. */
const opaqueObjects: ReadonlySet<number> = new Set([ObjectType.SplitKey, ObjectType.PGPKey])

const unsupportedFormat = (): KeyFormatError =>
  new KeyFormatError('unsupported', 'The key format type is not supported for this object type')

/**
 * Reads a key that a client registers, and checks the claims about it. Gives algorithm, length in bits and curve. Throws
 * KeyFormatError: `invalid` for material that is not what it is said to be, `unsupported` for formats and kinds of key
 * that are not known. KMIP 1.4 §4.3, §2.1.3.
 */
export function parseKey(form: KeyForm): ParsedKey {
  const half = halves.get(form.objectType)
  if (half !== undefined) return parseHalf(form, half)
  if (form.objectType === ObjectType.SymmetricKey) return parseSymmetricKey(form)
  if (form.objectType === ObjectType.SecretData) {
    if (!octetFormats.has(form.keyFormatType)) throw unsupportedFormat()
    octetsOf(form)
    return { ...claims(form), checked: false }
  }
  if (!opaqueObjects.has(form.objectType)) throw new KeyFormatError('unsupported', 'The object type has no key block')
  return { ...claims(form), checked: false }
}

/** The claims alone, for material that nobody can look into. */
function claims({ cryptographicAlgorithm, cryptographicLength }: KeyForm): Omit<ParsedKey, 'checked'> {
  return {
    ...(cryptographicAlgorithm === undefined ? {} : { cryptographicAlgorithm }),
    ...(cryptographicLength === undefined ? {} : { cryptographicLength }),
  }
}

/** The bytes of a key whose format holds nothing else. Throws KeyFormatError (`invalid`), also for no bytes at all. */
function octetsOf({ keyFormatType, keyMaterial }: KeyForm): Uint8Array {
  const octets =
    keyFormatType === F.TransparentSymmetricKey ? required(structureOf(keyMaterial), 'key') : bytesOf(keyMaterial)
  if (octets.length === 0) throw new KeyFormatError('invalid', 'The key material is empty')
  return octets
}

function parseSymmetricKey(form: KeyForm): ParsedKey {
  const { cryptographicAlgorithm, cryptographicLength, keyFormatType } = form
  if (!octetFormats.has(keyFormatType)) throw unsupportedFormat()
  const octets = octetsOf(form)
  const row = cryptographicAlgorithm === undefined ? undefined : algorithmRows.get(cryptographicAlgorithm)
  if (row === undefined && cryptographicAlgorithm !== undefined) {
    throw new KeyFormatError('unsupported', 'The cryptographic algorithm is not supported')
  }
  if (row !== undefined && row.kind !== 'symmetric' && row.kind !== 'hmac' && row.kind !== 'stored') {
    throw new KeyFormatError('invalid', 'The cryptographic algorithm has no symmetric keys')
  }
  // Opaque means that the encoding is unknown: its bytes say nothing of the length.
  const known = row !== undefined && row.kind !== 'stored' && keyFormatType !== F.Opaque
  const measured = row === undefined ? octets.length * 8 : lengthBitsOfMaterial(row, octets.length)
  const lengthBits = cryptographicLength ?? measured
  if (known) checkSymmetricLength(row, lengthBits, octets.length)
  return { ...claims(form), cryptographicLength: lengthBits, checked: known }
}

function checkSymmetricLength(row: AlgorithmRow, lengthBits: number, bytes: number): void {
  if (!lengthAllowed(row.lengths, lengthBits)) {
    throw new KeyFormatError('invalid', `The cryptographic length is not one of ${row.name}`)
  }
  if (materialBytesOf(row, lengthBits) !== bytes) {
    throw new KeyFormatError('invalid', 'The key material does not have the cryptographic length')
  }
}

/** The algorithms that a family of keys may be said to have; the first is meant when nothing is said. */
const algorithmsOf: Readonly<Record<Family, readonly CryptographicAlgorithm[]>> = {
  rsa: [A.RSA],
  ec: [A.ECDSA, A.EC, A.ECDH, A.ECMQV],
  edwards: [A.Ed25519, A.Ed448],
  montgomery: [A.ECDH, A.EC],
  dsa: [A.DSA],
  dh: [A.DH],
}

/** The old structures name the algorithm in the format. */
const algorithmOfFormat: ReadonlyMap<number, CryptographicAlgorithm> = new Map([
  [F.TransparentECDHPrivateKey, A.ECDH],
  [F.TransparentECDHPublicKey, A.ECDH],
  [F.TransparentECMQVPrivateKey, A.ECMQV],
  [F.TransparentECMQVPublicKey, A.ECMQV],
  [F.TransparentECPrivateKey, A.EC],
  [F.TransparentECPublicKey, A.EC],
])

function parseHalf(form: KeyForm, half: Half): ParsedKey {
  const { cryptographicAlgorithm: claimed, cryptographicLength: claimedBits, keyFormatType, keyMaterial } = form
  if (claimed !== undefined && !algorithmRows.has(claimed)) {
    throw new KeyFormatError('unsupported', 'The cryptographic algorithm is not supported')
  }
  const key = readAsymmetricKey(keyFormatType, keyMaterial, half, claimed)
  if (key === unreadable) {
    if (bytesOf(keyMaterial).length === 0) throw new KeyFormatError('invalid', 'The key material is empty')
    return { ...claims(form), checked: false }
  }
  const cryptographicAlgorithm = claimed ?? algorithmOfFormat.get(keyFormatType) ?? ownAlgorithm(key)
  if (cryptographicAlgorithm === undefined || !fits(key, cryptographicAlgorithm)) {
    throw new KeyFormatError('invalid', 'The key material is not a key of the cryptographic algorithm')
  }
  const lengthBits = lengthBitsOf(key)
  // A modulus or a field may be short of whole bytes; those that count bytes say the next multiple of 8.
  if (claimedBits !== undefined && claimedBits !== lengthBits && claimedBits !== Math.ceil(lengthBits / 8) * 8) {
    throw new KeyFormatError('invalid', 'The key material does not have the cryptographic length')
  }
  const recommendedCurve = recommendedCurveOf(key)
  return {
    cryptographicAlgorithm,
    cryptographicLength: claimedBits ?? lengthBits,
    ...(recommendedCurve === undefined ? {} : { recommendedCurve }),
    checked: true,
  }
}

function ownAlgorithm(key: AsymmetricKey): CryptographicAlgorithm | undefined {
  const index = key.family === 'edwards' && key.key.asymmetricKeyType === 'ed448' ? 1 : 0
  return algorithmsOf[key.family][index]
}

const fits = (key: AsymmetricKey, algorithm: CryptographicAlgorithm): boolean =>
  key.family === 'edwards' ? ownAlgorithm(key) === algorithm : algorithmsOf[key.family].includes(algorithm)

/**
 * A key in another format, as Get asks for it. The same format gives the same material; Opaque gives the stored bytes as
 * they are (for symmetric keys and secret data the raw bytes). Throws KeyFormatError: `unsupported` where the key has no
 * such form, `unsupportedCompression` where its point has not. KMIP 1.4 §4.11.
 */
export function convertKey(
  from: KeyForm,
  to: {
    readonly keyFormatType?: KeyFormatType | undefined
    readonly keyCompressionType?: KeyCompressionType | undefined
  },
): ConvertedKey {
  const keyFormatType = to.keyFormatType ?? from.keyFormatType
  const { keyCompressionType } = to
  if (keyFormatType === from.keyFormatType && keyCompressionType === undefined) {
    return { keyFormatType, keyMaterial: from.keyMaterial }
  }
  const half = halves.get(from.objectType)
  if (half === undefined) return { keyFormatType, keyMaterial: convertOctets(from, keyFormatType, keyCompressionType) }
  if (keyFormatType === F.Opaque && from.keyMaterial instanceof Uint8Array && keyCompressionType === undefined) {
    return { keyFormatType, keyMaterial: from.keyMaterial }
  }
  const key = readAsymmetricKey(from.keyFormatType, from.keyMaterial, half, from.cryptographicAlgorithm)
  if (key === unreadable) throw new KeyFormatError('unsupported', 'The key can be given only as it was registered')
  const keyMaterial = writeAsymmetricKey(keyFormatType, key, keyCompressionType)
  return { keyFormatType, keyMaterial, ...(keyCompressionType === undefined ? {} : { keyCompressionType }) }
}

function convertOctets(
  from: KeyForm,
  keyFormatType: KeyFormatType,
  keyCompressionType: KeyCompressionType | undefined,
): KeyMaterial {
  if (keyCompressionType !== undefined) {
    throw new KeyFormatError('unsupportedCompression', 'The key has no point to compress')
  }
  if (!octetFormats.has(from.keyFormatType) || !octetFormats.has(keyFormatType)) throw unsupportedFormat()
  // A part of a key, or a PGP key, is no symmetric key.
  if (opaqueObjects.has(from.objectType) && keyFormatType === F.TransparentSymmetricKey) throw unsupportedFormat()
  const octets = octetsOf(from)
  return keyFormatType === F.TransparentSymmetricKey ? { key: octets } : octets
}
