/** Get Attribute List: the names of the attributes that an object has. KMIP 1.4 §4.13 */
import { isAttributeKnown } from '#objects/known-values'
import { attributeNames, instancesOf, wireAttribute } from '#objects/managed-object'
import { always, operation } from './operation.ts'

export const getAttributeList = operation({
  name: 'GetAttributeList',
  section: '4.13',
  reasons: ['ItemNotFound', 'ObjectArchived', 'PermissionDenied'],
  repeatable: always,
  handle({ uniqueIdentifier }, context) {
    const object = context.object(uniqueIdentifier, 'read')
    return {
      uniqueIdentifier: object.uniqueIdentifier,
      attributeName: attributeNames(object).filter((name) =>
        instancesOf(object, name).some((instance) => isAttributeKnown(wireAttribute(name, instance), context.version)),
      ),
    }
  },
})
