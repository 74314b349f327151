/** Create: payload shapes, request and response. KMIP 1.4 §4.1 */

import { templateAttribute } from '#kmip/attribute'
import { Tag } from '#kmip/tags'
import { enumerated } from '#kmip/vocabulary'
import { one, optional, struct, textString } from '#ttlv/schema'

export const request = struct({
  objectType: one(Tag.ObjectType, enumerated('ObjectType')),
  templateAttribute: one(Tag.TemplateAttribute, templateAttribute),
})

export const response = struct({
  objectType: one(Tag.ObjectType, enumerated('ObjectType')),
  uniqueIdentifier: one(Tag.UniqueIdentifier, textString),
  templateAttribute: optional(Tag.TemplateAttribute, templateAttribute),
})
