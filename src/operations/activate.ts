/** Activate: Pre-Active becomes Active, now. KMIP 1.4 §4.19 */
import { ResultReason } from '#kmip/enums'
import { KmipError } from '#kmip/errors'
import { contradictionOfDates, nextState } from '#objects/lifecycle'
import { withValue } from '#objects/managed-object'
import { operation } from './operation.ts'

export const activate = operation({
  name: 'Activate',
  section: '4.19',
  reasons: ['ItemNotFound', 'IllegalOperation', 'PermissionDenied', 'ObjectArchived'],
  handle({ uniqueIdentifier }, context) {
    const object = context.object(uniqueIdentifier, 'activate')
    const state = nextState(object, 'activate')
    const activated = withValue(withValue(object, 'State', state), 'Activation Date', context.now)
    const contradiction = contradictionOfDates(activated)
    if (contradiction !== undefined) throw new KmipError(ResultReason.IllegalOperation, contradiction)
    context.put(activated)
    return { uniqueIdentifier: object.uniqueIdentifier }
  },
})
