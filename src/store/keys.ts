/**
 * The binary keys of the store. What it is: how record keys and index entries become bytes whose order is the order of the
 * store. What it is not: a place that reads or writes anything.
 *
 *   record key      01 | 16 bytes of a canonical lower-case UUID      UUIDs come first, in the order of their text
 *                   02 | UTF-8 of any other text                      then all else, in the order of its bytes
 *
 *   in the index of a table (integers big-endian):
 *   posting         01 | hash of field and value 16 | record key      text and bytes
 *   number posting  02 | hash of field 8 | number 8 | record key      in the order of the numbers, for ranges
 *   claim           03 | hash of field and value 16                   value: the record key that holds it
 *   claim beside    01 | first 11 bytes of that posting's hash |
 *     a posting          first 5 of field and value's                 the same: the two lie on one page
 *   gone record     04 | record key                                   value: its last revision 8
 *
 * A hash is the sealer's keyed one, over table, field and value, so that neither names nor equal names in two tables show in
 * the file. Numbers (dates, lengths) are in clear: their order is what ranges need.
 */

import assert from 'node:assert/strict'
import type { IndexEntry, IndexValue, Sealer, Term } from './store.ts'

/**
 * A record key has at most this many UTF-8 bytes; `commit` refuses a longer one, `read` finds none. LMDB takes keys of 1,978
 * bytes, and a number posting has 18 in front of the text.
 */
export const recordKeyBytesMax = 1900

const uuidMark = 1
const textMark = 2
/** The first byte of a key of an index. */
export const indexKinds = { postings: 1, numbers: 2, claims: 3, gone: 4 } as const
const { postings: postingKind, numbers: numberKind, claims: claimKind, gone: goneKind } = indexKinds
const uuidBytes = 16
/** Where the digits of each byte stand in the text of a UUID, the text while it is put together, and the digits of all bytes. */
const uuidPlaces = [0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34]
const uuidText = Buffer.alloc(36, '-')
const hexDigits = Buffer.from(Buffer.from(Array.from({ length: 256 }, (_, byte) => byte)).toString('hex'), 'latin1')
const fieldHashBytes = 8
/** Of the hashes of a claim beside a posting. Values are few there, and a Name is one of millions. */
const besideHashBytes = 11
const ownHashBytes = 5
const numberBytes = 8
const canonicalUuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/
/** A posting without its record key, and a claim, have this many bytes. */
export const entryKeyBytes = 17
/** Keys of terms that come again (a state, an owner, a date) are kept; those of longer terms are not worth it. */
const keptKeysMax = 4096
const keptKeysOfFieldMax = 512
const keptFieldsMax = 1024
const keptTermLengthMax = 96
/** Lists of up to so many keys are compared key by key. */
const shortListMax = 64

/** Whether a record can have this key: well-formed text of at most `recordKeyBytesMax` bytes, without NUL. */
export function isRecordKey(key: string): boolean {
  if (key.length * 3 > recordKeyBytesMax && Buffer.byteLength(key) > recordKeyBytesMax) return false
  return key.isWellFormed() && !key.includes('\0')
}

/** The bytes of a record key; `decodeRecordKey` gives the key back. Any text will do; compare with `Buffer.compare`. */
export function encodeRecordKey(key: string): Buffer {
  if (canonicalUuid.test(key)) {
    const bytes = Buffer.allocUnsafe(1 + uuidBytes)
    bytes[0] = uuidMark
    bytes.write(key.replaceAll('-', ''), 1, 'hex')
    return bytes
  }
  const bytes = Buffer.allocUnsafe(1 + Buffer.byteLength(key))
  bytes[0] = textMark
  bytes.write(key, 1, 'utf8')
  return bytes
}

/** The record key that these bytes stand for. */
export function decodeRecordKey(bytes: Uint8Array): string {
  if (bytes[0] !== uuidMark) return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8', 1)
  // One piece of text: what is put together of pieces is copied once more by whoever reads it.
  for (let index = 0; index < uuidBytes; index += 1) {
    const place = uuidPlaces[index] as number
    const digits = 2 * (bytes[1 + index] as number)
    uuidText[place] = hexDigits[digits] as number
    uuidText[place + 1] = hexDigits[digits + 1] as number
  }
  return uuidText.toString('latin1')
}

