/**
 * Declarations: a structure is written once as a list of fields and yields its decoder, its encoder and its TypeScript
 * type, for every encoding and version. What it is not: a byte format (binary.ts, xml.ts, json.ts) or the declarations
 * themselves (kmip/).
 *
 *     const name = struct({ nameValue: one(Tag.NameValue, textString), nameType: one(Tag.NameType, enumeration(rows)) })
 *     type Name = Infer<typeof name>
 */
import { TtlvError } from './error.ts'
import { type Item, ItemType } from './item.ts'
import type { Reader, Writer } from './stream.ts'

/** How a value is read and written, whatever tag it stands under. */
export interface Codec<T> {
  /** Item type of the value; undefined where it varies. */
  readonly type: ItemType | undefined
  /** Reads the next item, which has this tag. @throws TtlvError */
  read(reader: Reader, tag: number): T
  write(writer: Writer, tag: number, value: T): void
}

/** The value type of a codec. */
export type Infer<C> = C extends Codec<infer T> ? T : never

/** Versions that have a field; both absent: all. `lenient`: taken from a request whose version does not have it yet. */
export interface FieldRange {
  readonly since?: number
  readonly until?: number
  readonly lenient?: boolean
}

/** Chooses a codec by the fields of the same structure that stand before it. */
export type Choose<T> = (parent: Readonly<Record<string, unknown>>, version: number) => Codec<T>

type FieldKind = 'one' | 'optional' | 'many'

/** One field of a structure. */
export interface Field<T, K extends FieldKind> {
  readonly tag: number
  readonly kind: K
  readonly codec: Codec<T> | undefined
  readonly choose: Choose<T> | undefined
  readonly since: number
  readonly until: number
  readonly lenient: boolean
}

// biome-ignore format: one line a kind reads better
type Shape<F extends Fields> =
  & { readonly [K in keyof F as F[K] extends Field<unknown, 'one'> ? K : never]: F[K] extends Field<infer T, 'one'> ? T : never }
  & { readonly [K in keyof F as F[K] extends Field<unknown, 'optional'> ? K : never]?: F[K] extends Field<infer T, 'optional'> ? T | undefined : never }
  & { readonly [K in keyof F as F[K] extends Field<unknown, 'many'> ? K : never]: F[K] extends Field<infer T, 'many'> ? readonly T[] : never }

// The fields of a structure hold codecs of unlike types; `never` in the writing position accepts them all.
interface AnyField {
  readonly tag: number
  readonly kind: FieldKind
  readonly codec:
    | { read(reader: Reader, tag: number): unknown; write(writer: Writer, tag: number, value: never): void }
    | undefined
  readonly choose: ((parent: Readonly<Record<string, unknown>>, version: number) => unknown) | undefined
  readonly since: number
  readonly until: number
  readonly lenient: boolean
}
export type Fields = Readonly<Record<string, AnyField>>

const field = <T, K extends FieldKind>(
  tag: number,
  kind: K,
  codec: Codec<T> | Choose<T>,
  range: FieldRange,
): Field<T, K> => ({
  tag,
  kind,
  codec: typeof codec === 'function' ? undefined : codec,
  choose: typeof codec === 'function' ? codec : undefined,
  since: range.since ?? 0,
  until: range.until ?? Number.MAX_SAFE_INTEGER,
  lenient: range.lenient ?? false,
})

/** A field that must be there once. */
export const one = <T>(tag: number, codec: Codec<T> | Choose<T>, range: FieldRange = {}): Field<T, 'one'> =>
  field(tag, 'one', codec, range)

/** A field that may be there once. */
export const optional = <T>(tag: number, codec: Codec<T> | Choose<T>, range: FieldRange = {}): Field<T, 'optional'> =>
  field(tag, 'optional', codec, range)

/** A field that may be there any number of times, none included. */
export const many = <T>(tag: number, codec: Codec<T> | Choose<T>, range: FieldRange = {}): Field<T, 'many'> =>
  field(tag, 'many', codec, range)

/** A structure's codec, with its fields for whoever describes or walks it. */
export interface StructCodec<T> extends Codec<T> {
  readonly fields: Fields
}

interface CompiledField extends AnyField {
  readonly key: string
  /** Fields that must have been read before a field whose codec is chosen by them: those that a structure always has. */
  readonly deciding: readonly string[]
}

