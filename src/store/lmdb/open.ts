/**
 * Opening the LMDB store. What it is: lock, schema, writer thread and first front, in this order, and their end in reverse.
 * What it is not: a configuration; limits and keys come from the caller.
 */

import { existsSync, statfsSync, statSync } from 'node:fs'
import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads'
import {
  type Change,
  type CommitResult,
  type Found,
  type Query,
  type Sealer,
  type Store,
  type Stored,
  StoreFaulted,
  type Table,
} from '#store/store'
import { makeDirectory } from './directory.ts'
import { openFile, restrictFiles, storeFile } from './environment.ts'
import { Front, type FrontStatistics } from './front.ts'
import { type DirectoryLock, lockDirectory } from './lock.ts'
import {
  type CommitCount,
  commitSteps,
  type FrontChannel,
  stepsAt,
  type ToOwner,
  type ToWriter,
  type WriterSettings,
} from './messages.ts'
import { prepareSchema } from './schema.ts'
import { withAdvice } from './whole.ts'

/** Bounds of the store. */
export interface StoreLimits {
  /** Commits of one thread that may wait for the disk; one more is refused as StoreUnavailable. */
  readonly commitsWaitingMax: number
  /** Bytes of those commits, sealed. */
  readonly commitBytesWaitingMax: number
  /** Commits in one transaction. More share a sync, and each waits for more. */
  readonly batchCommitsMax: number
  /** Memory of one thread for records that it has opened, key material in clear among them; 0: none are kept. */
  readonly cacheBytesMax: number
  /** Writing stops while the disk has less free, so that it stops in good order and the machine keeps some room to act in. */
  readonly diskReserveBytes: number
  /** Address space reserved for the file; not disk, not memory. */
  readonly mapSizeBytes: number
}

/** Good for one server. Address space: 1 TiB, far beyond what a store of keys reaches; the file stays as small as its content. */
export const storeLimits: StoreLimits = {
  commitsWaitingMax: 4096,
  commitBytesWaitingMax: 64 * 2 ** 20,
  batchCommitsMax: 512,
  cacheBytesMax: 64 * 2 ** 20,
  diskReserveBytes: 16 * 2 ** 20,
  mapSizeBytes: 2 ** 40,
}

/** Threads with a front of their own, at most: the writer's mailbox has room for all that they may send. */
const frontsMax = 64

export interface StoreOptions {
  /** Made when absent, mode 0700. */
  readonly directory: string
  /** The lock of the directory, when the caller has taken it already; it is then the store's, which releases it. */
  readonly lock?: DirectoryLock
  readonly sealer: Sealer
  /** Every table that will be used, the same in every thread. */
  readonly tables: readonly Table<never>[]
  readonly limits: StoreLimits
  /** Called once when the writer has failed: the process must end, because what the disk has is not known. */
  readonly onFault: (fault: StoreFaulted) => void
  /** Told of an upgrade of an older file, in words for the operator. */
  readonly tell?: (text: string) => void
}

/** A front of another thread: the same options without what only the owner has, and what `connect` gave. */
export interface FrontOnlyOptions extends Omit<StoreOptions, 'onFault' | 'lock' | 'tell'> {
  readonly channel: FrontChannel
}

/** Whether a data directory has a store already (its keys must then not be made anew). */
export function storeExists(directory: string): boolean {
  return existsSync(storeFile(directory))
}

/**
 * Opens the store of a data directory, and makes it when there is none.
 * @throws StoreRefused when another server holds the directory, or the file is newer, sealed under other keys, or no store.
 */
export async function openStore(options: StoreOptions): Promise<LmdbStore> {
  const { directory, sealer, tables, limits, onFault, tell } = options
  makeDirectory(directory)
  const lock = options.lock ?? lockDirectory(directory)
  try {
    const file = openFile(directory, limits.mapSizeBytes)
    const { port1, port2 } = new MessageChannel()
    try {
      restrictFiles(directory)
      prepareSchema(file, { sealer, tables, ...(tell === undefined ? {} : { tell }) })
      const commitCount: CommitCount = newCommitCount()
      const front = new Front({ ...limits, file, sealer, tables, port: port1, commitCount })
      const writer = await startWriter({
        directory,
        tables: tables.map((table) => table.name),
        mapSizeBytes: limits.mapSizeBytes,
        batchCommitsMax: limits.batchCommitsMax,
        diskReserveBytes: limits.diskReserveBytes,
        commitsWaitingMax: limits.commitsWaitingMax * frontsMax,
        commitCount,
      })
      writer.connect(port2)
      writer.onFault((fault) => {
        front.fail(fault.message)
        onFault(fault)
      })
      return new LmdbStore(front, writer, lock, commitCount, directory)
    } catch (error) {
      port1.close()
      await file.root.close()
      throw error
    }
  } catch (error) {
    lock.release()
    throw error
  }
}

const newCommitCount = (): CommitCount =>
  new BigInt64Array(new SharedArrayBuffer((stepsAt + commitSteps.length + 1) * BigInt64Array.BYTES_PER_ELEMENT))