/** The index key under which the last revision of a removed record is kept. */
export function goneKey(recordKey: Uint8Array): Buffer {
  return Buffer.concat([Buffer.of(goneKind), recordKey])
}

/** Eight bytes for a revision. */
export function encodeRevision(revision: number): Buffer {
  const bytes = Buffer.allocUnsafe(numberBytes)
  writeRevision(bytes, revision, 0)
  return bytes
}

/** Writes the eight bytes of a revision. */
export function writeRevision(bytes: Buffer, revision: number, offset: number): void {
  bytes.writeUInt32BE(Math.floor(revision / 2 ** 32), offset)
  bytes.writeUInt32BE(revision >>> 0, offset + 4)
}

/** The revision that `encodeRevision` wrote, at an offset. */
export function decodeRevision(bytes: Uint8Array, offset = 0): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const high = view.getUint32(offset)
  const low = view.getUint32(offset + 4)
  // What comes of a product is kept as an object of its own, even when it is small.
  return high === 0 ? low : high * 2 ** 32 + low
}

/** Eight bytes whose order is the order of the numbers. -0 is 0. */
export function encodeNumber(number: number): Buffer {
  assert(!Number.isNaN(number), 'NaN has no place in an index')
  const bytes = Buffer.allocUnsafe(numberBytes)
  bytes.writeDoubleBE(number === 0 ? 0 : number, 0)
  // IEEE 754 sorts as sign and magnitude: turn all bits of negatives, and the sign of the rest.
  if ((bytes[0] ?? 0) & 0x80) for (let at = 0; at < numberBytes; at++) bytes[at] = ~(bytes[at] ?? 0)
  else bytes[0] = (bytes[0] ?? 0) | 0x80
  return bytes
}

/** The number whose eight bytes stand at an offset. */
export function decodeNumber(bytes: Uint8Array, offset: number): number {
  const number = Buffer.from(bytes.subarray(offset, offset + numberBytes))
  if ((number[0] ?? 0) & 0x80) number[0] = (number[0] ?? 0) & 0x7f
  else for (let at = 0; at < numberBytes; at++) number[at] = ~(number[at] ?? 0)
  return number.readDoubleBE(0)
}

/** The least key that is greater than every key with this prefix. The prefix's first byte is a kind, never 255. */
export function afterPrefix(prefix: Uint8Array): Buffer {
  let length = prefix.length
  while (prefix[length - 1] === 0xff) length--
  const end = Buffer.from(prefix.subarray(0, length))
  end[length - 1] = (end[length - 1] ?? 0) + 1
  return end
}

/** A text that is the same for two entries exactly when they are the same entry. */
export function entryText({ field, value, beside }: IndexEntry): string {
  const own = `${field}\0${valueText(value)}`
  return beside === undefined ? own : `\0${own.length}\0${own}${entryText(beside)}`
}

/** The entry that a term of equality asks for. */
export function entryOf({ field, equals: value, beside }: Extract<Term, { equals: unknown }>): IndexEntry {
  return beside === undefined ? { field, value } : { field, value, beside }
}

function valueText(value: IndexValue): string {
  if (typeof value === 'string') return `s${value.toWellFormed()}`
  if (typeof value === 'number') return `n${value === 0 ? 0 : value}`
  return `b${Buffer.from(value.buffer, value.byteOffset, value.length).toString('latin1')}`
}

/** What is known of a field of a table. */
interface Field {
  /** What all number postings of the field begin with. */
  readonly numbers: Buffer
  /** Postings of values that come again and again. */
  readonly postings: KeptKeys
  /** Claims: each is asked for, then taken. */
  readonly claims: KeptKeys
}

type KeptKeys = Map<string | number, Buffer>

/** Makes the index keys of one table. Keeps those of frequent terms, so one instance per table and thread; nobody may change them. */
export class IndexKeys {
  readonly #sealer: Sealer
  readonly #table: string
  readonly #fields = new Map<string, Field>()
  #kept = 0

  constructor(sealer: Sealer, table: string) {
    this.#sealer = sealer
    this.#table = table
  }