/**
 * Declares a structure. Decoding takes the fields in any order except that a field whose codec is chosen by others
 * stands behind them; encoding writes them in the order declared. A field that comes twice, is missing, or has another
 * type is an error of the message; a field that the version does not know is an error of the field (KMIP 1.4 §11.1).
 */
export const struct = <const F extends Fields>(fields: F): StructCodec<Shape<F>> => {
  const entries = Object.entries(fields)
  const compiled: readonly CompiledField[] = entries.map(([key, entry], index) => {
    const before = entry.choose === undefined ? [] : entries.slice(0, index).filter(([, other]) => isAlwaysThere(other))
    return { key, deciding: before.map(([name]) => name), ...entry }
  })
  const blank = Object.fromEntries(compiled.map(({ key }) => [key, undefined]))
  return {
    type: ItemType.Structure,
    fields,
    read(reader, tag) {
      reader.enter(tag)
      const value = readFields(reader, compiled, blank)
      reader.leave()
      return value as Shape<F>
    },
    write(writer, tag, value) {
      writer.begin(tag)
      writeFields(writer, compiled, value)
      writer.end()
    },
  }
}

/** @param blank a value with every key: a copy of it has the shape of all others from the start, which engines like */
const readFields = (
  reader: Reader,
  fields: readonly CompiledField[],
  blank: Readonly<Record<string, undefined>>,
): Record<string, unknown> => {
  const value: Record<string, unknown> = { ...blank }
  for (const entry of fields) if (entry.kind === 'many') value[entry.key] = []
  let next = 0
  for (let tag = reader.peekTag(); tag !== 0; tag = reader.peekTag()) {
    let index = next
    while (index < fields.length && fields[index]?.tag !== tag) index += 1
    if (index === fields.length) index = fields.findIndex((entry) => entry.tag === tag)
    const entry = fields[index]
    if (entry === undefined || !isKnown(entry, reader.version)) {
      if (!reader.ignoreUnknown)
        throw new TtlvError('field', `the field ${tag.toString(16)} is not known here`, reader.path())
      reader.skip()
      continue
    }
    readField(reader, entry, value)
    next = entry.kind === 'many' ? index : index + 1
  }
  for (const entry of fields) {
    if (entry.kind === 'one' && value[entry.key] === undefined && isKnown(entry, reader.version)) {
      throw new TtlvError('message', `the field ${entry.tag.toString(16)} is missing`, reader.path())
    }
  }
  return value
}

const isAlwaysThere = ({ kind, since, until }: AnyField): boolean =>
  kind === 'one' && since === 0 && until === Number.MAX_SAFE_INTEGER

const isKnown = (entry: AnyField, version: number): boolean =>
  (version >= entry.since || entry.lenient) && version < entry.until

const readField = (reader: Reader, entry: CompiledField, value: Record<string, unknown>): void => {
  for (const key of entry.deciding) {
    if (value[key] === undefined) {
      const text = `the field ${entry.tag.toString(16)} stands before the field that decides how it is read`
      throw new TtlvError('message', text, reader.path())
    }
  }
  const codec = entry.codec ?? (entry.choose?.(value, reader.version) as Codec<unknown>)
  if (entry.kind === 'many') {
    ;(value[entry.key] as unknown[]).push(codec.read(reader, entry.tag))
    return
  }
  if (value[entry.key] !== undefined) {
    throw new TtlvError('message', `the field ${entry.tag.toString(16)} is there more than once`, reader.path())
  }
  value[entry.key] = codec.read(reader, entry.tag)
}

const writeFields = (
  writer: Writer,
  fields: readonly CompiledField[],
  value: Readonly<Record<string, unknown>>,
): void => {
  for (const entry of fields) {
    const content = value[entry.key]
    if (content === undefined) continue
    if (writer.version < entry.since || writer.version >= entry.until) {
      if (writer.refusesOthers === true && !isEmpty(content)) throw notOfVersion(entry, writer.version)
      continue
    }
    const codec = (entry.codec ?? entry.choose?.(value, writer.version)) as Codec<unknown>
    if (entry.kind === 'many') {
      for (const element of content as readonly unknown[]) codec.write(writer, entry.tag, element)
    } else {
      codec.write(writer, entry.tag, content)
    }
  }
}

const isEmpty = (content: unknown): boolean => Array.isArray(content) && content.length === 0

const notOfVersion = ({ key }: CompiledField, version: number): RangeError =>
  new RangeError(`the field ${key} is not one of version ${Math.floor(version / 100)}.${version % 100}`)

