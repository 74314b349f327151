/**
 * The store actor: the only writer. What it is: a thread of its own that takes every commit that waits, checks revisions and
 * claims, writes all of them in one LMDB transaction, and answers after the disk has it. What it is not: a holder of keys (it
 * sees sealed records and hashed terms), or something that may be terminated: that would leave LMDB's write lock held.
 *
 *   message ports ──▶ mailbox ──▶ one transaction ┬ child transaction per commit: done, or undone alone (conflict)
 *                                                 └ sync ──▶ answers, one message per port
 *
 * While the disk is waited for, the ports fill; what they hold is the next batch. No timer is needed.
 */

import assert from 'node:assert/strict'
import { statfsSync } from 'node:fs'
import type { MessagePort } from 'node:worker_threads'
import { ABORT } from 'lmdb'
import { Actor } from '#actor/actor'
import { decodeRevision, encodeRevision, goneKey } from '#store/keys'
import { revisionOf } from '#store/records'
import { openFile, openTables, type TableFiles } from './environment.ts'
import {
  type Commits,
  commitSteps,
  type Refusal,
  stepsAt,
  type ToFront,
  type ToOwner,
  type ToWriter,
  unpackCommits,
  type WriteChange,
  type WriteCommit,
  type WriterSettings,
} from './messages.ts'

interface Waiting {
  readonly port: MessagePort
  readonly commit: WriteCommit
}

interface Answers {
  readonly done: number[]
  readonly conflicts: Refusal[]
  readonly unavailable: number[]
}

const nothing = Buffer.alloc(0)
/** A transaction copies the pages on the way to each record: room for that, and for the record itself. */
const pagesPerByte = 4
const diskFull = 'the disk is full: free space for the data directory; reading goes on and writing resumes by itself'
const stopping = 'the server is shutting down'
const overloaded = 'too many changes wait for the disk: try again'

/** Runs the writer of a store until its owner closes it. The thread then ends by itself. */
export function runWriter(owner: MessagePort, settings: WriterSettings): void {
  const file = openFile(settings.directory, settings.mapSizeBytes)
  const tables = openTables(file, settings.tables)
  const ports = new Set<MessagePort>()
  let fault: string | undefined
  const toOwner = (message: ToOwner) => owner.postMessage(message, [])

  const actor = new Actor<Waiting>({
    name: 'store',
    capacity: settings.commitsWaitingMax,
    batchMax: settings.batchCommitsMax,
    handle(batch) {
      const outcome = hasRoom(batch, settings) ? commitBatch(batch, file.root, tables, settings) : diskFull
      // Before anybody is told: what a thread keeps of the file is looked up again from now on.
      Atomics.add(settings.commitCount, 0, 1n)
      count(settings.commitCount, batch.length)
      answer(batch, outcome)
    },
    onEnd(ending) {
      if (ending.kind !== 'failed') return
      // After a failed sync nobody knows what the disk has: nothing more is written, and the process must end.
      fault = `the store's writer failed: ${String(ending.failure)}`
      for (const port of ports) port.postMessage({ kind: 'fault', reason: fault } satisfies ToFront)
      toOwner({ kind: 'fault', reason: fault })
    },
  })

  const connect = (port: MessagePort) => {
    ports.add(port)
    port.on('message', ({ packed }: Commits) => {
      const refused: Waiting[] = []
      for (const commit of unpackCommits(packed)) if (!actor.send({ port, commit })) refused.push({ port, commit })
      if (refused.length === 0) return
      if (fault !== undefined) port.postMessage({ kind: 'fault', reason: fault } satisfies ToFront)
      else answer(refused, stoppingOrFull(actor, settings))
    })
    port.on('close', () => ports.delete(port))
  }

  const close = async () => {
    await actor.stop()
    for (const port of ports) port.close()
    await file.root.close()
    owner.close()
  }

  owner.on('message', (message: ToWriter) => {
    if (message.kind === 'connect') connect(message.port)
    else void close()
  })
  toOwner({ kind: 'ready' })
}

/** Counts a transaction, for those who watch the store. */
function count(counts: WriterSettings['commitCount'], commits: number): void {
  const step = commitSteps.findIndex((end) => commits <= end)
  Atomics.add(counts, 1, BigInt(commits))
  Atomics.add(counts, stepsAt + (step === -1 ? commitSteps.length : step), 1n)
}

function stoppingOrFull(actor: Actor<Waiting>, settings: WriterSettings): string {
  return actor.waiting >= settings.commitsWaitingMax ? overloaded : stopping
}

/** For each commit of a batch: the place of the change that was in the way, or undefined when it is done. */
type Outcome = readonly (number | undefined)[]

/**
 * Writes a batch. Gives the outcome of each commit, or, when the disk is full and nothing was written, the reason.
 * @throws any other fault of the file: the actor ends with it.
 */
