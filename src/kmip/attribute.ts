/**
 * The Attribute structure of KMIP 1.x (§2.1.1) and the structures made of it (Template-Attribute, §2.1.8). What it is:
 * the wire form, one instance a structure. What it is not: the inner form (objects/managed-object.ts).
 */
import {
  type Choose,
  type Codec,
  type Infer,
  integer,
  many,
  one,
  optional,
  partial,
  type StructCodec,
  struct,
  textString,
} from '#ttlv/schema'
import { name } from './attribute-values.ts'
import { attributeCodec } from './attributes.ts'
import { Tag } from './tags.ts'

const valueCodec: Choose<unknown> = (parent) => attributeCodec(String(parent['attributeName']))

/** An attribute with its value: one instance. */
export const attribute = struct({
  attributeName: one(Tag.AttributeName, textString),
  attributeIndex: optional(Tag.AttributeIndex, integer),
  attributeValue: one(Tag.AttributeValue, valueCodec),
})
export type Attribute = Infer<typeof attribute>

const partialCodecs = new Map<Codec<unknown>, Codec<unknown>>()

/** The codec of a value of which only some fields may be given (Locate, §4.9: "all of the structure fields are not REQUIRED"). */
const partialValueCodec: Choose<unknown> = (parent) => {
  const codec = attributeCodec(String(parent['attributeName']))
  if (!('fields' in codec)) return codec
  const known = partialCodecs.get(codec) ?? partial(codec as StructCodec<unknown>)
  partialCodecs.set(codec, known)
  return known
}

/** An attribute as Locate asks for it: fields of a structured value may be left out. */
export const attributeFilter = struct({
  attributeName: one(Tag.AttributeName, textString),
  attributeIndex: optional(Tag.AttributeIndex, integer),
  attributeValue: one(Tag.AttributeValue, partialValueCodec),
})

/** §2.1.8, under any of its four tags. */
export const templateAttribute = struct({
  name: many(Tag.Name, name),
  attribute: many(Tag.Attribute, attribute),
})
export type TemplateAttribute = Infer<typeof templateAttribute>

/** A Template-Attribute as a filter of Locate, which real clients send in place of Attributes. */
export const templateAttributeFilter = struct({
  name: many(Tag.Name, name),
  attribute: many(Tag.Attribute, attributeFilter),
})
