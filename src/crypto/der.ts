/**
 * The few DER shapes that the library does not read or write for us. What it is: a strict cursor (definite, shortest
 * lengths, nothing left over) to look at a key before the library does, and a writer for SubjectPublicKeyInfo and
 * PrivateKeyInfo of DSA, DH and compressed EC points. What it is not: an ASN.1 library. A general one reads BER too, and
 * takes longer for one look (60 µs, 2048-bit RSA) than the whole import of the key does (25 µs).
 */

import { KeyFormatError } from './errors.ts'
import { bigintOfBytes, bytesOfBigint } from './integers.ts'

export const tagInteger = 0x02
export const tagBitString = 0x03
export const tagOctetString = 0x04
export const tagObjectIdentifier = 0x06
export const tagSequence = 0x30

/** A key in DER longer than this is no key: RSA of 16384 bits takes about 9.5 KB. */
export const derBytesMax = 16384

/** One element: its tag, and the bytes of its content. */
export interface DerElement {
  readonly tag: number
  readonly content: Uint8Array
  /** The element with its header. */
  readonly whole: Uint8Array
}

const broken = (): KeyFormatError => new KeyFormatError('invalid', 'The key material is not DER')

/** The element that starts at `offset`. Throws KeyFormatError (`invalid`) for anything that is not DER. */
function elementAt(bytes: Uint8Array, offset: number): DerElement {
  const tag = bytes[offset]
  const first = bytes[offset + 1]
  // Tags of several bytes do not occur in keys.
  if (tag === undefined || first === undefined || (tag & 0x1f) === 0x1f) throw broken()
  let length = first
  let start = offset + 2
  if (first >= 0x80) {
    const lengthBytes = first & 0x7f
    if (lengthBytes === 0 || lengthBytes > 3 || start + lengthBytes > bytes.length) throw broken()
    length = Number(bigintOfBytes(bytes.subarray(start, start + lengthBytes)))
    if (length < 0x80 || length < 2 ** (8 * (lengthBytes - 1))) throw broken()
    start += lengthBytes
  }
  const end = start + length
  if (end > bytes.length) throw broken()
  return { tag, content: bytes.subarray(start, end), whole: bytes.subarray(offset, end) }
}

/** The elements that bytes consist of, one after the other. Throws KeyFormatError (`invalid`). */
export function derElements(bytes: Uint8Array): DerElement[] {
  const elements: DerElement[] = []
  for (let offset = 0; offset < bytes.length; ) {
    const element = elementAt(bytes, offset)
    elements.push(element)
    offset += element.whole.length
  }
  return elements
}

/** The children of the one SEQUENCE that bytes consist of. Throws KeyFormatError (`invalid`), also when bytes are left over. */
export function derSequence(bytes: Uint8Array): DerElement[] {
  if (bytes.length > derBytesMax) throw new KeyFormatError('unsupported', 'The key material is too long')
  const element = elementAt(bytes, 0)
  if (element.tag !== tagSequence || element.whole.length !== bytes.length) throw broken()
  return derElements(element.content)
}

/** The content of an element of a given tag. Throws KeyFormatError (`invalid`) if it is missing or of another tag. */
export function contentOf(element: DerElement | undefined, tag: number): Uint8Array {
  if (element?.tag !== tag) throw broken()
  return element.content
}

/** The value of an INTEGER that must not be negative. Throws KeyFormatError (`invalid`). */
export function integerOf(element: DerElement | undefined): bigint {
  const content = contentOf(element, tagInteger)
  const [first, second] = content
  if (first === undefined || first >= 0x80) throw broken()
  if (first === 0 && second !== undefined && second < 0x80) throw broken()
  return bigintOfBytes(content)
}

/** The content of a BIT STRING of whole bytes. Throws KeyFormatError (`invalid`). */
export function bitStringOf(element: DerElement | undefined): Uint8Array {
  const content = contentOf(element, tagBitString)
  if (content[0] !== 0) throw broken()
  return content.subarray(1)
}

