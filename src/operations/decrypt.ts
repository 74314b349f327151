/** Decrypt: what a key encrypted, in one go or in parts. KMIP 1.4 §4.30 */
import { effectiveParameters, withCipherDefaults } from '#objects/cryptographic-parameters'
import { ivFor } from './initialization-vector.ts'
import { compute, someBytes, streamed, usableKey, wholeData } from './key-use.ts'
import { operation } from './operation.ts'

export const decrypt = operation({
  name: 'Decrypt',
  section: '4.30',
  reasons: [
    'ItemNotFound',
    'PermissionDenied',
    'CryptographicFailure',
    'ObjectArchived',
    'KeyValueNotPresent',
    'InvalidMessage',
  ],
  async handle(request, context) {
    const { object, key } = await usableKey(context, request, 'decrypt', 'decrypt')
    const { uniqueIdentifier } = object
    const { unnamedPadding } = context.services.policy.computing
    const tag = request.authenticatedEncryptionTag
    const open = () => {
      const asked = effectiveParameters(object, request.cryptographicParameters)
      const parameters = withCipherDefaults(asked, key.cryptographicAlgorithm, unnamedPadding)
      const iv = ivFor(parameters, key, request.ivCounterNonce, false, context)
      return { key, parameters, iv, aad: request.authenticatedEncryptionAdditionalData }
    }
    const part = await streamed(context, request, 'decrypt', uniqueIdentifier, open, tag)
    if (part !== undefined) {
      return { uniqueIdentifier, data: someBytes(part.data), correlationValue: part.correlationValue }
    }
    const { data } = await compute(context, { kind: 'decrypt', ...open(), data: wholeData(request.data), tag })
    return { uniqueIdentifier, data }
  },
})
