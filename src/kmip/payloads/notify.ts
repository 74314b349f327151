/** Notify, which servers send: payload shapes, request and response. KMIP 1.4 §5.1 */
import { attributeCodec } from '#kmip/attributes'
import { Tag } from '#kmip/tags'
import { type Choose, integer, many, one, optional, struct, textString } from '#ttlv/schema'

const valueCodec: Choose<unknown> = (parent) => attributeCodec(String(parent['attributeName']))

/** An attribute that has changed; without a value it was deleted. */
const changedAttribute = struct({
  attributeName: one(Tag.AttributeName, textString),
  attributeIndex: optional(Tag.AttributeIndex, integer),
  attributeValue: optional(Tag.AttributeValue, valueCodec),
})

export const request = struct({
  uniqueIdentifier: one(Tag.UniqueIdentifier, textString),
  attribute: many(Tag.Attribute, changedAttribute),
})

/** A client answers with success or failure alone. */
export const response = struct({})
