/** Import: payload shapes, request and response. KMIP 1.4 §4.41 */
import { attribute } from '#kmip/attribute'
import { objectFields } from '#kmip/objects'
import { Tag } from '#kmip/tags'
import { enumerated } from '#kmip/vocabulary'
import { boolean, many, one, optional, struct, textString } from '#ttlv/schema'

/** Clients send the Object Type as well, as the test cases do. */
export const request = struct({
  uniqueIdentifier: one(Tag.UniqueIdentifier, textString),
  objectType: optional(Tag.ObjectType, enumerated('ObjectType')),
  replaceExisting: optional(Tag.ReplaceExisting, boolean),
  keyWrapType: optional(Tag.KeyWrapType, enumerated('KeyWrapType', true)),
  attribute: many(Tag.Attribute, attribute),
  ...objectFields,
})

export const response = struct({
  uniqueIdentifier: one(Tag.UniqueIdentifier, textString),
})
