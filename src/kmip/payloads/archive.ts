/** Archive: payload shapes, request and response. KMIP 1.4 §4.22 */
import { Tag } from '#kmip/tags'
import { one, optional, struct, textString } from '#ttlv/schema'

export const request = struct({
  uniqueIdentifier: optional(Tag.UniqueIdentifier, textString),
})

export const response = struct({
  uniqueIdentifier: one(Tag.UniqueIdentifier, textString),
})
