/**
 * How a response came out, and what it names, without reading all of it: the generator shares its cores with the server that it measures.
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

/** The first identifier that a response's payloads give; undefined when there is none. @throws TtlvError when it is no response */
export const identifierIn = (response: Uint8Array): string | undefined => {
  const reader = new BinaryReader(response, limits)
  reader.enter(Tag.ResponseMessage)
  for (let tag = reader.peekTag(); tag !== 0; tag = reader.peekTag()) {
    const identifier = tag === Tag.BatchItem ? identifierInItem(reader) : reader.skip()
    if (identifier !== undefined) return identifier
  }
  return undefined
}

const identifierInItem = (reader: BinaryReader): string | undefined => {
  let identifier: string | undefined
  reader.enter(Tag.BatchItem)
  for (let tag = reader.peekTag(); tag !== 0; tag = reader.peekTag()) {
    if (tag !== Tag.ResponsePayload) {
      reader.skip()
      continue
    }
    reader.enter(tag)
    for (let inner = reader.peekTag(); inner !== 0; inner = reader.peekTag()) {
      if (isIdentifier(inner)) identifier ??= reader.textString(inner)
      else reader.skip()
    }
    reader.leave()
  }
  reader.leave()
  return identifier
}

const isIdentifier = (tag: number): boolean => tag === Tag.UniqueIdentifier || tag === Tag.PrivateKeyUniqueIdentifier
