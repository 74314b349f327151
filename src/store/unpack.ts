/**
 * From packed bytes to a value. What it is: a reader of what msgpackr writes of plain data, which gives small parts that are equal
 * as one object (shared-parts.ts). What it is not: a reader of all that msgpackr may write: it says so, and msgpackr reads it.
 *
 * msgpackr's own reader takes a run of texts out of the bytes as one text, with the byte strings in between, and gives pieces of
 * it: whoever keeps an identifier keeps the key that stood beside it, in a text that nobody can wipe.
 *
 * @hot An AES key with a Name: 3.5 µs instead of 4.6 to 5.2 µs by msgpackr (two cores, Node 26.10; bench/micro/unpack.ts). Kept and made
 * unchangeable, one with two Names takes 1.7 KB in 27 objects; as msgpackr gives it, 4.2 KB in 75.
 */

import { Shapes } from './shapes.ts'
import { hashOf, SharedParts } from './shared-parts.ts'

/** Given in place of a value that only msgpackr can read. */
export const unread = Symbol('unread')

/** A part that is shared has so many bytes at most, and so many levels. */
const partBytesMax = 160
const partLevelsMax = 6
/** Names of fields are kept to be given again: so many, up to so long. */
const namesMax = 1024
const nameBytesMax = 48
/** Structures of so many fields, all with names that are kept, are made by their shape (shapes.ts). */
const shapedFieldsMin = 5
const shapedFieldsMax = 64

/** Says that this is none of what is read here. */
class Unread extends Error {}
const isUnread = new Unread()

const shapes = new Shapes()
const parts = new SharedParts()
const names = Array.from<string | undefined>({ length: namesMax })
const none = Buffer.alloc(0)

/** What is being read, and how far. Nothing here calls anybody else while it reads. */
let bytes: Buffer = none
let at = 0
/** A text that is expected within. */
let known = ''
/** Within a part that will be shared: its own parts are not. */
let isInPart = false
/** Of the name that was read last. */
let nameHash = 0

/**
 * The value that was packed as these bytes; `unread` when they are anything but plain data of the usual kinds.
 * @param text given for what equals it, so that it is in memory once
 */
export const unpackPlain = (packed: Uint8Array, text: string): unknown => {
  bytes = Buffer.isBuffer(packed) ? packed : Buffer.from(packed.buffer, packed.byteOffset, packed.length)
  at = 0
  known = text
  isInPart = false
  try {
    const value = readValue()
    return at === bytes.length ? value : unread
  } catch (error) {
    if (error === isUnread) return unread
    throw error
  } finally {
    bytes = none
    known = ''
  }
}

const byte = (): number => {
  const value = bytes[at]
  if (value === undefined) throw isUnread
  at += 1
  return value
}

/** Moves on by so many bytes. @returns where they begin */
const skip = (length: number): number => {
  const start = at
  at += length
  if (at > bytes.length) throw isUnread
  return start
}

const readValue = (): unknown => {
  const token = byte()
  if (token < 0x80) return token
  if (token >= 0xe0) return token - 0x100
  if (token < 0x90) return readStructure(token - 0x80, at - 1)
  if (token < 0xa0) return readList(token - 0x90, at - 1)
  if (token < 0xc0) return readText(token - 0xa0)
  switch (token) {
    case 0xc0:
      return null
    case 0xc2:
      return false
    case 0xc3:
      return true
    case 0xc4:
      return readBuffer(byte())
    case 0xc5:
      return readBuffer(bytes.readUInt16BE(skip(2)))
    case 0xc6:
      return readBuffer(bytes.readUInt32BE(skip(4)))
    case 0xc7:
      return readBytes(byte())
    case 0xc8:
      return readBytes(bytes.readUInt16BE(skip(2)))
    case 0xc9:
      return readBytes(bytes.readUInt32BE(skip(4)))
    case 0xd4:
      return readUndefined()
    case 0xd9:
      return readText(byte())
    case 0xda:
      return readText(bytes.readUInt16BE(skip(2)))
    case 0xdb:
      return readText(bytes.readUInt32BE(skip(4)))
    case 0xdc:
      return readList(bytes.readUInt16BE(skip(2)), at - 3)
    case 0xdd:
      return readList(bytes.readUInt32BE(skip(4)), at - 5)
    case 0xde:
      return readStructure(bytes.readUInt16BE(skip(2)), at - 3)
    default:
      return readNumber(token)
  }
}

const readNumber = (token: number): number | bigint => {
  switch (token) {
    case 0xcb:
      return bytes.readDoubleBE(skip(8))
    case 0xcc:
      return byte()
    case 0xcd:
      return bytes.readUInt16BE(skip(2))
    case 0xce:
      return bytes.readUInt32BE(skip(4))
    case 0xcf:
      return bytes.readBigUInt64BE(skip(8))
    case 0xd0:
      return bytes.readInt8(skip(1))
    case 0xd1:
      return bytes.readInt16BE(skip(2))
    case 0xd2:
      return bytes.readInt32BE(skip(4))
    case 0xd3:
      return bytes.readBigInt64BE(skip(8))
    default:
      throw isUnread
  }
}

const readUndefined = (): undefined => {
  if (byte() !== 0 || byte() !== 0) throw isUnread
  return undefined
}

