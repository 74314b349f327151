/** RNG Retrieve: payload shapes, request and response. KMIP 1.4 §4.35 */
import { Tag } from '#kmip/tags'
import { byteString, integer, one, struct } from '#ttlv/schema'

export const request = struct({
  dataLength: one(Tag.DataLength, integer),
})

export const response = struct({
  data: one(Tag.Data, byteString),
})
