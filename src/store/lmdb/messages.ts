/**
 * What front threads and the writer say to each other. What it is: plain data that a message port can carry. What it is not:
 * secrets in clear; records come sealed and terms hashed, the writer has no key.
 *
 *   front ──── commits ────▶ writer        one message for all commits of a turn, packed into one buffer that is handed over
 *   front ◀─── answers ───── writer        one message for all of the front's commits in a transaction, after its sync
 *   front ◀─── changed ───── writer        what other fronts have changed, told before anybody is answered
 *   front ◀─── fault ─────── writer        the writer has failed; what it had taken has an unknown outcome
 *
 *   owner ──── connect, close ─▶ writer    (the thread that started the writer, by its worker's own port)
 *   owner ◀─── ready, fault ──── writer
 */

import type { MessagePort } from 'node:worker_threads'
import { entryKeyBytes } from '#store/keys'

/** One change as a front sends it. Record keys and index keys as `keys.ts` makes them. */
export interface WriteChange {
  readonly table: string
  readonly key: Buffer
  /** The revision that the record must have; 0: it must not be there. */
  readonly expected: number
  /** The sealed record; undefined removes it. Its revision is `expected` + 1, or one more than that of the removed record. */
  readonly record: Buffer | undefined
  readonly postingsGone: readonly Uint8Array[]
  readonly postingsCome: readonly Uint8Array[]
  readonly claimsGone: readonly Uint8Array[]
  readonly claimsCome: readonly Uint8Array[]
}

/** A commit: numbered by its front, so that the answer finds its sender. */
export interface WriteCommit {
  readonly id: number
  readonly changes: readonly WriteChange[]
}

/** One change as the writer takes it: index keys of one kind stand behind each other, `entryKeyBytes` each. */
export interface TakenChange {
  readonly table: string
  readonly key: Buffer
  readonly expected: number
  readonly record: Buffer | undefined
  readonly postingsGone: Buffer
  readonly postingsCome: Buffer
  readonly claimsGone: Buffer
  readonly claimsCome: Buffer
}

/** A commit as the writer takes it. */
export interface TakenCommit {
  readonly id: number
  readonly changes: readonly TakenChange[]
}

/** Why a commit was refused, by the place of the change in it that was in the way. */
export interface Refusal {
  readonly id: number
  readonly change: number
}

export interface Commits {
  readonly kind: 'commits'
  /** `packCommits` of a list of `WriteCommit`. */
  readonly packed: Uint8Array
}

export type ToFront =
  | {
      readonly kind: 'answers'
      readonly done: readonly number[]
      readonly conflicts: readonly Refusal[]
      readonly unavailable: readonly number[]
      /** Why those of `unavailable` are. */
      readonly reason: string
    }
  /** Records that commits of others have changed or removed, by table and key: what a front keeps of them is to go. */
  | { readonly kind: 'changed'; readonly records: readonly (readonly [string, Uint8Array])[] }
  | { readonly kind: 'fault'; readonly reason: string }

export type ToWriter = { readonly kind: 'connect'; readonly port: MessagePort } | { readonly kind: 'close' }
export type ToOwner = { readonly kind: 'ready' } | { readonly kind: 'fault'; readonly reason: string }

/** What the writer's thread is started with. */
export interface WriterSettings {
  readonly directory: string
  readonly tables: readonly string[]
  readonly mapSizeBytes: number
  /** Commits in one transaction, at most. */
  readonly batchCommitsMax: number
  /** Nothing is written while the disk has less free than this and what the batch needs. */
  readonly diskReserveBytes: number
  /** Commits that may wait in the writer, from all fronts together. */
  readonly commitsWaitingMax: number
  readonly commitCount: CommitCount
}

/**
 * What the disk has had since the store was opened: numbers that the writer raises before it answers, and that every thread
 * reads. The first counts transactions: as long as it stands, so does everything that was read from the file. The second
 * counts commits; the others the transactions of up to so many commits (`commitSteps`), and those of more.
 */
export type CommitCount = BigInt64Array<SharedArrayBuffer>

/** Upper ends of the steps in which commits of a transaction are counted. */
export const commitSteps: readonly number[] = [1, 2, 4, 8, 16, 32, 64, 128, 256]

/** The numbers before those of the steps. */
export const stepsAt = 2

/** What a front of another thread needs of the store's owner: a port to the writer, to be handed over, and the count. */
export interface FrontChannel {
  readonly port: MessagePort
  readonly commitCount: CommitCount
}

