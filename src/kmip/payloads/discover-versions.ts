/** Discover Versions: payload shapes, request and response. KMIP 1.4 §4.26 */

import { protocolVersion } from '#kmip/protocol-version'
import { Tag } from '#kmip/tags'
import { many, struct } from '#ttlv/schema'

export const request = struct({ protocolVersion: many(Tag.ProtocolVersion, protocolVersion) })

export const response = struct({ protocolVersion: many(Tag.ProtocolVersion, protocolVersion) })
