/** Revoke: the object is deactivated, or marked as compromised. KMIP 1.4 §4.20 */
import { ResultReason, RevocationReasonCode } from '#kmip/enums'
import { KmipError } from '#kmip/errors'
import { nextState } from '#objects/lifecycle'
import { valueOf, withValue } from '#objects/managed-object'
import { operation } from './operation.ts'

const compromising: ReadonlySet<number> = new Set([
  RevocationReasonCode.KeyCompromise,
  RevocationReasonCode.CACompromise,
])

export const revoke = operation({
  name: 'Revoke',
  section: '4.20',
  reasons: ['ItemNotFound', 'InvalidField', 'IllegalOperation', 'ObjectArchived', 'PermissionDenied'],
  handle({ uniqueIdentifier, revocationReason, compromiseOccurrenceDate }, context) {
    const object = context.object(uniqueIdentifier, 'revoke')
    const compromised = compromising.has(revocationReason.revocationReasonCode)
    if (!compromised && compromiseOccurrenceDate !== undefined) {
      throw new KmipError(
        ResultReason.InvalidField,
        'A Compromise Occurrence Date goes with the reasons Key Compromise and CA Compromise only',
      )
    }
    const state = nextState(object, compromised ? 'compromise' : 'deactivate')
    const revoked = withValue(withValue(object, 'State', state), 'Revocation Reason', revocationReason)
    if (compromised) {
      const occurred = compromiseOccurrenceDate ?? valueOf<number>(object, 'Initial Date') ?? context.now
      context.put(withValue(withValue(revoked, 'Compromise Date', context.now), 'Compromise Occurrence Date', occurred))
    } else {
      context.put(withValue(revoked, 'Deactivation Date', context.now))
    }
    return { uniqueIdentifier: object.uniqueIdentifier }
  },
})