/** An element of a tag around parts. */
export function derElement(tag: number, ...parts: readonly Uint8Array[]): Uint8Array {
  const content = Buffer.concat(parts)
  const length = content.length
  const lengthBytes = length < 0x80 ? [] : [...bytesOfBigint(BigInt(length))]
  const header = length < 0x80 ? [tag, length] : [tag, 0x80 | lengthBytes.length, ...lengthBytes]
  return Uint8Array.from(Buffer.concat([Uint8Array.from(header), content]))
}

/** An INTEGER >= 0. */
export function derInteger(value: bigint): Uint8Array {
  const bytes = bytesOfBigint(value)
  const padding = (bytes[0] ?? 0) >= 0x80 ? [Uint8Array.of(0)] : []
  return derElement(tagInteger, ...padding, bytes)
}

/** A BIT STRING of whole bytes. */
export function derBitString(bytes: Uint8Array): Uint8Array {
  return derElement(tagBitString, Uint8Array.of(0), bytes)
}

/** The algorithm of a SubjectPublicKeyInfo or PrivateKeyInfo: its object identifier in hex, its parameters, the key's bytes. */
export interface KeyInfo {
  readonly oid: string
  readonly parameters: DerElement | undefined
  /** AlgorithmIdentifier, as it stands. */
  readonly algorithm: Uint8Array
  readonly key: Uint8Array
}

function keyInfoOf(algorithm: DerElement | undefined, key: Uint8Array): KeyInfo {
  const [identifier, parameters, ...rest] = derElements(contentOf(algorithm, tagSequence))
  const oid = Buffer.from(contentOf(identifier, tagObjectIdentifier)).toString('hex')
  if (algorithm === undefined || rest.length > 0) throw broken()
  return { oid, parameters, algorithm: algorithm.whole, key }
}

/** Reads a SubjectPublicKeyInfo (RFC 5280 §4.1). Throws KeyFormatError (`invalid`). */
export function readPublicKeyInfo(bytes: Uint8Array): KeyInfo {
  const [algorithm, key, ...rest] = derSequence(bytes)
  if (rest.length > 0) throw broken()
  return keyInfoOf(algorithm, bitStringOf(key))
}

/**
 * Reads a PrivateKeyInfo (RFC 5208 §5, RFC 5958 §2); undefined for an EncryptedPrivateKeyInfo (RFC 5208 §6), which nobody
 * but its owner can look into. Throws KeyFormatError (`invalid`).
 */
export function readPrivateKeyInfo(bytes: Uint8Array): KeyInfo | undefined {
  const children = derSequence(bytes)
  const [version, algorithm, key] = children
  if (version?.tag === tagSequence && algorithm?.tag === tagOctetString && children.length === 2) {
    keyInfoOf(version, algorithm.content)
    return undefined
  }
  if (integerOf(version) > 1n) throw broken()
  return keyInfoOf(algorithm, contentOf(key, tagOctetString))
}

/** Writes a SubjectPublicKeyInfo from an AlgorithmIdentifier and the bytes of the key. */
export function writePublicKeyInfo(algorithm: Uint8Array, key: Uint8Array): Uint8Array {
  return derElement(tagSequence, algorithm, derBitString(key))
}

/** Writes a PrivateKeyInfo of version 0 from an AlgorithmIdentifier and the bytes of the key. */
export function writePrivateKeyInfo(algorithm: Uint8Array, key: Uint8Array): Uint8Array {
  return derElement(tagSequence, derInteger(0n), algorithm, derElement(tagOctetString, key))
}

/** An AlgorithmIdentifier of an object identifier (its content in hex) and a SEQUENCE of integers as parameters. */
export function algorithmIdentifier(oid: string, parameters: readonly bigint[]): Uint8Array {
  const identifier = derElement(tagObjectIdentifier, Uint8Array.from(Buffer.from(oid, 'hex')))
  return derElement(tagSequence, identifier, derElement(tagSequence, ...parameters.map(derInteger)))
}
