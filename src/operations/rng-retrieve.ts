/** RNG Retrieve: random bytes. KMIP 1.4 §4.35 */
import { ResultReason } from '#kmip/enums'
import { KmipError } from '#kmip/errors'
import { operation } from './operation.ts'

export const rngRetrieve = operation({
  name: 'RNGRetrieve',
  section: '4.35',
  reasons: ['InvalidField'],
  handle({ dataLength }, context) {
    const { randomBytesMax } = context.services.policy.computing
    if (dataLength < 0 || dataLength > randomBytesMax) {
      throw new KmipError(ResultReason.InvalidField, `The Data Length is 0 to ${randomBytesMax}`)
    }
    return { data: context.services.random.bytes(dataLength) }
  },
})