  /** What the postings of an entry begin with; the record key follows. */
  posting(entry: IndexEntry): Buffer {
    const { value } = entry
    if (typeof value === 'object') return this.#hashed(postingKind, entryText(entry))
    const { postings, numbers } = this.#field(entry.field)
    const known = postings.get(value)
    if (known !== undefined) return known
    const posting = typeof value === 'number' ? withNumber(numbers, value) : this.#hashed(postingKind, entryText(entry))
    this.#keep(postings, value, posting)
    return posting
  }

  /** What all number postings of a field begin with. */
  numbers(field: string): Buffer {
    return this.#field(field).numbers
  }

  /** The key of a claim. */
  claim({ field, value, beside }: IndexEntry): Buffer {
    if (beside !== undefined) return besideOf(this.posting(beside), this.claim({ field, value }))
    if (typeof value === 'object') return this.#hashed(claimKind, entryText({ field, value }))
    const { claims } = this.#field(field)
    const known = claims.get(value)
    if (known !== undefined) return known
    const claim = this.#hashed(claimKind, entryText({ field, value }))
    this.#keep(claims, value, claim)
    return claim
  }

  #field(name: string): Field {
    const known = this.#fields.get(name)
    if (known !== undefined) return known
    const hash = this.#hash(name).subarray(0, fieldHashBytes)
    const field: Field = {
      numbers: Buffer.concat([Buffer.of(numberKind), hash]),
      postings: new Map(),
      claims: new Map(),
    }
    if (this.#fields.size >= keptFieldsMax) this.#forget()
    this.#fields.set(name, field)
    return field
  }

  /** Starting again costs a few microseconds a term, now and then; an order of use would cost some on every term. */
  #keep(keys: KeptKeys, value: string | number, key: Buffer): void {
    if (typeof value === 'string' && value.length > keptTermLengthMax) return
    if (this.#kept >= keptKeysMax) this.#forget()
    // A field whose values are all different, as Names are, must not drive the others out.
    if (keys.size >= keptKeysOfFieldMax) {
      this.#kept -= keys.size
      keys.clear()
    }
    keys.set(value, key)
    this.#kept++
  }

  #forget(): void {
    this.#fields.clear()
    this.#kept = 0
  }

  #hashed(kind: number, term: string): Buffer {
    const key = Buffer.allocUnsafe(entryKeyBytes)
    key[0] = kind
    key.set(this.#hash(term), 1)
    return key
  }

  #hash(term: string): Uint8Array {
    return this.#sealer.hash(Buffer.from(`${this.#table}\0${term}`, 'utf8'))
  }
}

/** The key of a claim that lies beside a posting. */
function besideOf(posting: Buffer, own: Buffer): Buffer {
  assert(posting[0] === postingKind, 'a claim lies beside an entry of text or bytes')
  return Buffer.concat([posting.subarray(0, 1 + besideHashBytes), own.subarray(1, 1 + ownHashBytes)])
}

function withNumber(numbers: Buffer, number: number): Buffer {
  return Buffer.concat([numbers, encodeNumber(number)])
}

/** Index keys, each once: those of one list that another has not. Lists of a record are short, and most keys are kept ones. */
export function entryKeysBeside(keys: readonly Buffer[], others: readonly Buffer[]): readonly Buffer[] {
  if (keys.length + others.length > shortListMax) return longEntryKeysBeside(keys, others)
  const beside: Buffer[] = []
  for (const key of keys) if (!hasKey(others, key) && !hasKey(beside, key)) beside.push(key)
  return beside
}

function longEntryKeysBeside(keys: readonly Buffer[], others: readonly Buffer[]): readonly Buffer[] {
  const seen = new Set(others.map((key) => key.toString('latin1')))
  return keys.filter((key) => {
    const text = key.toString('latin1')
    return seen.has(text) ? false : seen.add(text)
  })
}

function hasKey(keys: readonly Buffer[], key: Buffer): boolean {
  for (const each of keys) {
    // Hashes that differ do so in their first bytes, and numbers in their last.
    if (each === key || (each[1] === key[1] && each[16] === key[16] && each.equals(key))) return true
  }
  return false
}
