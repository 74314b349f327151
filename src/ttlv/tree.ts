/**
 * A reader and a writer over trees of items, so that what XML, JSON or a test gives goes through the same declarations
 * as binary messages. What it is not: an encoding (binary.ts, xml.ts) or a knowledge of structures (schema.ts).
 */
import { TtlvError, type TtlvFault } from './error.ts'
import { type Item, ItemType, type ItemValue } from './item.ts'
import type { Reader, ReaderLimits, Writer } from './stream.ts'

/** No tag: what stands for the name of a field that no vocabulary has. */
const unnamedTag = 0xff_ffff

/**
 * What of a text could not be read as an item. In bytes a fault stays within the item that has it; so that it does so in a text too,
 * another item stands in its place, and is refused when it is read (KMIP 1.4 §11.1: a batch item may fail alone).
 */
export class Faults {
  readonly #errors = new Map<Item, TtlvError>()

  /**
   * The item that stands in the place.
   * @param tag undefined: the field itself has no name
   * @throws what is no fault of one item: a bound of the message was passed
   */
  standIn(tag: number | undefined, error: unknown): Item {
    if (!(error instanceof TtlvError) || error.fault === 'limit') throw error
    const item: Item = { tag: tag ?? unnamedTag, type: ItemType.ByteString, value: new Uint8Array() }
    this.#errors.set(item, error)
    return item
  }

  of(item: Item): TtlvError | undefined {
    return this.#errors.get(item)
  }
}

interface Level {
  readonly items: readonly Item[]
  next: number
}

/** Reads a tree as if it were a message. Byte strings are the tree's own: nothing is copied. */
export class TreeReader implements Reader {
  version: number
  ignoreUnknown = false
  readonly #limits: ReaderLimits
  readonly #faults: Faults | undefined
  #level: Level
  readonly #outer: Level[] = []
  readonly #tags: number[] = []
  #count = 0

  /**
   * @param root the outermost item
   * @param version protocol version whose rules apply; may be set later, once the header told it
   * @param faults what of the tree stands for items that could not be read
   */
  constructor(root: Item, limits: ReaderLimits, version = 0, faults?: Faults) {
    this.#level = { items: [root], next: 0 }
    this.#limits = limits
    this.#faults = faults
    this.version = version
  }

  /** True when every item was read. */
  atEnd(): boolean {
    return this.#outer.length === 0 && this.#level.next === this.#level.items.length
  }

  peekTag(): number {
    return this.#level.items[this.#level.next]?.tag ?? 0
  }

  peekType(): number {
    return this.#level.items[this.#level.next]?.type ?? 0
  }

  enter(tag: number): void {
    const items = this.#take(tag, ItemType.Structure)
    if (this.#outer.length >= this.#limits.nestingDepthMax) {
      this.#fail('limit', `structures are nested deeper than ${this.#limits.nestingDepthMax}`)
    }
    this.#outer.push(this.#level)
    this.#tags.push(tag)
    this.#level = { items, next: 0 }
  }

