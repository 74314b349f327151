/** RNG Seed: payload shapes, request and response. KMIP 1.4 §4.36 */
import { Tag } from '#kmip/tags'
import { byteString, integer, one, struct } from '#ttlv/schema'

export const request = struct({
  data: one(Tag.Data, byteString),
})

export const response = struct({
  dataLength: one(Tag.DataLength, integer),
})
