/**
 * Where in a request that stands what varies (KMIP 1.4 §4.29 and others, §9.1): the Data and its like, of requests that are the
 * same but for them. What it is: a walk over the heads of a message's items. What it is not: the reader of a message
 * (`kmip/message.ts`), or a check: what it says counts only where the same bytes around those places were read before.
 */
import { Tag } from '#kmip/tags'
import type { Varying, VaryingField } from '#operations/operation'

/** A field that varies: from the first byte of its value up to its end, padding not included. */
export interface Place {
  readonly field: VaryingField
  readonly start: number
  readonly end: number
}

/** Fields that vary, by the code of the operation. */
export type VaryingFields = ReadonlyMap<number, readonly VaryingField[]>

const tags: Readonly<Record<VaryingField, number>> = {
  data: Tag.Data,
  ivCounterNonce: Tag.IVCounterNonce,
  authenticatedEncryptionTag: Tag.AuthenticatedEncryptionTag,
  macData: Tag.MACData,
}

const headBytes = 8

/**
 * The places in a request of one item, in their order; undefined where nothing in it varies.
 * @param bytes one whole message in binary TTLV, as the framer cut it
 */
export const varyingPlaces = (bytes: Uint8Array, fieldsOf: VaryingFields): readonly Place[] | undefined => {
  // The Request Header comes first.
  const item = behind(bytes, headBytes)
  const operation = item + headBytes
  const fields = fieldsOf.get(numberAt(bytes, operation + headBytes))
  if (fields === undefined || tagAt(bytes, operation) !== Tag.Operation) return undefined
  if (tagAt(bytes, item) !== Tag.BatchItem || behind(bytes, item) !== bytes.length) return undefined
  let payload = operation
  while (payload < bytes.length && tagAt(bytes, payload) !== Tag.RequestPayload) payload = behind(bytes, payload)
  const end = Math.min(bytes.length, behind(bytes, payload))
  const places: Place[] = []
  for (let at = payload + headBytes; at < end; at = behind(bytes, at)) {
    const tag = tagAt(bytes, at)
    for (const field of fields) {
      if (tags[field] !== tag) continue
      const start = at + headBytes
      places.push({ field, start, end: start + lengthAt(bytes, at) })
    }
  }
  return places.length === 0 ? undefined : places
}

/** What stands in those places. */
export const varyingOf = (bytes: Uint8Array, places: readonly Place[]): Varying => {
  const varying: { -readonly [Field in keyof Varying]: Varying[Field] } = {}
  for (const { field, start, end } of places) varying[field] = bytes.subarray(start, end)
  return varying
}

/** Where the next item begins: values are filled up to a multiple of 8 (§9.1.1.4). Never where this one does. */
const behind = (bytes: Uint8Array, at: number): number => at + headBytes + 8 * Math.ceil(lengthAt(bytes, at) / 8)

const lengthAt = (bytes: Uint8Array, at: number): number => numberAt(bytes, at + 4)

const tagAt = (bytes: Uint8Array, at: number): number =>
  ((bytes[at] ?? 0) << 16) | ((bytes[at + 1] ?? 0) << 8) | (bytes[at + 2] ?? 0)

const numberAt = (bytes: Uint8Array, at: number): number =>
  (((bytes[at] ?? 0) << 24) | ((bytes[at + 1] ?? 0) << 16) | ((bytes[at + 2] ?? 0) << 8) | (bytes[at + 3] ?? 0)) >>> 0
