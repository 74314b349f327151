/** Re-certify: a new certificate for the key pair of another one. KMIP 1.4 §4.8 */
import { parseCertificate } from '#identity/certificates'
import { CertificateType, LinkType, ObjectType, ResultReason } from '#kmip/enums'
import { KmipError } from '#kmip/errors'
import type { CertificateValue } from '#kmip/objects'
import { isDestroyed } from '#objects/lifecycle'
import type { ManagedObject } from '#objects/managed-object'
import { linkedObject, replaced, replacementAttributes, withLinkMoved } from '#objects/replacement'
import { addCertificate, asked, certifiableKey } from './certification.ts'
import { givenAttributes } from './creation.ts'
import { operation } from './operation.ts'

/** What a certificate tells of itself is told anew by the next one. */
const ownToCertificate: ReadonlySet<string> = new Set([
  'Certificate Length',
  'X.509 Certificate Identifier',
  'X.509 Certificate Subject',
  'X.509 Certificate Issuer',
  'Certificate Identifier',
  'Certificate Subject',
  'Certificate Issuer',
  'Digital Signature Algorithm',
])

export const reCertify = operation({
  name: 'ReCertify',
  section: '4.8',
  reasons: [
    'ItemNotFound',
    'PermissionDenied',
    'InvalidField',
    'InvalidMessage',
    'ApplicationNamespaceNotSupported',
    'ObjectArchived',
    'IllegalOperation',
    'FeatureNotSupported',
    'IndexOutOfBounds',
    'KeyValueNotPresent',
  ],
  asynchronous: 'slow',
  async handle({ uniqueIdentifier, offset, templateAttribute, ...request }, context) {
    const existing = context.object(uniqueIdentifier, 'certify')
    const value = renewable(existing)
    const publicKey = certifiableKey(linkedObject(existing, LinkType.PublicKeyLink) ?? '', context)
    const given = await givenAttributes(context, ObjectType.Certificate, [templateAttribute])
    const { now, services } = context
    const copied = Object.entries(replacementAttributes(existing, given, offset, now, services.policy))
    const attributes = Object.fromEntries(copied.filter(([name]) => !ownToCertificate.has(name)))
    const subject = parseCertificate(value.certificateValue).subject.der
    const wanted = await asked(request, publicKey, subject, context)
    const certificate = context.services.newUniqueIdentifier()
    context.put(replaced(existing, certificate))
    const links = [
      { linkType: LinkType.ReplacedObjectLink, linkedObjectIdentifier: existing.uniqueIdentifier },
      { linkType: LinkType.PublicKeyLink, linkedObjectIdentifier: publicKey.uniqueIdentifier },
    ]
    await addCertificate(wanted, attributes, links, certificate, context, existing)
    context.put(
      withLinkMoved(publicKey, existing.uniqueIdentifier, {
        linkType: LinkType.CertificateLink,
        linkedObjectIdentifier: certificate,
      }),
    )
    context.idPlaceholder = certificate
    return { uniqueIdentifier: certificate }
  },
})

/** @throws KmipError Permission Denied for what is not a certificate of a public key that is here */
const renewable = (existing: ManagedObject): CertificateValue => {
  const value = existing.value as CertificateValue | undefined
  const isCertificate = existing.objectType === ObjectType.Certificate && !isDestroyed(existing) && value !== undefined
  if (!isCertificate || value.certificateType !== CertificateType.X_509) {
    throw new KmipError(ResultReason.PermissionDenied, 'Only X.509 certificates that are not destroyed are renewed')
  }
  if (linkedObject(existing, LinkType.PublicKeyLink) === undefined) {
    throw new KmipError(ResultReason.PermissionDenied, 'The certificate has no Link to its Public Key')
  }
  return value
}
