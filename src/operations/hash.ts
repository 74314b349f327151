/** Hash: a digest of data. KMIP 1.4 §4.37 */
import { ResultReason } from '#kmip/enums'
import { KmipError } from '#kmip/errors'
import { compute, streamed, wholeData } from './key-use.ts'
import { operation } from './operation.ts'

export const hash = operation({
  name: 'Hash',
  section: '4.37',
  reasons: ['CryptographicFailure', 'ItemNotFound', 'InvalidMessage', 'PermissionDenied'],
  async handle(request, context) {
    const { cryptographicParameters: parameters } = request
    const { hashingAlgorithm } = parameters
    if (hashingAlgorithm === undefined) {
      throw new KmipError(ResultReason.InvalidMessage, 'The Cryptographic Parameters name no Hashing Algorithm')
    }
    const part = await streamed(context, request, 'hash', undefined, () => ({ parameters }))
    if (part !== undefined) return { data: part.digest, correlationValue: part.correlationValue }
    const { digest } = await compute(context, { kind: 'hash', hashingAlgorithm, data: wholeData(request.data) })
    return { data: digest }
  },
})
