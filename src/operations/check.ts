/** Check: whether an object may be used as the request says; nothing is granted by it. KMIP 1.4 §4.10 */
import type { UsageLimits } from '#kmip/attribute-values'
import { ResultReason } from '#kmip/enums'
import { KmipError } from '#kmip/errors'
import { isTemplate, valueOf } from '#objects/managed-object'
import { operation } from './operation.ts'

export const check = operation({
  name: 'Check',
  section: '4.10',
  reasons: ['ItemNotFound', 'ObjectArchived', 'IllegalOperation', 'PermissionDenied'],
  handle({ uniqueIdentifier, usageLimitsCount, cryptographicUsageMask, leaseTime }, context) {
    const object = context.object(uniqueIdentifier, 'read')
    if (isTemplate(object)) throw new KmipError(ResultReason.IllegalOperation, 'A Template cannot be checked')
    const limits = valueOf<UsageLimits>(object, 'Usage Limits')
    const mask = valueOf<number>(object, 'Cryptographic Usage Mask') ?? 0
    const exceedsLimits =
      usageLimitsCount !== undefined &&
      limits?.usageLimitsCount !== undefined &&
      usageLimitsCount > limits.usageLimitsCount
    const exceedsMask =
      cryptographicUsageMask !== undefined && (mask & cryptographicUsageMask) !== cryptographicUsageMask
    const granted = valueOf<number>(object, 'Lease Time') ?? context.services.policy.leaseTimeSeconds
    // §4.17: a Lease Time of 0 says that none is in effect, so that any is within it.
    const exceedsLease = leaseTime !== undefined && granted !== 0 && leaseTime > granted
    if (exceedsLimits || exceedsMask || exceedsLease) {
      context.idPlaceholder = undefined
      // §4.10: the fields of the request that caused the denial come back, the Unique Identifier does not.
      throw new KmipError(ResultReason.PermissionDenied, 'The object may not be used as asked', {
        usageLimitsCount: exceedsLimits ? usageLimitsCount : undefined,
        cryptographicUsageMask: exceedsMask ? cryptographicUsageMask : undefined,
        leaseTime: exceedsLease ? leaseTime : undefined,
      })
    }
    return { uniqueIdentifier: object.uniqueIdentifier }
  },
})
