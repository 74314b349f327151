/**
 * The front half of the store: what every thread that serves requests has. What it is: reads from a fresh view of the
 * memory-mapped file, and commits packed, sealed and indexed here, then sent to the writer. What it is not: a writer.
 *
 *   commit ─▶ index difference, seal ─▶ waiting ── end of the turn ─▶ one message ─▶ writer ─▶ answers ─▶ promises
 */

import assert from 'node:assert/strict'
import type { MessagePort } from 'node:worker_threads'
import { systemClock } from '#actor/clock'
import { Mailbox } from '#actor/mailbox'
import { heavyMs, nextSlice, sliceBegun } from '#actor/slices'
import {
  afterPrefix,
  decodeNumber,
  decodeRecordKey,
  decodeRevision,
  encodeRecordKey,
  entryKeysBeside,
  goneKey,
  IndexKeys,
  isRecordKey,
} from '#store/keys'
import { changeOfEntries, checkEntries, openRecord, revisionOf, sealRecord } from '#store/records'
import {
  type Change,
  type CommitResult,
  type Found,
  type IndexEntry,
  type Query,
  type Sealer,
  type Store,
  StoreDamaged,
  type Stored,
  StoreFaulted,
  StoreUnavailable,
  type Table,
} from '#store/store'
import { type OpenFile, openTables, type TableFiles } from './environment.ts'
import { type EntriesOf, findKeys, searchKeys } from './find.ts'
import { type CommitCount, packCommits, type ToFront, type WriteChange, type WriteCommit } from './messages.ts'
import { RecordCache } from './record-cache.ts'

/** One message that is written while the next waits: a message costs as much as some commits, and waking the writer more. */
const messagesSentMax = 2
/** So many commits are worth a message of their own before the turn has ended. */
const commitsSentAtOnce = 16

/** Goes on with a search for one slice; undefined: it has not come to its end. */
const sliceOf = (search: ReturnType<typeof searchKeys>, ms?: number): Found | undefined => {
  const isOver = sliceBegun(systemClock, ms)
  do {
    const step = search.next()
    if (step.done === true) return step.value
  } while (!isOver())
  return undefined
}

/**
 * What the disk has of a commit in one piece from here on, all others wait for, who wait for the disk: such commits take turns, and
 * leave it to those who ask little in between.
 */
const largeCommitBytes = 16_384
/** About what so many bytes cost thread and disk: reading and writing them as a record, and their sync. */
const writingMs = (bytes: number): number => bytes / 24_576

/** A table as a front uses it. */
interface FrontTable {
  readonly table: Table<never>
  readonly files: TableFiles
  readonly keys: IndexKeys
}

/** A commit whose answer is awaited. */
interface Pending {
  readonly changes: readonly Change[]
  readonly bytes: number
  readonly resolve: (result: CommitResult) => void
  readonly reject: (reason: Error) => void
}

export interface FrontOptions {
  readonly file: OpenFile
  readonly sealer: Sealer
  readonly tables: readonly Table<never>[]
  /** Connected to the writer. */
  readonly port: MessagePort
  readonly commitCount: CommitCount
  /** Commits that may wait for an answer. */
  readonly commitsWaitingMax: number
  /** Bytes of all commits that wait for an answer. */
  readonly commitBytesWaitingMax: number
  /** Memory for opened records, in bytes. */
  readonly cacheBytesMax: number
}

/** The term of a query that asks for nothing but numbers up to a bound. */
function boundAlone({ all, any, include = [] }: Query): { readonly field: string; readonly to: number } | undefined {
  const [only] = all
  if (only === undefined || all.length > 1 || any.length > 0 || include.length > 0 || 'equals' in only) return undefined
  return only.from === undefined && only.to !== undefined ? { field: only.field, to: only.to } : undefined
}

/** Whether a change makes a record whose key may have been that of a removed one. */
function mayHaveBeen({ revision, isNew }: Change): boolean {
  return revision === 0 && isNew !== true
}

/** Entries of more than so many are compared before their keys are made: most of a large object's stay as they are. */
const comparedEntriesMin = 64

/** Keys of entries that go with a change, and of those that come. */
function changedKeys(
  entriesOf: (value: never) => readonly IndexEntry[],
  { previous, value }: Change,
  keyOf: (entry: IndexEntry) => Buffer,
): { readonly gone: readonly Buffer[]; readonly come: readonly Buffer[] } {
  const before = previous === undefined ? noEntries : checkEntries(entriesOf(previous as never))
  const after = value === undefined ? noEntries : checkEntries(entriesOf(value as never))
  const areMany = before.length > 0 && before.length + after.length > comparedEntriesMin
  const entries = areMany ? changeOfEntries(before, after) : { gone: before, come: after }
  const gone = entries.gone.map(keyOf)
  const come = entries.come.map(keyOf)
  return { gone: entryKeysBeside(gone, come), come: entryKeysBeside(come, gone) }
}