const readText = (length: number): string => {
  const start = skip(length)
  return length === known.length && isAt(known, start) ? known : bytes.toString('utf8', start, at)
}

/** Whether a text's characters are the bytes from here on, one for each. */
const isAt = (text: string, start: number): boolean => {
  for (let index = 0; index < text.length; index += 1) {
    const character = text.charCodeAt(index)
    if (character !== bytes[start + index] || character >= 0x80) return false
  }
  return true
}

/** The name of a field. */
const readName = (): string => {
  const token = byte()
  if (token === 0xd9) return nameOf(byte())
  if (token < 0xa0 || token >= 0xc0) throw isUnread
  return nameOf(token - 0xa0)
}

const nameOf = (length: number): string => {
  const start = skip(length)
  nameHash = hashOf(bytes, start, at)
  if (length > nameBytesMax) return bytes.toString('utf8', start, at)
  const place = nameHash & (namesMax - 1)
  const kept = names[place]
  if (kept !== undefined && kept.length === length && isAt(kept, start)) return kept
  const name = bytes.toString('utf8', start, at)
  if (name === '__proto__') throw isUnread
  names[place] = name
  return name
}

/** A byte string, written with the kind of its array. */
const readBytes = (length: number): Uint8Array => {
  if (byte() !== 0x74 || byte() !== 1) throw isUnread
  const start = skip(length - 1)
  const value = new Uint8Array(length - 1)
  // Most are short, and then this is the quickest.
  if (length > 64) value.set(bytes.subarray(start, at))
  else for (let index = 0; index < value.length; index += 1) value[index] = bytes[start + index] ?? 0
  return value
}

const readBuffer = (length: number): Uint8Array => {
  const start = skip(length)
  // Not the slice of a Buffer, which shares its memory.
  return Uint8Array.prototype.slice.call(bytes, start, at)
}

const readList = (count: number, start: number): unknown => {
  const shared = partAt(start)
  if (shared !== undefined) return shared
  if (count > bytes.length - at) throw isUnread
  const list: unknown[] = []
  for (let left = count; left > 0; left -= 1) list.push(readValue())
  // What grew has room for more; a copy has not.
  return list.slice()
}

const readStructure = (count: number, start: number): unknown => {
  const shared = partAt(start)
  if (shared !== undefined) return shared
  if (count >= shapedFieldsMin && count <= shapedFieldsMax) return readShaped(count)
  const structure: Record<string, unknown> = {}
  for (let left = count; left > 0; left -= 1) structure[readName()] = readValue()
  return structure
}

const readShaped = (count: number): object => {
  const fields: string[] = []
  const values: unknown[] = []
  let hash = count
  let longest = 0
  for (let left = count; left > 0; left -= 1) {
    const name = readName()
    longest = Math.max(longest, name.length)
    hash = Math.imul(hash ^ nameHash, 0x01000193)
    fields.push(name)
    values.push(readValue())
  }
  const structure: Record<string, unknown> = longest > nameBytesMax ? {} : { ...shapes.of(fields, hash) }
  for (let index = 0; index < count; index += 1) structure[fields[index] ?? ''] = values[index]
  return structure
}

/** The part that begins here, if it is one that may be shared: read, or as others have it. */
const partAt = (start: number): object | undefined => {
  if (isInPart || start === 0) return undefined
  const limit = Math.min(start + partBytesMax, bytes.length)
  const end = endOfPlain(start, limit, partLevelsMax)
  if (end === 0 || end > limit) return undefined
  const shared = parts.find(bytes, start, end)
  if (shared !== undefined) {
    at = end
    return shared
  }
  isInPart = true
  at = start
  const value = readValue() as object
  isInPart = false
  parts.add(bytes, start, end, value)
  return value
}

/** Where an item ends that has nothing but numbers, truth values and names of fields in it; 0: it has more, or is too large. */
const endOfPlain = (start: number, limit: number, levels: number): number => {
  const token = bytes[start] ?? 0
  if (token < 0x80 || token >= 0xe0) return start + 1
  if (token < 0x90) return endOfItems(start + 1, token - 0x80, true, limit, levels)
  if (token < 0xa0) return endOfItems(start + 1, token - 0x90, false, limit, levels)
  switch (token) {
    case 0xc0:
    case 0xc2:
    case 0xc3:
      return start + 1
    case 0xcc:
    case 0xd0:
      return start + 2
    case 0xcd:
    case 0xd1:
      return start + 3
    case 0xce:
    case 0xd2:
      return start + 5
    case 0xcb:
      return start + 9
    case 0xd4:
      return bytes[start + 1] === 0 ? start + 3 : 0
    case 0xde:
      return endOfItems(start + 3, ((bytes[start + 1] ?? 0) << 8) | (bytes[start + 2] ?? 0), true, limit, levels)
    default:
      return 0
  }
}

const endOfItems = (first: number, count: number, isNamed: boolean, limit: number, levels: number): number => {
  if (levels === 0) return 0
  let end = first
  for (let left = count; left > 0; left -= 1) {
    if (isNamed) {
      const token = bytes[end] ?? 0
      if (token < 0xa0 || token >= 0xc0) return 0
      end += 1 + token - 0xa0
    }
    end = endOfPlain(end, limit, levels - 1)
    if (end === 0 || end > limit) return 0
  }
  return end
}
