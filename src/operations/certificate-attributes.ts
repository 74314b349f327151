/**
 * The attributes that a certificate tells of itself (KMIP 1.4 §3.8 to §3.16). What it is: from a parsed certificate to
 * attribute values. What it is not: parsing (identity/certificates.ts) or trust.
 */
import { type ParsedCertificate, parseCertificate } from '#identity/certificates'
import { CertificateType, DigitalSignatureAlgorithm, KeyFormatType, ObjectType } from '#kmip/enums'
import type { CertificateValue } from '#kmip/objects'
import type { Context } from './operation.ts'

/** Signature algorithms by object identifier (RFC 8017, RFC 5758, RFC 3279). */
const signatureAlgorithms: Readonly<Record<string, number>> = {
  '1.2.840.113549.1.1.2': DigitalSignatureAlgorithm.MD2WithRSAEncryption,
  '1.2.840.113549.1.1.4': DigitalSignatureAlgorithm.MD5WithRSAEncryption,
  '1.2.840.113549.1.1.5': DigitalSignatureAlgorithm.SHA_1WithRSAEncryption,
  '1.2.840.113549.1.1.14': DigitalSignatureAlgorithm.SHA_224WithRSAEncryption,
  '1.2.840.113549.1.1.11': DigitalSignatureAlgorithm.SHA_256WithRSAEncryption,
  '1.2.840.113549.1.1.12': DigitalSignatureAlgorithm.SHA_384WithRSAEncryption,
  '1.2.840.113549.1.1.13': DigitalSignatureAlgorithm.SHA_512WithRSAEncryption,
  '1.2.840.113549.1.1.10': DigitalSignatureAlgorithm.RSASSA_PSS,
  '1.2.840.10040.4.3': DigitalSignatureAlgorithm.DSAWithSHA_1,
  '2.16.840.1.101.3.4.3.1': DigitalSignatureAlgorithm.DSAWithSHA224,
  '2.16.840.1.101.3.4.3.2': DigitalSignatureAlgorithm.DSAWithSHA256,
  '1.2.840.10045.4.1': DigitalSignatureAlgorithm.ECDSAWithSHA_1,
  '1.2.840.10045.4.3.1': DigitalSignatureAlgorithm.ECDSAWithSHA224,
  '1.2.840.10045.4.3.2': DigitalSignatureAlgorithm.ECDSAWithSHA256,
  '1.2.840.10045.4.3.3': DigitalSignatureAlgorithm.ECDSAWithSHA384,
  '1.2.840.10045.4.3.4': DigitalSignatureAlgorithm.ECDSAWithSHA512,
}

/**
 * The attributes that the server derives from a certificate.
 * @throws CertificateError, KeyFormatError for an X.509 certificate that cannot be read
 */
export const certificateAttributes = async (
  { certificateType, certificateValue }: CertificateValue,
  context: Context,
): Promise<Readonly<Record<string, unknown>>> => {
  const basic = { 'Certificate Type': certificateType, 'Certificate Length': certificateValue.length }
  if (certificateType !== CertificateType.X_509) return basic
  const certificate = parseCertificate(certificateValue)
  const key = await context.services.crypto.run({
    kind: 'parseKey',
    objectType: ObjectType.PublicKey,
    keyFormatType: KeyFormatType.X_509,
    keyMaterial: certificate.subjectPublicKeyInfo,
  })
  return {
    ...basic,
    ...namesOf(certificate),
    'Cryptographic Algorithm': key.cryptographicAlgorithm,
    'Cryptographic Length': key.cryptographicLength,
    'Digital Signature Algorithm': signatureAlgorithms[certificate.signatureAlgorithm],
  }
}

const namesOf = (certificate: ParsedCertificate): Readonly<Record<string, unknown>> => {
  const { issuer, subject, subjectAlternativeNames, issuerAlternativeNames } = certificate
  return {
    'X.509 Certificate Identifier': {
      issuerDistinguishedName: issuer.der,
      certificateSerialNumber: certificate.serialDer,
    },
    'X.509 Certificate Subject': {
      subjectDistinguishedName: subject.der,
      subjectAlternativeName: subjectAlternativeNames.map(({ der }) => der),
    },
    'X.509 Certificate Issuer': {
      issuerDistinguishedName: issuer.der,
      issuerAlternativeName: issuerAlternativeNames.map(({ der }) => der),
    },
    'Certificate Identifier': { issuer: issuer.text, serialNumber: certificate.serialHex },
    'Certificate Subject': {
      certificateSubjectDistinguishedName: subject.text,
      certificateSubjectAlternativeName: subjectAlternativeNames.map(({ value }) => value),
    },
    'Certificate Issuer': {
      certificateIssuerDistinguishedName: issuer.text,
      certificateIssuerAlternativeName: issuerAlternativeNames.map(({ value }) => value),
    },
  }
}
