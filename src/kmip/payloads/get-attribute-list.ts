/** Get Attribute List: payload shapes, request and response. KMIP 1.4 §4.13 */

import { Tag } from '#kmip/tags'
import { many, one, optional, struct, textString } from '#ttlv/schema'

export const request = struct({ uniqueIdentifier: optional(Tag.UniqueIdentifier, textString) })

export const response = struct({
  uniqueIdentifier: one(Tag.UniqueIdentifier, textString),
  attributeName: many(Tag.AttributeName, textString),
})
