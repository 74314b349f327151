/** Re-key: payload shapes, request and response. KMIP 1.4 §4.4 */
import { templateAttribute } from '#kmip/attribute'
import { Tag } from '#kmip/tags'
import { interval, one, optional, struct, textString } from '#ttlv/schema'

export const request = struct({
  uniqueIdentifier: optional(Tag.UniqueIdentifier, textString),
  offset: optional(Tag.Offset, interval),
  templateAttribute: optional(Tag.TemplateAttribute, templateAttribute),
})

export const response = struct({
  uniqueIdentifier: one(Tag.UniqueIdentifier, textString),
  templateAttribute: optional(Tag.TemplateAttribute, templateAttribute),
})
