/** Create Key Pair: a private key and its public key, linked to one another. KMIP 1.4 §4.2 */
import type { CryptographicDomainParameters } from '#kmip/attribute-values'
import { type CryptographicAlgorithm, LinkType, ObjectType, type RecommendedCurve } from '#kmip/enums'
import type { AttributeSet } from '#objects/managed-object'
import {
  addObject,
  checkCommon,
  checkLength,
  digestedKey,
  given,
  givenAttributes,
  keyObject,
  required,
} from './creation.ts'
import { operation } from './operation.ts'

export const createKeyPair = operation({
  name: 'CreateKeyPair',
  section: '4.2',
  reasons: [
    'ItemNotFound',
    'InvalidField',
    'CryptographicFailure',
    'IndexOutOfBounds',
    'InvalidMessage',
    'ApplicationNamespaceNotSupported',
    'ObjectArchived',
  ],
  asynchronous: 'slow',
  async handle({ commonTemplateAttribute, privateKeyTemplateAttribute, publicKeyTemplateAttribute }, context) {
    const privateGiven = await givenAttributes(context, ObjectType.PrivateKey, [
      commonTemplateAttribute,
      privateKeyTemplateAttribute,
    ])
    const publicGiven = await givenAttributes(context, ObjectType.PublicKey, [
      commonTemplateAttribute,
      publicKeyTemplateAttribute,
    ])
    checkCommon(privateGiven, publicGiven)
    required(privateGiven, 'Cryptographic Usage Mask')
    required(publicGiven, 'Cryptographic Usage Mask')
    const domain = given<CryptographicDomainParameters>(privateGiven, 'Cryptographic Domain Parameters')
    const cryptographicLength = given<number>(privateGiven, 'Cryptographic Length')
    checkLength(cryptographicLength, context.services.policy.createdRsaBitsMax)
    const pair = await context.services.crypto.run({
      kind: 'generateKeyPair',
      cryptographicAlgorithm: required<CryptographicAlgorithm>(privateGiven, 'Cryptographic Algorithm'),
      cryptographicLength,
      recommendedCurve: domain?.recommendedCurve as RecommendedCurve | undefined,
      qLength: domain?.qlength,
    })
    const { newUniqueIdentifier } = context.services
    const privateKeyUniqueIdentifier = newUniqueIdentifier()
    const publicKeyUniqueIdentifier = newUniqueIdentifier()
    const derived = {
      'Cryptographic Algorithm': pair.cryptographicAlgorithm,
      'Cryptographic Length': pair.cryptographicLength,
    }
    const halves = [
      [
        privateKeyUniqueIdentifier,
        ObjectType.PrivateKey,
        privateGiven,
        pair.privateKey,
        LinkType.PublicKeyLink,
        publicKeyUniqueIdentifier,
      ],
      [
        publicKeyUniqueIdentifier,
        ObjectType.PublicKey,
        publicGiven,
        pair.publicKey,
        LinkType.PrivateKeyLink,
        privateKeyUniqueIdentifier,
      ],
    ] as const
    for (const [uniqueIdentifier, objectType, attributes, key, linkType, linkedObjectIdentifier] of halves) {
      await addObject(context, {
        uniqueIdentifier,
        objectType,
        attributes: withLink(attributes, { linkType, linkedObjectIdentifier }),
        derived,
        value: keyObject(key, pair.cryptographicAlgorithm, pair.cryptographicLength),
        digested: digestedKey(key.keyFormatType, key.keyMaterial),
        generated: true,
      })
    }
    context.idPlaceholder = privateKeyUniqueIdentifier
    return { privateKeyUniqueIdentifier, publicKeyUniqueIdentifier }
  },
})

/** The attributes with a Link behind those that the request gave. */
const withLink = (
  attributes: AttributeSet,
  link: { readonly linkType: number; readonly linkedObjectIdentifier: string },
): AttributeSet => {
  const links = attributes['Link'] ?? []
  return { ...attributes, Link: [...links, { index: links.length, value: link }] }
}
