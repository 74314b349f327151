/** Get Attribute List: the names of the attributes that an object has. KMIP 1.4 §4.13 */
import { hasAttribute } from '#kmip/attributes'
import { attributeNames } from '#objects/managed-object'
import { operation } from './operation.ts'

export const getAttributeList = operation({
  name: 'GetAttributeList',
  section: '4.13',
  reasons: ['ItemNotFound', 'ObjectArchived', 'PermissionDenied'],
  handle({ uniqueIdentifier }, context) {
    const object = context.object(uniqueIdentifier, 'read')
    return {
      uniqueIdentifier: object.uniqueIdentifier,
      attributeName: attributeNames(object).filter((name) => hasAttribute(name, context.version)),
    }
  },
})
