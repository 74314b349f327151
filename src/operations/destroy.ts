/** Destroy: the key material goes; what else is known of the object stays, unless the server is set to keep nothing. KMIP 1.4 §4.21 */
import { nextState } from '#objects/lifecycle'
import { isTemplate, withValue } from '#objects/managed-object'
import { operation } from './operation.ts'

export const destroy = operation({
  name: 'Destroy',
  section: '4.21',
  reasons: ['ItemNotFound', 'PermissionDenied', 'ObjectArchived'],
  handle({ uniqueIdentifier }, context) {
    const object = context.object(uniqueIdentifier, 'destroy')
    if (isTemplate(object)) {
      context.transaction.remove(object.uniqueIdentifier)
      return { uniqueIdentifier: object.uniqueIdentifier }
    }
    const state = nextState(object, 'destroy')
    if (context.services.policy.hardDelete) context.transaction.remove(object.uniqueIdentifier)
    else context.put({ ...withValue(withValue(object, 'State', state), 'Destroy Date', context.now), value: undefined })
    return { uniqueIdentifier: object.uniqueIdentifier }
  },
})
