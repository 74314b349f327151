/** Decrypt: what a key encrypted, in one go or in parts. KMIP 1.4 §4.30 */
import type { request as requestFields, response } from '#kmip/payloads/decrypt'
import type { Infer } from '#ttlv/schema'
import { cipherOf } from './cipher-request.ts'
import { after, compute, preparedUse, someBytes, streamed, type UsableKey, usableKey, wholeData } from './key-use.ts'
import { type Context, operation, type Varying } from './operation.ts'

type Request = Infer<typeof requestFields>
type Answer = Infer<typeof response>

export const decrypt = operation({
  name: 'Decrypt',
  section: '4.30',
  reasons: [
    'ItemNotFound',
    'PermissionDenied',
    'CryptographicFailure',
    'ObjectArchived',
    'KeyValueNotPresent',
    'InvalidMessage',
  ],
  handle(request, context) {
    return after(usableKey(context, request, 'decrypt', 'decrypt'), (usable): Answer | Promise<Answer> => {
      const { uniqueIdentifier } = usable.object
      const open = () => cipherOf(request, usable, context, false)(request.ivCounterNonce)
      const tag = request.authenticatedEncryptionTag
      const part = streamed(context, request, 'decrypt', uniqueIdentifier, open, tag)
      if (part === undefined) return decryptionOf(request, usable, context)(request)
      return part.then(({ data, correlationValue }) => ({
        uniqueIdentifier,
        data: someBytes(data),
        correlationValue,
      }))
    })
  },
  preparation: {
    varies: ['data', 'ivCounterNonce', 'authenticatedEncryptionTag'],
    prepare: (request, context) =>
      preparedUse(context, request, 'decrypt', 'decrypt', (usable) => decryptionOf(request, usable, context)),
  },
})

/** The decryption of data in one go. */
const decryptionOf = (request: Request, usable: UsableKey, context: Context) => {
  const { services } = context
  const { uniqueIdentifier } = usable.object
  const open = cipherOf(request, usable, context, false)
  return ({ data: whole, ivCounterNonce, authenticatedEncryptionTag: tag }: Varying): Answer | Promise<Answer> => {
    const decrypted = compute({ services }, { kind: 'decrypt', ...open(ivCounterNonce), data: wholeData(whole), tag })
    return after(decrypted, ({ data }) => ({ uniqueIdentifier, data }))
  }
}
