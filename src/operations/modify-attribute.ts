/** Modify Attribute: another value of an instance that is there. KMIP 1.4 §4.15 */
import { ResultReason } from '#kmip/enums'
import { modifyAttribute as modifyInstance } from '#objects/attributes'
import { wireAttribute } from '#objects/managed-object'
import { operation } from './operation.ts'

export const modifyAttribute = operation({
  name: 'ModifyAttribute',
  section: '4.15',
  reasons: [
    'ItemNotFound',
    'InvalidField',
    'PermissionDenied',
    'IllegalOperation',
    'ApplicationNamespaceNotSupported',
    'ObjectArchived',
  ],
  handle({ uniqueIdentifier, attribute }, context) {
    const object = context.object(uniqueIdentifier, 'modify')
    const change = modifyInstance(object, attribute, context.version, context.now, context.services.policy)
    const changed = context.afterChange(change.object, object)
    context.checkNames(changed, ResultReason.IllegalOperation)
    context.put(changed)
    return { uniqueIdentifier: object.uniqueIdentifier, attribute: wireAttribute(change.name, change.instance) }
  },
})
