/**
 * The chain of the audit trail, write by write. What it is: how the lines of a write are made of what they tell and of the write
 * before, and how they are read again; functions of values only. What it is not: files (`files.ts`), or what a line tells
 * (`record.ts`).
 *
 *   {"sequence":7,"time":"…", … }
 *   {"sequence":8,"time":"…", … }
 *   {"sequence":9,"previous":"<SHA-256 of line 6>","since":7,"lines":"<SHA-256 of lines 7 and 8>","time":"…", … ,"mac":"<HMAC-SHA-256 of this line without its mac>"}
 *   {"sequence":10,"previous":"<SHA-256 of line 9>","time":"…", … ,"mac":"…"}
 *
 * The last line of every write closes it: it names the hash of the last line of the write before, and that of its own write's other
 * lines. So anybody can follow the hashes with no key, each byte is hashed once, and the MAC vouches through the hashes for all
 * that was written before: who can write to the files but does not have the store's keys can make no other chain that holds.
 * Hashes and MACs are in Base64url; lines are hashed as they stand in the file, in UTF-8, the last one of a write without its end
 * of line, the others with it. Earlier servers closed each line, and had no MAC but in the last one of a write: that reads the same.
 */
import assert from 'node:assert/strict'
import { createHmac, hash } from 'node:crypto'

/** Where a chain has come to: what the next write goes on from. */
export interface Head {
  /** Of the last line; 0 before the first. */
  readonly sequence: number
  /** Hash of the last line; empty before the first. */
  readonly hash: string
}

/** A chain without a line. */
export const emptyChain: Head = { sequence: 0, hash: '' }

/** A key for MACs has this many bytes. */
export const auditKeyBytes = 32

