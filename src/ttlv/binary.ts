/**
 * The TTLV encoding itself (KMIP 1.4 §9.1.1): a reader that owns its bounds, and a writer in one pass.
 * What it is not: a framer (framer.ts finds where a message ends) or a knowledge of structures (schema.ts).
 *
 *     | tag, 3 bytes | type, 1 | length, 4 | value, length bytes, padded with zeros to a multiple of 8 |
 */
import { TtlvError, type TtlvFault } from './error.ts'
import { type Item, ItemType } from './item.ts'
import type { Reader, ReaderLimits, Writer } from './stream.ts'

const headerSize = 8
/** Fixed lengths by item type, 0 where the length varies (§9.1.1.3). */
const fixedLengths = [0, 0, 4, 8, 0, 4, 8, 0, 0, 8, 4] as const
/** The largest Date-Time says "no date" (KMIP 1.4 §4.9); as a number it is the largest that counts exactly. */
export const dateTimeMax = 0x7fff_ffff_ffff_ffffn
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** Reads items from one complete message. Byte strings are copied out, so that the buffer may be used again. */
export class BinaryReader implements Reader {
  version: number
  ignoreUnknown = false
  readonly #buffer: Buffer
  readonly #view: DataView
  readonly #limits: ReaderLimits
  #offset: number
  #end: number
  #items = 0
  readonly #ends: number[] = []
  readonly #tags: number[] = []

  /**
   * @param buffer the bytes of the items, all of them
   * @param version protocol version whose rules apply; may be set later, once the header told it
   */
  constructor(buffer: Uint8Array, limits: ReaderLimits, version = 0) {
    this.#buffer = Buffer.from(buffer.buffer, buffer.byteOffset, buffer.byteLength)
    this.#view = new DataView(buffer.buffer, buffer.byteOffset, buffer.byteLength)
    this.#limits = limits
    this.#offset = 0
    this.#end = buffer.byteLength
    this.version = version
  }

  /** True when every byte was read. */
  atEnd(): boolean {
    return this.#offset === this.#end && this.#ends.length === 0
  }

