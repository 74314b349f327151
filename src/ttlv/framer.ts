/**
 * Cuts a stream of bytes into whole messages. What it is: a buffer with a bound and no I/O. What it is not: a decoder;
 * it looks at the eight bytes of the outermost header only (KMIP 1.4 §9.1.1).
 */
import { TtlvError } from './error.ts'
import { ItemType } from './item.ts'

const headerSize = 8
/** Chunks below this size are copied together, so that a peer that sends byte by byte costs bytes, not objects. */
const smallChunkSize = 2048
const blockSize = 16_384

/** Takes chunks as they come from a socket, gives messages as they are complete. */
export class Framer {
  readonly #tag: number
  readonly #messageSizeMax: number
  #chunks: Buffer[] = []
  #size = 0
  /** The block that the last chunk was copied into, and where its free part starts; undefined: the last chunk is not a copy. */
  #block: Buffer | undefined
  #blockEnd = 0

  /**
   * @param tag the tag that every message starts with
   * @param messageSizeMax bytes of a whole message, header included
   */
  constructor(tag: number, messageSizeMax: number) {
    this.#tag = tag
    this.#messageSizeMax = messageSizeMax
  }

  /** Bytes that wait for the rest of their message. */
  get pendingBytes(): number {
    return this.#size
  }

  /** Bytes of the message that has begun, all of them, as its header tells; 0 as long as there is none. Only after `next` gave no more. */
  get begunBytes(): number {
    return this.#size < headerSize ? 0 : this.#first(headerSize).readUInt32BE(4) + headerSize
  }

  /** Takes a chunk. The framer keeps a reference to a large one until its messages are taken. */
  push(chunk: Buffer): void {
    const copied = this.#size > 0 && chunk.length < smallChunkSize
    this.#size += chunk.length
    if (!copied) {
      this.#block = undefined
      this.#chunks.push(chunk)
      return
    }
    if (this.#block === undefined || this.#blockEnd + chunk.length > blockSize) {
      this.#block = Buffer.allocUnsafe(blockSize)
      this.#blockEnd = 0
      this.#chunks.push(this.#block.subarray(0, 0))
    }
    chunk.copy(this.#block, this.#blockEnd)
    this.#blockEnd += chunk.length
    this.#chunks[this.#chunks.length - 1] = this.#block.subarray(0, this.#blockEnd)
  }

  /**
   * The next complete message, or undefined when more bytes are needed.
   * @throws TtlvError `message` when the bytes do not start a message, `limit` when it is too long; framing is lost then.
   */
  next(): Buffer | undefined {
    if (this.#size < headerSize) {
      this.#checkStart()
      return undefined
    }
    const first = this.#first(headerSize)
    if (first.readUIntBE(0, 3) !== this.#tag || first[3] !== ItemType.Structure) {
      throw new TtlvError('message', 'the bytes do not start a message')
    }
    const length = first.readUInt32BE(4) + headerSize
    if (length > this.#messageSizeMax) {
      throw new TtlvError('limit', `a message of ${length} bytes is longer than ${this.#messageSizeMax}`)
    }
    if (length % 8 !== 0) throw new TtlvError('message', 'the length of a message is not a multiple of 8')
    if (this.#size < length) return undefined
    return this.#take(length)
  }

  /** Refuses a wrong first byte at once, so that a peer of another protocol gets its answer without waiting. */
  #checkStart(): void {
    const byte = this.#chunks.find((chunk) => chunk.length > 0)?.[0]
    if (byte !== undefined && byte !== this.#tag >>> 16)
      throw new TtlvError('message', 'the bytes do not start a message')
  }

  #first(size: number): Buffer {
    const head = this.#chunks[0]
    if (head !== undefined && head.length >= size) return head
    this.#chunks = [Buffer.concat(this.#chunks)]
    this.#block = undefined
    return this.#chunks[0] ?? Buffer.alloc(0)
  }

  #take(length: number): Buffer {
    const head = this.#first(length)
    const rest = head.subarray(length)
    this.#block = undefined
    if (rest.length === 0) this.#chunks.shift()
    else this.#chunks[0] = rest
    this.#size -= length
    return head.subarray(0, length)
  }
}