/** A codec over one pair of stream methods. */
const primitive = <T>(
  type: ItemType,
  read: (reader: Reader, tag: number) => T,
  write: (writer: Writer, tag: number, value: T) => void,
): Codec<T> => ({
  type,
  read,
  write,
})

export const integer = primitive<number>(
  ItemType.Integer,
  (reader, tag) => reader.integer(tag),
  (writer, tag, value) => writer.integer(tag, value),
)
export const longInteger = primitive<bigint>(
  ItemType.LongInteger,
  (reader, tag) => reader.longInteger(tag),
  (writer, tag, value) => writer.longInteger(tag, value),
)
export const bigInteger = primitive<bigint>(
  ItemType.BigInteger,
  (reader, tag) => reader.bigInteger(tag),
  (writer, tag, value) => writer.bigInteger(tag, value),
)
export const boolean = primitive<boolean>(
  ItemType.Boolean,
  (reader, tag) => reader.boolean(tag),
  (writer, tag, value) => writer.boolean(tag, value),
)
export const textString = primitive<string>(
  ItemType.TextString,
  (reader, tag) => reader.textString(tag),
  (writer, tag, value) => writer.textString(tag, value),
)
export const byteString = primitive<Uint8Array>(
  ItemType.ByteString,
  (reader, tag) => reader.byteString(tag),
  (writer, tag, value) => writer.byteString(tag, value),
)
/** Whole seconds since 1970. */
export const dateTime = primitive<number>(
  ItemType.DateTime,
  (reader, tag) => reader.dateTime(tag),
  (writer, tag, value) => writer.dateTime(tag, value),
)
/** Seconds. */
export const interval = primitive<number>(
  ItemType.Interval,
  (reader, tag) => reader.interval(tag),
  (writer, tag, value) => writer.interval(tag, value),
)
/** Any item, kept as a tree. */
export const anyItem: Codec<Item> = {
  type: undefined,
  read: (reader, tag) => reader.item(tag),
  write: (writer, tag, value) => writer.item(tag, value),
}

/** A codec for a value that is a byte string or something else, with both for whoever describes or walks it. */
export interface BytesOrCodec<T> extends Codec<T | Uint8Array> {
  readonly other: Codec<T>
}

/** A byte string, or what another codec reads: the item type tells which of both (a wrapped and a plain Key Value). */
export const bytesOr = <T>(other: Codec<T>): BytesOrCodec<T> => ({
  type: undefined,
  other,
  read: (reader, tag) => (reader.peekType() === ItemType.ByteString ? reader.byteString(tag) : other.read(reader, tag)),
  write: (writer, tag, value) =>
    value instanceof Uint8Array ? writer.byteString(tag, value) : other.write(writer, tag, value),
})

/** A range of versions for each value of an enumeration. */
export interface EnumerationValues {
  readonly values: readonly { readonly value: number; readonly since: number; readonly until?: number }[]
}

/** An enumeration's codec, with its values for whoever describes or walks it. */
export interface EnumerationCodec<E> extends Codec<E>, EnumerationValues {}

/**
 * An enumeration: values that the version does not have are errors of the field, vendor extensions (8XXXXXXX,
 * KMIP 1.4 §9.1.3.2) pass. `open` leaves unknown values to the reader's caller.
 */
export const enumeration = <E extends number = number>(rows: EnumerationValues, open = false): EnumerationCodec<E> => {
  const known = new Map(rows.values.map((row) => [row.value, row]))
  return {
    type: ItemType.Enumeration,
    values: rows.values,
    read(reader, tag) {
      const value = reader.enumeration(tag)
      const row = known.get(value)
      const inVersion =
        row !== undefined && reader.version >= row.since && (row.until === undefined || reader.version < row.until)
      if (!inVersion && !open && value < 0x8000_0000) {
        throw new TtlvError('field', `the enumeration value ${value} is not known here`, [...reader.path(), tag])
      }
      return value as E
    },
    write(writer, tag, value) {
      writer.enumeration(tag, value)
    },
  }
}

/** The same structure with every field optional: a filter, or a change of some fields. */
export const partial = <T>(codec: StructCodec<T>): StructCodec<Partial<T>> => {
  const fields = Object.fromEntries(
    Object.entries(codec.fields).map(([key, entry]) => [
      key,
      entry.kind === 'one' ? { ...entry, kind: 'optional' as const } : entry,
    ]),
  )
  return struct(fields) as StructCodec<Partial<T>>
}
