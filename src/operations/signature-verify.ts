/** Signature Verify: whether a signature is of this data and key. KMIP 1.4 §4.32 */
import { ResultReason, ValidityIndicator } from '#kmip/enums'
import { KmipError } from '#kmip/errors'
import { effectiveParameters } from '#objects/cryptographic-parameters'
import { compute, streamed, usableKey } from './key-use.ts'
import { operation } from './operation.ts'
import { checkSignedPart, signedInput } from './signed-input.ts'

const indicator = (valid: boolean): ValidityIndicator => (valid ? ValidityIndicator.Valid : ValidityIndicator.Invalid)

export const signatureVerify = operation({
  name: 'SignatureVerify',
  section: '4.32',
  reasons: [
    'ItemNotFound',
    'PermissionDenied',
    'CryptographicFailure',
    'ObjectArchived',
    'KeyValueNotPresent',
    'InvalidMessage',
  ],
  async handle(request, context) {
    const { object, key } = await usableKey(context, request, 'verify', 'verify')
    const { uniqueIdentifier } = object
    checkSignedPart(request)
    const { signatureData: signature } = request
    const parameters = effectiveParameters(object, request.cryptographicParameters)
    const opened = { key, parameters }
    const part = await streamed(context, request, 'verifySignature', uniqueIdentifier, () => opened, signature)
    if (part !== undefined) {
      const validityIndicator = part.valid === undefined ? undefined : indicator(part.valid)
      return { uniqueIdentifier, validityIndicator, correlationValue: part.correlationValue }
    }
    if (signature === undefined) throw new KmipError(ResultReason.InvalidMessage, 'The request holds no Signature Data')
    const { valid, data } = await compute(context, {
      kind: 'verifySignature',
      ...opened,
      ...signedInput(request),
      signature,
    })
    return { uniqueIdentifier, validityIndicator: indicator(valid), data }
  },
})
