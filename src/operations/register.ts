/** Register: an object that was made elsewhere. KMIP 1.4 §4.3 */
import type { TemplateAttribute } from '#kmip/attribute'
import { ObjectType, ResultReason } from '#kmip/enums'
import { KmipError } from '#kmip/errors'
import type { TemplateValue } from '#kmip/objects'
import { v1_1 } from '#kmip/versions'
import { addObject, givenAttributes } from './creation.ts'
import { checkSize, inTheClear, objectWithin, readTaken, readUnwrapped } from './object-reading.ts'
import { type Context, operation } from './operation.ts'

export const register = operation({
  name: 'Register',
  section: '4.3',
  reasons: [
    'InvalidField',
    'ItemNotFound',
    'InvalidMessage',
    'IndexOutOfBounds',
    'ApplicationNamespaceNotSupported',
    'ObjectArchived',
    'KeyFormatTypeNotSupported',
    'IllegalOperation',
    'PermissionDenied',
    'CryptographicFailure',
  ],
  async handle({ objectType, templateAttribute, ...objects }, context) {
    const received = objectWithin(objectType, objects)
    const { keyMaterialBytesMax, wrapping } = context.services.policy
    checkSize(received, keyMaterialBytesMax)
    const opened = wrapping.registeredWrapped === 'unwrap' ? await inTheClear(objectType, received, context) : received
    const { value, sources } =
      objectType === ObjectType.Template
        ? readTemplate(opened as TemplateValue, context)
        : { value: opened, sources: [] }
    const attributes = await givenAttributes(context, objectType, [...sources, templateAttribute])
    const reading = readTaken(objectType, value, attributes, context)
    const { derived, digested, kept } = await (opened === received ? reading : readUnwrapped(reading))
    const { uniqueIdentifier } = await addObject(context, {
      uniqueIdentifier: context.services.newUniqueIdentifier(),
      objectType,
      attributes,
      derived,
      value: kept,
      digested,
      generated: false,
    })
    context.idPlaceholder = uniqueIdentifier
    return { uniqueIdentifier }
  },
})

/**
 * What a Template holds, as the lowest of the sources of its attributes. Clients of 1.0 name the Template within it, as the
 * published cases of 1.0 do: it is the Template's Name all the same, and not one that it gives to objects.
 * @throws KmipError Invalid Field for a Name within, which stands in the request alone (§11.4)
 */
const readTemplate = (
  { attribute }: TemplateValue,
  context: Context,
): { readonly value: TemplateValue; readonly sources: readonly TemplateAttribute[] } => {
  const isName = ({ attributeName }: { readonly attributeName: string }): boolean => attributeName === 'Name'
  if (context.isAtLeast(v1_1) && attribute.some(isName)) {
    throw new KmipError(
      ResultReason.InvalidField,
      "A Template's Name stands in the Template-Attribute, not in the Template",
    )
  }
  return {
    value: { attribute: attribute.filter((each) => !isName(each)) },
    sources: [{ name: [], attribute }],
  }
}
