/** Delete Attribute: payload shapes, request and response. KMIP 1.4 §4.16 */

import { attribute } from '#kmip/attribute'
import { Tag } from '#kmip/tags'
import { integer, one, optional, struct, textString } from '#ttlv/schema'

export const request = struct({
  uniqueIdentifier: optional(Tag.UniqueIdentifier, textString),
  attributeName: one(Tag.AttributeName, textString),
  attributeIndex: optional(Tag.AttributeIndex, integer),
})

export const response = struct({
  uniqueIdentifier: one(Tag.UniqueIdentifier, textString),
  attribute: one(Tag.Attribute, attribute),
})
