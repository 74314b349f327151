/** Get Usage Allocation: a part of an object's Usage Limits is given to a client that uses it by itself. KMIP 1.4 §4.18 */
import type { UsageLimits } from '#kmip/attribute-values'
import { CryptographicUsageMask, ResultReason, State } from '#kmip/enums'
import { KmipError } from '#kmip/errors'
import { stateOf } from '#objects/lifecycle'
import { type ManagedObject, valueOf, withValue } from '#objects/managed-object'
import { operation } from './operation.ts'

/** Bits of the Cryptographic Usage Mask that apply protection (§3.21); the others process what is protected. */
const protecting =
  CryptographicUsageMask.Sign |
  CryptographicUsageMask.Encrypt |
  CryptographicUsageMask.WrapKey |
  CryptographicUsageMask.MACGenerate |
  CryptographicUsageMask.ContentCommitmentNonRepudiation |
  CryptographicUsageMask.CertificateSign |
  CryptographicUsageMask.CRLSign |
  CryptographicUsageMask.GenerateCryptogram

export const getUsageAllocation = operation({
  name: 'GetUsageAllocation',
  section: '4.18',
  reasons: ['ItemNotFound', 'IllegalOperation', 'InvalidMessage', 'ObjectArchived', 'PermissionDenied', 'InvalidField'],
  handle({ uniqueIdentifier, usageLimitsCount }, context) {
    const object = context.object(uniqueIdentifier, 'export')
    const limits = valueOf<UsageLimits>(object, 'Usage Limits')
    const mask = valueOf<number>(object, 'Cryptographic Usage Mask') ?? 0
    if (limits === undefined || (mask & protecting) === 0) {
      throw new KmipError(
        ResultReason.IllegalOperation,
        'The object has no Usage Limits, or its Cryptographic Usage Mask allows no protection',
      )
    }
    if (usageLimitsCount <= 0n) throw new KmipError(ResultReason.InvalidField, 'The Usage Limits Count is not positive')
    const left = limits.usageLimitsCount ?? limits.usageLimitsTotal ?? 0n
    if (!mayProtect(object, context.now) || usageLimitsCount > left) {
      throw new KmipError(ResultReason.PermissionDenied, 'The allocation that is asked for cannot be given')
    }
    context.put(withValue(object, 'Usage Limits', { ...limits, usageLimitsCount: left - usageLimitsCount }))
    return { uniqueIdentifier: object.uniqueIdentifier }
  },
})

/** §4.18: after the Activation Date and before the Protect Stop Date. */
const mayProtect = (object: ManagedObject, now: number): boolean =>
  stateOf(object) === State.Active && now < (valueOf<number>(object, 'Protect Stop Date') ?? Number.POSITIVE_INFINITY)
