/** Obtain Lease: payload shapes, request and response. KMIP 1.4 §4.17 */
import { Tag } from '#kmip/tags'
import { dateTime, interval, one, optional, struct, textString } from '#ttlv/schema'

export const request = struct({
  uniqueIdentifier: optional(Tag.UniqueIdentifier, textString),
})

export const response = struct({
  uniqueIdentifier: one(Tag.UniqueIdentifier, textString),
  leaseTime: one(Tag.LeaseTime, interval),
  lastChangeDate: one(Tag.LastChangeDate, dateTime),
})
