/** Archive: the object goes off-line; nothing is done with it until it is recovered. KMIP 1.4 §4.22 */
import { withValue } from '#objects/managed-object'
import { operation } from './operation.ts'

export const archive = operation({
  name: 'Archive',
  section: '4.22',
  reasons: ['ItemNotFound', 'ObjectArchived', 'PermissionDenied'],
  asynchronous: 'slow',
  handle({ uniqueIdentifier }, context) {
    const object = context.object(uniqueIdentifier, 'archive')
    context.put(withValue(object, 'Archive Date', context.now))
    return { uniqueIdentifier: object.uniqueIdentifier }
  },
})
