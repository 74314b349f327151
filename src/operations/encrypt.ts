/** Encrypt: data under a key, in one go or in parts. KMIP 1.4 §4.29 */
import { effectiveParameters, withCipherDefaults } from '#objects/cryptographic-parameters'
import { ivFor } from './initialization-vector.ts'
import { allocate, amountOf, compute, someBytes, streamed, usableKey, wholeData } from './key-use.ts'
import { operation } from './operation.ts'

export const encrypt = operation({
  name: 'Encrypt',
  section: '4.29',
  reasons: [
    'ItemNotFound',
    'PermissionDenied',
    'CryptographicFailure',
    'ObjectArchived',
    'KeyValueNotPresent',
    'InvalidMessage',
  ],
  async handle(request, context) {
    const { object, key } = usableKey(context, request, 'encrypt', 'encrypt')
    const { uniqueIdentifier } = object
    const { unnamedPadding } = context.services.policy.computing
    const open = () => {
      const asked = effectiveParameters(object, request.cryptographicParameters)
      const parameters = withCipherDefaults(asked, key.cryptographicAlgorithm, unnamedPadding)
      const given = parameters.randomIv === true ? undefined : request.ivCounterNonce
      const iv = ivFor(parameters, key, given, parameters.randomIv === true, context)
      return { key, parameters, iv, aad: request.authenticatedEncryptionAdditionalData }
    }
    allocate(context, object, 'encrypt', amountOf(request))
    const part = streamed(context, request, 'encrypt', uniqueIdentifier, open)
    if (part !== undefined) {
      const { correlationValue, tag, iv } = part
      const data = someBytes(part.data)
      const madeIv = request.ivCounterNonce === undefined ? iv : undefined
      return { uniqueIdentifier, data, ivCounterNonce: madeIv, correlationValue, authenticatedEncryptionTag: tag }
    }
    const { data, iv, tag } = await compute(context, { kind: 'encrypt', ...open(), data: wholeData(request.data) })
    return { uniqueIdentifier, data, ivCounterNonce: iv, authenticatedEncryptionTag: tag }
  },
})