function commitBatch(
  batch: readonly Waiting[],
  root: ReturnType<typeof openFile>['root'],
  tables: ReadonlyMap<string, TableFiles>,
  settings: WriterSettings,
): Outcome | string {
  try {
    return root.transactionSync(() =>
      batch.map(({ commit }) => {
        let inTheWay: number | undefined
        root.transactionSync(() => {
          inTheWay = writeCommit(commit.changes, tables)
          return inTheWay === undefined ? undefined : ABORT
        })
        return inTheWay
      }),
    )
  } catch (error) {
    if (isDiskFull(error, batch, settings)) return diskFull
    throw error
  }
}

/** Applies changes within the running transaction. Gives the place of the first change that is in conflict; the caller then undoes. */
function writeCommit(changes: readonly WriteChange[], tables: ReadonlyMap<string, TableFiles>): number | undefined {
  const files = changes.map(({ table }) => {
    const found = tables.get(table)
    assert(found !== undefined, `the writer was not opened with a table ${table}`)
    return found
  })
  const pairs = changes.map((change, place) => ({ change, place, files: files[place] as TableFiles }))
  for (const { change, place, files } of pairs) if (!hasExpectedRevision(change, files)) return place
  // All claims go before any comes, so that a commit can hand one from record to record.
  for (const { change, files } of pairs) for (const claim of change.claimsGone) files.index.removeSync(claim)
  for (const { change, place, files } of pairs) {
    for (const claim of change.claimsCome) {
      const holder = files.index.getBinary(claim)
      if (holder !== undefined && !holder.equals(change.key)) return place
      files.index.putSync(claim, change.key)
    }
  }
  for (const { change, files } of pairs) writeChange(change, files)
  return undefined
}

function hasExpectedRevision({ key, expected, record }: WriteChange, { records, index }: TableFiles): boolean {
  const now = records.getBinaryFast(key)
  if (now !== undefined) return expected !== 0 && revisionOf(now) === expected
  if (expected !== 0 || record === undefined) return false
  // The front has looked up where a removed record ended; it may have been made and removed again since.
  const gone = index.getBinaryFast(goneKey(key))
  return revisionOf(record) === (gone === undefined ? 0 : decodeRevision(gone)) + 1
}

function writeChange(change: WriteChange, { records, index }: TableFiles): void {
  const { key, expected, record } = change
  if (record === undefined) {
    records.removeSync(key)
    index.putSync(goneKey(key), encodeRevision(expected))
  } else {
    records.putSync(key, record)
    if (expected === 0) index.removeSync(goneKey(key))
  }
  for (const prefix of change.postingsGone) index.removeSync(Buffer.concat([prefix, key]))
  for (const prefix of change.postingsCome) index.putSync(Buffer.concat([prefix, key]), nothing)
}

/** Tells each front what became of its commits. */
function answer(batch: readonly Waiting[], outcome: Outcome | string): void {
  const byPort = new Map<MessagePort, Answers>()
  batch.forEach(({ port, commit: { id } }, place) => {
    const answers = byPort.get(port) ?? { done: [], conflicts: [], unavailable: [] }
    byPort.set(port, answers)
    const inTheWay = typeof outcome === 'string' ? undefined : outcome[place]
    if (typeof outcome === 'string') answers.unavailable.push(id)
    else if (inTheWay !== undefined) answers.conflicts.push({ id, change: inTheWay })
    else answers.done.push(id)
  })
  const reason = typeof outcome === 'string' ? outcome : ''
  for (const [port, answers] of byPort) port.postMessage({ kind: 'answers', ...answers, reason } satisfies ToFront)
}

/** Whether the disk has room for a batch and the reserve. A few microseconds, once a batch. */
function hasRoom(batch: readonly Waiting[], { directory, diskReserveBytes }: WriterSettings): boolean {
  let bytes = 0
  for (const { commit } of batch) for (const { record } of commit.changes) bytes += record?.length ?? 0
  const { bavail, bsize } = statfsSync(directory)
  return bavail * bsize >= diskReserveBytes + bytes * pagesPerByte
}

/**
 * No space, quota used up, or the file's size limit: nothing was written, and it may work again later. LMDB calls a write that
 * was cut short an input/output error, as it does a failing disk; where the disk is full now, that was why.
 */
function isDiskFull(error: unknown, batch: readonly Waiting[], settings: WriterSettings): boolean {
  const text = String(error)
  if (/No space left|ENOSPC|MDB_MAP_FULL|quota exceeded|EDQUOT|File too large|EFBIG/i.test(text)) return true
  return /Input\/output error|EIO/.test(text) && !hasRoom(batch, { ...settings, diskReserveBytes: 0 })
}
