/**
 * Protocol Version on the wire (KMIP 1.4 §6.1). In a header it decides how the rest of the message is read.
 */
import { TtlvError } from '#ttlv/error'
import { type Infer, integer, one, type StructCodec, struct } from '#ttlv/schema'
import { Tag } from './tags.ts'
import { majorOf, newestVersion, versionOf } from './versions.ts'

/** Major and minor, as a payload carries them. */
export const protocolVersion = struct({
  protocolVersionMajor: one(Tag.ProtocolVersionMajor, integer),
  protocolVersionMinor: one(Tag.ProtocolVersionMinor, integer),
})
export type ProtocolVersion = Infer<typeof protocolVersion>

/**
 * The Protocol Version of a header: reading it sets the reader's version. A newer minor version is read by the rules of
 * the newest known one, unknown fields passed over; another major version is an error of the message (§11.1).
 */
export const headerVersion: StructCodec<ProtocolVersion> = {
  ...protocolVersion,
  read(reader, tag) {
    const value = protocolVersion.read(reader, tag)
    const version = versionOf(value.protocolVersionMajor, value.protocolVersionMinor)
    if (majorOf(version) !== majorOf(newestVersion)) {
      throw new TtlvError(
        'message',
        `protocol version ${value.protocolVersionMajor}.${value.protocolVersionMinor} is not supported`,
      )
    }
    reader.ignoreUnknown = version > newestVersion
    reader.version = Math.min(version, newestVersion)
    return value
  },
}