  peekTag(): number {
    if (this.#offset === this.#end) return 0
    if (this.#end - this.#offset < headerSize) this.#fail('message', 'an item header is cut off')
    return this.#view.getUint32(this.#offset) >>> 8
  }

  peekType(): number {
    return this.#buffer[this.#offset + 3] ?? 0
  }

  enter(tag: number): void {
    const length = this.#header(tag, ItemType.Structure)
    if (this.#ends.length >= this.#limits.nestingDepthMax) {
      this.#fail('limit', `structures are nested deeper than ${this.#limits.nestingDepthMax}`)
    }
    this.#ends.push(this.#end)
    this.#tags.push(tag)
    this.#end = this.#offset + length
  }

  leave(): void {
    if (this.#offset !== this.#end) this.#fail('message', 'bytes are left over at the end of a structure')
    this.leaveTo(this.#ends.length)
  }

  leaveTo(depth: number): void {
    for (let level = this.#ends.length; level >= depth; level -= 1) {
      this.#offset = this.#end
      this.#end = this.#ends.pop() ?? this.#end
      this.#tags.pop()
    }
  }

  depth(): number {
    return this.#ends.length
  }

  skip(): void {
    this.peekTag()
    const type = this.peekType()
    const length = this.#view.getUint32(this.#offset + 4)
    const padded = type === ItemType.Structure ? length : (length + 7) & ~7
    if (length > 0x7fff_fff0 || padded > this.#end - this.#offset - headerSize) {
      this.#fail('message', 'an item is longer than what holds it')
    }
    this.#count()
    this.#offset += headerSize + padded
  }

  integer(tag: number): number {
    this.#header(tag, ItemType.Integer)
    return this.#take4(true)
  }

  longInteger(tag: number): bigint {
    this.#header(tag, ItemType.LongInteger)
    const value = this.#view.getBigInt64(this.#offset)
    this.#offset += 8
    return value
  }

  bigInteger(tag: number): bigint {
    const length = this.#header(tag, ItemType.BigInteger)
    if (length === 0 || length % 8 !== 0) this.#fail('message', 'the length of a Big Integer is not a multiple of 8')
    const hex = this.#buffer.toString('hex', this.#offset, this.#offset + length)
    this.#offset += length
    return BigInt.asIntN(length * 8, BigInt(`0x${hex}`))
  }

  enumeration(tag: number): number {
    this.#header(tag, ItemType.Enumeration)
    return this.#take4(false)
  }

  boolean(tag: number): boolean {
    this.#header(tag, ItemType.Boolean)
    const value = this.#view.getUint32(this.#offset + 4)
    if (this.#view.getUint32(this.#offset) !== 0 || value > 1) this.#fail('message', 'a Boolean is neither 0 nor 1')
    this.#offset += 8
    return value === 1
  }

  textString(tag: number): string {
    const length = this.#header(tag, ItemType.TextString)
    const start = this.#offset
    this.#pad(length)
    if (length <= shortText && this.#isAscii(start, length))
      return this.#buffer.toString('latin1', start, start + length)
    try {
      return utf8.decode(this.#buffer.subarray(start, start + length))
    } catch {
      return this.#fail('message', 'a Text String is not UTF-8')
    }
  }

  byteString(tag: number): Uint8Array {
    const length = this.#header(tag, ItemType.ByteString)
    const start = this.#offset
    this.#pad(length)
    return Uint8Array.prototype.slice.call(this.#buffer, start, start + length)
  }

  dateTime(tag: number): number {
    this.#header(tag, ItemType.DateTime)
    const value = this.#view.getBigInt64(this.#offset)
    this.#offset += 8
    if (value === dateTimeMax) return Number.MAX_SAFE_INTEGER
    const seconds = Number(value)
    if (!Number.isSafeInteger(seconds)) this.#fail('field', 'a Date-Time is beyond the range of dates')
    return seconds
  }

  interval(tag: number): number {
    this.#header(tag, ItemType.Interval)
    return this.#take4(false)
  }

  item(tag: number): Item {
    const type = this.peekTag() === 0 ? 0 : this.peekType()
    switch (type) {
      case ItemType.Structure: {
        const value: Item[] = []
        this.enter(tag)
        for (let next = this.peekTag(); next !== 0; next = this.peekTag()) value.push(this.item(next))
        this.leave()
        return { tag, type, value }
      }
      case ItemType.Integer:
        return { tag, type, value: this.integer(tag) }
      case ItemType.LongInteger:
        return { tag, type, value: this.longInteger(tag) }
      case ItemType.BigInteger:
        return { tag, type, value: this.bigInteger(tag) }
      case ItemType.Enumeration:
        return { tag, type, value: this.enumeration(tag) }
      case ItemType.Boolean:
        return { tag, type, value: this.boolean(tag) }
      case ItemType.TextString:
        return { tag, type, value: this.textString(tag) }
      case ItemType.ByteString:
        return { tag, type, value: this.byteString(tag) }
      case ItemType.DateTime:
        return { tag, type, value: this.dateTime(tag) }
      case ItemType.Interval:
        return { tag, type, value: this.interval(tag) }
      default:
        return this.#fail('message', `item type ${type} is not known`)
    }
  }

  path(): readonly number[] {
    return [...this.#tags]
  }

  /** Checks the header of the next item and stands at its value; gives the value's length. */
  #header(tag: number, type: ItemType): number {
    const found = this.peekTag()
    if (found !== tag) this.#fail('message', `tag ${tag.toString(16)} is expected`, tag)
    const foundType = this.peekType()
    if (foundType !== type) this.#fail('message', `item type ${type} is expected, not ${foundType}`, tag)
    const length = this.#view.getUint32(this.#offset + 4)
    const fixed = fixedLengths[type]
    if (fixed !== 0 && length !== fixed) this.#fail('message', `the length of item type ${type} is not ${fixed}`, tag)
    const room = this.#end - this.#offset - headerSize
    const padded = type === ItemType.Structure ? length : Math.ceil(length / 8) * 8
    if (padded > room) this.#fail('message', 'an item is longer than what holds it', tag)
    this.#count()
    this.#offset += headerSize
    return length
  }

  #count(): void {
    this.#items += 1
    if (this.#items > this.#limits.itemCountMax) {
      this.#fail('limit', `a message has more than ${this.#limits.itemCountMax} items`)
    }
  }

  #isAscii(start: number, length: number): boolean {
    for (let at = start; at < start + length; at += 1) {
      if (this.#view.getUint8(at) > 0x7f) return false
    }
    return true
  }

  #take4(signed: boolean): number {
    const value = signed ? this.#view.getInt32(this.#offset) : this.#view.getUint32(this.#offset)
    if (this.#view.getUint32(this.#offset + 4) !== 0) this.#fail('message', 'padding is not zero')
    this.#offset += 8
    return value
  }

  #pad(length: number): void {
    const end = this.#offset + length
    const padded = this.#offset + Math.ceil(length / 8) * 8
    for (let at = end; at < padded; at += 1) {
      if (this.#buffer[at] !== 0) this.#fail('message', 'padding is not zero')
    }
    this.#offset = padded
  }

  #fail(fault: TtlvFault, text: string, tag?: number): never {
    throw new TtlvError(fault, text, tag === undefined ? this.#tags : [...this.#tags, tag])
  }
}

/** Where writers write before their bytes are given away: a few, because a message can hold one that is written apart. */
const scratchSize = 64 * 1024
const freeScratchesMax = 4
const freeScratches: Scratch[] = []
/** Texts up to this length are copied character by character, which costs less than a call of the runtime. */
const shortText = 64

/** A buffer with the two views that are quickest to write through. */
class Scratch {
  readonly bytes: Buffer
  readonly view: DataView

  constructor(size: number) {
    this.bytes = Buffer.allocUnsafeSlow(size)
    this.view = new DataView(this.bytes.buffer, this.bytes.byteOffset, this.bytes.byteLength)
  }
}

/**
 * Writes items into one growing buffer; a structure's length is reserved and patched when it ends. A writer that is asked
 * for its bytes is done: it lends its buffer to the next one.
 */
export class BinaryWriter implements Writer {
  version: number
  readonly refusesOthers: boolean
  readonly #sizeMax: number
  #scratch: Scratch
  #view: DataView
  #size: number
  #offset = 0
  readonly #starts: number[] = []

  /**
   * @param sizeMax bytes beyond which the writer gives up, and takes no memory for more
   * @param refusesOthers a field that the version does not have is an error, and not left out
   */
  constructor(version: number, sizeMax = Number.POSITIVE_INFINITY, refusesOthers = false) {
    this.version = version
    this.refusesOthers = refusesOthers
    this.#sizeMax = sizeMax
    this.#scratch = freeScratches.pop() ?? new Scratch(scratchSize)
    this.#view = this.#scratch.view
    this.#size = this.#scratch.bytes.length
  }

  /**
   * The bytes that were written, a copy of their own. The writer must not be used after it.
   * @throws TtlvError `limit` for more bytes than were allowed, as every method that writes may
   */
  bytes(): Buffer {
    if (this.#offset > this.#sizeMax) this.#giveUp()
    const { bytes } = this.#scratch
    const written = Buffer.allocUnsafe(this.#offset)
    bytes.copy(written, 0, 0, this.#offset)
    // What was written may hold key material, which the next message shall not find here.
    bytes.fill(0, 0, this.#offset)
    if (this.#size === scratchSize && freeScratches.length < freeScratchesMax) freeScratches.push(this.#scratch)
    return written
  }

  begin(tag: number): void {
    this.#header(tag, ItemType.Structure, 0, 0)
    this.#starts.push(this.#offset)
  }

  end(): void {
    const start = this.#starts.pop() ?? 0
    this.#view.setUint32(start - 4, this.#offset - start)
  }

  integer(tag: number, value: number): void {
    if ((value | 0) !== value) throw new RangeError(`${value} is no Integer: 32 bits with a sign`)
    this.#header(tag, ItemType.Integer, 4, 8)
    this.#view.setInt32(this.#offset, value)
    this.#view.setUint32(this.#offset + 4, 0)
    this.#offset += 8
  }

  longInteger(tag: number, value: bigint): void {
    if (BigInt.asIntN(64, value) !== value) throw new RangeError('the value is no Long Integer: 64 bits with a sign')
    this.#header(tag, ItemType.LongInteger, 8, 8)
    this.#view.setBigInt64(this.#offset, value)
    this.#offset += 8
  }

  bigInteger(tag: number, value: bigint): void {
    this.#octets(tag, ItemType.BigInteger, bigIntegerBytes(value))
  }

  enumeration(tag: number, value: number): void {
    this.#unsigned(tag, ItemType.Enumeration, value)
  }

  boolean(tag: number, value: boolean): void {
    this.#header(tag, ItemType.Boolean, 8, 8)
    this.#view.setUint32(this.#offset, 0)
    this.#view.setUint32(this.#offset + 4, value ? 1 : 0)
    this.#offset += 8
  }

  textString(tag: number, value: string): void {
    if (typeof value !== 'string') throw new TypeError('a Text String is made of text')
    if (value.length <= shortText && this.#asciiString(tag, value)) return
    const length = Buffer.byteLength(value, 'utf8')
    const padded = (length + 7) & ~7
    this.#header(tag, ItemType.TextString, length, padded)
    this.#scratch.bytes.write(value, this.#offset, length, 'utf8')
    this.#pad(length, padded)
  }

  byteString(tag: number, value: Uint8Array): void {
    this.#octets(tag, ItemType.ByteString, value)
  }

  dateTime(tag: number, value: number): void {
    this.#header(tag, ItemType.DateTime, 8, 8)
    if (value === Number.MAX_SAFE_INTEGER) {
      this.#view.setBigInt64(this.#offset, dateTimeMax)
    } else if (!Number.isSafeInteger(value)) {
      throw new RangeError(`${value} is no Date-Time: whole seconds`)
    } else {
      // Two halves of a two's complement, without a big integer.
      const high = Math.floor(value / 0x1_0000_0000)
      this.#view.setInt32(this.#offset, high)
      this.#view.setUint32(this.#offset + 4, value - high * 0x1_0000_0000)
    }
    this.#offset += 8
  }

  interval(tag: number, value: number): void {
    this.#unsigned(tag, ItemType.Interval, value)
  }

  item(tag: number, value: Item): void {
    switch (value.type) {
      case ItemType.Structure:
        this.begin(tag)
        for (const child of value.value) this.item(child.tag, child)
        return this.end()
      case ItemType.Integer:
        return this.integer(tag, value.value)
      case ItemType.LongInteger:
        return this.longInteger(tag, value.value)
      case ItemType.BigInteger:
        return this.bigInteger(tag, value.value)
      case ItemType.Enumeration:
        return this.enumeration(tag, value.value)
      case ItemType.Boolean:
        return this.boolean(tag, value.value)
      case ItemType.TextString:
        return this.textString(tag, value.value)
      case ItemType.ByteString:
        return this.byteString(tag, value.value)
      case ItemType.DateTime:
        return this.dateTime(tag, value.value)
      case ItemType.Interval:
        return this.interval(tag, value.value)
    }
  }

  #unsigned(tag: number, type: ItemType, value: number): void {
    if (value >>> 0 !== value) throw new RangeError(`${value} has no 32 bits without a sign`)
    this.#header(tag, type, 4, 8)
    this.#view.setUint32(this.#offset, value)
    this.#view.setUint32(this.#offset + 4, 0)
    this.#offset += 8
  }

  /** Writes a text of ASCII; false, and nothing written, for any other. */
  #asciiString(tag: number, value: string): boolean {
    const { length } = value
    const padded = (length + 7) & ~7
    const before = this.#offset
    this.#header(tag, ItemType.TextString, length, padded)
    for (let at = 0; at < length; at += 1) {
      const code = value.charCodeAt(at)
      if (code > 0x7f) {
        this.#offset = before
        return false
      }
      this.#view.setUint8(this.#offset + at, code)
    }
    this.#pad(length, padded)
    return true
  }

  #octets(tag: number, type: ItemType, value: Uint8Array): void {
    const padded = (value.length + 7) & ~7
    this.#header(tag, type, value.length, padded)
    this.#scratch.bytes.set(value, this.#offset)
    this.#pad(value.length, padded)
  }

  /** Passes over a value of this length and fills it up with zeros. */
  #pad(length: number, padded: number): void {
    const end = this.#offset + padded
    for (let at = this.#offset + length; at < end; at += 1) this.#view.setUint8(at, 0)
    this.#offset = end
  }

  #header(tag: number, type: ItemType, length: number, room: number): void {
    const offset = this.#offset
    if (offset + headerSize + room > this.#size) this.#grow(offset + headerSize + room)
    this.#view.setUint32(offset, tag * 256 + type)
    this.#view.setUint32(offset + 4, length)
    this.#offset = offset + headerSize
  }

  #grow(size: number): void {
    if (size > this.#sizeMax) this.#giveUp()
    const grown = new Scratch(Math.max(this.#size * 2, size))
    this.#scratch.bytes.copy(grown.bytes, 0, 0, this.#offset)
    this.#scratch.bytes.fill(0, 0, this.#offset)
    this.#scratch = grown
    this.#view = grown.view
    this.#size = grown.bytes.length
  }

  #giveUp(): never {
    this.#scratch.bytes.fill(0, 0, this.#offset)
    throw new TtlvError('limit', `what is written has more than ${this.#sizeMax} bytes`)
  }
}

/** Two's complement of a Big Integer, the shortest multiple of 8 bytes that holds it (KMIP 1.4 §9.1.1.4). */
export const bigIntegerBytes = (value: bigint): Buffer => {
  const magnitude = value < 0n ? -value - 1n : value
  const bits = magnitude === 0n ? 1 : magnitude.toString(2).length + 1
  const length = Math.ceil(bits / 64) * 8
  return Buffer.from(
    BigInt.asUintN(length * 8, value)
      .toString(16)
      .padStart(length * 2, '0'),
    'hex',
  )
}

/** Decodes one item that fills the bytes. @throws TtlvError when it does not, or passes a limit. */
export const decodeItem = (bytes: Uint8Array, limits: ReaderLimits): Item => {
  const reader = new BinaryReader(bytes, limits)
  const item = reader.item(reader.peekTag())
  if (!reader.atEnd()) throw new TtlvError('message', 'bytes are left over behind an item')
  return item
}

/** Encodes one item. */
export const encodeItem = (item: Item): Buffer => {
  const writer = new BinaryWriter(0)
  writer.item(item.tag, item)
  return writer.bytes()
}
