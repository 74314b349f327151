/** Join Split Key: payload shapes, request and response. KMIP 1.4 §4.39 */
import { templateAttribute } from '#kmip/attribute'
import { Tag } from '#kmip/tags'
import { enumerated } from '#kmip/vocabulary'
import { many, one, optional, struct, textString } from '#ttlv/schema'

export const request = struct({
  objectType: one(Tag.ObjectType, enumerated('ObjectType')),
  uniqueIdentifier: many(Tag.UniqueIdentifier, textString),
  secretDataType: optional(Tag.SecretDataType, enumerated('SecretDataType')),
  templateAttribute: optional(Tag.TemplateAttribute, templateAttribute),
})

export const response = struct({
  uniqueIdentifier: one(Tag.UniqueIdentifier, textString),
  templateAttribute: optional(Tag.TemplateAttribute, templateAttribute),
})
