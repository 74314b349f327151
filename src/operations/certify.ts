/** Certify: a certificate for a public key. KMIP 1.4 §4.7 */
import { LinkType, ObjectType } from '#kmip/enums'
import { linked } from '#objects/links'
import { addCertificate, asked, certifiableKey, ownName } from './certification.ts'
import { givenAttributes } from './creation.ts'
import { operation } from './operation.ts'

export const certify = operation({
  name: 'Certify',
  section: '4.7',
  reasons: [
    'ItemNotFound',
    'PermissionDenied',
    'InvalidField',
    'ApplicationNamespaceNotSupported',
    'ObjectArchived',
    'InvalidMessage',
    'FeatureNotSupported',
    'IndexOutOfBounds',
    'KeyValueNotPresent',
  ],
  asynchronous: 'slow',
  async handle({ uniqueIdentifier, templateAttribute, ...request }, context) {
    const publicKey = certifiableKey(uniqueIdentifier, context)
    const attributes = await givenAttributes(context, ObjectType.Certificate, [templateAttribute])
    const wanted = await asked(request, publicKey, ownName(publicKey), context)
    const certificate = context.services.newUniqueIdentifier()
    const link = { linkType: LinkType.PublicKeyLink, linkedObjectIdentifier: publicKey.uniqueIdentifier }
    await addCertificate(wanted, attributes, [link], certificate, context)
    const back = { linkType: LinkType.CertificateLink, linkedObjectIdentifier: certificate }
    const linkedKey = linked(publicKey, back, context.services.policy.instancesMax)
    if (linkedKey !== publicKey) context.put(linkedKey)
    context.idPlaceholder = certificate
    return { uniqueIdentifier: certificate }
  },
})
