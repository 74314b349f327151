/**
 * The audit trail of the process. What it is: the start of the auditor's thread, a front for this thread and channels for
 * others, the check of the whole trail, and the note in the store of where the trail has come to. What it is not: what is
 * told in the trail.
 */
import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads'
import type { Cancel, Clock } from '#actor/clock'
import { errorText } from '#actor/error-text'
import { type Store, StoreUnavailable } from '#store/store'
import { anchorKey, auditTable } from './anchor.ts'
import { emptyChain, type Head } from './chain.ts'
import { AuditFaulted, type AuditFilesOptions, type TrailEnd } from './files.ts'
import { AuditFront } from './front.ts'
import type { AuditTask, ToAuditOwner, ToAuditor } from './messages.ts'
import type { Verified } from './verify.ts'

/**
 * How long the end of the trail may be unknown to the store: lines cut off within it after a crash are not missed. Each note is a commit,
 * made only where there are new lines.
 */
const anchorEveryMs = 10_000
/** Characters of lines of one thread that may wait. */
const waitingMax = 16 * 2 ** 20

export interface AuditOptions {
  /** Of the trail's files. */
  readonly directory: string
  /** For MACs; the same for the whole life of the store. */
  readonly key: Uint8Array
  readonly mode: 'relaxed' | 'durable'
  readonly fileBytesMax: number
  readonly filesMax: number
  readonly store: Store
  readonly clock: Clock
  /** Told once when what the disk has of the trail is not known: the process must end. */
  readonly onFault: (reason: string) => void
  /** Told of a file that is kept no longer and cannot be removed. */
  readonly onUnremoved: AuditFilesOptions['onUnremoved']
}

/**
 * What a thread has of the trail.
 * @param port connected to the auditor (`Audit.connect`)
 * @param name what tells this thread's requests from those of others
 * @param durable whether lines can be waited for
 */
export const openAuditFront = (port: MessagePort, name: string, durable: boolean, clock: Clock): AuditFront =>
  new AuditFront({ port, name, waitingMax, durable, clock })

/** Opens the trail. Rejects with the reason why it cannot be. */
export const openAudit = async (options: AuditOptions): Promise<Audit> => {
  const { directory, key, fileBytesMax, filesMax, store } = options
  const anchor = store.read(auditTable, anchorKey)?.value
  const worker = startThread({ kind: 'write', directory, key, fileBytesMax, filesMax, anchor })
  const ready = Promise.withResolvers<TrailEnd>()
  const audit = new Audit(options, worker)
  worker.on('message', (message: ToAuditOwner) => {
    if (message.kind === 'ready') ready.resolve(message.synced)
    else if (message.kind === 'synced') audit.reached(message.synced)
    else if (message.kind === 'unremoved') options.onUnremoved(message.file, message.reason)
    else if (message.kind === 'closed') audit.ended(message.synced)
    else audit.fail(message.reason)
  })
  worker.on('error', (error) => {
    ready.reject(error)
    audit.fail(errorText(error))
  })
  worker.on('exit', () => audit.fail('the auditor has ended by itself'))
  try {
    await audit.begin(await ready.promise)
  } catch (error) {
    // Its thread would keep alive a process that could not start.
    await audit.close().catch(() => undefined)
    throw error
  }
  return audit
}

const startThread = (task: AuditTask): Worker => {
  // The entry lies beside `src` both in the repository (.ts) and where it was compiled (.js).
  const suffix = import.meta.url.slice(import.meta.url.lastIndexOf('.'))
  return new Worker(new URL(`../../workers/audit${suffix}`, import.meta.url), {
    name: 'audit',
    workerData: task,
    execArgv: [],
  })
}

export class Audit {
  readonly front: AuditFront
  readonly #options: AuditOptions
  readonly #worker: Worker
  readonly #closed = Promise.withResolvers<void>()
  #begun = false
  #closing = false
  #fault: string | undefined
  #reached: TrailEnd | undefined
  #anchored: Head = emptyChain
  #cancel: Cancel = () => undefined
  #noting: Promise<void> = Promise.resolve()

