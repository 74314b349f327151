/** Create: a new symmetric key, or new secret data. KMIP 1.4 §4.1 */
import { CryptographicAlgorithm, KeyFormatType, ObjectType, ResultReason, SecretDataType } from '#kmip/enums'
import { KmipError } from '#kmip/errors'
import type { AttributeSet } from '#objects/managed-object'
import {
  type Addition,
  addObject,
  checkLength,
  digestedKey,
  given,
  givenAttributes,
  keyObject,
  required,
} from './creation.ts'
import { type Context, operation } from './operation.ts'

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
    const making = makers.get(objectType)
    if (making === undefined) {
      throw new KmipError(ResultReason.InvalidField, 'Create makes Symmetric Keys and Secret Data')
    }
    const attributes = await givenAttributes(context, objectType, [templateAttribute])
    const { value, derived, digested } = await making(attributes, context)
    const { uniqueIdentifier } = await addObject(context, {
      uniqueIdentifier: context.services.newUniqueIdentifier(),
      objectType,
      attributes,
      derived,
      value,
      digested,
      generated: true,
    })
    context.idPlaceholder = uniqueIdentifier
    return { objectType, uniqueIdentifier }
  },
})

const usageMaskName = 'Cryptographic Usage Mask'

type Made = Pick<Addition, 'value' | 'derived' | 'digested'>

const makeKey = async (attributes: AttributeSet, context: Context): Promise<Made> => {
  const isLenient = context.services.policy.missingUsageMask === 'none'
  const usageMask = isLenient
    ? (given<number>(attributes, usageMaskName) ?? 0)
    : required<number>(attributes, usageMaskName)
  const cryptographicLength = given<number>(attributes, 'Cryptographic Length')
  checkLength(cryptographicLength, context.services.policy.createdSymmetricBitsMax)
  const key = await context.services.crypto.run({
    kind: 'generateSymmetricKey',
    cryptographicAlgorithm: required<CryptographicAlgorithm>(attributes, 'Cryptographic Algorithm'),
    cryptographicLength,
  })
  return {
    derived: {
      'Cryptographic Algorithm': key.cryptographicAlgorithm,
      'Cryptographic Length': key.cryptographicLength,
      [usageMaskName]: usageMask,
    },
    value: keyObject(key, key.cryptographicAlgorithm, key.cryptographicLength),
    digested: digestedKey(key.keyFormatType, key.keyMaterial),
  }
}

/** Random bytes of the Cryptographic Length. Clients leave the usage mask out: then nothing is allowed by it (§3.19). */
const makeSecret = async (attributes: AttributeSet, context: Context): Promise<Made> => {
  const cryptographicLength = required<number>(attributes, 'Cryptographic Length')
  checkLength(cryptographicLength, context.services.policy.createdSymmetricBitsMax)
  if (cryptographicLength <= 0 || cryptographicLength % 8 !== 0) {
    throw new KmipError(ResultReason.InvalidField, 'The Cryptographic Length of Secret Data is one of whole bytes')
  }
  // As much randomness as is asked for, of any length: a pad.
  const { keyMaterial } = await context.services.crypto.run({
    kind: 'generateSymmetricKey',
    cryptographicAlgorithm: CryptographicAlgorithm.OneTimePad,
    cryptographicLength,
  })
  const keyFormatType = KeyFormatType.Opaque
  return {
    derived: { [usageMaskName]: given<number>(attributes, usageMaskName) ?? 0 },
    value: {
      secretDataType: SecretDataType.Password,
      keyBlock: { keyFormatType, keyValue: { keyMaterial, attribute: [] } },
    },
    digested: digestedKey(keyFormatType, keyMaterial),
  }
}

const makers: ReadonlyMap<number, (attributes: AttributeSet, context: Context) => Promise<Made>> = new Map([
  [ObjectType.SymmetricKey, makeKey],
  [ObjectType.SecretData, makeSecret],
])
