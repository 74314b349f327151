/**
 * The two interfaces beneath every declaration: a reader and a writer of items. What they are: a cursor over the items of
 * a message, whatever its encoding (binary.ts reads bytes; tree.ts reads the trees that XML and JSON give). What they are
 * not: knowledge of structures, which schema.ts has.
 */
import type { Item } from './item.ts'

export interface Reader {
  /** Protocol version whose rules decide what is known: 100 x major + minor. */
  version: number
  /** True: fields that this version does not know are skipped (KMIP 1.4 §11.1, another minor version). */
  ignoreUnknown: boolean
  /** Tag of the next item of the structure that was entered last, 0 at its end. @throws TtlvError on a broken header. */
  peekTag(): number
  /** Item type of the next item; only after peekTag gave a tag. */
  peekType(): number
  /** Enters the next item, which must be a structure with this tag. @throws TtlvError */
  enter(tag: number): void
  /** Leaves the structure, which must have been read to its end. @throws TtlvError */
  leave(): void
  /** Gives up the structure that was entered `depth` levels deep and all within, and stands behind it. */
  leaveTo(depth: number): void
  /** How many structures are entered. */
  depth(): number
  /** Passes over the next item, whatever it holds. */
  skip(): void
  integer(tag: number): number
  longInteger(tag: number): bigint
  bigInteger(tag: number): bigint
  enumeration(tag: number): number
  boolean(tag: number): boolean
  textString(tag: number): string
  byteString(tag: number): Uint8Array
  /** Seconds since 1970. */
  dateTime(tag: number): number
  interval(tag: number): number
  /** The next item as a tree, whatever its type. */
  item(tag: number): Item
  /** Tags of the structures that are entered, outermost first. */
  path(): readonly number[]
}

export interface Writer {
  /** Protocol version that is written: fields that it does not have are left out. */
  version: number
  /** True: such a field is an error instead. An answer is the same without it, a request is another one. */
  readonly refusesOthers?: boolean
  begin(tag: number): void
  end(): void
  integer(tag: number, value: number): void
  longInteger(tag: number, value: bigint): void
  bigInteger(tag: number, value: bigint): void
  enumeration(tag: number, value: number): void
  boolean(tag: number, value: boolean): void
  textString(tag: number, value: string): void
  byteString(tag: number, value: Uint8Array): void
  dateTime(tag: number, value: number): void
  interval(tag: number, value: number): void
  /** A tree under another tag than its own (an Attribute Value, for example). */
  item(tag: number, value: Item): void
}

/** What bounds a reader: each is a setting (src/config.ts). */
export interface ReaderLimits {
  /** Structures within structures. */
  readonly nestingDepthMax: number
  /** Items of a whole message. */
  readonly itemCountMax: number
}
