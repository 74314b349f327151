/**
 * DER, item by item: a cursor that reads and a function that writes. What it is: for structures with many items, revocation
 * lists above all, of which a tree would cost much time and memory. What it is not: a reader of certificates, whose structure
 * `certificates.ts` has as a tree.
 */
import { CertificateError } from './certificates.ts'

/** Tags that are read and written here, with class and construction as they stand in the first byte. */
export const derTag = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  objectIdentifier: 0x06,
  enumerated: 0x0a,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  /** [0] EXPLICIT */
  context0: 0xa0,
} as const

/** One item: its content, and itself from its tag on. Both are views of what is read. */
export interface DerItem {
  readonly tag: number
  readonly content: Uint8Array
  readonly whole: Uint8Array
}

/** Reads the items of some bytes one after the other, as DER has them and no other spelling. */
export class DerCursor {
  readonly #bytes: Uint8Array
  #at = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  /** Whether nothing is left. */
  get isAtEnd(): boolean {
    return this.#at === this.#bytes.length
  }

  /** Whether the next item has this tag; false at the end. */
  isAt(tag: number): boolean {
    return this.#bytes[this.#at] === tag
  }

  /** The next item. @throws CertificateError when there is none, or it is no DER */
  next(): DerItem {
    const start = this.#at
    const tag = this.#byte()
    // Tags of more than one byte stand in none of the structures that are read here.
    if ((tag & 0x1f) === 0x1f) throw malformed()
    const length = this.#length()
    const end = this.#at + length
    if (end > this.#bytes.length) throw malformed()
    const item = { tag, content: this.#bytes.subarray(this.#at, end), whole: this.#bytes.subarray(start, end) }
    this.#at = end
    return item
  }

  /** The next item, which must have this tag. @throws CertificateError */
  take(tag: number): DerItem {
    if (!this.isAt(tag)) throw malformed()
    return this.next()
  }

  /** The items within the next one, which must have this tag. @throws CertificateError */
  enter(tag: number): DerCursor {
    return new DerCursor(this.take(tag).content)
  }

  /** @throws CertificateError when something is left */
  end(): void {
    if (!this.isAtEnd) throw malformed()
  }

  #byte(): number {
    const byte = this.#bytes[this.#at]
    if (byte === undefined) throw malformed()
    this.#at++
    return byte
  }

  /** X.690 §10.1: definite, in as few bytes as can be. */
  #length(): number {
    const first = this.#byte()
    if (first < 0x80) return first
    const count = first & 0x7f
    if (count === 0 || count > 4) throw malformed()
    let length = 0
    for (let index = 0; index < count; index++) length = length * 256 + this.#byte()
    if (length < 0x80 || length < 256 ** (count - 1)) throw malformed()
    return length
  }
}

/** An item with this tag around these parts. */
export function derItem(tag: number, ...parts: readonly Uint8Array[]): Uint8Array {
  const length = parts.reduce((sum, part) => sum + part.length, 0)
  const lengthBytes: number[] = []
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) lengthBytes.unshift(rest % 256)
  const head = length < 0x80 ? [tag, length] : [tag, 0x80 | lengthBytes.length, ...lengthBytes]
  return new Uint8Array(Buffer.concat([Uint8Array.from(head), ...parts]))
}

/**
 * A time, in seconds since 1970: UTCTime until 2049, GeneralizedTime from 2050 (RFC 5280 §5.1.2.4).
 */
export function derTime(seconds: number): Uint8Array {
  const [digits = ''] = new Date(seconds * 1000).toISOString().replaceAll(/[-T:]/g, '').split('.')
  const isShort = Number(digits.slice(0, 4)) < 2050
  return derItem(
    isShort ? derTag.utcTime : derTag.generalizedTime,
    Buffer.from(`${isShort ? digits.slice(2) : digits}Z`, 'latin1'),
  )
}

/** The seconds since 1970 of UTCTime or GeneralizedTime with seconds and `Z`. @throws CertificateError for every other form */
export function derSeconds({ tag, content }: DerItem): number {
  const isShort = tag === derTag.utcTime
  if (!isShort && tag !== derTag.generalizedTime) throw malformed()
  const text = Buffer.from(content).toString('latin1')
  const [, yearText, month, day, hour, minute, second] =
    (isShort ? /^(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/ : /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/).exec(text) ?? []
  if (yearText === undefined) throw malformed()
  const year = isShort ? Number(yearText) + (Number(yearText) < 50 ? 2000 : 1900) : Number(yearText)
  const iso = `${String(year).padStart(4, '0')}-${month}-${day}T${hour}:${minute}:${second}.000Z`
  const time = new Date(iso)
  // A day that the month has not would silently become one of the next month.
  if (Number.isNaN(time.getTime()) || time.toISOString() !== iso) throw malformed()
  return time.getTime() / 1000
}

function malformed(): CertificateError {
  return new CertificateError('the DER is malformed')
}
