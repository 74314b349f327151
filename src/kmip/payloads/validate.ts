/** Validate: payload shapes, request and response. KMIP 1.4 §4.24 */
import { certificate } from '#kmip/objects'
import { Tag } from '#kmip/tags'
import { enumerated } from '#kmip/vocabulary'
import { dateTime, many, one, optional, struct, textString } from '#ttlv/schema'

export const request = struct({
  certificate: many(Tag.Certificate, certificate),
  uniqueIdentifier: many(Tag.UniqueIdentifier, textString),
  validityDate: optional(Tag.ValidityDate, dateTime),
})

export const response = struct({
  validityIndicator: one(Tag.ValidityIndicator, enumerated('ValidityIndicator')),
})
