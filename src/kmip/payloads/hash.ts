/** Hash: payload shapes, request and response. KMIP 1.4 §4.37 */
import { cryptographicParameters } from '#kmip/attribute-values'
import { Tag } from '#kmip/tags'
import { v1_3 } from '#kmip/versions'
import { boolean, byteString, one, optional, struct } from '#ttlv/schema'

export const request = struct({
  cryptographicParameters: one(Tag.CryptographicParameters, cryptographicParameters),
  data: optional(Tag.Data, byteString),
  correlationValue: optional(Tag.CorrelationValue, byteString, { since: v1_3 }),
  initIndicator: optional(Tag.InitIndicator, boolean, { since: v1_3 }),
  finalIndicator: optional(Tag.FinalIndicator, boolean, { since: v1_3 }),
})

export const response = struct({
  data: optional(Tag.Data, byteString),
  correlationValue: optional(Tag.CorrelationValue, byteString, { since: v1_3 }),
})
