/**
 * BER as tools write it round keys: a tree of elements, with indefinite lengths and strings in pieces, which DER (der.ts) has
 * not. What it is: a reader with bounds on depth and number, for PKCS#12 containers, of which other makers' are BER. What it
 * is not: a writer, or a reader of the keys within: those must be DER. ITU-T X.690 §8.1, §8.7.3.
 */

import { tagInteger, tagOctetString, tagSequence } from './der.ts'
import { KeyFormatError } from './errors.ts'
import { concatenated } from './octets.ts'

/** An element: its tag, and its content, which of a constructed one is its children. */
export interface BerElement {
  readonly tag: number
  /** Of a primitive element. */
  readonly content: Uint8Array
  /** Of a constructed element. */
  readonly children: readonly BerElement[]
}

const constructedBit = 0x20
const depthMax = 16
const elementsMax = 4096

const broken = (): KeyFormatError => new KeyFormatError('invalid', 'The container is not BER')
const none = new Uint8Array(0)

/** Where a reader stands, and how many elements it may still read. */
interface Cursor {
  readonly bytes: Uint8Array
  offset: number
  left: number
}

/** The one element that bytes consist of. Throws KeyFormatError (`invalid`) for anything else. */
export function readBer(bytes: Uint8Array): BerElement {
  const cursor: Cursor = { bytes, offset: 0, left: elementsMax }
  const element = elementAt(cursor, bytes.length, 0)
  if (cursor.offset !== bytes.length) throw broken()
  return element
}

function byteAt(cursor: Cursor, end: number): number {
  const byte = cursor.offset < end ? cursor.bytes[cursor.offset] : undefined
  if (byte === undefined) throw broken()
  cursor.offset += 1
  return byte
}

/** Bytes of the content; undefined for the indefinite length, which an end-of-contents element ends. */
function lengthAt(cursor: Cursor, end: number): number | undefined {
  const first = byteAt(cursor, end)
  if (first < 0x80) return first
  if (first === 0x80) return undefined
  let length = 0
  for (let left = first & 0x7f; left > 0; left -= 1) {
    length = length * 256 + byteAt(cursor, end)
    if (length > end) throw broken()
  }
  return length
}

function elementAt(cursor: Cursor, end: number, depth: number): BerElement {
  cursor.left -= 1
  if (depth > depthMax || cursor.left < 0) throw broken()
  const tag = byteAt(cursor, end)
  // Tags of several bytes do not occur here.
  if ((tag & 0x1f) === 0x1f) throw broken()
  const length = lengthAt(cursor, end)
  const isConstructed = (tag & constructedBit) !== 0
  if (length === undefined) {
    if (!isConstructed) throw broken()
    return { tag, content: none, children: childrenToEnd(cursor, end, depth + 1) }
  }
  const contentEnd = cursor.offset + length
  if (contentEnd > end) throw broken()
  if (isConstructed) {
    const children: BerElement[] = []
    while (cursor.offset < contentEnd) children.push(elementAt(cursor, contentEnd, depth + 1))
    return { tag, content: none, children }
  }
  const content = cursor.bytes.subarray(cursor.offset, contentEnd)
  cursor.offset = contentEnd
  return { tag, content, children: [] }
}

/** Children up to the end-of-contents element: two zeros. */
function childrenToEnd(cursor: Cursor, end: number, depth: number): readonly BerElement[] {
  const children: BerElement[] = []
  for (;;) {
    const child = elementAt(cursor, end, depth)
    if (child.tag === 0) {
      if (child.content.length > 0) throw broken()
      return children
    }
    children.push(child)
  }
}

/** The children of an element of a tag. Throws KeyFormatError (`invalid`) if it is missing or of another tag. */
export function childrenOf(element: BerElement | undefined, tag = tagSequence): readonly BerElement[] {
  if (element?.tag !== tag) throw broken()
  return element.children
}

/** The content of a primitive element of a tag. Throws KeyFormatError (`invalid`). */
export function primitiveOf(element: BerElement | undefined, tag: number): Uint8Array {
  if (element?.tag !== tag) throw broken()
  return element.content
}

/**
 * The bytes of an OCTET STRING, or of a string under another tag (`[0] IMPLICIT`), whole or in pieces. Throws KeyFormatError
 * (`invalid`).
 */
export function octetsOf(element: BerElement | undefined, tag: number = tagOctetString): Uint8Array {
  if (element === undefined || (element.tag & ~constructedBit) !== tag) throw broken()
  if (element.tag === tag) return element.content
  return concatenated(...element.children.map((piece) => octetsOf(piece)))
}

/** A whole number from 0 to 2^31 - 1. Throws KeyFormatError (`invalid`). */
export function smallIntegerOf(element: BerElement | undefined): number {
  const content = primitiveOf(element, tagInteger)
  const value = content.reduce((sum, byte) => sum * 256 + byte, 0)
  if (content.length === 0 || content.length > 5 || (content[0] ?? 0) >= 0x80 || value > 0x7fff_ffff) throw broken()
  return value
}
