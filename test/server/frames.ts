/** Frames that a connection takes for requests: what is inside does not concern it. What it is not: messages of KMIP. */
import { Tag } from '#kmip/tags'
import { ItemType } from '#ttlv/item'

/** Bytes of the header. */
export const headerSize = 8

/** A request with a label in its body. */
export const request = (label: number, bodySize = 16): Buffer => {
  const frame = Buffer.alloc(headerSize + bodySize)
  frame.writeUIntBE(Tag.RequestMessage, 0, 3)
  frame[3] = ItemType.Structure
  frame.writeUInt32BE(bodySize, 4)
  frame.writeUInt32BE(label, headerSize)
  return frame
}

export const labelOf = (frame: Buffer): number => frame.readUInt32BE(headerSize)
