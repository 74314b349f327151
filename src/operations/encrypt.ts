/** Encrypt: data under a key, in one go or in parts. KMIP 1.4 §4.29 */
import { KeptCipher } from '#crypto/run'
import { type request as requestFields, response } from '#kmip/payloads/encrypt'
import { inVersion } from '#kmip/row'
import type { Version } from '#kmip/versions'
import type { Infer } from '#ttlv/schema'
import { cipherOf } from './cipher-request.ts'
import {
  after,
  allocate,
  amountOf,
  compute,
  preparedUse,
  someBytes,
  streamed,
  type UsableKey,
  usableKey,
  wholeData,
} from './key-use.ts'
import { type Context, operation, type Varying } from './operation.ts'

type Request = Infer<typeof requestFields>
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
    return after(usableKey(context, request, 'encrypt', 'encrypt'), (usable): Answer | Promise<Answer> => {
      const { uniqueIdentifier } = usable.object
      allocate(context, usable.object, 'encrypt', amountOf(request))
      const open = () => cipherOf(request, usable, context, true)(request.ivCounterNonce)
      const part = streamed(context, request, 'encrypt', uniqueIdentifier, open)
      if (part === undefined) return encryptionOf(request, usable, context)(request)
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
    })
  },
  preparation: {
    varies: ['data', 'ivCounterNonce'],
    prepare: (request, context) =>
      preparedUse(context, request, 'encrypt', 'encrypt', (usable) =>
        encryptionOf(request, usable, context, new KeptCipher()),
      ),
  },
})

/** The encryption of data in one go. @param kept for one that is done again and again */
const encryptionOf = (request: Request, usable: UsableKey, context: Context, kept?: KeptCipher) => {
  const { version, services } = context
  const { uniqueIdentifier } = usable.object
  const open = cipherOf(request, usable, context, true)
  return ({ data: whole, ivCounterNonce }: Varying): Answer | Promise<Answer> => {
    const job = { kind: 'encrypt', ...open(ivCounterNonce), kept, data: wholeData(whole) } as const
    return after(compute({ services }, job), (made) => {
      const { data, tag } = inFormOf(version, made.data, made.tag)
      return { uniqueIdentifier, data, ivCounterNonce: made.iv, authenticatedEncryptionTag: tag }
    })
  }
}

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
