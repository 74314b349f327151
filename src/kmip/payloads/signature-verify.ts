/** Signature Verify: payload shapes, request and response. KMIP 1.4 §4.32 */
import { cryptographicParameters } from '#kmip/attribute-values'
import { Tag } from '#kmip/tags'
import { v1_3, v1_4 } from '#kmip/versions'
import { enumerated } from '#kmip/vocabulary'
import { boolean, byteString, one, optional, struct, textString } from '#ttlv/schema'

export const request = struct({
  uniqueIdentifier: optional(Tag.UniqueIdentifier, textString),
  cryptographicParameters: optional(Tag.CryptographicParameters, cryptographicParameters),
  data: optional(Tag.Data, byteString),
  digestedData: optional(Tag.DigestedData, byteString, { since: v1_4 }),
  signatureData: optional(Tag.SignatureData, byteString),
  correlationValue: optional(Tag.CorrelationValue, byteString, { since: v1_3 }),
  initIndicator: optional(Tag.InitIndicator, boolean, { since: v1_3 }),
  finalIndicator: optional(Tag.FinalIndicator, boolean, { since: v1_3 }),
})

export const response = struct({
  uniqueIdentifier: one(Tag.UniqueIdentifier, textString),
  validityIndicator: optional(Tag.ValidityIndicator, enumerated('ValidityIndicator')),
  data: optional(Tag.Data, byteString),
  correlationValue: optional(Tag.CorrelationValue, byteString, { since: v1_3 }),
})
