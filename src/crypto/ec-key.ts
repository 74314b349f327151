/**
 * Elliptic curve keys, and the Edwards and Montgomery keys beside them: structures and raw bytes to KeyObject and back, and
 * points in the form that a client asks for. What it is not: DER of whole keys (the library's), nor the curves (curves.ts).
 * KMIP 1.4 §2.1.7.8 to §2.1.7.15, §9.1.3.2.2; SEC 1 §2.3.
 */

import { createECDH, createPrivateKey, createPublicKey, ECDH, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { KeyCompressionType } from '#kmip/enums'
import { type CurveRow, curveRows, curveRowsByLibraryName } from './curves.ts'
import { readPublicKeyInfo, writePublicKeyInfo } from './der.ts'
import { KeyFormatError } from './errors.ts'
import { bigintOfBytes, bitLength, bytesOfBigint } from './integers.ts'
import {
  plainBytes,
  required,
  type TransparentECPrivateKey,
  type TransparentECPublicKey,
  type TransparentKey,
} from './transparent.ts'

/** The curve of a key of type `ec`, `x25519` or `x448`. Throws KeyFormatError (`unsupported`) for one without a number. */
export function curveOf(key: KeyObject): CurveRow {
  const name = key.asymmetricKeyType === 'ec' ? key.asymmetricKeyDetails?.namedCurve : key.asymmetricKeyType
  const row = curveRowsByLibraryName.get(name ?? '')
  if (row === undefined)
    throw new KeyFormatError('unsupported', 'The elliptic curve is not among the recommended curves')
  return row
}

/** A curve that a structure names and that has points in the form of X9.62. */
function curveOfStructure(structure: TransparentKey): CurveRow {
  const row = curveRows.get(required(structure, 'recommendedCurve'))
  // For the Montgomery curves no specification says in which order the bytes of D and Q String stand.
  if (row === undefined || row.field === 'montgomery') {
    throw new KeyFormatError('unsupported', 'The recommended curve has no transparent keys')
  }
  return row
}

const scalarBytes = new Map<string, number>()

/** Bytes of a private number: as many as the order of the curve has, which the library shows on any key of it. */
function scalarBytesOf(curve: CurveRow): number {
  const known = scalarBytes.get(curve.libraryName)
  if (known !== undefined) return known
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: curve.libraryName })
  const bytes = rawPrivate(privateKey).length
  scalarBytes.set(curve.libraryName, bytes)
  return bytes
}

const rawPrivate = (key: KeyObject): Uint8Array => key.export({ format: 'raw-private' })
const rawPublic = (key: KeyObject): Uint8Array =>
  key.asymmetricKeyType === 'ec'
    ? key.export({ format: 'raw-public', type: 'uncompressed' })
    : key.export({ format: 'raw-public' })

/** The point of a private number; also the proof that the number is in range, which an import of the bytes is not. */
function pointOf(curve: CurveRow, d: Uint8Array): Uint8Array {
  const pair = createECDH(curve.libraryName)
  pair.setPrivateKey(d)
  return pair.getPublicKey()
}

/** Checks a key that the library has read: a known curve, a point that is not infinity, a pair that belongs together. Throws KeyFormatError. */
export function checkEcKey(key: KeyObject): void {
  const curve = curveOf(key)
  if (curve.field === 'montgomery') return
  if (key.type === 'public') {
    if (rawPublic(key).length < 2) throw new KeyFormatError('invalid', 'The elliptic curve point is infinity')
    return
  }
  if (!Buffer.from(pointOf(curve, rawPrivate(key))).equals(rawPublic(createPublicKey(key)))) {
    throw new KeyFormatError('invalid', 'The parts of the elliptic curve key do not belong together')
  }
}

/** A private key from its structure. Throws KeyFormatError, or the library's error for a number out of range. KMIP 1.4 §2.1.7.14. */
export function ecPrivateKeyOf(structure: TransparentKey): KeyObject {
  const curve = curveOfStructure(structure)
  const d = required(structure, 'd')
  const length = scalarBytesOf(curve)
  if (d <= 0n || bitLength(d) > length * 8) throw new KeyFormatError('invalid', 'The private number is out of range')
  const key = bytesOfBigint(d, length)
  pointOf(curve, key)
  return createPrivateKey({ key, format: 'raw-private', asymmetricKeyType: 'ec', namedCurve: curve.libraryName })
}

