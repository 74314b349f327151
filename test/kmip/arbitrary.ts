/**
 * Random values of declarations (src/kmip), made from the declarations themselves: what is declared is generated. What it
 * is: an arbitrary for a codec in a protocol version, and a walk that tells which fields a value has. What it is not: values
 * that mean anything to an operation.
 */
import * as fc from 'fast-check'
import { attributeRows, hasAttribute } from '#kmip/attributes'
import { payloadCodecs } from '#kmip/payloads/index'
import { headerVersion } from '#kmip/protocol-version'
import { inVersion } from '#kmip/row'
import { Tag } from '#kmip/tags'
import { majorOf, minorOf, type Version } from '#kmip/versions'
import { enumerationNamed } from '#kmip/vocabulary'
import { item, text } from '#test/ttlv/arbitrary'
import * as schema from '#ttlv/schema'

type AnyCodec = schema.Codec<unknown>
type Value = Readonly<Record<string, unknown>>
type AnyField = schema.Fields[string]

/** How much of what is optional a value has: all, or any part. */
export type Presence = 'all' | 'any'

/** Values that decide how the rest of a structure is read, by the tag of the field: a name or a number of any other kind has no codec. */
const declaredValues: ReadonlyMap<number, (version: Version) => readonly unknown[]> = new Map<
  number,
  (version: Version) => readonly unknown[]
>([
  [
    Tag.AttributeName,
    (version) =>
      [...attributeRows.keys()].filter((name) => hasAttribute(name, version)).concat('x-a', 'y-a', 'No Such'),
  ],
  [
    Tag.Operation,
    (version) =>
      enumerationNamed('Operation')
        .values.filter((row) => inVersion(row, version) && payloadCodecs(row.value) !== undefined)
        .map(({ value }) => value),
  ],
])

const int32 = fc.integer({ min: -0x8000_0000, max: 0x7fff_ffff })
const primitives: ReadonlyMap<unknown, fc.Arbitrary<unknown>> = new Map<unknown, fc.Arbitrary<unknown>>([
  [schema.integer, fc.oneof(int32, fc.nat(300))],
  [schema.longInteger, fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })],
  [schema.bigInteger, fc.bigInt({ min: -(2n ** 200n), max: 2n ** 200n })],
  [schema.boolean, fc.boolean()],
  [schema.textString, text(true)],
  [schema.byteString, fc.uint8Array({ maxLength: 20 })],
  [schema.dateTime, fc.oneof(fc.integer({ min: Number.MIN_SAFE_INTEGER, max: Number.MAX_SAFE_INTEGER }), fc.nat())],
  [schema.interval, fc.integer({ min: 0, max: 0xffff_ffff })],
])

const isStruct = (codec: object): codec is schema.StructCodec<unknown> => 'fields' in codec
const isEnumeration = (codec: object): codec is schema.EnumerationCodec<number> => 'values' in codec
const isBytesOr = (codec: object): codec is schema.BytesOrCodec<unknown> => 'other' in codec

/** Whether a writer of this version writes a field. */
const isWritten = ({ since, until }: AnyField, version: Version): boolean => version >= since && version < until

/** The codec of a field, which the fields before it may choose. */
const codecOf = (field: AnyField, parent: Value, version: Version): AnyCodec =>
  (field.codec ?? field.choose?.(parent, version)) as AnyCodec

/** Values that a field with few of them can have in a version; undefined: there are many. */
const choicesOf = (field: AnyField, version: Version): readonly unknown[] | undefined => {
  const declared = declaredValues.get(field.tag)
  if (declared !== undefined) return declared(version)
  const { codec } = field
  if (codec === undefined || !isEnumeration(codec)) return undefined
  return codec.values.filter((row) => inVersion(row, version)).map(({ value }) => value)
}

const vendorValue = fc.integer({ min: 0x8000_0000, max: 0xffff_ffff })

/** One value of a field, or undefined where its codec cannot write any (the payload of no operation). */
const elementOf = (
  field: AnyField,
  parent: Value,
  version: Version,
  presence: Presence,
): fc.Arbitrary<unknown> | undefined => {
  const choices = choicesOf(field, version)
  if (choices === undefined || choices.length === 0)
    return valueOf(codecOf(field, parent, version), field.tag, version, presence)
  const any = fc.constantFrom(...choices)
  return declaredValues.has(field.tag)
    ? any
    : fc.oneof({ weight: 9, arbitrary: any }, { weight: 1, arbitrary: vendorValue })
}

const fieldOf = (
  field: AnyField,
  parent: Value,
  version: Version,
  presence: Presence,
): fc.Arbitrary<unknown> | undefined => {
  const element = elementOf(field, parent, version, presence)
  if (element === undefined || field.kind !== 'many') return element
  return fc.array(element, { minLength: presence === 'all' ? 1 : 0, maxLength: 2 })
}

