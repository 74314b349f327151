/** Recover: an archived object is on-line again. KMIP 1.4 §4.23 */
import { valueOf, withInstances } from '#objects/managed-object'
import { operation } from './operation.ts'

export const recover = operation({
  name: 'Recover',
  section: '4.23',
  reasons: ['ItemNotFound', 'PermissionDenied'],
  asynchronous: 'slow',
  handle({ uniqueIdentifier }, context) {
    const object = context.object(uniqueIdentifier, 'archive', 'any')
    // One that is on-line is what is asked for: no error is named for it, and nothing is changed.
    if (valueOf(object, 'Archive Date') !== undefined) context.put(withInstances(object, 'Archive Date', []))
    context.idPlaceholder = object.uniqueIdentifier
    return { uniqueIdentifier: object.uniqueIdentifier }
  },
})
