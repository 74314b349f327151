/** Derive Key: payload shapes, request and response. KMIP 1.4 §4.6 */
import { templateAttribute } from '#kmip/attribute'
import { cryptographicParameters } from '#kmip/attribute-values'
import { Tag } from '#kmip/tags'
import { enumerated } from '#kmip/vocabulary'
import { byteString, integer, many, one, optional, struct, textString } from '#ttlv/schema'

/** Tables 182 and 183: Salt and Iteration Count belong to PBKDF2. */
export const derivationParameters = struct({
  cryptographicParameters: optional(Tag.CryptographicParameters, cryptographicParameters),
  initializationVector: optional(Tag.InitializationVector, byteString),
  derivationData: optional(Tag.DerivationData, byteString),
  salt: optional(Tag.Salt, byteString),
  iterationCount: optional(Tag.IterationCount, integer),
})

export const request = struct({
  objectType: one(Tag.ObjectType, enumerated('ObjectType')),
  uniqueIdentifier: many(Tag.UniqueIdentifier, textString),
  derivationMethod: one(Tag.DerivationMethod, enumerated('DerivationMethod')),
  derivationParameters: one(Tag.DerivationParameters, derivationParameters),
  templateAttribute: one(Tag.TemplateAttribute, templateAttribute),
})

export const response = struct({
  uniqueIdentifier: one(Tag.UniqueIdentifier, textString),
  templateAttribute: optional(Tag.TemplateAttribute, templateAttribute),
})