const newline = 0x0a
const macPattern = /,"mac":"([\w-]{43})"\}$/
const closingPattern = /^\{"sequence":\d+,"previous":"/
const lineStart = '{"sequence":'
/** Bytes that a number, and what stands before it, add to a body. */
const numberBytesMax = lineStart.length + 17
/** Bytes that a closing line has beside its body. */
const closingBytesMax = 256

/** The hash of a line, or of several with their ends. */
export const hashOf = (text: string | Uint8Array): string => hash('sha256', text, 'base64url')

const macOf = (key: Uint8Array, text: string): string => createHmac('sha256', key).update(text).digest('base64url')

/**
 * A line that closes a write, without its end of line.
 * @param sequence its number
 * @param previous hash of the line that closes the write before
 * @param body an object as JSON text, with at least one member
 * @param others first number, and hash, of the lines of the write before this one
 * @param key for the MAC; without it the line has none
 */
export const closingLine = (
  sequence: number,
  previous: string,
  body: string,
  others: { readonly since: number; readonly hash: string } | undefined,
  key: Uint8Array | undefined,
): string => {
  const covered = others === undefined ? '' : `"since":${others.since},"lines":"${others.hash}",`
  const text = `${lineStart}${sequence},"previous":"${previous}",${covered}${body.slice(1)}`
  return key === undefined ? text : `${text.slice(0, -1)},"mac":"${macOf(key, text)}"}`
}

/** Lines as they are written at once, each with its end, and where the chain is then. */
export interface Written {
  readonly bytes: Buffer
  readonly head: Head
}

/**
 * The lines of a write that goes on behind `head`.
 *
 * @hot A line of a Get costs 0.28 µs (two cores, Node 26.10; bench/micro/chain.ts); with a hash of its own, and as text, it was 0.73.
 * @param bodies bodies of lines, in UTF-8, each an object with at least one member; what stands in one place is lines with a
 * newline between them
 */
export const writeOf = (head: Head, bodies: readonly Uint8Array[], key: Uint8Array): Written => {
  const pieces = bodies.map((piece) => Buffer.from(piece.buffer, piece.byteOffset, piece.length))
  let lines = 0
  let room = closingBytesMax
  for (const piece of pieces) {
    const count = linesIn(piece)
    lines += count
    room += piece.length + count * numberBytesMax
  }
  const bytes = Buffer.allocUnsafeSlow(room)
  const number = new LineNumber(head.sequence)
  const last = head.sequence + lines
  let length = 0
  for (const piece of pieces) {
    for (let start = 0; start <= piece.length; ) {
      const found = piece.indexOf(newline, start)
      const end = found === -1 ? piece.length : found
      lines -= 1
      if (lines === 0) return closed(head, last, bytes, length, piece.toString('utf8', start, end), key)
      length = number.writeNext(bytes, length)
      // What stands before the first member of the body stands there already.
      length += piece.copy(bytes, length, start + 1, end)
      bytes[length] = newline
      length += 1
      start = end + 1
    }
  }
  throw new RangeError('a write has at least one line')
}

/** How many lines there are in bytes that have a newline between two of them. */
export const linesIn = (piece: Uint8Array): number => {
  let count = 1
  for (let at = piece.indexOf(newline); at !== -1; at = piece.indexOf(newline, at + 1)) count += 1
  return count
}

/**
 * @param sequence of the closing line
 * @param length of the lines before it, which are in `bytes`
 */
const closed = (
  head: Head,
  sequence: number,
  bytes: Buffer,
  length: number,
  body: string,
  key: Uint8Array,
): Written => {
  const since = head.sequence + 1
  const covered = length === 0 ? undefined : { since, hash: hashOf(bytes.subarray(0, length)) }
  const line = closingLine(sequence, head.hash, body, covered, key)
  const end = length + bytes.write(line, length, 'utf8')
  assert(end < bytes.length, 'there is room for the closing line')
  bytes[end] = newline
  return { bytes: bytes.subarray(0, end + 1), head: { sequence, hash: hashOf(line) } }
}

/** `{"sequence":8,` and so on, counted in place. */
class LineNumber {
  #text: Buffer

  constructor(last: number) {
    this.#text = Buffer.from(`${lineStart}${last},`, 'latin1')
  }

  /** Writes the next one, and gives the place behind it. */
  writeNext(into: Buffer, place: number): number {
    const text = this.#text
    let at = text.length - 2
    while (text[at] === 0x39) {
      text[at] = 0x30
      at -= 1
    }
    const digit = text[at] ?? 0
    if (digit >= 0x30 && digit < 0x39) text[at] = digit + 1
    else this.#text = Buffer.from(`${lineStart}1${text.toString('latin1', lineStart.length)}`, 'latin1')
    return place + this.#text.copy(into, place)
  }
}

type Body = Readonly<Record<string, unknown>>

/** Lines that were written at once, as read: their place in the chain, what they tell, and what the MAC says. */
export interface ReadWrite {
  /** Behind the last line. */
  readonly head: Head
  /** Number of the first line. */
  readonly first: number
  readonly previous: string
  /** What each line tells. */
  readonly bodies: readonly Body[]
  /** Whether the lines before the last are all there, as they were. */
  readonly whole: boolean
  readonly mac: 'none' | 'right' | 'wrong'
}

/**
 * Reads the lines of a write, whatever it goes on from; undefined when the last one closes none.
 * @param bytes of the lines, without the last end of line
 */
export const readWrite = (bytes: Buffer, key: Uint8Array): ReadWrite | undefined => {
  const start = bytes.lastIndexOf(newline) + 1
  const line = bytes.toString('utf8', start)
  const last = closingPattern.test(line) ? objectOf(line) : undefined
  if (last === undefined) return undefined
  const { sequence, previous, since = sequence, lines } = last
  if (!isNumber(sequence) || !isNumber(since) || typeof previous !== 'string' || since > sequence) return undefined
  const others = bytes.subarray(0, start)
  const bodies =
    start === 0
      ? []
      : others
          .toString('utf8', 0, start - 1)
          .split('\n')
          .map(objectOf)
  const whole =
    bodies.length === sequence - since &&
    bodies.every((body, place) => body?.['sequence'] === since + place) &&
    (start === 0 ? lines === undefined : lines === hashOf(others))
  const mac = macPattern.exec(line)
  const right = mac === null ? undefined : macOf(key, `${line.slice(0, mac.index)}}`) === mac[1]
  return {
    head: { sequence, hash: hashOf(line) },
    first: since,
    previous,
    bodies: [...bodies.filter((body) => body !== undefined), last],
    whole,
    mac: right === undefined ? 'none' : right ? 'right' : 'wrong',
  }
}

/** Whether a write is the next one behind a head, and nobody else's. */
export const follows = ({ first, previous, whole, mac }: ReadWrite, before: Head): boolean =>
  first === before.sequence + 1 && previous === before.hash && whole && mac !== 'wrong'

/** A place in a file, up to and with an end of line. */
export interface Region {
  readonly start: number
  readonly end: number
}

/** The lines from a place on up to the next one that closes a write; undefined where there is none. */
export const writeAt = (content: Buffer, start: number): Region | undefined => {
  for (let at = start; ; ) {
    const end = content.indexOf(newline, at)
    if (end === -1) return undefined
    if (isClosing(content, at)) return { start, end: end + 1 }
    at = end + 1
  }
}

/** All writes that are in bytes, whatever is between them, and their bytes without the last end of line. */
export function* writesIn(
  content: Buffer,
  key: Uint8Array,
): Generator<{ readonly write: ReadWrite; readonly bytes: Buffer }> {
  const starts: number[] = []
  for (let at = 0; at < content.length; ) {
    const found = content.indexOf(newline, at)
    const end = found === -1 ? content.length : found
    starts.push(at)
    if (isClosing(content, at)) {
      const alone = readWrite(content.subarray(at, end), key)
      const lines = alone === undefined ? 1 : alone.head.sequence - alone.first + 1
      const bytes = content.subarray(starts.at(-lines) ?? at, end)
      const write = readWrite(bytes, key)
      if (write !== undefined) yield { write, bytes }
    }
    at = end + 1
  }
}

const isClosing = (content: Buffer, at: number): boolean =>
  closingPattern.test(content.toString('latin1', at, at + lineStart.length + 32))

const isNumber = (value: unknown): value is number => typeof value === 'number' && Number.isSafeInteger(value)

const objectOf = (line: string): Body | undefined => {
  if (!line.startsWith(lineStart)) return undefined
  try {
    const value: unknown = JSON.parse(line)
    return typeof value === 'object' && value !== null ? (value as Body) : undefined
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}