/*
 *   message   commit ×n
 *   commit    id 8 | number of changes 4 | change ×n
 *   change    length 1, table | length 2, record key | expected revision 8 | length 4, record | index keys ×4
 *   index keys: of postings that go and come, of claims that go and come: number 4 | key 17 ×n
 *
 * Numbers are big-endian, ids and revisions are doubles. A length of all ones: no record. Written in one pass into one buffer,
 * because packing and unpacking lists of buffers took longer than the rest of a commit's way to the writer (bench/NOTES.md).
 */
const noRecord = 0xff_ff_ff_ff
const commitHeadBytes = 12
const changeHeadBytes = 31
const none = Buffer.alloc(0)

/** Packs commits into one buffer of their own, which can be handed over without a copy. */
export function packCommits(commits: readonly WriteCommit[]): Uint8Array<ArrayBuffer> {
  let length = 0
  for (const { changes } of commits) {
    length += commitHeadBytes
    for (const change of changes) length += changeBytes(change)
  }
  // Not of the pool, whose memory is shared.
  const bytes = Buffer.allocUnsafeSlow(length)
  let at = 0
  for (const { id, changes } of commits) {
    bytes.writeDoubleBE(id, at)
    bytes.writeUInt32BE(changes.length, at + 8)
    at += commitHeadBytes
    for (const change of changes) at = writeChange(bytes, at, change)
  }
  return bytes
}

function changeBytes({ table, key, record, postingsGone, postingsCome, claimsGone, claimsCome }: WriteChange): number {
  const entries = postingsGone.length + postingsCome.length + claimsGone.length + claimsCome.length
  return changeHeadBytes + table.length + key.length + (record?.length ?? 0) + entries * entryKeyBytes
}

function writeChange(bytes: Buffer, start: number, change: WriteChange): number {
  const { table, key, expected, record, postingsGone, postingsCome, claimsGone, claimsCome } = change
  let at = bytes.writeUInt8(table.length, start)
  at += bytes.write(table, at, 'latin1')
  at = bytes.writeUInt16BE(key.length, at)
  bytes.set(key, at)
  at = bytes.writeDoubleBE(expected, at + key.length)
  at = bytes.writeUInt32BE(record === undefined ? noRecord : record.length, at)
  if (record !== undefined) {
    bytes.set(record, at)
    at += record.length
  }
  at = writeEntryKeys(bytes, at, postingsGone)
  at = writeEntryKeys(bytes, at, postingsCome)
  at = writeEntryKeys(bytes, at, claimsGone)
  return writeEntryKeys(bytes, at, claimsCome)
}

function writeEntryKeys(bytes: Buffer, start: number, keys: readonly Uint8Array[]): number {
  let at = bytes.writeUInt32BE(keys.length, start)
  for (const key of keys) {
    bytes.set(key, at)
    at += entryKeyBytes
  }
  return at
}

/** The commits that `packCommits` packed; their buffers lie within the packed one. */
export function unpackCommits(packed: Uint8Array): readonly TakenCommit[] {
  const reader = new CommitReader(packed)
  const commits: TakenCommit[] = []
  while (!reader.atEnd) commits.push(reader.commit())
  return commits
}

class CommitReader {
  readonly #bytes: Buffer
  #at = 0

  constructor(packed: Uint8Array) {
    this.#bytes = Buffer.from(packed.buffer, packed.byteOffset, packed.length)
  }

  get atEnd(): boolean {
    return this.#at >= this.#bytes.length
  }

  commit(): TakenCommit {
    const id = this.#bytes.readDoubleBE(this.#at)
    const count = this.#bytes.readUInt32BE(this.#at + 8)
    this.#at += commitHeadBytes
    const changes: TakenChange[] = []
    for (let place = 0; place < count; place++) changes.push(this.#change())
    return { id, changes }
  }

  #change(): TakenChange {
    const table = this.#take(this.#number(1)).toString('latin1')
    const key = this.#take(this.#number(2))
    const expected = this.#bytes.readDoubleBE(this.#at)
    this.#at += 8
    const length = this.#number(4)
    const record = length === noRecord ? undefined : this.#take(length)
    const postingsGone = this.#entryKeys()
    const postingsCome = this.#entryKeys()
    const claimsGone = this.#entryKeys()
    return { table, key, expected, record, postingsGone, postingsCome, claimsGone, claimsCome: this.#entryKeys() }
  }

  #entryKeys(): Buffer {
    const count = this.#number(4)
    return count === 0 ? none : this.#take(count * entryKeyBytes)
  }

  #number(bytes: 1 | 2 | 4): number {
    const number = this.#bytes.readUIntBE(this.#at, bytes)
    this.#at += bytes
    return number
  }

  #take(length: number): Buffer {
    const taken = this.#bytes.subarray(this.#at, this.#at + length)
    this.#at += length
    return taken
  }
}
