/** Create Split Key: payload shapes, request and response. KMIP 1.4 §4.38 */
import { templateAttribute } from '#kmip/attribute'
import { Tag } from '#kmip/tags'
import { enumerated } from '#kmip/vocabulary'
import { bigInteger, integer, many, one, optional, struct, textString } from '#ttlv/schema'

export const request = struct({
  objectType: one(Tag.ObjectType, enumerated('ObjectType')),
  uniqueIdentifier: optional(Tag.UniqueIdentifier, textString),
  splitKeyParts: one(Tag.SplitKeyParts, integer),
  splitKeyThreshold: one(Tag.SplitKeyThreshold, integer),
  splitKeyMethod: one(Tag.SplitKeyMethod, enumerated('SplitKeyMethod')),
  primeFieldSize: optional(Tag.PrimeFieldSize, bigInteger),
  templateAttribute: one(Tag.TemplateAttribute, templateAttribute),
})

export const response = struct({
  uniqueIdentifier: many(Tag.UniqueIdentifier, textString),
  templateAttribute: optional(Tag.TemplateAttribute, templateAttribute),
})
