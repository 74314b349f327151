/** Re-key Key Pair: payload shapes, request and response. KMIP 1.4 §4.5 */
import { templateAttribute } from '#kmip/attribute'
import { Tag } from '#kmip/tags'
import { interval, one, optional, struct, textString } from '#ttlv/schema'

export const request = struct({
  privateKeyUniqueIdentifier: optional(Tag.PrivateKeyUniqueIdentifier, textString),
  offset: optional(Tag.Offset, interval),
  commonTemplateAttribute: optional(Tag.CommonTemplateAttribute, templateAttribute),
  privateKeyTemplateAttribute: optional(Tag.PrivateKeyTemplateAttribute, templateAttribute),
  publicKeyTemplateAttribute: optional(Tag.PublicKeyTemplateAttribute, templateAttribute),
})

export const response = struct({
  privateKeyUniqueIdentifier: one(Tag.PrivateKeyUniqueIdentifier, textString),
  publicKeyUniqueIdentifier: one(Tag.PublicKeyUniqueIdentifier, textString),
  privateKeyTemplateAttribute: optional(Tag.PrivateKeyTemplateAttribute, templateAttribute),
  publicKeyTemplateAttribute: optional(Tag.PublicKeyTemplateAttribute, templateAttribute),
})
