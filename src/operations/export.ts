/** Export: the object with all its attributes, for another server. KMIP 1.4 §4.40 */

import { isAttributeKnown } from '#objects/known-values'
import { attributeNames, instancesOf, wireAttribute } from '#objects/managed-object'
import { givenObject, givenObjectReasons } from './object-value.ts'
import { operation } from './operation.ts'

export const exportObject = operation({
  name: 'Export',
  section: '4.40',
  reasons: givenObjectReasons,
  reveals: true,
  async handle({ uniqueIdentifier, ...form }, context) {
    const object = context.object(uniqueIdentifier, 'export')
    const attribute = attributeNames(object)
      .flatMap((name) => instancesOf(object, name).map((instance) => wireAttribute(name, instance)))
      .filter((each) => isAttributeKnown(each, context.version))
    context.idPlaceholder = object.uniqueIdentifier
    const told = { objectType: object.objectType, uniqueIdentifier: object.uniqueIdentifier, attribute }
    // §4.40: of a destroyed object the attributes are what is left.
    if (object.value === undefined) return told
    const { row, value } = await givenObject(object, form, context)
    context.served(context.transaction.read(object.uniqueIdentifier) ?? object)
    return { ...told, [row.field]: value }
  },
})
