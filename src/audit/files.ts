/**
 * The files of the audit trail. What it is: the one writer of `audit/`: it finds the end of the chain, mends what a crash has
 * left, appends, brings to the disk, and begins a new file when one is full. What it is not: the thread around it
 * (`auditor.ts`), or the check of the whole trail (`verify.ts`).
 *
 *     audit/00000001.jsonl   audit/00000002.jsonl   …   the last one grows; none is ever changed
 *     audit/journal                                     its newest lines, while a server runs (`journal.ts`)
 *
 * Every file begins with a line of its own, and goes on the chain of the one before. A write that a crash has cut off stays as
 * it is; the line behind it says how many bytes are none of the trail, and their hash.
 */
import {
  closeSync,
  fdatasync,
  fdatasyncSync,
  fstatSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  unlinkSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { errorText } from '#actor/error-text'
import { emptyChain, follows, type Head, hashOf, readWrite, writeOf } from './chain.ts'
import { Journal, journaledLines, syncFolderOf } from './journal.ts'
import { begunEvent, mendedEvent, walk } from './walk.ts'

/** Where the trail has come to. */
export interface TrailEnd extends Head {
  /** Number of the file that grows. */
  readonly file: number
  /** Its length. */
  readonly bytes: number
}

export interface AuditFilesOptions {
  /** Of the files; made when absent. */
  readonly directory: string
  readonly key: Uint8Array
  /** From so many bytes on a file is full. */
  readonly fileBytesMax: number
  /** Files that are kept; 0: all. */
  readonly filesMax: number
  /** Where the trail was last known to be on the disk; undefined: nowhere. */
  readonly anchor: Head | undefined
  readonly nowMs: () => number
  /** Told when what the disk has is not known any more, and nobody was there to be told by a throw. */
  readonly onFault: (error: AuditFaulted) => void
  /** Told of a file that is kept no longer and cannot be removed: it is tried again when the next one is full. */
  readonly onUnremoved: (file: string, reason: string) => void
}

/** Nothing of the lines is in the trail: the disk is full, say. It may work again later. */
export class AuditUnavailable extends Error {
  override readonly name = 'AuditUnavailable'
}

/** What the disk has of the trail is not known: the process must end. */
export class AuditFaulted extends Error {
  override readonly name = 'AuditFaulted'
}

const newline = 0x0a
const filePattern = /^(\d{8})\.jsonl$/

/** The name of a file of the trail. */
export const fileName = (file: number): string => `${String(file).padStart(8, '0')}.jsonl`

/** Numbers of the files that there are, ascending. @throws errors of the file system */
export const filesOf = (directory: string): readonly number[] =>
  readdirSync(directory)
    .map((name) => Number(filePattern.exec(name)?.[1] ?? 0))
    .filter((file) => file > 0)
    .toSorted((a, b) => a - b)

const journalName = 'journal'
/** Bytes that may be written and not brought to the disk, and are kept for the journal. */
const unsyncedMax = 1 << 20

/** The trail, open for appending. */
export class AuditFiles {
  readonly #options: AuditFilesOptions
  readonly #journal: Journal
  #end: TrailEnd
  #file: number
  #synced: TrailEnd
  /** What was written since; undefined: too much for the journal. */
  #unsynced: Buffer[] | undefined = []
  #unsyncedBytes = 0
  /** Whether the file is being brought to the disk beside all that goes on. */
  #flushing = false
  #fault: AuditFaulted | undefined

  /** Opens the trail and mends its end. @throws errors of the file system */
  constructor(options: AuditFilesOptions) {
    this.#options = options
    const { directory } = options
    mkdirSync(directory, { recursive: true, mode: 0o700 })
    const number = filesOf(directory).at(-1)
    if (number === undefined) {
      this.#file = this.#create(1)
      this.#end = { ...emptyChain, file: 1, bytes: 0 }
    } else {
      this.#file = openSync(join(directory, fileName(number)), 'a+', 0o600)
      this.#end = { ...emptyChain, file: number, bytes: fstatSync(this.#file).size }
    }
    this.#synced = this.#end
    const redoneLines = this.#redo()
    this.#mend(redoneLines)
    // From here on the journal is needed no more, and may be written over.
    this.#journal = new Journal(join(directory, journalName))
    this.#settle()
  }

  get end(): TrailEnd {
    return this.#end
  }

  /** How far the disk has it for certain. */
  get synced(): TrailEnd {
    return this.#synced
  }

  /**
   * Writes a line for each body, all or none.
   * @param bodies as `writeOf` takes them
   * @throws AuditUnavailable when the file has none of them; AuditFaulted when that is not known
   */
  append(bodies: readonly Uint8Array[]): void {
    if (this.#end.bytes >= this.#options.fileBytesMax) this.#turn()
    if (this.#end.bytes > 0) return this.#write(bodies, '')
    const removed = this.#outlived()
    this.#write([this.#begun(removed.at(-1)), ...bodies], '')
    if (removed.length === 0) return
    // The new file says so before they go.
    this.sync()
    for (const file of removed) this.#remove(fileName(file))
  }

  /** Brings what was appended to the disk: by the journal where there is room. @throws AuditFaulted */
  sync(): void {
    if (this.#fault !== undefined) throw this.#fault
    if (this.#synced === this.#end) return
    if (this.#unsynced === undefined || this.#unsyncedBytes > this.#journal.room) return this.#settle()
    try {
      this.#journal.write(Buffer.concat(this.#unsynced))
    } catch (error) {
      if (!isFull(error)) throw unsyncable(error)
      // A system that writes nothing in its place has no room for that, and has given the file's own bytes theirs already.
      return this.#settle()
    }
    this.#isSynced()
    if (this.#journal.isHalfFull) this.#flush()
  }

  /** Says that the server ends in good order. @throws AuditUnavailable, AuditFaulted */
  close(): void {
    this.#write([this.#body('server stopped', {})], '')
    this.#settle()
    this.#journal.close()
    const file = this.#file
    this.#file = -1
    this.#retire(file)
  }

  /** Brings the file itself to the disk. */
  #settle(): void {
    const { mark } = this.#journal
    try {
      fdatasyncSync(this.#file)
    } catch (error) {
      throw unsyncable(error)
    }
    this.#journal.spare(mark)
    this.#isSynced()
  }

  /** The same, while the journal takes what comes: so it never has to wait for room. */
  #flush(): void {
    if (this.#flushing) return
    this.#flushing = true
    const file = this.#file
    const { mark } = this.#journal
    fdatasync(file, (error) => {
      this.#flushing = false
      if (error === null) this.#journal.spare(mark)
      else {
        this.#fault ??= unsyncable(error)
        this.#options.onFault(this.#fault)
      }
      if (file !== this.#file) this.#retire(file)
    })
  }

  /** Closes a file, but not under a flush, which does so when it is done. */
  #retire(file: number): void {
    if (!this.#flushing) closeSync(file)
  }

  #isSynced(): void {
    this.#unsynced = []
    this.#unsyncedBytes = 0
    this.#synced = this.#end
  }

  /** @param prefix what stands before the first line and belongs to none */
  #write(bodies: readonly Uint8Array[], prefix: string): void {
    const { bytes, head } = writeOf(this.#end, bodies, this.#options.key)
    const buffer = prefix === '' ? bytes : Buffer.concat([Buffer.from(prefix), bytes])
    try {
      for (let at = 0; at < buffer.length; ) at += writeSync(this.#file, buffer, at)
    } catch (error) {
      this.#takeBack(error)
    }
    this.#end = { ...head, file: this.#end.file, bytes: this.#end.bytes + buffer.length }
    this.#unsyncedBytes += buffer.length
    if (this.#unsyncedBytes > unsyncedMax) this.#unsynced = undefined
    else this.#unsynced?.push(buffer)
  }

  /** After a write that failed: the file as it was. @throws always */
  #takeBack(error: unknown): never {
    try {
      ftruncateSync(this.#file, this.#end.bytes)
    } catch (cause) {
      throw new AuditFaulted(`the audit trail cannot be written: ${errorText(error)}`, { cause })
    }
    throw new AuditUnavailable(`the audit trail cannot be written: ${errorText(error)}`, { cause: error })
  }

  /** Of the file that grows. */
  get #path(): string {
    return join(this.#options.directory, fileName(this.#end.file))
  }

  /** An empty one is what an attempt has left that came no further. @throws errors of the file system */
  #create(number: number): number {
    const { directory } = this.#options
    const name = fileName(number)
    const path = join(directory, name)
    const file = openSync(path, 'a+', 0o600)
    try {
      if (fstatSync(file).size > 0) throw new Error(`${name} is there already, and not empty`)
      syncFolderOf(path)
    } catch (error) {
      closeSync(file)
      throw error
    }
    return file
  }

  /** The trail is whole with or without it: no reason to end. */
  #remove(name: string): void {
    try {
      unlinkSync(join(this.#options.directory, name))
    } catch (error) {
      this.#options.onUnremoved(name, errorText(error))
    }
  }

  /** A new file goes on the chain. */
  #turn(): void {
    // A start writes lines of the journal into the last file alone.
    this.#settle()
    const file = this.#end.file + 1
    let next: number
    try {
      next = this.#create(file)
    } catch (error) {
      throw new AuditUnavailable(`a new file of the audit trail cannot be made: ${errorText(error)}`, { cause: error })
    }
    const full = this.#file
    this.#file = next
    this.#retire(full)
    this.#end = { ...this.#end, file, bytes: 0 }
    this.#synced = this.#end
  }

  /** Files that are no longer kept. */
  #outlived(): readonly number[] {
    const { directory, filesMax } = this.#options
    return filesMax === 0 ? [] : filesOf(directory).filter((file) => file <= this.#end.file - filesMax)
  }

  /** Writes what the journal has and the file has not, as it was. Gives how many lines. */
  #redo(): number {
    const { directory, key } = this.#options
    const content = readFileSync(this.#path)
    const before = this.#endBefore(this.#end.file)
    const { head = before ?? emptyChain, bytes = 0 } = endOfChain(content, key, before) ?? {}
    const { bytes: redone, lines } = journaledLines(join(directory, journalName), key, head)
    if (lines === 0) return 0
    // Anything else than a write that did not come to its end is nothing to write over: it is told.
    if (!isUnfinished(content.subarray(bytes), redone)) return 0
    const file = openSync(this.#path, 'r+')
    try {
      for (let at = 0; at < redone.length; ) at += writeSync(file, redone, at, redone.length - at, bytes + at)
      fdatasyncSync(file)
    } finally {
      closeSync(file)
    }
    this.#end = { ...this.#end, bytes: fstatSync(this.#file).size }
    return lines
  }

  /**
   * Finds where the chain ends, and says what became of the trail since it was last known.
   * @param redoneLines of which the journal knew
   */
  #mend(redoneLines: number): void {
    const { key, anchor } = this.#options
    const content = readFileSync(this.#path)
    const before = this.#endBefore(this.#end.file)
    let { head = before ?? emptyChain, bytes = 0 } = endOfChain(content, key, before) ?? {}
    const isNew = bytes === 0
    const rest = readWrite(content.subarray(bytes), key)
    if (rest !== undefined && follows(rest, head)) {
      // All of it is there, but for the last end of line.
      head = rest.head
      bytes = content.length
    }
    this.#end = { ...this.#end, ...head }
    const torn = content.subarray(bytes)
    // A number is given once, even where the lines that had it are gone.
    const lostLines = anchor === undefined ? 0 : Math.max(0, anchor.sequence - head.sequence)
    if (lostLines > 0) this.#end = { ...this.#end, sequence: head.sequence + lostLines }
    const tornHash = torn.length === 0 ? undefined : hashOf(torn)
    const bodies = [
      ...(torn.length === 0 && lostLines === 0
        ? []
        : [this.#body(mendedEvent, { tornBytes: torn.length, tornHash, lostLines })]),
      ...(isNew ? [this.#begun()] : []),
      this.#body('server started', redoneLines === 0 ? {} : { redoneLines }),
    ]
    this.#write(bodies, content.length > 0 && content.at(-1) !== newline ? '\n' : '')
  }

  /** The chain before a file; undefined when the file before is gone. */
  #endBefore(file: number): Head | undefined {
    const { directory, key } = this.#options
    if (file === 1) return emptyChain
    if (!filesOf(directory).includes(file - 1)) return undefined
    return endOfChain(readFileSync(join(directory, fileName(file - 1))), key, undefined)?.head
  }

  #begun(removedThrough?: number): Uint8Array {
    return this.#body(begunEvent, { file: this.#end.file, removedThrough })
  }

  #body(event: string, members: Readonly<Record<string, unknown>>): Uint8Array {
    const time = new Date(this.#options.nowMs()).toISOString()
    return Buffer.from(JSON.stringify({ time, event, ...members }))
  }
}

/** Where the chain of a file ends: before the first place where it is broken. Undefined: it has nothing of one. */
const endOfChain = (
  content: Buffer,
  key: Uint8Array,
  before: Head | undefined,
): { readonly head: Head; readonly bytes: number } | undefined => {
  let found: { readonly head: Head; readonly bytes: number } | undefined
  for (const step of walk(content, key, before)) {
    if (step.kind === 'break') break
    found = { head: step.write.head, bytes: step.end }
  }
  return found
}

/** Whether bytes are what a cut of the power leaves of others: less of them, with gaps. */
const isUnfinished = (left: Buffer, whole: Buffer): boolean =>
  left.subarray(0, whole.length).every((byte, place) => byte === 0 || byte === whole[place])

const isFull = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && (error.code === 'ENOSPC' || error.code === 'EDQUOT')

const unsyncable = (error: unknown): AuditFaulted =>
  new AuditFaulted(`the audit trail cannot be brought to the disk: ${errorText(error)}`, { cause: error })