  leave(): void {
    if (this.#level.next < this.#level.items.length)
      this.#fail('message', 'items are left over at the end of a structure')
    this.leaveTo(this.#outer.length)
  }

  leaveTo(depth: number): void {
    for (let level = this.#outer.length; level >= depth; level -= 1) {
      this.#level = this.#outer.pop() ?? this.#level
      this.#tags.pop()
    }
  }

  depth(): number {
    return this.#outer.length
  }

  skip(): void {
    if (this.peekTag() === 0) this.#fail('message', 'an item is expected')
    this.#countItem()
    this.#level.next += 1
  }

  integer(tag: number): number {
    return this.#take(tag, ItemType.Integer)
  }

  longInteger(tag: number): bigint {
    return this.#take(tag, ItemType.LongInteger)
  }

  bigInteger(tag: number): bigint {
    return this.#take(tag, ItemType.BigInteger)
  }

  enumeration(tag: number): number {
    return this.#take(tag, ItemType.Enumeration)
  }

  boolean(tag: number): boolean {
    return this.#take(tag, ItemType.Boolean)
  }

  textString(tag: number): string {
    return this.#take(tag, ItemType.TextString)
  }

  byteString(tag: number): Uint8Array {
    return this.#take(tag, ItemType.ByteString)
  }

  dateTime(tag: number): number {
    return this.#take(tag, ItemType.DateTime)
  }

  interval(tag: number): number {
    return this.#take(tag, ItemType.Interval)
  }

  /** The next item; the limits are checked for all that it holds. */
  item(tag: number): Item {
    const item = this.#level.items[this.#level.next]
    if (item === undefined || item.tag !== tag) return this.#fail('message', `tag ${tag.toString(16)} is expected`, tag)
    if (item.type !== ItemType.Structure) {
      this.#checkReadable(item)
      this.skip()
      return item
    }
    this.enter(tag)
    for (let next = this.peekTag(); next !== 0; next = this.peekTag()) this.item(next)
    this.leave()
    return item
  }

  path(): readonly number[] {
    return [...this.#tags]
  }

  #take<T extends ItemType>(tag: number, type: T): ItemValue<T> {
    const item = this.#level.items[this.#level.next]
    if (item?.tag !== tag) this.#fail('message', `tag ${tag.toString(16)} is expected`, tag)
    this.#checkReadable(item)
    if (item.type !== type) this.#fail('message', `item type ${type} is expected, not ${item.type}`, tag)
    this.#countItem()
    this.#level.next += 1
    return item.value as ItemValue<T>
  }

  #checkReadable(item: Item): void {
    const error = this.#faults?.of(item)
    if (error !== undefined) this.#fail(error.fault, error.message, item.tag)
  }

  #countItem(): void {
    this.#count += 1
    if (this.#count > this.#limits.itemCountMax) {
      this.#fail('limit', `a message has more than ${this.#limits.itemCountMax} items`)
    }
  }

  #fail(fault: TtlvFault, text: string, tag?: number): never {
    throw new TtlvError(fault, text, tag === undefined ? this.#tags : [...this.#tags, tag])
  }
}

interface OpenStructure {
  readonly tag: number
  readonly items: Item[]
}

/** Builds a tree of what is written. */
export class TreeWriter implements Writer {
  version: number
  readonly #roots: Item[] = []
  readonly #open: OpenStructure[] = []

  constructor(version: number) {
    this.version = version
  }

  /** What was written, outermost items first; structures that were not ended are not among them. */
  items(): readonly Item[] {
    return this.#roots
  }

  begin(tag: number): void {
    this.#open.push({ tag, items: [] })
  }

  end(): void {
    const structure = this.#open.pop()
    if (structure === undefined) throw new TypeError('no structure is open')
    this.#add({ tag: structure.tag, type: ItemType.Structure, value: structure.items })
  }

  integer(tag: number, value: number): void {
    this.#add({ tag, type: ItemType.Integer, value })
  }

  longInteger(tag: number, value: bigint): void {
    this.#add({ tag, type: ItemType.LongInteger, value })
  }

  bigInteger(tag: number, value: bigint): void {
    this.#add({ tag, type: ItemType.BigInteger, value })
  }

  enumeration(tag: number, value: number): void {
    this.#add({ tag, type: ItemType.Enumeration, value })
  }

  boolean(tag: number, value: boolean): void {
    this.#add({ tag, type: ItemType.Boolean, value })
  }

  textString(tag: number, value: string): void {
    this.#add({ tag, type: ItemType.TextString, value })
  }

  byteString(tag: number, value: Uint8Array): void {
    this.#add({ tag, type: ItemType.ByteString, value })
  }

  dateTime(tag: number, value: number): void {
    this.#add({ tag, type: ItemType.DateTime, value })
  }

  interval(tag: number, value: number): void {
    this.#add({ tag, type: ItemType.Interval, value })
  }

  item(tag: number, value: Item): void {
    this.#add({ ...value, tag })
  }

  #add(item: Item): void {
    const structure = this.#open.at(-1)
    if (structure === undefined) this.#roots.push(item)
    else structure.items.push(item)
  }
}
