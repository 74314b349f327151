/** Re-key Key Pair: a new key pair takes the place of another. KMIP 1.4 §4.5 */
import type { CryptographicDomainParameters } from '#kmip/attribute-values'
import { type CryptographicAlgorithm, LinkType, ObjectType, type RecommendedCurve, ResultReason } from '#kmip/enums'
import { KmipError } from '#kmip/errors'
import { isDestroyed } from '#objects/lifecycle'
import { type ManagedObject, valueOf } from '#objects/managed-object'
import { linkedObject, replaced, replacementAttributes, withLinks } from '#objects/replacement'
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
import { type Context, operation } from './operation.ts'

export const reKeyKeyPair = operation({
  name: 'ReKeyKeyPair',
  section: '4.5',
  reasons: [
    'ItemNotFound',
    'PermissionDenied',
    'InvalidMessage',
    'CryptographicFailure',
    'ApplicationNamespaceNotSupported',
    'ObjectArchived',
    'IllegalOperation',
    'KeyValueNotPresent',
    'InvalidField',
    'IndexOutOfBounds',
  ],
  asynchronous: 'slow',
  async handle(request, context) {
    const { offset, commonTemplateAttribute, privateKeyTemplateAttribute, publicKeyTemplateAttribute } = request
    const { privateKey, publicKey } = existingPair(request.privateKeyUniqueIdentifier, context)
    const [privateAttributes, publicAttributes] = [
      replacementAttributes(
        privateKey,
        await givenAttributes(context, ObjectType.PrivateKey, [commonTemplateAttribute, privateKeyTemplateAttribute]),
        offset,
        context.now,
        context.services.policy,
      ),
      replacementAttributes(
        publicKey,
        await givenAttributes(context, ObjectType.PublicKey, [commonTemplateAttribute, publicKeyTemplateAttribute]),
        offset,
        context.now,
        context.services.policy,
      ),
    ]
    checkCommon(privateAttributes, publicAttributes)
    const cryptographicLength = given<number>(privateAttributes, 'Cryptographic Length')
    checkLength(cryptographicLength, context.services.policy.createdRsaBitsMax)
    const domain = given<CryptographicDomainParameters>(privateAttributes, 'Cryptographic Domain Parameters')
    const pair = await context.services.crypto.run({
      kind: 'generateKeyPair',
      cryptographicAlgorithm: required<CryptographicAlgorithm>(privateAttributes, 'Cryptographic Algorithm'),
      cryptographicLength,
      recommendedCurve: domain?.recommendedCurve as RecommendedCurve | undefined,
      qLength: domain?.qlength,
    })
    const { newUniqueIdentifier } = context.services
    const identifiers = { private: newUniqueIdentifier(), public: newUniqueIdentifier() }
    const halves = [
      [privateKey, identifiers.private, privateAttributes, pair.privateKey, LinkType.PublicKeyLink, identifiers.public],
      [publicKey, identifiers.public, publicAttributes, pair.publicKey, LinkType.PrivateKeyLink, identifiers.private],
    ] as const
    for (const [existing, uniqueIdentifier, attributes, key, linkType, otherHalf] of halves) {
      context.put(replaced(existing, uniqueIdentifier))
      await addObject(context, {
        uniqueIdentifier,
        objectType: existing.objectType,
        attributes: withLinks(attributes, [
          { linkType, linkedObjectIdentifier: otherHalf },
          { linkType: LinkType.ReplacedObjectLink, linkedObjectIdentifier: existing.uniqueIdentifier },
        ]),
        derived: {
          'Cryptographic Algorithm': pair.cryptographicAlgorithm,
          'Cryptographic Length': pair.cryptographicLength,
        },
        value: keyObject(key, pair.cryptographicAlgorithm, pair.cryptographicLength),
        digested: digestedKey(key.keyFormatType, key.keyMaterial),
        generated: true,
        replaces: existing,
      })
    }
    context.idPlaceholder = identifiers.private
    return { privateKeyUniqueIdentifier: identifiers.private, publicKeyUniqueIdentifier: identifiers.public }
  },
})

/**
 * The pair that a request names by its private key.
 * @throws KmipError Permission Denied where it is not a whole pair, Key Value Not Present, and what `Context.object` throws
 */
const existingPair = (
  privateKeyUniqueIdentifier: string | undefined,
  context: Context,
): { readonly privateKey: ManagedObject; readonly publicKey: ManagedObject } => {
  const privateKey = context.object(privateKeyUniqueIdentifier, 'rekey')
  const link = linkedObject(privateKey, LinkType.PublicKeyLink)
  if (privateKey.objectType !== ObjectType.PrivateKey || link === undefined || isDestroyed(privateKey)) {
    throw new KmipError(ResultReason.PermissionDenied, 'Only a Private Key with a Link to its Public Key is re-keyed')
  }
  const publicKey = context.object(link, 'rekey')
  if (publicKey.objectType !== ObjectType.PublicKey || isDestroyed(publicKey)) {
    throw new KmipError(ResultReason.PermissionDenied, 'The Public Key of the pair is not there')
  }
  if ([privateKey, publicKey].some((key) => valueOf(key, 'Key Value Present') === false)) {
    throw new KmipError(ResultReason.KeyValueNotPresent)
  }
  return { privateKey, publicKey }
}
