/**
 * The audited side: what every thread that serves requests has of the audit trail. What it is: lines gathered over a turn,
 * sent as one message, and the wait for those that must be durable. What it is not: the writer (`auditor.ts`).
 *
 *   record ─▶ gathered ── end of the turn, or a moment later where nobody waits ─▶ one message ─▶ auditor ─▶ one answer for all of the turn
 */
import type { MessagePort } from 'node:worker_threads'
import type { Cancel, Clock } from '#actor/clock'
import { Later } from '#actor/later'
import { AuditFaulted, AuditUnavailable, type TrailEnd } from './files.ts'
import { GatheredLines } from './gathered.ts'
import type { Lines, ToAuditFront } from './messages.ts'
import { startOf } from './record.ts'

/** Lines that nobody waits for are gathered for so long: a message for each turn would cost more than its lines. */
const gatherMs = 10
/** From so many bytes on they go at once. */
const gatheredMax = 32_768

/** Lines that go as one message. */
interface Gathered {
  /** Bytes of them. */
  length: number
  durable: boolean
  /** To be sent at the end of the turn. */
  hurried: boolean
  readonly cancel: Cancel
  /** Made when somebody waits. */
  waited: Later<void> | undefined
}

export interface AuditFrontOptions {
  /** Connected to the auditor. */
  readonly port: MessagePort
  /** What tells this thread's requests from those of others. */
  readonly name: string
  /** From so many bytes on, everybody waits. */
  readonly waitingMax: number
  /** Whether lines can be waited for: otherwise only a full queue is. */
  readonly durable: boolean
  readonly clock: Clock
}

export class AuditFront {
  readonly #options: AuditFrontOptions
  readonly #sent = new Map<number, Gathered>()
  readonly #lines = new GatheredLines()
  #gathered: Gathered | undefined
  #lastId = 0
  #requests = 0
  #waiting = 0
  #failing: string | undefined
  #fault: AuditFaulted | undefined
  #synced: TrailEnd | undefined

