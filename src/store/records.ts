/**
 * Records as they lie on disk. What it is: values to bytes and back, sealed to their place, and what a change does to the
 * index. What it is not: the files (`lmdb/`), the keys (`keys.ts`) or the ciphers (a `Sealer`).
 *
 *   record   format 1 | revision 8 | sealed( msgpack of the value )        bound to: format, revision, table, NUL, record key
 *
 * The revision is in clear, so that the writer can compare it without any key; it cannot be changed unseen, because the seal
 * is bound to it.
 */

import assert from 'node:assert/strict'
import { Packr, RESET_BUFFER_MODE, REUSE_BUFFER_MODE } from 'msgpackr'
import { decodeRevision, encodeRecordKey, entryText, writeRevision } from './keys.ts'
import { type IndexEntry, type Sealer, StoreDamaged, type Stored } from './store.ts'
import { unpackPlain, unread } from './unpack.ts'

const format = 1
const headBytes = 9
/** `moreTypes` keeps a bigint of any size and gives Uint8Array back as Uint8Array; `copyBuffers` lets the plaintext go. */
const packr = new Packr({ useRecords: false, moreTypes: true, copyBuffers: true })

/** A value as bytes: strings, numbers, booleans, bigints of any size, Uint8Array, null, undefined, arrays, plain objects. */
export function packValue(value: unknown): Buffer {
  return packr.pack(value)
}

/**
 * The value that `packValue` packed, of which small parts may be those of other values, and frozen.
 * @param key of the record: given for a text that equals it
 * @throws what the decoder throws on other bytes.
 */
export function unpackValue(bytes: Uint8Array, key = ''): unknown {
  const value = unpackPlain(bytes, key)
  return value === unread ? packr.unpack(bytes) : value
}

/** The bytes of a record at a revision, sealed to its table, key and revision. */
export function sealRecord(sealer: Sealer, table: string, key: Uint8Array, revision: number, value: unknown): Buffer {
  const context = contextOf(revision, table, key)
  const packed: PackedInPlace = packr.pack(value, reuseBuffer)
  const { start, end } = packed
  try {
    const sealed = sealer.seal(context, packed.subarray(start, end))
    const record = Buffer.allocUnsafe(headBytes + sealed.length)
    record.set(context.subarray(0, headBytes))
    record.set(sealed, headBytes)
    return record
  } finally {
    // Key material in clear: it has no use any more.
    packed.fill(0, start, end)
    if (packed.length > packBytesMax) packr.useBuffer(Buffer.alloc(packBytes))
  }
}

/** What msgpackr gives in the mode that uses one buffer again and again: the buffer, and where in it the value is. */
type PackedInPlace = Buffer & { readonly start?: number; readonly end?: number }
const reuseBuffer = REUSE_BUFFER_MODE | RESET_BUFFER_MODE
/** A buffer that a large value has made larger than this is let go. */
const packBytesMax = 256 * 1024
const packBytes = 8 * 1024

/**
 * The record that `sealRecord` made for this table and key.
 * @throws StoreDamaged when the bytes are anything else.
 */
export function openRecord<T>(sealer: Sealer, table: string, key: string, bytes: Uint8Array): Stored<T> {
  if (bytes.length < headBytes || bytes[0] !== format) throw damaged(table, key, 'has a format that is not known')
  const context = contextOf(revisionOf(bytes), table, encodeRecordKey(key))
  let plaintext: Uint8Array
  try {
    plaintext = sealer.open(context, bytes.subarray(headBytes))
  } catch (cause) {
    throw damaged(
      table,
      key,
      'does not open: changed behind the server, or moved from elsewhere; restore a backup',
      cause,
    )
  }
  try {
    return { key, revision: revisionOf(bytes), value: unpackValue(plaintext, key) as T }
  } catch (cause) {
    throw damaged(table, key, 'does not decode', cause)
  }
}

/** The revision of a record's bytes, unchecked. */
export function revisionOf(record: Uint8Array): number {
  return decodeRevision(record, 1)
}

/** What a change of a record does to its index: entries that go and entries that come, each once. */
export interface EntryChange {
  readonly gone: readonly IndexEntry[]
  readonly come: readonly IndexEntry[]
}

/** Compares the entries before and after a change. An entry that is given twice counts once. */
export function changeOfEntries(before: readonly IndexEntry[], after: readonly IndexEntry[]): EntryChange {
  if (before.length === 0) return { gone: [], come: eachOnce(after) }
  const old = new Map(before.map((entry) => [entryText(entry), entry]))
  const now = new Map(after.map((entry) => [entryText(entry), entry]))
  const missingIn =
    (other: ReadonlyMap<string, IndexEntry>) =>
    ([text]: [string, IndexEntry]) =>
      !other.has(text)
  return {
    gone: [...old].filter(missingIn(now)).map(([, entry]) => entry),
    come: [...now].filter(missingIn(old)).map(([, entry]) => entry),
  }
}

function eachOnce(entries: readonly IndexEntry[]): readonly IndexEntry[] {
  const seen = new Set<string>()
  return entries.filter((entry) => {
    const text = entryText(entry)
    return seen.has(text) ? false : seen.add(text)
  })
}

/** Asserts that entries can be kept: a field without NUL, a number that has an order, text that survives its encoding. */
export function checkEntries(entries: readonly IndexEntry[]): readonly IndexEntry[] {
  for (const { field, value } of entries) {
    assert(!field.includes('\0') && field.isWellFormed(), 'a field name is well-formed text without NUL')
    assert(typeof value !== 'number' || !Number.isNaN(value), `the index field ${field} got NaN`)
    assert(typeof value !== 'string' || value.isWellFormed(), `the index field ${field} got ill-formed text`)
  }
  return entries
}

/** What a seal is bound to; its first bytes are the head of the record. */
function contextOf(revision: number, table: string, key: Uint8Array): Buffer {
  const context = Buffer.allocUnsafe(headBytes + table.length + 1 + key.length)
  context[0] = format
  writeRevision(context, revision, 1)
  const end = headBytes + context.write(table, headBytes, 'latin1')
  context[end] = 0
  context.set(key, end + 1)
  return context
}

function damaged(table: string, key: string, what: string, cause?: unknown): StoreDamaged {
  return new StoreDamaged(`the record ${JSON.stringify(key)} of ${table} ${what}`, { cause })
}
