/** Destroy: payload shapes, request and response. KMIP 1.4 §4.21 */
import { one, optional, struct, textString } from '#ttlv/schema'
import { Tag } from '#kmip/tags'

export const request = struct({ uniqueIdentifier: optional(Tag.UniqueIdentifier, textString) })

export const response = struct({ uniqueIdentifier: one(Tag.UniqueIdentifier, textString) })
