/** Modify Attribute: payload shapes, request and response. KMIP 1.4 §4.15 */

import { attribute } from '#kmip/attribute'
import { Tag } from '#kmip/tags'
import { one, optional, struct, textString } from '#ttlv/schema'

export const request = struct({
  uniqueIdentifier: optional(Tag.UniqueIdentifier, textString),
  attribute: one(Tag.Attribute, attribute),
})

export const response = struct({
  uniqueIdentifier: one(Tag.UniqueIdentifier, textString),
  attribute: one(Tag.Attribute, attribute),
})
