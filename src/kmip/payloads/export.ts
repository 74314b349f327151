/** Export: payload shapes, request and response. KMIP 1.4 §4.40 */
import { attribute } from '#kmip/attribute'
import { keyWrappingSpecification } from '#kmip/key-block'
import { objectFields } from '#kmip/objects'
import { Tag } from '#kmip/tags'
import { enumerated } from '#kmip/vocabulary'
import { many, one, optional, struct, textString } from '#ttlv/schema'

export const request = struct({
  uniqueIdentifier: optional(Tag.UniqueIdentifier, textString),
  keyFormatType: optional(Tag.KeyFormatType, enumerated('KeyFormatType')),
  keyWrapType: optional(Tag.KeyWrapType, enumerated('KeyWrapType', true)),
  keyCompressionType: optional(Tag.KeyCompressionType, enumerated('KeyCompressionType')),
  keyWrappingSpecification: optional(Tag.KeyWrappingSpecification, keyWrappingSpecification),
})

export const response = struct({
  objectType: one(Tag.ObjectType, enumerated('ObjectType')),
  uniqueIdentifier: one(Tag.UniqueIdentifier, textString),
  attribute: many(Tag.Attribute, attribute),
  ...objectFields,
})
