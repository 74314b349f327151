/** Create: a new symmetric key. KMIP 1.4 §4.1 */
import { type CryptographicAlgorithm, ObjectType, ResultReason } from '#kmip/enums'
import { KmipError } from '#kmip/errors'
import { addObject, checkLength, digestedKey, given, givenAttributes, keyObject, required } from './creation.ts'
import { operation } from './operation.ts'

export const create = operation({
  name: 'Create',
  section: '4.1',
  reasons: [
    'InvalidField',
    'ItemNotFound',
    'InvalidMessage',
    'CryptographicFailure',
    'IndexOutOfBounds',
    'ApplicationNamespaceNotSupported',
    'ObjectArchived',
  ],
  async handle({ objectType, templateAttribute }, context) {
    if (objectType !== ObjectType.SymmetricKey)
      throw new KmipError(ResultReason.InvalidField, 'Create makes Symmetric Keys only')
    const attributes = await givenAttributes(context, objectType, [templateAttribute])
    required(attributes, 'Cryptographic Usage Mask')
    const cryptographicLength = given<number>(attributes, 'Cryptographic Length')
    checkLength(cryptographicLength, context.services.policy.createdSymmetricBitsMax)
    const key = await context.services.crypto.run({
      kind: 'generateSymmetricKey',
      cryptographicAlgorithm: required<CryptographicAlgorithm>(attributes, 'Cryptographic Algorithm'),
      cryptographicLength,
    })
    const { uniqueIdentifier } = await addObject(context, {
      uniqueIdentifier: context.services.newUniqueIdentifier(),
      objectType,
      attributes,
      derived: {
        'Cryptographic Algorithm': key.cryptographicAlgorithm,
        'Cryptographic Length': key.cryptographicLength,
      },
      value: keyObject(key, key.cryptographicAlgorithm, key.cryptographicLength),
      digested: digestedKey(key.keyFormatType, key.keyMaterial),
      generated: true,
    })
    context.idPlaceholder = uniqueIdentifier
    return { objectType, uniqueIdentifier }
  },
})
