/** Encrypt: data under a key, in one go or in parts. KMIP 1.4 §4.29 */
import { response } from '#kmip/payloads/encrypt'
import { inVersion } from '#kmip/row'
import type { Version } from '#kmip/versions'
import { effectiveParameters, withCipherDefaults } from '#objects/cryptographic-parameters'
import type { Infer } from '#ttlv/schema'
import { ivFor } from './initialization-vector.ts'
import { after, allocate, amountOf, compute, someBytes, streamed, usableKey, wholeData } from './key-use.ts'
import { operation } from './operation.ts'

type Answer = Infer<typeof response>

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
  handle(request, context) {
    return after(usableKey(context, request, 'encrypt', 'encrypt'), ({ object, key }): Answer | Promise<Answer> => {
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
        return part.then(({ correlationValue, iv, ...made }) => {
          const { data, tag } = inFormOf(context.version, made.data, made.tag)
          const madeIv = request.ivCounterNonce === undefined ? iv : undefined
          return {
            uniqueIdentifier,
            data: someBytes(data),
            ivCounterNonce: madeIv,
            correlationValue,
            authenticatedEncryptionTag: tag,
          }
        })
      }
      return after(compute(context, { kind: 'encrypt', ...open(), data: wholeData(request.data) }), (made) => {
        const { data, tag } = inFormOf(context.version, made.data, made.tag)
        return { uniqueIdentifier, data, ivCounterNonce: made.iv, authenticatedEncryptionTag: tag }
      })
    })
  },
})

const tagField = response.fields['authenticatedEncryptionTag']

/** Versions without a field for the tag have it behind the data, where Decrypt looks for one that is not given: else it were lost. */
const inFormOf = (
  version: Version,
  data: Uint8Array | undefined,
  tag: Uint8Array | undefined,
): { readonly data: Uint8Array | undefined; readonly tag?: Uint8Array | undefined } => {
  if (tag === undefined || (tagField !== undefined && inVersion(tagField, version))) return { data, tag }
  const length = data?.length ?? 0
  const whole = new Uint8Array(length + tag.length)
  if (data !== undefined) whole.set(data)
  whole.set(tag, length)
  return { data: whole }
}
