/** Revoke: payload shapes, request and response. KMIP 1.4 §4.20 */

import { revocationReason } from '#kmip/attribute-values'
import { Tag } from '#kmip/tags'
import { dateTime, one, optional, struct, textString } from '#ttlv/schema'

export const request = struct({
  uniqueIdentifier: optional(Tag.UniqueIdentifier, textString),
  revocationReason: one(Tag.RevocationReason, revocationReason),
  compromiseOccurrenceDate: optional(Tag.CompromiseOccurrenceDate, dateTime),
})

export const response = struct({ uniqueIdentifier: one(Tag.UniqueIdentifier, textString) })
