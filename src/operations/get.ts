/** Get: the object itself, in the format that is asked for. KMIP 1.4 §4.11 */
import { type GivenObject, givenObject, givenObjectReasons } from './object-value.ts'
import { operation } from './operation.ts'

export const get = operation({
  name: 'Get',
  section: '4.11',
  reasons: givenObjectReasons,
  reveals: true,
  // A wrapping key's dates, limits and random bytes are looked at anew each time.
  repeatable: ({ keyWrappingSpecification }) => keyWrappingSpecification === undefined,
  handle({ uniqueIdentifier, ...form }, context) {
    const object = context.object(uniqueIdentifier, 'export')
    const served = ({ row, value }: GivenObject) => {
      // Wrapping may have counted down Usage Limits of the same object.
      context.served(context.transaction.read(object.uniqueIdentifier) ?? object)
      return { objectType: object.objectType, uniqueIdentifier: object.uniqueIdentifier, [row.field]: value }
    }
    const given = givenObject(object, form, context)
    return given instanceof Promise ? given.then(served) : served(given)
  },
})
