/** MAC Verify: whether a message authentication code is of this data and key. KMIP 1.4 §4.34 */

import { ResultReason, ValidityIndicator } from '#kmip/enums'
import { KmipError } from '#kmip/errors'
import type { response } from '#kmip/payloads/mac-verify'
import { effectiveParameters } from '#objects/cryptographic-parameters'
import type { Infer } from '#ttlv/schema'
import { after, compute, streamed, usableKey, wholeData } from './key-use.ts'
import { operation } from './operation.ts'

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
    return after(usableKey(context, request, 'mac', 'macVerify'), ({ object, key }): Answer | Promise<Answer> => {
      const { uniqueIdentifier } = object
      const { macData } = request
      const opened = { key, parameters: effectiveParameters(object, request.cryptographicParameters) }
      const part = streamed(context, request, 'verifyMac', uniqueIdentifier, () => opened, macData)
      if (part !== undefined) {
        return part.then(({ valid, correlationValue }) => {
          const validityIndicator = valid === undefined ? undefined : indicator(valid)
          return { uniqueIdentifier, validityIndicator, correlationValue }
        })
      }
      if (macData === undefined) throw new KmipError(ResultReason.InvalidMessage, 'The request holds no MAC Data')
      const data = wholeData(request.data)
      const verified = compute(context, { kind: 'verifyMac', ...opened, data, mac: macData })
      return after(verified, ({ valid }) => ({ uniqueIdentifier, validityIndicator: indicator(valid) }))
    })
  },
})
