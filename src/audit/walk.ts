/**
 * A file of the audit trail, read write by write along its chain. What it is: what follows, what was mended after a crash, and
 * where the chain is broken; a function of the file's bytes. What it is not: the judgement (`verify.ts`) or the mending
 * (`files.ts`).
 */
import { emptyChain, follows, type Head, hashOf, type ReadWrite, type Region, readWrite, writeAt } from './chain.ts'

/** The event of the first line of every file. */
export const begunEvent = 'file begun'

/** The event of the line that says what a crash, or somebody else, has left of the trail. */
export const mendedEvent = 'trail mended'

/** What a line of the event `trail mended` says beside. */
export interface Mended {
  /** Bytes before it that are none of the trail, from the end of the last write that follows. */
  readonly tornBytes: number
  readonly tornHash?: string | undefined
  /** Lines that were known to be on the disk once. */
  readonly lostLines: number
}

/** What comes next in a file. */
export type Step =
  | { readonly kind: 'write'; readonly write: ReadWrite }
  | { readonly kind: 'mended'; readonly write: ReadWrite; readonly mended: Mended; readonly torn: Uint8Array }
  /** `write`: what stands there instead of the next write; undefined when it is none at all. The walk goes on from it. */
  | { readonly kind: 'break'; readonly at: number; readonly behind: Head; readonly write: ReadWrite | undefined }

/** A step with the place behind it. */
export type Placed = Step & { readonly end: number }

const newline = 0x0a

/**
 * Walks along a file. What has no end of line is no line, and no step.
 * @param before the last line of the file before; undefined: the first line is taken at its word
 */
export function* walk(content: Buffer, key: Uint8Array, before: Head | undefined): Generator<Placed> {
  let head = before
  for (let region = regionAt(content, 0); region !== undefined; region = regionAt(content, region.end)) {
    const write = readWrite(bytesOf(content, region), key)
    const isNext =
      write !== undefined && (head === undefined ? write.whole && write.mac !== 'wrong' : follows(write, head))
    if (isNext) {
      head = write.head
      yield { kind: 'write', write, end: region.end }
      continue
    }
    const mend = findMend(content, key, region, head)
    if (mend !== undefined) {
      head = mend.write.head
      region = mend.region
      yield { kind: 'mended', write: mend.write, mended: mend.mended, torn: mend.torn, end: region.end }
      continue
    }
    yield { kind: 'break', at: region.start, behind: head ?? emptyChain, write, end: region.end }
    if (write !== undefined) head = write.head
  }
}

/** The next write; at the end of a file whatever lines there are. */
const regionAt = (content: Buffer, start: number): Region | undefined => {
  const write = writeAt(content, start)
  if (write !== undefined) return write
  const end = content.lastIndexOf(newline) + 1
  return end > start ? { start, end } : undefined
}

/** Without the last end of line. */
const bytesOf = (content: Buffer, { start, end }: Region): Buffer => content.subarray(start, end - 1)

interface Mend {
  readonly region: Region
  readonly write: ReadWrite
  readonly mended: Mended
  readonly torn: Uint8Array
}

/** The write that mends the chain from `head` on, whose torn bytes begin where `from` does. */
const findMend = (content: Buffer, key: Uint8Array, from: Region, head: Head | undefined): Mend | undefined => {
  const mark = `"event":"${mendedEvent}"`
  for (let at = content.indexOf(mark, from.start); at !== -1; at = content.indexOf(mark, at + mark.length)) {
    const start = content.lastIndexOf(newline, at) + 1
    const region = writeAt(content, start)
    if (region === undefined) return undefined
    const write = readWrite(bytesOf(content, region), key)
    const mended = write === undefined ? undefined : mendedOf(write)
    if (write === undefined || mended === undefined || write.mac === 'wrong' || !write.whole) continue
    const torn = content.subarray(from.start, from.start + mended.tornBytes)
    const gap = start - from.start - mended.tornBytes
    // A line that was cut off got an end of line, which is not counted.
    const fits = (gap === 0 || (gap === 1 && mended.tornBytes > 0)) && mended.tornHash === hashOrNothing(torn)
    const isNext =
      head === undefined || (write.previous === head.hash && write.first === head.sequence + mended.lostLines + 1)
    if (fits && isNext) return { region, write, mended, torn }
  }
  return undefined
}

const hashOrNothing = (torn: Uint8Array): string | undefined => (torn.length === 0 ? undefined : hashOf(torn))

const mendedOf = ({ bodies: [first] }: ReadWrite): Mended | undefined => {
  const { event, tornBytes, tornHash, lostLines } = first ?? {}
  if (event !== mendedEvent || typeof tornBytes !== 'number' || typeof lostLines !== 'number') return undefined
  return { tornBytes, lostLines, tornHash: typeof tornHash === 'string' ? tornHash : undefined }
}
