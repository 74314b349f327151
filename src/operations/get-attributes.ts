/** Get Attributes: the attributes that are asked for, or all. KMIP 1.4 §4.12 */
import { ResultReason } from '#kmip/enums'
import { KmipError } from '#kmip/errors'
import { isAttributeKnown } from '#objects/known-values'
import { attributeNames, instancesOf, wireAttribute } from '#objects/managed-object'
import { always, operation } from './operation.ts'

export const getAttributes = operation({
  name: 'GetAttributes',
  section: '4.12',
  reasons: ['ItemNotFound', 'InvalidMessage', 'ObjectArchived', 'PermissionDenied'],
  repeatable: always,
  handle({ uniqueIdentifier, attributeName }, context) {
    const object = context.object(
      uniqueIdentifier,
      'read',
      context.services.policy.archivedAttributes === 'give' ? 'any' : 'online',
    )
    if (new Set(attributeName).size !== attributeName.length) {
      throw new KmipError(ResultReason.InvalidMessage, 'The same Attribute Name is given more than once')
    }
    const names = attributeName.length === 0 ? attributeNames(object) : attributeName
    return {
      uniqueIdentifier: object.uniqueIdentifier,
      // A name or a value that the object or the version does not have gives nothing: no error.
      attribute: names
        .flatMap((name) => instancesOf(object, name).map((instance) => wireAttribute(name, instance)))
        .filter((attribute) => isAttributeKnown(attribute, context.version)),
    }
  },
})