/** A public key from its structure; its point may be compressed. Throws KeyFormatError, or the library's error for a point off the curve. KMIP 1.4 §2.1.7.15. */
export function ecPublicKeyOf(structure: TransparentKey): KeyObject {
  const curve = curveOfStructure(structure)
  const key = required(structure, 'qString')
  if (key.length < 2) throw new KeyFormatError('invalid', 'The elliptic curve point is infinity')
  return createPublicKey({ key, format: 'raw-public', asymmetricKeyType: 'ec', namedCurve: curve.libraryName })
}

/** The structure of a private key. Throws KeyFormatError (`unsupported`). */
export function transparentECPrivateKey(key: KeyObject): TransparentECPrivateKey {
  const curve = curveOf(key)
  if (curve.field === 'montgomery') throw new KeyFormatError('unsupported', 'The curve has no transparent keys')
  return { recommendedCurve: curve.value, d: bigintOfBytes(rawPrivate(key)) }
}

/** The structure of a public key, its point in the form asked for (uncompressed by default, KMIP 1.4 §2.1.3). Throws KeyFormatError. */
export function transparentECPublicKey(key: KeyObject, compression?: KeyCompressionType): TransparentECPublicKey {
  const curve = curveOf(key)
  if (curve.field === 'montgomery') throw new KeyFormatError('unsupported', 'The curve has no transparent keys')
  return { recommendedCurve: curve.value, qString: pointInForm(key, curve, compression) }
}

const C = KeyCompressionType
const forms: ReadonlyMap<
  number,
  { readonly form: 'compressed' | 'uncompressed' | 'hybrid'; readonly field?: CurveRow['field'] }
> = new Map([
  [C.ECPublicKeyTypeUncompressed, { form: 'uncompressed' as const }],
  [C.ECPublicKeyTypeX9_62CompressedPrime, { form: 'compressed' as const, field: 'prime' as const }],
  [C.ECPublicKeyTypeX9_62CompressedChar2, { form: 'compressed' as const, field: 'binary' as const }],
  [C.ECPublicKeyTypeX9_62Hybrid, { form: 'hybrid' as const }],
])

function pointInForm(key: KeyObject, curve: CurveRow, compression: number = C.ECPublicKeyTypeUncompressed): Uint8Array {
  const row = forms.get(compression)
  if (row === undefined || curve.field === 'montgomery' || (row.field !== undefined && row.field !== curve.field)) {
    throw new KeyFormatError('unsupportedCompression', 'The key compression type does not fit the curve')
  }
  const point = rawPublic(key)
  if (row.form === 'uncompressed') return plainBytes(point)
  return plainBytes(ECDH.convertKey(point, curve.libraryName, undefined, undefined, row.form))
}

/** SubjectPublicKeyInfo of an elliptic curve key, its point in the form asked for. Throws KeyFormatError. */
export function ecPublicKeyInfo(key: KeyObject, compression?: KeyCompressionType): Uint8Array {
  const whole = key.export({ format: 'der', type: 'spki' })
  if (compression === undefined) return whole
  return writePublicKeyInfo(readPublicKeyInfo(whole).algorithm, pointInForm(key, curveOf(key), compression))
}

/** An Edwards or Montgomery key from its bytes (RFC 8032 §5, RFC 7748 §6). Throws the library's error for a wrong length. */
export function rawKeyOf(
  half: 'private' | 'public',
  asymmetricKeyType: 'ed25519' | 'ed448',
  key: Uint8Array,
): KeyObject {
  return half === 'private'
    ? createPrivateKey({ key, format: 'raw-private', asymmetricKeyType })
    : createPublicKey({ key, format: 'raw-public', asymmetricKeyType })
}

/** The bytes of an Edwards or Montgomery key. */
export function rawBytesOf(key: KeyObject): Uint8Array {
  return key.type === 'private' ? rawPrivate(key) : rawPublic(key)
}