  /** Use `openAudit`. */
  constructor(options: AuditOptions, worker: Worker) {
    this.#options = options
    this.#worker = worker
    // It may fail before anybody waits for the end.
    this.#closed.promise.catch(() => undefined)
    this.front = openAuditFront(this.connect(), '', options.mode === 'durable', options.clock)
  }

  /** For a front in another thread: hand the port over in the transfer list. */
  connect(): MessagePort {
    const { port1, port2 } = new MessageChannel()
    this.#worker.postMessage({ kind: 'connect', port: port2 } satisfies ToAuditor, [port2])
    return port1
  }

  /** How far the disk has the trail, as far as this thread knows: with its own last lines, and a moment ago with those of all. */
  get synced(): TrailEnd | undefined {
    const own = this.front.synced
    return own !== undefined && own.sequence > (this.#reached?.sequence ?? 0) ? own : this.#reached
  }

  /** Looks at every line that is there now, in a thread of its own. Rejects with errors of the file system */
  async verify(): Promise<Verified> {
    const { directory, key, store } = this.#options
    // What is on its way is seen, too; and nothing is looked at that is just being written.
    await this.front.record([JSON.stringify({ time: this.#now(), event: 'trail verified' })], true)?.promise()
    await this.front.flush()
    const anchor = store.read(auditTable, anchorKey)?.value
    const worker = startThread({ kind: 'verify', directory, key, through: this.synced, anchor })
    return new Promise((resolve, reject) => {
      worker.once('message', resolve)
      worker.once('error', reject)
    })
  }

  /** For `openAudit`: the auditor is there. */
  async begin(end: TrailEnd): Promise<void> {
    this.#begun = true
    this.#reached = end
    await this.#noteIfRoom()
    this.#noteLater()
  }

  /** For `openAudit`: the auditor has come so far. */
  reached(end: TrailEnd): void {
    this.#reached = end
  }

  /** For `openAudit`: the auditor has ended as it was asked to. */
  ended(end: TrailEnd): void {
    this.#reached = end
    this.#closed.resolve()
  }

  /** For `openAudit`: the auditor has failed. */
  fail(reason: string): void {
    if (this.#closing) this.#closed.reject(new AuditFaulted(reason))
    if (this.#closing || this.#fault !== undefined) return
    this.#fault = reason
    this.front.fail(reason)
    if (this.#begun) this.#options.onFault(reason)
  }

  /**
   * Writes what was taken, ends the thread, and notes the end in the store, which must still be open.
   * @throws AuditFaulted when the trail could not be ended, and what the store throws
   */
  async close(): Promise<void> {
    this.#closing = true
    this.#cancel()
    // What cannot be written is counted in the trail, or has ended it.
    if (this.#fault === undefined) await this.front.flush().catch(() => undefined)
    if (this.#fault === undefined) {
      this.#worker.postMessage({ kind: 'close' } satisfies ToAuditor, [])
      await this.#closed.promise.finally(() => this.front.close())
    }
    this.front.close()
    await this.#noting
    if (this.#fault === undefined) await this.#note(this.#reached)
  }

  #noteLater(): void {
    this.#cancel = this.#options.clock.after(anchorEveryMs, () => {
      this.#noting = this.#noteIfRoom()
        .catch((error: unknown) => this.fail(error instanceof AuditFaulted ? error.message : String(error)))
        .finally(() => {
          if (!this.#closing) this.#noteLater()
        })
    })
  }

  /** A store whose disk is full is told by a later note, which says the same and more: nothing else may end for it. */
  async #noteIfRoom(): Promise<void> {
    try {
      await this.#note()
    } catch (error) {
      if (!(error instanceof StoreUnavailable)) throw error
    }
  }

  /** Tells the store where the trail is. */
  async #note(end = this.synced): Promise<void> {
    const { store } = this.#options
    if (end === undefined || end.sequence === this.#anchored.sequence) return
    const stored = store.read(auditTable, anchorKey)
    const value = { sequence: end.sequence, hash: end.hash }
    const { revision = 0, value: previous } = stored ?? {}
    await store.commit([{ table: auditTable.name, key: anchorKey, revision, previous, value }])
    this.#anchored = value
  }

  #now(): string {
    return new Date(this.#options.clock.nowMs()).toISOString()
  }
}
