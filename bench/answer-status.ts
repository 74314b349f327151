/**
 * Whether every item of an answer is a success, found in its bytes without a reader: what the load generator asks of each
 * answer. What it is not: the reason of a refusal (outcome.ts), which is worth a reader.
 */
import { ResultStatus } from '#kmip/enums'
import { Tag } from '#kmip/tags'
import { ItemType } from '#ttlv/item'

const headerSize = 8
const batchItemStart = Tag.BatchItem * 256 + ItemType.Structure
const statusStart = Tag.ResultStatus * 256 + ItemType.Enumeration

/** Where the item behind this one begins: lengths are told without the padding to eight bytes (KMIP 1.4 §9.1.1). */
const behind = (bytes: Buffer, at: number): number => at + headerSize + Math.ceil(bytes.readUInt32BE(at + 4) / 8) * 8

/**
 * True when there are items and all of them succeeded (KMIP 1.4 §7.2).
 * @param from where the answer begins in the bytes
 * @param to where it ends
 * @throws RangeError when a length leads out of the bytes
 */
export const isSuccess = (bytes: Buffer, from: number, to: number): boolean => {
  let items = 0
  for (let at = from + headerSize; at < to; at = behind(bytes, at)) {
    if (bytes.readUInt32BE(at) !== batchItemStart) continue
    items += 1
    if (!isSuccessItem(bytes, at + headerSize, behind(bytes, at))) return false
  }
  return items > 0
}

const isSuccessItem = (bytes: Buffer, from: number, to: number): boolean => {
  for (let at = from; at < to; at = behind(bytes, at)) {
    // Operation and the item's identifier are all that can stand before it: payloads need no look.
    if (bytes.readUInt32BE(at) === statusStart) return bytes.readUInt32BE(at + headerSize) === ResultStatus.Success
  }
  return false
}
