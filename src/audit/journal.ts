/**
 * The journal of the audit trail: the newest lines once more, in a file whose place on the disk never changes. What it is: a ring
 * of bytes that are overwritten, and the lines in it that go on a chain. What it is not: the trail; nothing is ever read from
 * it but at a start.
 *
 * To bring lines to the disk at the end of a file that grows costs the file system a transaction for the file's new length; to
 * overwrite what is there already costs about half (90 instead of 170 µs on ext4, bench/NOTES.md). So the lines that somebody
 * waits for are brought to the disk here, and to the trail's own file now and then, by the system or all at once. When the
 * machine has lost its power between the two, a start writes them into the trail as they were.
 *
 *     |■■■■■■■■■■■■■■■■■■■■■■■■■■■■■■■■■■□□□□□□□□□□□□□□□□□□□□□□□□□□□□□□□|   lines of a server that ran before are no harm: they
 *       needed: the trail's file on the   ▲ next                             go on no chain that ends where the trail's does
 *       disk does not have them yet
 *
 * A server that ends in good order removes it.
 */
import {
  closeSync,
  constants,
  fdatasyncSync,
  fstatSync,
  fsyncSync,
  openSync,
  readFileSync,
  unlinkSync,
  writeSync,
} from 'node:fs'
import { dirname } from 'node:path'
import { follows, type Head, type ReadWrite, writesIn } from './chain.ts'

/** About three thousand lines. A start reads it, and writes it where there is none. */
const journalBytes = 1 << 20

const newline = 0x0a

export class Journal {
  readonly #path: string
  readonly #file: number
  /** Bytes that were ever written into it, and of those the ones that are needed no more. */
  #written = 0
  #spared = 0

  /** Opens it, or makes it; what is in it goes. @throws errors of the file system */
  constructor(path: string) {
    this.#path = path
    this.#file = openSync(path, constants.O_RDWR | constants.O_CREAT, 0o600)
    if (fstatSync(this.#file).size === journalBytes) return
    // Zeros, and not a hole: a place that was never written costs as much as a new one.
    writeAll(this.#file, Buffer.alloc(journalBytes), 0)
    fsyncSync(this.#file)
    syncFolderOf(path)
  }

  /** Bytes for which there is room. */
  get room(): number {
    return journalBytes - (this.#written - this.#spared)
  }

  /** Whether much of it is taken: time to bring the trail's own file to the disk. */
  get isHalfFull(): boolean {
    return this.room < journalBytes / 2
  }

  /** Where it has come to: for `spare`, later. */
  get mark(): number {
    return this.#written
  }

  /** Writes bytes and brings them to the disk; there must be room. @throws errors of the file system */
  write(bytes: Buffer): void {
    const place = this.#written % journalBytes
    const first = bytes.subarray(0, journalBytes - place)
    writeAll(this.#file, first, place)
    if (first.length < bytes.length) writeAll(this.#file, bytes.subarray(first.length), 0)
    fdatasyncSync(this.#file)
    this.#written += bytes.length
  }

  /** What was written up to a mark is on the disk elsewhere. */
  spare(mark: number): void {
    this.#spared = Math.max(this.#spared, mark)
  }

  /** Ends and removes it: all that is in it is on the disk elsewhere. @throws errors of the file system */
  close(): void {
    closeSync(this.#file)
    unlinkSync(this.#path)
    syncFolderOf(this.#path)
  }
}

/**
 * The lines of a journal that go on a chain behind `head`, as far as a MAC vouches for them, each with its end; none where there is
 * no journal.
 * @throws errors of the file system
 */
export const journaledLines = (path: string, key: Uint8Array, head: Head): Journaled => {
  const byFirst = new Map<number, { readonly bytes: Buffer; readonly write: ReadWrite }[]>()
  for (const found of writesIn(contentOf(path), key)) {
    const { first } = found.write
    if (first <= head.sequence) continue
    const known = byFirst.get(first)
    if (known === undefined) byFirst.set(first, [found])
    else known.push(found)
  }
  const found: Buffer[] = []
  let vouchedFor = 0
  let last = head
  for (let at: Head | undefined = head; at !== undefined; ) {
    const before: Head = at
    const next = byFirst.get(before.sequence + 1)?.find(({ write }) => follows(write, before))
    at = next?.write.head
    if (next === undefined) continue
    found.push(next.bytes, endOfLine)
    if (next.write.mac !== 'right') continue
    vouchedFor = found.length
    last = next.write.head
  }
  return { bytes: Buffer.concat(found.slice(0, vouchedFor)), lines: last.sequence - head.sequence }
}

/** What a journal has of a trail. */
export interface Journaled {
  readonly bytes: Buffer
  /** How many lines that is. */
  readonly lines: number
}

const endOfLine = Buffer.of(newline)

/** Twice in a row: so what goes over the ring's end stands whole in the middle. */
const contentOf = (path: string): Buffer => {
  try {
    const bytes = readFileSync(path)
    return Buffer.concat([bytes, bytes])
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return Buffer.alloc(0)
    throw error
  }
}

const writeAll = (file: number, bytes: Buffer, place: number): void => {
  for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at, bytes.length - at, place + at)
}

/** The name must be as durable as what it names. */
export const syncFolderOf = (path: string): void => {
  const folder = openSync(dirname(path), 'r')
  try {
    fsyncSync(folder)
  } finally {
    closeSync(folder)
  }
}
