/** Import: an object of another server with the identifier and the attributes that it had there. KMIP 1.4 §4.41 */
import { KeyWrapType, ResultReason } from '#kmip/enums'
import { KmipError } from '#kmip/errors'
import { objectRow, objectRows } from '#kmip/objects'
import { importedAttributes } from '#objects/imported-attributes'
import { isDestroyed } from '#objects/lifecycle'
import { addObject } from './creation.ts'
import { checkSize, inTheClear, objectWithin, readTaken, readUnwrapped } from './object-reading.ts'
import { type Context, operation } from './operation.ts'

/** An identifier that others made: text that can be a key of the store. */
const identifierPattern = /^[^\p{Cc}]{1,255}$/u

export const importObject = operation({
  name: 'Import',
  section: '4.41',
  reasons: [
    'ObjectAlreadyExists',
    'InvalidField',
    'IndexOutOfBounds',
    'ApplicationNamespaceNotSupported',
    'InvalidMessage',
    'ItemNotFound',
    'IllegalOperation',
    'PermissionDenied',
    'ObjectArchived',
    'KeyFormatTypeNotSupported',
    'CryptographicFailure',
  ],
  async handle({ uniqueIdentifier, objectType: said, replaceExisting, keyWrapType, attribute, ...objects }, context) {
    const replaced = replacedObject(uniqueIdentifier, replaceExisting ?? false, context)
    const objectType = said ?? objectRows.find(({ field }) => objects[field] !== undefined)?.objectType
    if (objectType === undefined) throw new KmipError(ResultReason.InvalidMessage, 'The request holds no object')
    if (objectRow(objectType) === undefined) throw new KmipError(ResultReason.InvalidField)
    const received = objectWithin(objectType, objects)
    checkSize(received, context.services.policy.keyMaterialBytesMax)
    const value = keyWrapType === KeyWrapType.NotWrapped ? await inTheClear(objectType, received, context) : received
    const { policy } = context.services
    const attributes = importedAttributes({ uniqueIdentifier, objectType }, attribute, context.version, policy)
    const reading = readTaken(objectType, value, attributes, context)
    const { derived, digested, kept } = await (value === received ? reading : readUnwrapped(reading))
    if (replaced !== undefined) context.transaction.remove(uniqueIdentifier)
    const made = await addObject(context, {
      uniqueIdentifier,
      identifierOfClient: true,
      objectType,
      attributes,
      derived,
      value: kept,
      digested,
      generated: false,
      ...(replaced === undefined ? {} : { replaces: replaced }),
    })
    // §4.41: what is supplied stands, also where the server would have set another value.
    const supplied = { ...made, attributes: { ...made.attributes, ...attributes } }
    // §4.21: of an object that is destroyed there is no key material.
    const imported = isDestroyed(supplied) ? { ...supplied, value: undefined } : supplied
    context.transaction.put(imported)
    context.checkNames(imported, ResultReason.InvalidField)
    context.idPlaceholder = uniqueIdentifier
    return { uniqueIdentifier }
  },
})

/**
 * The object that is there already, if it is to be replaced.
 * @throws KmipError Object Already Exists, Permission Denied, Invalid Field for text that is no identifier
 */
const replacedObject = (uniqueIdentifier: string, replaceExisting: boolean, context: Context) => {
  if (!identifierPattern.test(uniqueIdentifier) || !uniqueIdentifier.isWellFormed()) {
    throw new KmipError(ResultReason.InvalidField, 'The Unique Identifier is not 1 to 255 characters of text')
  }
  if (context.transaction.read(uniqueIdentifier) === undefined) return undefined
  if (!replaceExisting) throw new KmipError(ResultReason.ObjectAlreadyExists)
  return context.object(uniqueIdentifier, 'destroy', 'any')
}
