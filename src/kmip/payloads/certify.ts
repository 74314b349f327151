/** Certify: payload shapes, request and response. KMIP 1.4 §4.7 */
import { templateAttribute } from '#kmip/attribute'
import { Tag } from '#kmip/tags'
import { enumerated } from '#kmip/vocabulary'
import { byteString, one, optional, struct, textString } from '#ttlv/schema'

export const request = struct({
  uniqueIdentifier: optional(Tag.UniqueIdentifier, textString),
  certificateRequestType: optional(Tag.CertificateRequestType, enumerated('CertificateRequestType')),
  certificateRequest: optional(Tag.CertificateRequest, byteString),
  templateAttribute: optional(Tag.TemplateAttribute, templateAttribute),
})

export const response = struct({
  uniqueIdentifier: one(Tag.UniqueIdentifier, textString),
  templateAttribute: optional(Tag.TemplateAttribute, templateAttribute),
})
