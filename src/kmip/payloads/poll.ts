/** Poll: payload shapes, request and response. KMIP 1.4 §4.28 */
import { Tag } from '#kmip/tags'
import { byteString, one, struct } from '#ttlv/schema'

export const request = struct({
  asynchronousCorrelationValue: one(Tag.AsynchronousCorrelationValue, byteString),
})

/** What is answered carries the operation that was polled for, and its payload: this shape is empty. */
export const response = struct({})