  constructor(options: AuditFrontOptions) {
    this.#options = options
    options.port.on('message', (message: ToAuditFront) => this.#receive(message))
    // A quiet trail does not keep the process alive.
    options.port.unref()
  }

  /** Bytes that are not yet in the trail. */
  get waiting(): number {
    return this.#waiting
  }

  /** How far the disk had the trail with this thread's last lines. */
  get synced(): TrailEnd | undefined {
    return this.#synced
  }

  /** Why nothing can be audited now, or undefined. */
  get failing(): string | undefined {
    return this.#fault?.message ?? this.#failing
  }

  /** Before anything is done that must not be without a trace. @throws AuditUnavailable, AuditFaulted */
  check(): void {
    if (this.#fault !== undefined) throw this.#fault
    if (this.#failing !== undefined && this.#options.durable) throw new AuditUnavailable(this.#failing)
  }

  /** The number of a request, which its lines have in common. */
  newRequest(): number {
    this.#requests += 1
    return this.#requests
  }

  /** The name of a request in its lines, by its number: no other one has it, whichever thread it came to. */
  nameOf(request: number): string {
    return `${this.#options.name}${request}`
  }

  /**
   * Takes the lines of a request.
   * @param bodies each of `bodyOf`
   * @param durable whether the answer must not leave before the disk has them
   * @returns what is to be waited for before the answer, or undefined. Rejects with AuditUnavailable, AuditFaulted
   */
  record(bodies: readonly string[], durable: boolean): Later<void> | undefined {
    if (bodies.length === 0) return undefined
    if (this.#fault !== undefined) return rejected(this.#fault)
    for (const body of bodies) this.#lines.add(body)
    return this.#taken(durable)
  }

  /**
   * Takes the lines of an operation that was answered before, as of `bodyOf`.
   * @param request its number
   * @param ends each of `endOf`, in UTF-8
   * @returns as `record`
   */
  recordAgain(atMs: number, request: number, ends: readonly Uint8Array[], durable: boolean): Later<void> | undefined {
    if (this.#fault !== undefined) return rejected(this.#fault)
    const start = startOf('operation', atMs, this.#options.name)
    for (const end of ends) this.#lines.addParts(start, request, end)
    return this.#taken(durable)
  }

  /** Lines were gathered: whoever must be waits for them. */
  #taken(durable: boolean): Later<void> | undefined {
    const gathered = (this.#gathered ??= this.#gather())
    this.#waiting += this.#lines.length - gathered.length
    gathered.length = this.#lines.length
    const waits = durable && this.#options.durable
    if (waits) gathered.durable = true
    const isFull = this.#waiting >= this.#options.waitingMax
    if (waits || isFull || gathered.length >= gatheredMax) this.#hurry(gathered)
    if (!waits && !isFull) return undefined
    return (gathered.waited ??= new Later<void>())
  }

  /** Resolves when all that was taken is written. Rejects with AuditUnavailable, AuditFaulted */
  async flush(): Promise<void> {
    const last = this.#gathered ?? [...this.#sent.values()].at(-1)
    if (last === undefined) return
    if (last === this.#gathered) this.#hurry(last)
    last.waited ??= new Later<void>()
    await last.waited.promise()
  }

  /** Takes no more lines, and no more answers: what still runs must not change anything. */
  close(): void {
    this.fail('the audit trail is closed: the server is shutting down')
    this.#options.port.close()
  }

  /** The auditor is gone. What waits has an unknown outcome. */
  fail(reason: string): void {
    this.#fault ??= new AuditFaulted(reason)
    for (const id of this.#sent.keys()) this.#settle(id, this.#fault)
  }

  #gather(): Gathered {
    const cancel = this.#options.clock.after(gatherMs, () => this.#send(gathered))
    const gathered: Gathered = { length: 0, durable: false, hurried: false, cancel, waited: undefined }
    return gathered
  }

  /** Sends behind the poll phase of this turn, so that the lines of all sockets that were ready share one message. */
  #hurry(gathered: Gathered): void {
    if (gathered.hurried) return
    gathered.hurried = true
    gathered.cancel()
    setImmediate(() => this.#send(gathered))
  }

  #send(gathered: Gathered): void {
    this.#gathered = undefined
    if (this.#fault !== undefined) {
      gathered.waited?.reject(this.#fault)
      return
    }
    const id = ++this.#lastId
    this.#sent.set(id, gathered)
    const bytes = this.#lines.take()
    const lines: Lines = { kind: 'lines', id, bytes, durable: gathered.durable }
    this.#options.port.postMessage(lines, [bytes.buffer])
  }

  #receive(message: ToAuditFront): void {
    if (message.kind === 'fault') return this.fail(message.reason)
    if (message.kind === 'failing' || message.kind === 'resumed') {
      this.#failing = message.kind === 'failing' ? message.reason : undefined
      return
    }
    // A refusal is of these lines alone: whether the next ones can be written is told by `failing`.
    const error = message.kind === 'refused' ? new AuditUnavailable(message.reason) : undefined
    const from = message.kind === 'refused' ? message.from : 0
    if (message.kind === 'written') this.#synced = message.synced
    for (const id of this.#sent.keys()) {
      if (id > message.through) return
      if (id >= from) this.#settle(id, error)
    }
  }

  #settle(id: number, error: AuditUnavailable | AuditFaulted | undefined): void {
    const gathered = this.#sent.get(id)
    if (gathered === undefined) return
    this.#sent.delete(id)
    this.#waiting = Math.max(0, this.#waiting - gathered.length)
    if (error === undefined) gathered.waited?.resolve()
    else gathered.waited?.reject(error)
  }
}

const rejected = (error: AuditFaulted): Later<void> => {
  const later = new Later<void>()
  later.reject(error)
  return later
}
