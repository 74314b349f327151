/** Delete Attribute: one instance of an attribute goes. KMIP 1.4 §4.16 */
import { deleteAttribute as deleteInstance } from '#objects/attributes'
import { wireAttribute } from '#objects/managed-object'
import { operation } from './operation.ts'

export const deleteAttribute = operation({
  name: 'DeleteAttribute',
  section: '4.16',
  reasons: ['ItemNotFound', 'PermissionDenied', 'ObjectArchived'],
  handle({ uniqueIdentifier, attributeName, attributeIndex }, context) {
    const object = context.object(uniqueIdentifier, 'modify')
    const change = deleteInstance(object, attributeName, attributeIndex, context.version, context.now)
    context.put(context.afterChange(change.object, object))
    return { uniqueIdentifier: object.uniqueIdentifier, attribute: wireAttribute(change.name, change.instance) }
  },
})
