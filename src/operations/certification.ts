/**
 * What Certify and Re-certify have in common (KMIP 1.4 §4.7, §4.8): the public key, what is asked for, and the new certificate
 * object. What it is not: an operation, or the authority (identity/issuer.ts).
 */

import type { RequestedCertificate } from '#identity/authority'
import { parseCertificateRequest } from '#identity/certificate-request'
import { CertificateRequestType, CertificateType, KeyFormatType, ObjectType, ResultReason } from '#kmip/enums'
import { KmipError } from '#kmip/errors'
import { isDestroyed } from '#objects/lifecycle'
import { type AttributeSet, type ManagedObject, valueOf } from '#objects/managed-object'
import { type LinkValue, withLinks } from '#objects/replacement'
import { certificateAttributes } from './certificate-attributes.ts'
import { addObject, given } from './creation.ts'
import { keyFormOf } from './key-use.ts'
import type { Context } from './operation.ts'

/** The request for a certificate that a payload may carry. */
export interface GivenRequest {
  readonly certificateRequestType?: number | undefined
  readonly certificateRequest?: Uint8Array | undefined
}

const forms: ReadonlyMap<number | undefined, 'der' | 'pem'> = new Map([
  [CertificateRequestType.PKCS_10, 'der'],
  [CertificateRequestType.PEM, 'pem'],
])

/** The public key that is certified. @throws KmipError Permission Denied for what is none, or is destroyed; as `Context.object` */
export const certifiableKey = (uniqueIdentifier: string | undefined, context: Context): ManagedObject => {
  const object = context.object(uniqueIdentifier, 'certify')
  if (object.objectType !== ObjectType.PublicKey || isDestroyed(object)) {
    throw new KmipError(ResultReason.PermissionDenied, 'Only a Public Key that is not destroyed is certified')
  }
  return object
}

/**
 * What the authority is asked for: the request's subject where there is one, which must be for the same key.
 * @param name the subject's common name where there is no request
 * @throws KmipError Invalid Message for one of the two fields alone, Feature Not Supported for CRMF and PGP, Invalid Field for
 * a request for another key; CertificateError
 */
export const asked = async (
  { certificateRequestType, certificateRequest }: GivenRequest,
  publicKey: ManagedObject,
  name: RequestedCertificate['subject'],
  context: Context,
): Promise<RequestedCertificate> => {
  const key = await context.services.crypto.run({
    kind: 'convertKey',
    from: keyFormOf(publicKey),
    to: { keyFormatType: KeyFormatType.X_509 },
  })
  const subjectPublicKeyInfo = key.keyMaterial
  if (!(subjectPublicKeyInfo instanceof Uint8Array)) throw new KmipError(ResultReason.PermissionDenied)
  if (certificateRequest === undefined && certificateRequestType === undefined)
    return { subject: name, subjectPublicKeyInfo }
  if (certificateRequest === undefined || certificateRequestType === undefined) {
    throw new KmipError(ResultReason.InvalidMessage, 'Certificate Request and Certificate Request Type go together')
  }
  const form = forms.get(certificateRequestType)
  if (form === undefined) {
    throw new KmipError(ResultReason.FeatureNotSupported, 'Certificate requests are taken as PKCS#10 and PEM')
  }
  const request = await parseCertificateRequest(certificateRequest, form)
  if (Buffer.compare(request.subjectPublicKeyInfo, subjectPublicKeyInfo) !== 0) {
    throw new KmipError(ResultReason.InvalidField, 'The certificate request is for another key')
  }
  return request
}

/** The name of a key's certificate where nobody asks for one: the first Name of the key, or its identifier. */
export const ownName = (publicKey: ManagedObject): { readonly CN: string } => {
  const { nameValue } = valueOf<{ readonly nameValue: string }>(publicKey, 'Name') ?? {}
  const fits = nameValue !== undefined && nameValue.length > 0 && nameValue.length <= 64
  return { CN: fits ? nameValue : publicKey.uniqueIdentifier.slice(0, 64) }
}

/** Issues the certificate and notes the object. @throws KmipError as `addObject` does */
export const addCertificate = async (
  request: RequestedCertificate,
  attributes: AttributeSet,
  links: readonly LinkValue[],
  uniqueIdentifier: string,
  context: Context,
  replaces?: ManagedObject,
): Promise<void> => {
  const certificateType = given<number>(attributes, 'Certificate Type') ?? CertificateType.X_509
  if (certificateType !== CertificateType.X_509) {
    throw new KmipError(ResultReason.InvalidField, 'Certificates of the Certificate Type X.509 are issued')
  }
  const certificateValue = await context.services.issuer.certify(request, context.now)
  const value = { certificateType, certificateValue }
  const derived = await certificateAttributes(value, context)
  await addObject(context, {
    uniqueIdentifier,
    objectType: ObjectType.Certificate,
    attributes: withLinks(attributes, links),
    derived,
    value,
    digested: { encodedMaterial: certificateValue, keyFormatType: undefined },
    generated: true,
    ...(replaces === undefined ? {} : { replaces }),
  })
}
