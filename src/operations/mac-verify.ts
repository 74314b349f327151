/** MAC Verify: whether a message authentication code is of this data and key. KMIP 1.4 §4.34 */
import { ResultReason, ValidityIndicator } from '#kmip/enums'
import { KmipError } from '#kmip/errors'
import { effectiveParameters } from '#objects/cryptographic-parameters'
import { compute, streamed, usableKey, wholeData } from './key-use.ts'
import { operation } from './operation.ts'

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
  async handle(request, context) {
    const { object, key } = await usableKey(context, request, 'mac', 'macVerify')
    const { uniqueIdentifier } = object
    const { macData } = request
    const opened = { key, parameters: effectiveParameters(object, request.cryptographicParameters) }
    const part = await streamed(context, request, 'verifyMac', uniqueIdentifier, () => opened, macData)
    if (part !== undefined) {
      const validityIndicator = part.valid === undefined ? undefined : indicator(part.valid)
      return { uniqueIdentifier, validityIndicator, correlationValue: part.correlationValue }
    }
    if (macData === undefined) throw new KmipError(ResultReason.InvalidMessage, 'The request holds no MAC Data')
    const data = wholeData(request.data)
    const { valid } = await compute(context, { kind: 'verifyMac', ...opened, data, mac: macData })
    return { uniqueIdentifier, validityIndicator: indicator(valid) }
  },
})
