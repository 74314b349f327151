/** Sign: a signature over data, or over a digest of it. KMIP 1.4 §4.31 */
import { effectiveParameters } from '#objects/cryptographic-parameters'
import { allocate, amountOf, compute, streamed, usableKey } from './key-use.ts'
import { operation } from './operation.ts'
import { checkSignedPart, signedInput } from './signed-input.ts'

export const sign = operation({
  name: 'Sign',
  section: '4.31',
  reasons: [
    'ItemNotFound',
    'PermissionDenied',
    'CryptographicFailure',
    'ObjectArchived',
    'KeyValueNotPresent',
    'InvalidMessage',
  ],
  async handle(request, context) {
    const { object, key } = await usableKey(context, request, 'sign', 'sign')
    const { uniqueIdentifier } = object
    checkSignedPart(request)
    const parameters = effectiveParameters(object, request.cryptographicParameters)
    allocate(context, object, 'sign', amountOf(request, (request.data ?? request.digestedData)?.length))
    const part = await streamed(context, request, 'sign', uniqueIdentifier, () => ({ key, parameters }))
    if (part !== undefined) {
      return { uniqueIdentifier, signatureData: part.signature, correlationValue: part.correlationValue }
    }
    const { signature } = await compute(context, { kind: 'sign', key, parameters, ...signedInput(request) })
    return { uniqueIdentifier, signatureData: signature }
  },
})
