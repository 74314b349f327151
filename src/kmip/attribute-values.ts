/**
 * The structures that attributes have as values (KMIP 1.4 §3, and the base objects of §2.1 that attributes use).
 * What it is not: the attributes' rules, which attributes.ts has.
 */
import {
  boolean,
  byteString,
  type Infer,
  integer,
  longInteger,
  many,
  one,
  optional,
  struct,
  textString,
} from '#ttlv/schema'
import { Tag } from './tags.ts'
import { v1_2, v1_4 } from './versions.ts'
import { enumerated } from './vocabulary.ts'

/** §3.2 */
export const name = struct({
  nameValue: one(Tag.NameValue, textString),
  nameType: one(Tag.NameType, enumerated('NameType')),
})
export type Name = Infer<typeof name>

/** §3.6 */
export const cryptographicParameters = struct({
  blockCipherMode: optional(Tag.BlockCipherMode, enumerated('BlockCipherMode')),
  paddingMethod: optional(Tag.PaddingMethod, enumerated('PaddingMethod')),
  hashingAlgorithm: optional(Tag.HashingAlgorithm, enumerated('HashingAlgorithm')),
  keyRoleType: optional(Tag.KeyRoleType, enumerated('KeyRoleType')),
  digitalSignatureAlgorithm: optional(Tag.DigitalSignatureAlgorithm, enumerated('DigitalSignatureAlgorithm'), {
    since: v1_2,
  }),
  cryptographicAlgorithm: optional(Tag.CryptographicAlgorithm, enumerated('CryptographicAlgorithm'), { since: v1_2 }),
  randomIv: optional(Tag.RandomIV, boolean, { since: v1_2 }),
  ivLength: optional(Tag.IVLength, integer, { since: v1_2 }),
  tagLength: optional(Tag.TagLength, integer, { since: v1_2 }),
  fixedFieldLength: optional(Tag.FixedFieldLength, integer, { since: v1_2 }),
  invocationFieldLength: optional(Tag.InvocationFieldLength, integer, { since: v1_2 }),
  counterLength: optional(Tag.CounterLength, integer, { since: v1_2 }),
  initialCounterValue: optional(Tag.InitialCounterValue, integer, { since: v1_2 }),
  saltLength: optional(Tag.SaltLength, integer, { since: v1_4 }),
  maskGenerator: optional(Tag.MaskGenerator, enumerated('MaskGenerator'), { since: v1_4 }),
  maskGeneratorHashingAlgorithm: optional(Tag.MaskGeneratorHashingAlgorithm, enumerated('HashingAlgorithm'), {
    since: v1_4,
  }),
  pSource: optional(Tag.PSource, byteString, { since: v1_4 }),
  trailerField: optional(Tag.TrailerField, integer, { since: v1_4 }),
})
export type CryptographicParameters = Infer<typeof cryptographicParameters>

/** §3.7 */
export const cryptographicDomainParameters = struct({
  qlength: optional(Tag.Qlength, integer),
  recommendedCurve: optional(Tag.RecommendedCurve, enumerated('RecommendedCurve')),
})
export type CryptographicDomainParameters = Infer<typeof cryptographicDomainParameters>

/** §3.10 */
export const x509CertificateIdentifier = struct({
  issuerDistinguishedName: one(Tag.IssuerDistinguishedName, byteString),
  certificateSerialNumber: one(Tag.CertificateSerialNumber, byteString),
})

/** §3.11 */
export const x509CertificateSubject = struct({
  subjectDistinguishedName: one(Tag.SubjectDistinguishedName, byteString),
  subjectAlternativeName: many(Tag.SubjectAlternativeName, byteString),
})

/** §3.12 */
export const x509CertificateIssuer = struct({
  issuerDistinguishedName: one(Tag.IssuerDistinguishedName, byteString),
  issuerAlternativeName: many(Tag.IssuerAlternativeName, byteString),
})

