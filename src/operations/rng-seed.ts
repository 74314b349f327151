/** RNG Seed: a client's bytes for the random number generator of RNG Retrieve. KMIP 1.4 §4.36 */
import { ResultReason } from '#kmip/enums'
import { KmipError } from '#kmip/errors'
import { operation } from './operation.ts'

export const rngSeed = operation({
  name: 'RNGSeed',
  section: '4.36',
  reasons: ['PermissionDenied'],
  handle({ data }, context) {
    const { rngSeed: policy, rngSeedBytesMax } = context.services.policy.computing
    if (policy === 'refuse') throw new KmipError(ResultReason.PermissionDenied, 'The server takes no seeds')
    if (policy === 'ignore') return { dataLength: 0 }
    const used = data.subarray(0, rngSeedBytesMax)
    context.services.random.seed(used)
    return { dataLength: used.length }
  },
})
