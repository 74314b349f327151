/**
 * A file of the audit trail, read line by line along its chain. What it is: what follows, what was mended after a crash, and
 * where the chain is broken; a function of the file's bytes. What it is not: the judgement (`verify.ts`) or the mending
 * (`files.ts`).
 */
import { emptyChain, follows, type Head, hashOf, type ReadLine, readLine } from './chain.ts'

/** The event of the first line of every file. */
export const begunEvent = 'file begun'

/** The event of the line that says what a crash, or somebody else, has left of the trail. */
export const mendedEvent = 'trail mended'

/** What a line of the event `trail mended` says beside. */
export interface Mended {
  /** Bytes before it that are none of the trail, from the end of the last line that follows. */
  readonly tornBytes: number
  readonly tornHash?: string | undefined
  /** Lines that were known to be on the disk once. */
  readonly lostLines: number
}

/** What comes next in a file. */
export type Step =
  | { readonly kind: 'line'; readonly line: ReadLine }
  | { readonly kind: 'mended'; readonly line: ReadLine; readonly mended: Mended; readonly torn: Uint8Array }
  /** `line`: what stands there instead of the next line; undefined when it is no line at all. The walk goes on from it. */
  | { readonly kind: 'break'; readonly at: number; readonly behind: Head; readonly line: ReadLine | undefined }

/** A step with the place behind it. */
export type Placed = Step & { readonly end: number }

const newline = 0x0a

interface Region {
  readonly start: number
  /** Behind its end of line. */
  readonly end: number
}

/**
 * Walks along a file. What has no end of line is no line, and no step.
 * @param before the last line of the file before; undefined: the first line is taken at its word
 */
export function* walk(content: Buffer, key: Uint8Array, before: Head | undefined): Generator<Placed> {
  let head = before
  for (let region = lineAt(content, 0); region !== undefined; region = lineAt(content, region.end)) {
    const line = readLine(content.toString('utf8', region.start, region.end - 1), key)
    const isNext = line !== undefined && (head === undefined ? line.mac !== 'wrong' : follows(line, head))
    if (isNext) {
      head = line.head
      yield { kind: 'line', line, end: region.end }
      continue
    }
    const mend = findMend(content, key, region, head)
    if (mend !== undefined) {
      head = mend.line.head
      region = mend.region
      yield { kind: 'mended', line: mend.line, mended: mend.mended, torn: mend.torn, end: region.end }
      continue
    }
    yield { kind: 'break', at: region.start, behind: head ?? emptyChain, line, end: region.end }
    if (line !== undefined) head = line.head
  }
}

const lineAt = (content: Buffer, start: number): Region | undefined => {
  const end = content.indexOf(newline, start)
  return end === -1 ? undefined : { start, end: end + 1 }
}

interface Mend {
  readonly region: Region
  readonly line: ReadLine
  readonly mended: Mended
  readonly torn: Uint8Array
}

/** The line that mends the chain from `head` on, whose torn bytes begin where `from` does. */
const findMend = (content: Buffer, key: Uint8Array, from: Region, head: Head | undefined): Mend | undefined => {
  const mark = `"event":"${mendedEvent}"`
  for (let at = content.indexOf(mark, from.start); at !== -1; at = content.indexOf(mark, at + mark.length)) {
    const start = content.lastIndexOf(newline, at) + 1
    const region = lineAt(content, start)
    if (region === undefined) return undefined
    const line = readLine(content.toString('utf8', region.start, region.end - 1), key)
    const mended = line === undefined ? undefined : mendedOf(line)
    if (line === undefined || mended === undefined || line.mac === 'wrong') continue
    const torn = content.subarray(from.start, from.start + mended.tornBytes)
    const gap = start - from.start - mended.tornBytes
    // A line that was cut off got an end of line, which is not counted.
    const fits = (gap === 0 || (gap === 1 && mended.tornBytes > 0)) && mended.tornHash === hashOrNothing(torn)
    const isNext =
      head === undefined || (line.previous === head.hash && line.head.sequence === head.sequence + mended.lostLines + 1)
    if (fits && isNext) return { region, line, mended, torn }
  }
  return undefined
}

const hashOrNothing = (torn: Uint8Array): string | undefined => (torn.length === 0 ? undefined : hashOf(torn))

const mendedOf = ({ body }: ReadLine): Mended | undefined => {
  const { event, tornBytes, tornHash, lostLines } = body
  if (event !== mendedEvent || typeof tornBytes !== 'number' || typeof lostLines !== 'number') return undefined
  return { tornBytes, lostLines, tornHash: typeof tornHash === 'string' ? tornHash : undefined }
}
