/** MAC: a message authentication code over data. KMIP 1.4 §4.33 */
import type { request as requestFields, response } from '#kmip/payloads/mac'
import { effectiveParameters } from '#objects/cryptographic-parameters'
import type { Infer } from '#ttlv/schema'
import {
  after,
  allocate,
  amountOf,
  compute,
  preparedUse,
  streamed,
  type UsableKey,
  usableKey,
  wholeData,
} from './key-use.ts'
import { type Context, operation, type Varying } from './operation.ts'

type Request = Infer<typeof requestFields>
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
    return after(usableKey(context, request, 'mac', 'macGenerate'), (usable): Answer | Promise<Answer> => {
      const { object, key } = usable
      const { uniqueIdentifier } = object
      const open = () => ({ key, parameters: effectiveParameters(object, request.cryptographicParameters) })
      allocate(context, object, 'macGenerate', amountOf(request))
      const part = streamed(context, request, 'mac', uniqueIdentifier, open)
      if (part === undefined) return macOf(request, usable, context)(request)
      return part.then((made) => ({ uniqueIdentifier, macData: made.mac, correlationValue: made.correlationValue }))
    })
  },
  preparation: {
    varies: ['data'],
    prepare: (request, context) =>
      preparedUse(context, request, 'mac', 'macGenerate', (usable) => macOf(request, usable, context)),
  },
})

/** The code of data in one go. */
const macOf = (request: Request, { object, key }: UsableKey, { services }: Context) => {
  const { uniqueIdentifier } = object
  const parameters = effectiveParameters(object, request.cryptographicParameters)
  return ({ data }: Varying): Answer | Promise<Answer> => {
    const computed = compute({ services }, { kind: 'mac', key, parameters, data: wholeData(data) })
    return after(computed, (made) => ({ uniqueIdentifier, macData: made.mac }))
  }
}