const recordOf = (
  fields: readonly (readonly [string, AnyField])[],
  parent: Value,
  version: Version,
  presence: Presence,
): fc.Arbitrary<Value> => {
  const model: Record<string, fc.Arbitrary<unknown>> = {}
  for (const [key, field] of fields) {
    if (key in parent) continue
    if (!isWritten(field, version)) {
      if (field.kind === 'many') model[key] = fc.constant([])
      continue
    }
    const arbitrary = fieldOf(field, parent, version, presence)
    if (arbitrary !== undefined) model[key] = arbitrary
    else if (field.kind === 'one') throw new TypeError(`nothing is known of the codec of ${key}`)
  }
  const required = presence === 'all' ? fields : fields.filter(([, { kind }]) => kind !== 'optional')
  const requiredKeys = required.map(([key]) => key).filter((key) => key in model)
  return fc.record(model, { requiredKeys, noNullPrototype: true }).map((value) => ({ ...parent, ...value }))
}

const structOf = (
  codec: schema.StructCodec<unknown>,
  given: Value,
  version: Version,
  presence: Presence,
): fc.Arbitrary<Value> => {
  if (codec === headerVersion) {
    return fc.constant({ protocolVersionMajor: majorOf(version), protocolVersionMinor: minorOf(version) })
  }
  const fields = Object.entries(codec.fields)
  const plain = recordOf(
    fields.filter(([, { choose }]) => choose === undefined),
    given,
    version,
    presence,
  )
  const chosen = fields.filter(([, { choose }]) => choose !== undefined)
  return chosen.length === 0 ? plain : plain.chain((parent) => recordOf(chosen, parent, version, presence))
}

const known = new Map<string, WeakMap<object, fc.Arbitrary<unknown>>>()

/** The arbitrary of a codec, made once for a version and a presence. */
const valueOf = (
  codec: AnyCodec,
  tag: number,
  version: Version,
  presence: Presence,
): fc.Arbitrary<unknown> | undefined => {
  if (codec === schema.anyItem) return item({ xml: true }).map((value) => ({ ...value, tag }))
  const key = `${version} ${presence}`
  const arbitraries = known.get(key) ?? new WeakMap<object, fc.Arbitrary<unknown>>()
  known.set(key, arbitraries)
  const arbitrary = arbitraries.get(codec) ?? newValueOf(codec, tag, version, presence)
  if (arbitrary !== undefined) arbitraries.set(codec, arbitrary)
  return arbitrary
}

const newValueOf = (
  codec: AnyCodec,
  tag: number,
  version: Version,
  presence: Presence,
): fc.Arbitrary<unknown> | undefined => {
  if (isStruct(codec)) return structOf(codec, {}, version, presence)
  if (isEnumeration(codec)) return vendorValue
  if (isBytesOr(codec)) {
    const other = valueOf(codec.other, tag, version, presence)
    return other === undefined || presence === 'all' ? other : fc.oneof(other, fc.uint8Array({ maxLength: 20 }))
  }
  return primitives.get(codec)
}

/**
 * Values of a declared structure in a version.
 * @param given fields whose values are not left to chance
 */
export const valuesOf = (
  codec: schema.StructCodec<unknown>,
  version: Version,
  presence: Presence,
  given: Value = {},
): fc.Arbitrary<Value> => structOf(codec, given, version, presence)

/** The fields that decide how others are read, each with each value: what must be tried one by one. */
export const variantsOf = (codec: schema.StructCodec<unknown>, version: Version): readonly Value[] => {
  const fields = Object.entries(codec.fields)
  const last = fields.findLastIndex(([, { choose }]) => choose !== undefined)
  const deciding = fields
    .slice(0, Math.max(last, 0))
    .filter(([, field]) => field.choose === undefined && field.kind !== 'many')
  const variants = deciding.flatMap(([key, field]) =>
    (choicesOf(field, version) ?? []).map((value) => ({ [key]: value })),
  )
  return variants.length === 0 ? [{}] : variants
}

/** Tells each field that a version has of each structure within a value, and whether it is there. */
export const walk = (
  codec: AnyCodec,
  value: unknown,
  version: Version,
  tell: (codec: schema.StructCodec<unknown>, key: string, isThere: boolean) => void,
): void => {
  if (isBytesOr(codec)) {
    if (!(value instanceof Uint8Array)) walk(codec.other, value, version, tell)
    return
  }
  if (!isStruct(codec)) return
  const parent = value as Value
  for (const [key, field] of Object.entries(codec.fields)) {
    if (!isWritten(field, version)) continue
    const content = parent[key]
    const elements = field.kind === 'many' ? (content as readonly unknown[]) : content === undefined ? [] : [content]
    tell(codec, key, elements.length > 0)
    for (const element of elements) walk(codecOf(field, parent, version), element, version, tell)
  }
}

/** A value without fields that are not there, with byte strings of one class: what equality of values is about. */
export const canonical = (value: unknown): unknown => {
  if (value instanceof Uint8Array) return Uint8Array.from(value)
  if (Array.isArray(value)) return value.map(canonical)
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).filter(([, content]) => content !== undefined)
  return Object.fromEntries(entries.map(([key, content]) => [key, canonical(content)]))
}
