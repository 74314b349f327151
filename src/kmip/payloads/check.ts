/** Check: payload shapes, request and response. KMIP 1.4 §4.10 */

import { Tag } from '#kmip/tags'
import { integer, interval, longInteger, optional, struct, textString } from '#ttlv/schema'

export const request = struct({
  uniqueIdentifier: optional(Tag.UniqueIdentifier, textString),
  usageLimitsCount: optional(Tag.UsageLimitsCount, longInteger),
  cryptographicUsageMask: optional(Tag.CryptographicUsageMask, integer),
  leaseTime: optional(Tag.LeaseTime, interval),
})

/** Without a Unique Identifier where the use is denied; the fields that caused it are returned then. */
export const response = struct({
  uniqueIdentifier: optional(Tag.UniqueIdentifier, textString),
  usageLimitsCount: optional(Tag.UsageLimitsCount, longInteger),
  cryptographicUsageMask: optional(Tag.CryptographicUsageMask, integer),
  leaseTime: optional(Tag.LeaseTime, interval),
})
