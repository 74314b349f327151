/** Get Usage Allocation: payload shapes, request and response. KMIP 1.4 §4.18 */
import { Tag } from '#kmip/tags'
import { longInteger, one, optional, struct, textString } from '#ttlv/schema'

export const request = struct({
  uniqueIdentifier: optional(Tag.UniqueIdentifier, textString),
  usageLimitsCount: one(Tag.UsageLimitsCount, longInteger),
})

export const response = struct({
  uniqueIdentifier: one(Tag.UniqueIdentifier, textString),
})
