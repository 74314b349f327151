/**
 * The store actor: the only writer. What it is: a thread of its own that takes every commit that waits, checks revisions and
 * claims, writes all of them in one LMDB transaction, and answers after the disk has it. What it is not: a holder of keys (it
 * sees sealed records and hashed terms), or something that may be terminated: that would leave LMDB's write lock held.
 *
 *   message ports ──▶ mailbox ──▶ one transaction ┬ each commit: looked at as a whole, then written, or left out (conflict)
 *                                                 └ sync ──▶ answers, one message per port
 *
 * While the disk is waited for, the ports fill; what they hold is the next batch. No timer is needed.
 */

import assert from 'node:assert/strict'
import { statfsSync } from 'node:fs'
import type { MessagePort } from 'node:worker_threads'
import { Actor } from '#actor/actor'
import { decodeRevision, encodeRevision, entryKeyBytes, goneKey, recordKeyBytesMax } from '#store/keys'
import { revisionOf } from '#store/records'
import { openFile, openTables, type TableFiles } from './environment.ts'
import {
  type Commits,
  commitSteps,
  type Refusal,
  stepsAt,
  type TakenChange,
  type TakenCommit,
  type ToFront,
  type ToOwner,
  type ToWriter,
  unpackCommits,
  type WriterSettings,
} from './messages.ts'

interface Waiting {
  readonly port: MessagePort
  readonly commit: TakenCommit
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
      if (ports.size > 1 && typeof outcome !== 'string') tellOthers(batch, outcome, ports)
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
    return root.transactionSync(() => batch.map(({ commit }) => writeCommit(commit.changes, tables)))
  } catch (error) {
    if (isDiskFull(error, batch, settings)) return diskFull
    throw error
  }
}

/** A change and the databases that it is for. */
interface Placed {
  readonly change: TakenChange
  readonly files: TableFiles
}

/**
 * Applies changes within the running transaction, or none of them. Gives the place of the first change that is in conflict.
 * All is looked at before anything is written: a child transaction, which could be undone, costs as much as six writes.
 */
function writeCommit(changes: readonly TakenChange[], tables: ReadonlyMap<string, TableFiles>): number | undefined {
  const placed = changes.map((change): Placed => {
    const files = tables.get(change.table)
    assert(files !== undefined, `the writer was not opened with a table ${change.table}`)
    return { change, files }
  })
  const inTheWay = placed.findIndex(({ change, files }) => !hasExpectedRevision(change, files))
  if (inTheWay !== -1) return inTheWay
  const released = releasedClaims(placed)
  const claimed = firstClaimed(placed, released)
  if (claimed !== undefined) return claimed
  // All claims go before any comes, so that a commit can hand one from record to record.
  for (const { index, claim } of released.values()) index.removeSync(claim)
  for (const { change, files } of placed)
    for (const claim of entryKeys(change.claimsCome)) files.index.putSync(claim, change.key)
  for (const { change, files } of placed) writeChange(change, files)
  return undefined
}

interface ReleasedClaim {
  readonly index: TableFiles['index']
  readonly claim: Buffer
}

const nameOf = (table: string, claim: Buffer): string => `${table}\0${claim.toString('latin1')}`

/** Claims that changes let go, by name. A record lets go of its own alone: where two had the same when an index was made anew, one has none. */
function releasedClaims(placed: readonly Placed[]): Map<string, ReleasedClaim> {
  const released = new Map<string, ReleasedClaim>()
  for (const { change, files } of placed) {
    for (const claim of entryKeys(change.claimsGone)) {
      const isHeld = files.index.getBinary(claim)?.equals(change.key) === true
      if (isHeld) released.set(nameOf(change.table, claim), { index: files.index, claim })
    }
  }
  return released
}

/** The place of the first change that wants a claim of another record: one that the commit does not let go, or that it gives to both. */
function firstClaimed(placed: readonly Placed[], released: ReadonlyMap<string, ReleasedClaim>): number | undefined {
  const isAlone = placed.length === 1
  const taken = new Map<string, Buffer>()
  for (const [place, { change, files }] of placed.entries()) {
    for (const claim of entryKeys(change.claimsCome)) {
      const holder = files.index.getBinary(claim)
      // Most commits have one change, which lets no claim go.
      const name = isAlone && released.size === 0 ? '' : nameOf(change.table, claim)
      const other = taken.get(name) ?? (released.has(name) ? undefined : holder)
      if (other !== undefined && !other.equals(change.key)) return place
      if (!isAlone) taken.set(name, change.key)
    }
  }
  return undefined
}

function* entryKeys(keys: Buffer): Iterable<Buffer> {
  for (let at = 0; at < keys.length; at += entryKeyBytes) yield keys.subarray(at, at + entryKeyBytes)
}

function hasExpectedRevision({ key, expected, record }: TakenChange, { records, index }: TableFiles): boolean {
  const now = records.getBinaryFast(key)
  if (now !== undefined) return expected !== 0 && revisionOf(now) === expected
  if (expected !== 0 || record === undefined) return false
  // The front has looked up where a removed record ended; it may have been made and removed again since.
  const gone = index.getBinaryFast(goneKey(key))
  return revisionOf(record) === (gone === undefined ? 0 : decodeRevision(gone)) + 1
}

function writeChange(change: TakenChange, { records, index }: TableFiles): void {
  const { key, expected, record, postingsGone, postingsCome } = change
  if (record === undefined) {
    records.removeSync(key)
    index.putSync(goneKey(key), encodeRevision(expected))
  } else {
    records.putSync(key, record)
    // A record that goes on where one that was removed has ended.
    if (expected === 0 && revisionOf(record) !== 1) index.removeSync(goneKey(key))
  }
  postingKey.set(key, entryKeyBytes)
  const posting = postingKey.subarray(0, entryKeyBytes + key.length)
  for (let at = 0; at < postingsGone.length; at += entryKeyBytes) {
    postingsGone.copy(posting, 0, at, at + entryKeyBytes)
    index.removeSync(posting)
  }
  for (let at = 0; at < postingsCome.length; at += entryKeyBytes) {
    postingsCome.copy(posting, 0, at, at + entryKeyBytes)
    index.putSync(posting, nothing)
  }
}

/** Where the keys of postings are put together: LMDB copies them. */
const postingKey = Buffer.alloc(entryKeyBytes + recordKeyBytesMax + 1)

/** Tells each front what the others have changed. It reads nothing old without being told; but what it keeps may be a key. */
function tellOthers(batch: readonly Waiting[], outcome: Outcome, ports: ReadonlySet<MessagePort>): void {
  const changed = batch.flatMap(({ port, commit }, place) =>
    outcome[place] === undefined
      ? commit.changes
          .filter(({ expected }) => expected !== 0)
          .map(({ table, key }) => ({ port, record: [table, new Uint8Array(key)] as const }))
      : [],
  )
  if (changed.length === 0) return
  for (const port of ports) {
    const records = changed.filter((each) => each.port !== port).map(({ record }) => record)
    if (records.length > 0) port.postMessage({ kind: 'changed', records } satisfies ToFront)
  }
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