const noEntries: readonly IndexEntry[] = []

/** How it stands with the store, as one thread sees it. */
export interface FrontStatistics {
  /** By table. */
  readonly records: Readonly<Record<string, number>>
  readonly commitsWaiting: number
  readonly commitBytesWaiting: number
}

/** The store as seen by one thread. */
export class Front implements Store {
  readonly #file: OpenFile
  readonly #sealer: Sealer
  readonly #tables: ReadonlyMap<string, FrontTable>
  readonly #port: MessagePort
  readonly #commitCount: CommitCount
  readonly #bytesWaitingMax: number
  readonly #cache: RecordCache
  readonly #unsent: Mailbox<WriteCommit>
  readonly #pending = new Map<number, Pending>()
  readonly #least = new Map<string, { readonly commits: bigint; readonly number: number }>()
  #bytesWaiting = 0
  #lastId = 0
  #sending = false
  /** The last commit of each message that the writer has not answered. */
  readonly #sentLast: number[] = []
  #state: 'open' | 'closing' | 'closed' = 'open'
  #fault: StoreFaulted | undefined
  #idle: (() => void) | undefined
  readonly #listeners: ((table: string, key: string) => void)[] = []

  constructor(options: FrontOptions) {
    const files = openTables(
      options.file,
      options.tables.map((table) => table.name),
    )
    this.#file = options.file
    this.#sealer = options.sealer
    this.#tables = new Map(
      options.tables.map((table) => [
        table.name,
        { table, files: files.get(table.name) as TableFiles, keys: new IndexKeys(options.sealer, table.name) },
      ]),
    )
    this.#port = options.port
    this.#commitCount = options.commitCount
    this.#bytesWaitingMax = options.commitBytesWaitingMax
    this.#cache = new RecordCache(options.cacheBytesMax)
    this.#unsent = new Mailbox(options.commitsWaitingMax)
    this.#port.on('message', (message: ToFront) => this.#receive(message))
    this.#port.on('close', () => this.fail('the store has lost its writer'))
  }

  read<T>(table: Table<T>, key: string): Stored<T> | undefined {
    const { files } = this.#table(table.name)
    // Read before the view is renewed: the view may then be newer than the count, never older.
    const commits = Atomics.load(this.#commitCount, 0)
    const unchanged = this.#cache.unchangedSince(table.name, key, commits)
    if (unchanged !== undefined) return unchanged as Stored<T>
    if (!isRecordKey(key)) return undefined
    this.#renewView()
    // The bytes are LMDB's own until the next read: what is kept of them is what was opened.
    const bytes = files.records.getBinaryFast(encodeRecordKey(key))
    if (bytes === undefined) {
      this.#cache.drop(table.name, key)
      return undefined
    }
    const known = this.#cache.get(table.name, key, revisionOf(bytes), commits)
    if (known !== undefined) return known as Stored<T>
    const opened = openRecord<T>(this.#sealer, table.name, key, Buffer.from(bytes.subarray(0, bytes.length)))
    this.#cache.put(table.name, opened, commits)
    return opened
  }

  revision<T>(table: Table<T>, key: string): number | undefined {
    const { files } = this.#table(table.name)
    const unchanged = this.#cache.revisionSince(table.name, key, Atomics.load(this.#commitCount, 0))
    if (unchanged !== undefined) return unchanged
    if (!isRecordKey(key)) return undefined
    this.#renewView()
    const bytes = files.records.getBinaryFast(encodeRecordKey(key))
    return bytes && revisionOf(bytes)
  }

  committed(): bigint {
    return Atomics.load(this.#commitCount, 0)
  }

  least<T>(table: Table<T>, field: string): number {
    const commits = this.committed()
    this.#renewView()
    return this.#leastOf(table.name, field, commits)
  }

  onChanged(listener: (table: string, key: string) => void): void {
    this.#listeners.push(listener)
  }

  find<T>(table: Table<T>, query: Query): Found {
    const { files, keys } = this.#table(table.name)
    const commits = Atomics.load(this.#commitCount, 0)
    this.#renewView()
    const bound = boundAlone(query)
    if (bound !== undefined && this.#leastOf(table.name, bound.field, commits) > bound.to) return { keys: [], total: 0 }
    return findKeys(files, keys, query, this.#entriesOf(table, files))
  }

  findInTurns<T>(table: Table<T>, query: Query): Found | Promise<Found> {
    const { files, keys } = this.#table(table.name)
    this.#renewView()
    const search = searchKeys(files, keys, query, this.#entriesOf(table, files))
    return sliceOf(search, heavyMs) ?? this.#goOnFinding(table.name, search)
  }

  async #goOnFinding(tableName: string, search: ReturnType<typeof searchKeys>): Promise<Found> {
    for (;;) {
      await nextSlice('searches')
      this.#table(tableName)
      this.#renewView()
      const found = sliceOf(search)
      if (found !== undefined) return found
    }
  }

  /**
   * The least number that the index of a field has, infinity when it has none: looked up once between two commits, because
   * what asks whether anything is due asks again and again.
   */
  #leastOf(tableName: string, field: string, commits: bigint): number {
    const { files, keys } = this.#table(tableName)
    const id = `${tableName}\0${field}`
    const known = this.#least.get(id)
    if (known?.commits === commits) return known.number
    const prefix = keys.numbers(field)
    let number = Infinity
    for (const key of files.index.getKeys({ start: prefix, end: afterPrefix(prefix), limit: 1 }))
      number = decodeNumber(key, prefix.length)
    this.#least.set(id, { commits, number })
    return number
  }

  #entriesOf<T>(table: Table<T>, files: TableFiles): EntriesOf {
    return (key) => {
      const bytes = files.records.getBinary(key)
      if (bytes === undefined) return []
      try {
        return table.index(openRecord<T>(this.#sealer, table.name, decodeRecordKey(key), bytes).value)
      } catch (error) {
        // Whoever reads it is told; a search for others must not fail for it.
        if (error instanceof StoreDamaged) return undefined
        throw error
      }
    }
  }

  async commit(changes: readonly Change[]): Promise<CommitResult> {
    this.#assertWritable()
    if (changes.length === 0) return { done: true }
    if (changes.length > 1) {
      const named = new Set(changes.map(({ table, key }) => `${table}\0${key}`))
      assert(named.size === changes.length, 'a commit names each record once')
    }
    if (this.#pending.size >= this.#unsent.capacity)
      throw new StoreUnavailable('too many changes wait for the disk: try again')
    if (changes.some(mayHaveBeen)) this.#renewView()
    const writes = changes.map((change) => this.#writeOf(change))
    let bytes = 0
    for (const { record } of writes) bytes += record?.length ?? 0
    if (this.#bytesWaiting + bytes > this.#bytesWaitingMax)
      throw new StoreUnavailable('too many bytes wait for the disk: try again')
    return new Promise((resolve, reject) => {
      const id = ++this.#lastId
      this.#pending.set(id, { changes, bytes, resolve, reject })
      this.#bytesWaiting += bytes
      const commit = { id, changes: writes }
      if (bytes < largeCommitBytes) this.#offer(commit)
      else void nextSlice('large changes', writingMs(bytes)).then(() => this.#offer(commit))
    })
  }

  #offer(commit: WriteCommit): void {
    // Its outcome may have been told while it waited: that nothing is known of it.
    if (!this.#pending.has(commit.id)) return
    assert(this.#unsent.offer(commit), 'what is unsent is a part of what is pending')
    this.#scheduleSend()
  }

  /** A copy of the file, made by a thread of LMDB's own on a view of its own. Compact: it lets writers through and is smaller. */
  async copyTo(path: string): Promise<void> {
    if (this.#state !== 'open') throw new StoreUnavailable('the store is closed')
    await this.#file.root.backup(path, true)
  }

  /** How it stands with the file, and with what this thread waits for. */
  statistics(): FrontStatistics {
    const records: Record<string, number> = {}
    for (const [name, { files }] of this.#tables) {
      records[name] = (files.records.getStats() as { readonly entryCount: number }).entryCount
    }
    return {
      records,
      commitsWaiting: this.#pending.size,
      commitBytesWaiting: this.#bytesWaiting,
    }
  }

  /** Waits for the answers to what was taken, then lets go of the writer and of this thread's view of the file. */
  async close(): Promise<void> {
    assert(this.#state === 'open', 'a store is closed once')
    this.#state = 'closing'
    if (this.#pending.size > 0)
      await new Promise<void>((resolve) => {
        this.#idle = resolve
      })
    this.#state = 'closed'
    this.#port.close()
    await this.#file.root.close()
  }

  /** The writer has failed or is gone: what waits is told that its outcome is not known. */
  fail(reason: string): void {
    if (this.#fault !== undefined || this.#state === 'closed') return
    this.#fault = new StoreFaulted(reason)
    for (const id of this.#pending.keys()) this.#settle(id)?.reject(this.#fault)
  }

  #table(name: string): FrontTable {
    if (this.#state === 'closed') throw new StoreUnavailable('the store is closed')
    const table = this.#tables.get(name)
    assert(table !== undefined, `the store was not opened with a table ${name}`)
    return table
  }

  #assertWritable(): void {
    if (this.#fault !== undefined) throw this.#fault
    if (this.#state !== 'open') throw new StoreUnavailable('the server is shutting down')
  }

  /** Without it LMDB shows the state of this thread's last timer turn, which may be older than an answer already sent. */
  #renewView(): void {
    this.#file.root.resetReadTxn()
  }

  #writeOf(change: Change): WriteChange {
    const { table: name, key, revision, previous, value } = change
    const { table, files, keys } = this.#table(name)
    assert(isRecordKey(key), 'a record key is well-formed text without NUL, and not too long')
    assert(
      (revision === 0) === (previous === undefined),
      'a change names what it has read: revision and previous value',
    )
    assert(revision !== 0 || value !== undefined, 'only what is there can be removed')
    const recordKey = encodeRecordKey(key)
    const postings = changedKeys(table.index, change, (entry) => keys.posting(entry))
    const claims = changedKeys(table.claims, change, (entry) => keys.claim(entry))
    const last = mayHaveBeen(change) ? this.#lastRevision(files, recordKey) : revision
    return {
      table: name,
      key: recordKey,
      expected: revision,
      record: value === undefined ? undefined : sealRecord(this.#sealer, name, recordKey, last + 1, value),
      postingsGone: postings.gone,
      postingsCome: postings.come,
      claimsGone: claims.gone,
      claimsCome: claims.come,
    }
  }

  /** The revision after which a new record goes on: of one that was removed, the one it ended with. */
  #lastRevision({ index }: TableFiles, recordKey: Buffer): number {
    const gone = index.getBinary(goneKey(recordKey))
    return gone === undefined ? 0 : decodeRevision(gone)
  }

  /**
   * After the poll phase of this turn, so that the commits of all sockets that were ready share one message; but what is many
   * already is sent at once, so that the writer works on it while this thread decides the rest.
   */
  #scheduleSend(): void {
    // What the writer has is enough to keep it busy: the rest goes as one message when it has answered.
    if (this.#sentLast.length >= messagesSentMax) return
    if (this.#unsent.size >= commitsSentAtOnce) return this.#send()
    if (this.#sending) return
    this.#sending = true
    setImmediate(() => {
      this.#sending = false
      this.#send()
    })
  }

  #send(): void {
    const commits = this.#unsent.take()
    const last = commits.at(-1)
    if (this.#fault !== undefined || last === undefined) return
    this.#sentLast.push(last.id)
    const packed = packCommits(commits)
    this.#port.postMessage({ kind: 'commits', packed }, [packed.buffer])
  }

  #receive(message: ToFront): void {
    if (message.kind === 'fault') return this.fail(message.reason)
    if (message.kind === 'changed') {
      for (const [table, key] of message.records) this.#changed(table, decodeRecordKey(Buffer.from(key)))
      return
    }
    for (const id of message.done) {
      const pending = this.#settle(id)
      // What a change replaced is of no use, and may be key material that was to go.
      for (const { table, key } of pending?.changes ?? []) this.#changed(table, key)
      pending?.resolve({ done: true })
    }
    for (const { id, change } of message.conflicts) {
      const pending = this.#settle(id)
      const inTheWay = pending?.changes[change]
      assert(inTheWay !== undefined, 'the writer answers what it was asked')
      pending?.resolve({ done: false, table: inTheWay.table, key: inTheWay.key })
    }
    for (const id of message.unavailable) this.#settle(id)?.reject(new StoreUnavailable(message.reason))
    // The writer takes commits in order: with the last of a message, all of it is answered.
    while (this.#sentLast[0] !== undefined && !this.#pending.has(this.#sentLast[0])) this.#sentLast.shift()
    if (this.#unsent.size > 0) this.#scheduleSend()
  }

  #changed(table: string, key: string): void {
    this.#cache.drop(table, key)
    for (const tell of this.#listeners) tell(table, key)
  }

  #settle(id: number): Pending | undefined {
    const pending = this.#pending.get(id)
    if (pending === undefined) return undefined
    this.#pending.delete(id)
    this.#bytesWaiting -= pending.bytes
    if (this.#pending.size === 0) this.#idle?.()
    return pending
  }
}
