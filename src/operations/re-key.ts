/** Re-key: a new symmetric key takes the place of another. KMIP 1.4 §4.4 */
import { type CryptographicAlgorithm, LinkType, ObjectType, ResultReason } from '#kmip/enums'
import { KmipError } from '#kmip/errors'
import { isDestroyed } from '#objects/lifecycle'
import { type ManagedObject, valueOf } from '#objects/managed-object'
import { replaced, replacementAttributes, withLinks } from '#objects/replacement'
import { addObject, checkLength, digestedKey, given, givenAttributes, keyObject, required } from './creation.ts'
import { operation } from './operation.ts'

export const reKey = operation({
  name: 'ReKey',
  section: '4.4',
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
  async handle({ uniqueIdentifier, offset, templateAttribute }, context) {
    const existing = context.object(uniqueIdentifier, 'rekey')
    checkReplaceable(existing)
    const asked = await givenAttributes(context, ObjectType.SymmetricKey, [templateAttribute])
    const attributes = replacementAttributes(existing, asked, offset, context.now, context.services.policy)
    const cryptographicLength = given<number>(attributes, 'Cryptographic Length')
    checkLength(cryptographicLength, context.services.policy.createdSymmetricBitsMax)
    const key = await context.services.crypto.run({
      kind: 'generateSymmetricKey',
      cryptographicAlgorithm: required<CryptographicAlgorithm>(attributes, 'Cryptographic Algorithm'),
      cryptographicLength,
    })
    const replacement = context.services.newUniqueIdentifier()
    // First, so that the Names are free.
    context.put(replaced(existing, replacement))
    await addObject(context, {
      uniqueIdentifier: replacement,
      objectType: ObjectType.SymmetricKey,
      attributes: withLinks(attributes, [
        { linkType: LinkType.ReplacedObjectLink, linkedObjectIdentifier: existing.uniqueIdentifier },
      ]),
      derived: {
        'Cryptographic Algorithm': key.cryptographicAlgorithm,
        'Cryptographic Length': key.cryptographicLength,
      },
      value: keyObject(key, key.cryptographicAlgorithm, key.cryptographicLength),
      digested: digestedKey(key.keyFormatType, key.keyMaterial),
      generated: true,
      replaces: existing,
    })
    context.idPlaceholder = replacement
    return { uniqueIdentifier: replacement }
  },
})

/** @throws KmipError Permission Denied for what is not a symmetric key or is one no more, Key Value Not Present. */
const checkReplaceable = (existing: ManagedObject): void => {
  if (existing.objectType !== ObjectType.SymmetricKey || isDestroyed(existing)) {
    throw new KmipError(ResultReason.PermissionDenied, 'Only a Symmetric Key that is not destroyed is re-keyed')
  }
  if (valueOf(existing, 'Key Value Present') === false) throw new KmipError(ResultReason.KeyValueNotPresent)
}
