/** Put, which servers send: payload shapes, request and response. KMIP 1.4 §5.2 */
import { attribute } from '#kmip/attribute'
import { objectFields } from '#kmip/objects'
import { Tag } from '#kmip/tags'
import { enumerated } from '#kmip/vocabulary'
import { many, one, optional, struct, textString } from '#ttlv/schema'

export const request = struct({
  uniqueIdentifier: one(Tag.UniqueIdentifier, textString),
  putFunction: one(Tag.PutFunction, enumerated('PutFunction')),
  replacedUniqueIdentifier: optional(Tag.ReplacedUniqueIdentifier, textString),
  ...objectFields,
  attribute: many(Tag.Attribute, attribute),
})

/** A client answers with success or failure alone. */
export const response = struct({})
