/** Decrypt: what a key encrypted, in one go or in parts. KMIP 1.4 §4.30 */
import type { response } from '#kmip/payloads/decrypt'
import { effectiveParameters, withCipherDefaults } from '#objects/cryptographic-parameters'
import type { Infer } from '#ttlv/schema'
import { ivFor } from './initialization-vector.ts'
import { after, compute, someBytes, streamed, usableKey, wholeData } from './key-use.ts'
import { operation } from './operation.ts'

type Answer = Infer<typeof response>

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
  handle(request, context) {
    return after(usableKey(context, request, 'decrypt', 'decrypt'), ({ object, key }): Answer | Promise<Answer> => {
      const { uniqueIdentifier } = object
      const { unnamedPadding } = context.services.policy.computing
      const tag = request.authenticatedEncryptionTag
      const open = () => {
        const asked = effectiveParameters(object, request.cryptographicParameters)
        const parameters = withCipherDefaults(asked, key.cryptographicAlgorithm, unnamedPadding)
        const iv = ivFor(parameters, key, request.ivCounterNonce, false, context)
        return { key, parameters, iv, aad: request.authenticatedEncryptionAdditionalData }
      }
      const part = streamed(context, request, 'decrypt', uniqueIdentifier, open, tag)
      if (part !== undefined) {
        return part.then(({ data, correlationValue }) => ({
          uniqueIdentifier,
          data: someBytes(data),
          correlationValue,
        }))
      }
      const decrypted = compute(context, { kind: 'decrypt', ...open(), data: wholeData(request.data), tag })
      return after(decrypted, ({ data }) => ({ uniqueIdentifier, data }))
    })
  },
})
