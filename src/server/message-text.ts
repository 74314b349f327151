/**
 * Messages as lines of the log at level debug. What it is: what of a message may be read there, as a list of what may: all
 * else is told by its length alone. What it is not: the form of the line (`ttlv/text.ts`).
 *
 * Bytes and big numbers can be keys, data and passwords, so that only those are told that are known to be none. Texts are
 * told, but for what proves who somebody is and for what clients keep in attributes of their own.
 */
import { isCustomName } from '#kmip/attributes'
import { Tag } from '#kmip/tags'
import { tagName, vocabulary } from '#kmip/vocabulary'
import { TtlvError } from '#ttlv/error'
import { type Item, ItemType } from '#ttlv/item'
import type { ReaderLimits } from '#ttlv/stream'
import { textOfTree } from '#ttlv/text'
import type { Encoding } from './encodings.ts'

/** Told by their length, with all that is within them. */
const redactedTags: ReadonlySet<number> = new Set([
  Tag.KeyMaterial,
  Tag.KeyValue,
  Tag.Password,
  Tag.DeviceSerialNumber,
  Tag.DeviceIdentifier,
  Tag.NetworkIdentifier,
  Tag.MachineIdentifier,
  Tag.MediaIdentifier,
  Tag.VendorExtension,
])

/** Bytes that are no secret. */
const shownBytes: ReadonlySet<number> = new Set([Tag.UniqueBatchItemID, Tag.AsynchronousCorrelationValue])

/** Texts within a Credential that are no secret. */
const isRedacted = (item: Item, earlier: readonly Item[]): boolean => {
  if (item.type === ItemType.ByteString || item.type === ItemType.BigInteger) return !shownBytes.has(item.tag)
  // What the vocabulary has no name for can be anything.
  if (tagName(item.tag) === undefined) return true
  if (item.tag !== Tag.AttributeValue) return false
  const name = earlier.find(({ tag }) => tag === Tag.AttributeName)?.value
  return typeof name !== 'string' || isCustomName(name)
}

/** One line that tells a message without its secrets. */
export const messageText = (bytes: Uint8Array, encoding: Encoding, limits: ReaderLimits): string => {
  try {
    return textOfTree(encoding.tree(bytes, limits), { vocabulary, redactedTags, isRedacted })
  } catch (error) {
    if (!(error instanceof TtlvError)) throw error
    return `<${bytes.length} bytes that are no message>`
  }
}
