/** MAC: a message authentication code over data. KMIP 1.4 §4.33 */
import type { response } from '#kmip/payloads/mac'
import { effectiveParameters } from '#objects/cryptographic-parameters'
import type { Infer } from '#ttlv/schema'
import { after, allocate, amountOf, compute, streamed, usableKey, wholeData } from './key-use.ts'
import { operation } from './operation.ts'

type Answer = Infer<typeof response>

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
  handle(request, context) {
    return after(usableKey(context, request, 'mac', 'macGenerate'), ({ object, key }): Answer | Promise<Answer> => {
      const { uniqueIdentifier } = object
      const parameters = effectiveParameters(object, request.cryptographicParameters)
      allocate(context, object, 'macGenerate', amountOf(request))
      const part = streamed(context, request, 'mac', uniqueIdentifier, () => ({ key, parameters }))
      if (part !== undefined) {
        return part.then((made) => ({ uniqueIdentifier, macData: made.mac, correlationValue: made.correlationValue }))
      }
      const computed = compute(context, { kind: 'mac', key, parameters, data: wholeData(request.data) })
      return after(computed, (made) => ({ uniqueIdentifier, macData: made.mac }))
    })
  },
})
