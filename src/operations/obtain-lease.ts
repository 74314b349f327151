/** Obtain Lease: for how long a client may use what it knows of an object. KMIP 1.4 §4.17 */
import { ResultReason, State } from '#kmip/enums'
import { KmipError } from '#kmip/errors'
import { isDestroyed, stateOf } from '#objects/lifecycle'
import { valueOf } from '#objects/managed-object'
import { operation } from './operation.ts'

export const obtainLease = operation({
  name: 'ObtainLease',
  section: '4.17',
  reasons: ['ItemNotFound', 'PermissionDenied', 'ObjectArchived'],
  handle({ uniqueIdentifier }, context) {
    const object = context.object(uniqueIdentifier, 'read')
    // §3.20: a Template has no Lease Time, for nothing of it is used.
    const leaseTime = valueOf<number>(object, 'Lease Time')
    if (leaseTime === undefined || stateOf(object) === State.Compromised || isDestroyed(object)) {
      throw new KmipError(ResultReason.PermissionDenied, 'No lease is given for this object in its state')
    }
    return {
      uniqueIdentifier: object.uniqueIdentifier,
      leaseTime,
      lastChangeDate: valueOf<number>(object, 'Last Change Date') ?? context.now,
    }
  },
})
