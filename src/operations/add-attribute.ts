/** Add Attribute: a new instance of an attribute. KMIP 1.4 §4.14 */
import { ResultReason } from '#kmip/enums'
import { addAttribute as addInstance } from '#objects/attributes'
import { wireAttribute } from '#objects/managed-object'
import { operation } from './operation.ts'

export const addAttribute = operation({
  name: 'AddAttribute',
  section: '4.14',
  reasons: [
    'ItemNotFound',
    'PermissionDenied',
    'IllegalOperation',
    'InvalidField',
    'IndexOutOfBounds',
    'ApplicationNamespaceNotSupported',
    'ObjectArchived',
  ],
  handle({ uniqueIdentifier, attribute }, context) {
    const object = context.object(uniqueIdentifier, 'modify')
    const change = addInstance(object, attribute, context.version, context.now, context.services.policy)
    const changed = context.afterChange(change.object, object)
    context.checkNames(changed, ResultReason.IllegalOperation)
    context.put(changed)
    return { uniqueIdentifier: object.uniqueIdentifier, attribute: wireAttribute(change.name, change.instance) }
  },
})