/** Opens the store in another thread of the process whose `openStore` gave the channel (see `LmdbStore.connect`). */
export function openFront(options: FrontOnlyOptions): Store {
  const { directory, sealer, tables, limits, channel } = options
  return new Front({ ...limits, file: openFile(directory, limits.mapSizeBytes), sealer, tables, ...channel })
}

/** The store of the process, in the thread that opened it. */
export class LmdbStore implements Store {
  readonly #front: Front
  readonly #writer: RunningWriter
  readonly #lock: DirectoryLock
  readonly #commitCount: CommitCount
  readonly #directory: string

  /** Use `openStore`. */
  constructor(front: Front, writer: RunningWriter, lock: DirectoryLock, commitCount: CommitCount, directory: string) {
    this.#front = front
    this.#writer = writer
    this.#lock = lock
    this.#commitCount = commitCount
    this.#directory = directory
  }

  read<T>(table: Table<T>, key: string): Stored<T> | undefined {
    return this.#front.read(table, key)
  }

  revision<T>(table: Table<T>, key: string): number | undefined {
    return this.#front.revision(table, key)
  }

  committed(): bigint {
    return this.#front.committed()
  }

  least<T>(table: Table<T>, field: string): number {
    return this.#front.least(table, field)
  }

  onChanged(listener: (table: string, key: string) => void): void {
    this.#front.onChanged(listener)
  }

  find<T>(table: Table<T>, query: Query): Found {
    return this.#front.find(table, query)
  }

  findInTurns<T>(table: Table<T>, query: Query): Found | Promise<Found> {
    return this.#front.findInTurns(table, query)
  }

  commit(changes: readonly Change[]): Promise<CommitResult> {
    return this.#front.commit(changes)
  }

  /** How it stands with the store, for those who watch it. @throws errors of the file system */
  statistics(): StoreStatistics {
    const [, commits = 0n, ...steps] = this.#commitCount
    const { bavail, bsize } = statfsSync(this.#directory)
    return {
      ...this.#front.statistics(),
      bytes: statSync(storeFile(this.#directory)).size,
      freeBytes: bavail * bsize,
      commits: Number(commits),
      transactions: steps.map(Number),
    }
  }

  /** For a front in another thread: hand its port over in the transfer list, and give it to `openFront` there. */
  connect(): FrontChannel {
    const { port1, port2 } = new MessageChannel()
    this.#writer.connect(port2)
    return { port: port1, commitCount: this.#commitCount }
  }

  /**
   * Writes a copy of the store to a file that is not there yet, while others read and write: everything that was answered before
   * the call, nothing that is half done. The copy is as others may read it: put it into a folder of mode 0700. It is not synced.
   * @throws errors of the file system, the disk being full among them; what is there of the copy is of no use then
   */
  async copyTo(path: string): Promise<void> {
    await this.#front.copyTo(path)
  }

  /** To be called when the fronts of other threads are closed. */
  async close(): Promise<void> {
    await this.#front.close()
    await this.#writer.close()
    this.#lock.release()
  }
}

/** How it stands with the store. */
export interface StoreStatistics extends FrontStatistics {
  /** Of the file. */
  readonly bytes: number
  /** Of the disk that it is on. */
  readonly freeBytes: number
  /** Since it was opened. */
  readonly commits: number
  /** Transactions by their number of commits: up to each of `commitSteps`, and more. */
  readonly transactions: readonly number[]
}

interface RunningWriter {
  /** Gives the writer its end of a front's channel. */
  connect(port: MessagePort): void
  /** Whom to tell of a fault, at once when it has come already. */
  onFault(tell: (fault: StoreFaulted) => void): void
  /** Finishes what it has taken and ends the thread. */
  close(): Promise<void>
}

/** Resolves when the writer is ready to be connected. */
async function startWriter(settings: WriterSettings): Promise<RunningWriter> {
  // The entry lies beside `src` both in the repository (.ts) and where it was compiled (.js).
  const suffix = import.meta.url.slice(import.meta.url.lastIndexOf('.'))
  const worker = new Worker(new URL(`../../../workers/store${suffix}`, import.meta.url), {
    name: 'store',
    workerData: settings,
    execArgv: [],
  })
  const ready = Promise.withResolvers<void>()
  const exited = Promise.withResolvers<void>()
  let fault: StoreFaulted | undefined
  let closing = false
  let tell: (fault: StoreFaulted) => void = () => undefined
  const fail = (reason: string, cause?: unknown) => {
    if (fault !== undefined || closing) return
    fault = new StoreFaulted(withAdvice(reason), { cause })
    ready.reject(fault)
    tell(fault)
  }
  worker.on('message', (message: ToOwner) => (message.kind === 'ready' ? ready.resolve() : fail(message.reason)))
  worker.on('error', (error) => fail(`the store's writer failed: ${String(error)}`, error))
  worker.on('exit', () => {
    fail("the store's writer has ended by itself")
    exited.resolve()
  })
  await ready.promise
  return {
    connect: (port) => worker.postMessage({ kind: 'connect', port } satisfies ToWriter, [port]),
    onFault(listener) {
      tell = listener
      if (fault !== undefined) listener(fault)
    },
    async close() {
      closing = true
      worker.postMessage({ kind: 'close' } satisfies ToWriter, [])
      await exited.promise
    },
  }
}
