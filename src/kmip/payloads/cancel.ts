/** Cancel: payload shapes, request and response. KMIP 1.4 §4.27 */
import { Tag } from '#kmip/tags'
import { enumerated } from '#kmip/vocabulary'
import { byteString, one, struct } from '#ttlv/schema'

export const request = struct({
  asynchronousCorrelationValue: one(Tag.AsynchronousCorrelationValue, byteString),
})

export const response = struct({
  asynchronousCorrelationValue: one(Tag.AsynchronousCorrelationValue, byteString),
  cancellationResult: one(Tag.CancellationResult, enumerated('CancellationResult')),
})
