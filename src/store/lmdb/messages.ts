/**
 * What front threads and the writer say to each other. What it is: plain data that a message port can carry. What it is not:
 * secrets in clear; records come sealed and terms hashed, the writer has no key.
 *
 *   front ──── commits ────▶ writer        one message for all commits of a turn, packed into one buffer that is handed over
 *   front ◀─── answers ───── writer        one message for all of the front's commits in a transaction, after its sync
 *   front ◀─── fault ─────── writer        the writer has failed; what it had taken has an unknown outcome
 *
 *   owner ──── connect, close ─▶ writer    (the thread that started the writer, by its worker's own port)
 *   owner ◀─── ready, fault ──── writer
 */

import type { MessagePort } from 'node:worker_threads'
import { Packr } from 'msgpackr'

/** One change as the writer needs it. Record keys and index keys as `keys.ts` makes them. */
export interface WriteChange {
  readonly table: string
  readonly key: Buffer
  /** The revision that the record must have; 0: it must not be there. */
  readonly expected: number
  /** The sealed record; undefined removes it. Its revision is `expected` + 1, or one more than that of the removed record. */
  readonly record: Buffer | undefined
  readonly postingsGone: readonly Buffer[]
  readonly postingsCome: readonly Buffer[]
  readonly claimsGone: readonly Buffer[]
  readonly claimsCome: readonly Buffer[]
}

/** A commit: numbered by its front, so that the answer finds its sender. */
export interface WriteCommit {
  readonly id: number
  readonly changes: readonly WriteChange[]
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

const packr = new Packr({ useRecords: false })

/** Packs commits into one buffer of their own, which can be handed over without a copy. */
export function packCommits(commits: readonly WriteCommit[]): Uint8Array<ArrayBuffer> {
  const rows = commits.map(({ id, changes }) => [id, changes.map(rowOf)])
  return new Uint8Array(packr.pack(rows))
}

/** The commits that `packCommits` packed; their buffers lie within the packed one. */
export function unpackCommits(packed: Uint8Array): readonly WriteCommit[] {
  const rows = packr.unpack(packed) as [number, ReturnType<typeof rowOf>[]][]
  return rows.map(([id, changes]) => ({ id, changes: changes.map(changeOf) }))
}

/** Rows instead of objects: field names would be half of each message. */
function rowOf(change: WriteChange) {
  const { table, key, expected, record, postingsGone, postingsCome, claimsGone, claimsCome } = change
  return [table, key, expected, record, postingsGone, postingsCome, claimsGone, claimsCome] as const
}

function changeOf(row: ReturnType<typeof rowOf>): WriteChange {
  const [table, key, expected, record, postingsGone, postingsCome, claimsGone, claimsCome] = row
  return { table, key, expected, record, postingsGone, postingsCome, claimsGone, claimsCome }
}
