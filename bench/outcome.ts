/**
 * How a response came out, without reading all of it: the generator shares its cores with the server that it measures.
 * What it is not: a decoder (client/client.ts has that).
 */

import { reasonName } from '#client/errors'
import { ResultStatus } from '#kmip/enums'
import { Tag } from '#kmip/tags'
import { BinaryReader } from '#ttlv/binary'

const limits = { nestingDepthMax: 32, itemCountMax: 1_000_000 }

/**
 * The name of the first Result Reason of a response that is no success, or undefined when every item is one (KMIP 1.4 §7.2).
 * @throws TtlvError when it is no response
 */
export const refusalIn = (response: Uint8Array): string | undefined => {
  const reader = new BinaryReader(response, limits)
  reader.enter(Tag.ResponseMessage)
  for (let tag = reader.peekTag(); tag !== 0; tag = reader.peekTag()) {
    if (tag !== Tag.BatchItem) {
      reader.skip()
      continue
    }
    const refusal = refusalInItem(reader)
    if (refusal !== undefined) return refusal
  }
  return undefined
}

const refusalInItem = (reader: BinaryReader): string | undefined => {
  let status: number | undefined
  let reason: number | undefined
  reader.enter(Tag.BatchItem)
  for (let tag = reader.peekTag(); tag !== 0; tag = reader.peekTag()) {
    if (tag === Tag.ResultStatus) status = reader.enumeration(tag)
    else if (tag === Tag.ResultReason) reason = reader.enumeration(tag)
    else reader.skip()
  }
  reader.leave()
  if (status === ResultStatus.Success) return undefined
  return reason === undefined ? 'no Result Reason' : reasonName(reason)
}
