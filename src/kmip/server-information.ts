/**
 * What Query tells of a server (KMIP 1.4 §2.1.9, §2.1.19 to §2.1.21): shapes. What it is not: this server's answers
 * (operations/query.ts).
 */
import { boolean, type Infer, integer, many, one, optional, struct, textString } from '#ttlv/schema'
import { Tag } from './tags.ts'
import { v1_4 } from './versions.ts'
import { enumerated } from './vocabulary.ts'

/** §2.1.9 */
export const extensionInformation = struct({
  extensionName: one(Tag.ExtensionName, textString),
  extensionTag: optional(Tag.ExtensionTag, integer),
  extensionType: optional(Tag.ExtensionType, integer),
})
export type ExtensionInformation = Infer<typeof extensionInformation>

/** §2.1.19 */
export const profileInformation = struct({
  profileName: one(Tag.ProfileName, enumerated('ProfileName')),
  serverUri: optional(Tag.ServerURI, textString),
  serverPort: optional(Tag.ServerPort, integer),
})
export type ProfileInformation = Infer<typeof profileInformation>

/** §2.1.20 */
export const validationInformation = struct({
  validationAuthorityType: one(Tag.ValidationAuthorityType, enumerated('ValidationAuthorityType')),
  validationAuthorityCountry: optional(Tag.ValidationAuthorityCountry, textString),
  validationAuthorityUri: optional(Tag.ValidationAuthorityURI, textString),
  validationVersionMajor: one(Tag.ValidationVersionMajor, integer),
  validationVersionMinor: optional(Tag.ValidationVersionMinor, integer),
  validationType: one(Tag.ValidationType, enumerated('ValidationType')),
  validationLevel: one(Tag.ValidationLevel, integer),
  validationCertificateIdentifier: optional(Tag.ValidationCertificateIdentifier, textString),
  validationCertificateUri: optional(Tag.ValidationCertificateURI, textString),
  validationVendorUri: optional(Tag.ValidationVendorURI, textString),
  validationProfile: many(Tag.ValidationProfile, textString),
})
export type ValidationInformation = Infer<typeof validationInformation>

/** §2.1.21 */
export const capabilityInformation = struct({
  streamingCapability: optional(Tag.StreamingCapability, boolean),
  asynchronousCapability: optional(Tag.AsynchronousCapability, boolean),
  attestationCapability: optional(Tag.AttestationCapability, boolean),
  batchUndoCapability: optional(Tag.BatchUndoCapability, boolean, { since: v1_4 }),
  batchContinueCapability: optional(Tag.BatchContinueCapability, boolean, { since: v1_4 }),
  unwrapMode: optional(Tag.UnwrapMode, enumerated('UnwrapMode')),
  destroyAction: optional(Tag.DestroyAction, enumerated('DestroyAction')),
  shreddingAlgorithm: optional(Tag.ShreddingAlgorithm, enumerated('ShreddingAlgorithm')),
  rngMode: optional(Tag.RNGMode, enumerated('RNGMode')),
})
export type CapabilityInformation = Infer<typeof capabilityInformation>
