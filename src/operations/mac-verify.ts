/** MAC Verify: whether a message authentication code is of this data and key. KMIP 1.4 §4.34 */

import { ResultReason, ValidityIndicator } from '#kmip/enums'
import { KmipError } from '#kmip/errors'
import type { request as requestFields, response } from '#kmip/payloads/mac-verify'
import { effectiveParameters } from '#objects/cryptographic-parameters'
import type { Infer } from '#ttlv/schema'
import { after, compute, preparedUse, streamed, type UsableKey, usableKey, wholeData } from './key-use.ts'
import { type Context, operation, type Varying } from './operation.ts'

type Request = Infer<typeof requestFields>
type Answer = Infer<typeof response>

const indicator = (valid: boolean): ValidityIndicator => (valid ? ValidityIndicator.Valid : ValidityIndicator.Invalid)

export const macVerify = operation({
  name: 'MACVerify',
  section: '4.34',
  reasons: [
    'ItemNotFound',
    'PermissionDenied',
    'CryptographicFailure',
    'ObjectArchived',
    'KeyValueNotPresent',
    'InvalidMessage',
  ],
  handle(request, context) {
    return after(usableKey(context, request, 'mac', 'macVerify'), (usable): Answer | Promise<Answer> => {
      const { object, key } = usable
      const { uniqueIdentifier } = object
      const open = () => ({ key, parameters: effectiveParameters(object, request.cryptographicParameters) })
      const part = streamed(context, request, 'verifyMac', uniqueIdentifier, open, request.macData)
      if (part === undefined) return verificationOf(request, usable, context)(request)
      return part.then(({ valid, correlationValue }) => {
        const validityIndicator = valid === undefined ? undefined : indicator(valid)
        return { uniqueIdentifier, validityIndicator, correlationValue }
      })
    })
  },
  preparation: {
    varies: ['data', 'macData'],
    prepare: (request, context) =>
      preparedUse(context, request, 'mac', 'macVerify', (usable) => verificationOf(request, usable, context)),
  },
})

/** The check of a code of data in one go. */
const verificationOf = (request: Request, { object, key }: UsableKey, { services }: Context) => {
  const { uniqueIdentifier } = object
  const parameters = effectiveParameters(object, request.cryptographicParameters)
  return ({ data, macData: mac }: Varying): Answer | Promise<Answer> => {
    if (mac === undefined) throw new KmipError(ResultReason.InvalidMessage, 'The request holds no MAC Data')
    const verified = compute({ services }, { kind: 'verifyMac', key, parameters, data: wholeData(data), mac })
    return after(verified, ({ valid }) => ({ uniqueIdentifier, validityIndicator: indicator(valid) }))
  }
}