/** §3.13, deprecated */
export const certificateIdentifier = struct({
  issuer: one(Tag.Issuer, textString),
  serialNumber: optional(Tag.SerialNumber, textString),
})

/** §3.14, deprecated */
export const certificateSubject = struct({
  certificateSubjectDistinguishedName: one(Tag.CertificateSubjectDistinguishedName, textString),
  certificateSubjectAlternativeName: many(Tag.CertificateSubjectAlternativeName, textString),
})

/** §3.15, deprecated */
export const certificateIssuer = struct({
  certificateIssuerDistinguishedName: one(Tag.CertificateIssuerDistinguishedName, textString),
  certificateIssuerAlternativeName: many(Tag.CertificateIssuerAlternativeName, textString),
})

/** §3.17 */
export const digest = struct({
  hashingAlgorithm: one(Tag.HashingAlgorithm, enumerated('HashingAlgorithm')),
  digestValue: optional(Tag.DigestValue, byteString),
  keyFormatType: optional(Tag.KeyFormatType, enumerated('KeyFormatType'), { since: 101 }),
})
export type Digest = Infer<typeof digest>

/** §3.21; Count and Total are optional because a client may set the other fields alone. */
export const usageLimits = struct({
  usageLimitsTotal: optional(Tag.UsageLimitsTotal, longInteger),
  usageLimitsCount: optional(Tag.UsageLimitsCount, longInteger),
  usageLimitsUnit: optional(Tag.UsageLimitsUnit, enumerated('UsageLimitsUnit')),
})
export type UsageLimits = Infer<typeof usageLimits>

/** §3.31 */
export const revocationReason = struct({
  revocationReasonCode: one(Tag.RevocationReasonCode, enumerated('RevocationReasonCode')),
  revocationMessage: optional(Tag.RevocationMessage, textString),
})
export type RevocationReason = Infer<typeof revocationReason>

/** §3.35 */
export const link = struct({
  linkType: one(Tag.LinkType, enumerated('LinkType')),
  linkedObjectIdentifier: one(Tag.LinkedObjectIdentifier, textString),
})
export type Link = Infer<typeof link>

/** §3.36; the server makes Application Data that a client leaves out, where it knows the namespace. */
export const applicationSpecificInformation = struct({
  applicationNamespace: one(Tag.ApplicationNamespace, textString),
  applicationData: optional(Tag.ApplicationData, textString),
})
export type ApplicationSpecificInformation = Infer<typeof applicationSpecificInformation>

/** §3.40 */
export const alternativeName = struct({
  alternativeNameValue: one(Tag.AlternativeNameValue, textString),
  alternativeNameType: one(Tag.AlternativeNameType, enumerated('AlternativeNameType')),
})

/** §3.42 */
export const keyValueLocation = struct({
  keyValueLocationValue: one(Tag.KeyValueLocationValue, textString),
  keyValueLocationType: one(Tag.KeyValueLocationType, enumerated('KeyValueLocationType')),
})

/** §2.1.18, the value of Random Number Generator (§3.44) */
export const rngParameters = struct({
  rngAlgorithm: one(Tag.RNGAlgorithm, enumerated('RNGAlgorithm')),
  cryptographicAlgorithm: optional(Tag.CryptographicAlgorithm, enumerated('CryptographicAlgorithm')),
  cryptographicLength: optional(Tag.CryptographicLength, integer),
  hashingAlgorithm: optional(Tag.HashingAlgorithm, enumerated('HashingAlgorithm')),
  drbgAlgorithm: optional(Tag.DRBGAlgorithm, enumerated('DRBGAlgorithm')),
  recommendedCurve: optional(Tag.RecommendedCurve, enumerated('RecommendedCurve')),
  fips186Variation: optional(Tag.FIPS186Variation, enumerated('FIPS186Variation')),
  predictionResistance: optional(Tag.PredictionResistance, boolean),
})
export type RngParameters = Infer<typeof rngParameters>
