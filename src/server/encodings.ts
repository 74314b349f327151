/**
 * The encodings that a message may come in, a row each: binary TTLV, XML, JSON (KMIP Additional Message Encodings). What it
 * is: bytes to a reader of items, and a response message to bytes, by content type. What it is not: the encodings (ttlv/).
 */
import { type ResponseMessage, writeResponse } from '#kmip/message'
import { newestVersion, type Version } from '#kmip/versions'
import { vocabulary } from '#kmip/vocabulary'
import { BinaryReader, BinaryWriter, decodeItem } from '#ttlv/binary'
import { TtlvError } from '#ttlv/error'
import type { Item } from '#ttlv/item'
import { decodeJson, encodeJson } from '#ttlv/json'
import type { Reader, ReaderLimits } from '#ttlv/stream'
import { Faults, TreeReader, TreeWriter } from '#ttlv/tree'
import { decodeXml, encodeXml } from '#ttlv/xml'

/** A reader that knows when all was read. */
export type MessageReader = Reader & { atEnd(): boolean }

/** An encoding of whole messages. */
export interface Encoding {
  readonly contentType: string
  /** A reader of one message. @throws TtlvError for what is not of this encoding, or beyond the limits */
  open(bytes: Uint8Array, limits: ReaderLimits): MessageReader
  /** A message as items, whatever they mean. @throws TtlvError for what is not of this encoding, or beyond the limits */
  tree(bytes: Uint8Array, limits: ReaderLimits): Item
  /**
   * A response in the form of a version.
   * @param sizeMax bytes that it may have as TTLV: §6.3 counts those, and the test cases of the other encodings hold longer texts to
   * the same bound
   * @throws TtlvError `field` for a text that the encoding cannot carry, `limit` for an answer that is larger
   */
  encode(version: Version, message: ResponseMessage, sizeMax?: number): Buffer
}

/** TTLV (KMIP 1.4 §9.1): the one encoding without HTTP. */
export const binaryEncoding: Encoding = {
  contentType: 'application/octet-stream',
  open: (bytes, limits) => new BinaryReader(bytes, limits, newestVersion),
  tree: (bytes, limits) => decodeItem(bytes, limits),
  encode(version, message, sizeMax) {
    const writer = new BinaryWriter(version, sizeMax)
    writeResponse(writer, message)
    return writer.bytes()
  },
}

const textOf = (bytes: Uint8Array): string => {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch (error) {
    if (error instanceof TypeError) throw new TtlvError('message', 'the text is not UTF-8')
    throw error
  }
}

const treeOf = (version: Version, message: ResponseMessage, sizeMax: number | undefined): Item => {
  // A tree and a text of what is too large would be larger still.
  if (sizeMax !== undefined) binaryEncoding.encode(version, message, sizeMax)
  const writer = new TreeWriter(version)
  writeResponse(writer, message)
  const [root] = writer.items()
  if (root === undefined) throw new TypeError('a response was written and is not there')
  return root
}

/** The limits of a text: its length is that of the bytes that were let in. */
const textLimits = (bytes: Uint8Array, limits: ReaderLimits) => ({
  ...limits,
  textLengthMax: bytes.length,
  attributeLengthMax: bytes.length,
})

const opened = (decode: typeof decodeXml | typeof decodeJson, bytes: Uint8Array, limits: ReaderLimits): TreeReader => {
  const faults = new Faults()
  const tree = decode(textOf(bytes), vocabulary, textLimits(bytes, limits), faults)
  return new TreeReader(tree, limits, newestVersion, faults)
}

/** KMIP Additional Message Encodings §5, KMIP Profiles 1.4 §5.6 */
export const xmlEncoding: Encoding = {
  contentType: 'text/xml',
  open: (bytes, limits) => opened(decodeXml, bytes, limits),
  tree: (bytes, limits) => decodeXml(textOf(bytes), vocabulary, textLimits(bytes, limits)),
  encode: (version, message, sizeMax) => Buffer.from(encodeXml(treeOf(version, message, sizeMax), vocabulary), 'utf8'),
}

/** KMIP Additional Message Encodings §6, KMIP Profiles 1.4 §5.7 */
export const jsonEncoding: Encoding = {
  contentType: 'application/json',
  open: (bytes, limits) => opened(decodeJson, bytes, limits),
  tree: (bytes, limits) => decodeJson(textOf(bytes), vocabulary, textLimits(bytes, limits)),
  encode: (version, message, sizeMax) => Buffer.from(encodeJson(treeOf(version, message, sizeMax), vocabulary), 'utf8'),
}

/** Every encoding, by its content type. */
export const encodings: ReadonlyMap<string, Encoding> = new Map(
  [binaryEncoding, xmlEncoding, jsonEncoding].map((encoding) => [encoding.contentType, encoding]),
)
