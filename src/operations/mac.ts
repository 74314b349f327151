/** MAC: a message authentication code over data. KMIP 1.4 §4.33 */
import { effectiveParameters } from '#objects/cryptographic-parameters'
import { allocate, amountOf, compute, streamed, usableKey, wholeData } from './key-use.ts'
import { operation } from './operation.ts'

export const mac = operation({
  name: 'MAC',
  section: '4.33',
  reasons: [
    'ItemNotFound',
    'PermissionDenied',
    'CryptographicFailure',
    'ObjectArchived',
    'KeyValueNotPresent',
    'InvalidMessage',
  ],
  async handle(request, context) {
    const { object, key } = await usableKey(context, request, 'mac', 'macGenerate')
    const { uniqueIdentifier } = object
    const parameters = effectiveParameters(object, request.cryptographicParameters)
    allocate(context, object, 'macGenerate', amountOf(request))
    const part = await streamed(context, request, 'mac', uniqueIdentifier, () => ({ key, parameters }))
    if (part !== undefined) return { uniqueIdentifier, macData: part.mac, correlationValue: part.correlationValue }
    const made = await compute(context, { kind: 'mac', key, parameters, data: wholeData(request.data) })
    return { uniqueIdentifier, macData: made.mac }
  },
})
