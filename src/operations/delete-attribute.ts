/** Delete Attribute: one instance of an attribute goes. KMIP 1.4 §4.16 */
import { ResultReason } from '#kmip/enums'
import { KmipError } from '#kmip/errors'
import { deleteAttribute as deleteInstance } from '#objects/attributes'
import { isAttributeKnown } from '#objects/known-values'
import { wireAttribute } from '#objects/managed-object'
import { operation } from './operation.ts'

export const deleteAttribute = operation({
  name: 'DeleteAttribute',
  section: '4.16',
  reasons: ['ItemNotFound', 'PermissionDenied', 'ObjectArchived'],
  handle({ uniqueIdentifier, attributeName, attributeIndex }, context) {
    const object = context.object(uniqueIdentifier, 'modify')
    const change = deleteInstance(object, attributeName, attributeIndex, context.version, context.now)
    const attribute = wireAttribute(change.name, change.instance)
    // The response carries what was deleted: a client does not delete what it cannot be told of.
    if (!isAttributeKnown(attribute, context.version)) throw new KmipError(ResultReason.ItemNotFound)
    context.put(context.afterChange(change.object, object))
    return { uniqueIdentifier: object.uniqueIdentifier, attribute }
  },
})
