/**
 * Requests of the server to clients (KMIP 1.4 §5): Put of new objects and Notify of changed attributes, to the addresses that the
 * settings name for their owners, after a client has told what it has of them (Discover Versions, Query). What it is: a queue
 * an address, in order, bounded in number, attempts and time, in memory. What it is not: a promise: a client that cannot be
 * reached for long is not told, a restart forgets what waits, and the log has it.
 *
 *     changed ─▶ waiting ─▶ session ─▶ known? ──yes─▶ claimed? ──yes─▶ sent ─▶ taken
 *                   ▲                    └─no─ asked ─┘    └─no─▶ skipped     └─ failed ─▶ given up
 *                   └──────────────────────── wait, twice as long each time ◀─────┘
 */
import { createSecureContext, type SecureContext } from 'node:tls'
import type { Clock } from '#actor/clock'
import type { Principal } from '#identity/principals'
import { identify } from '#identity/principals'
import { Operation, ResultStatus } from '#kmip/enums'
import { type ResponseBatchItem, readResponse, writeRequest } from '#kmip/message'
import { majorOf, minorOf, newestVersion, type Version } from '#kmip/versions'
import { valueOf, withValue } from '#objects/managed-object'
import { objectTable } from '#operations/object-table'
import {
  type ClientCapabilities,
  type ClientKnowledge,
  capabilitiesQuestion,
  type DurableChange,
  objectionOf,
  type Question,
  type ServerRequest,
  serverRequestOf,
  versionsQuestion,
  versionToSpeak,
} from '#operations/server-requests'
import type { Store } from '#store/store'
import { BinaryReader, BinaryWriter } from '#ttlv/binary'
import type { ReaderLimits } from '#ttlv/stream'
import { asError, ClientSession } from './client-session.ts'
import { secureContextOptions, type TlsLimits, type TlsMaterial } from './tls.ts'

/** Where a user's clients take requests of the server. */
export interface ClientAddress {
  /** The owner name, `local|kmip`. */
  readonly user: string
  readonly host: string
  readonly port: number
}

export interface OutgoingLimits extends ReaderLimits, TlsLimits {
  readonly requestSizeMax: number
  readonly requestTimeoutMs: number
  /** Requests that wait to be sent, of all addresses; one more is dropped. */
  readonly outgoingQueueMax: number
  /** How often one request is tried. */
  readonly outgoingAttemptsMax: number
  /** From the first failure of a request to its next attempt; each wait is twice as long as the one before. */
  readonly outgoingRetryMs: number
}

/** What became of a request of the server. */
export interface OutgoingLog {
  serverRequest(event: {
    readonly operation: string
    readonly address: string
    /** Undefined: the client has answered with success. */
    readonly failure: string | undefined
    /** A failure after which the request is tried again, so many milliseconds later. */
    readonly againMs?: number | undefined
    /** The request was not sent, for what the client told of itself: no failure. */
    readonly skipped?: boolean
  }): void
  /** What a client has told of itself. */
  clientTold(address: string, client: ClientKnowledge, capabilities: ClientCapabilities): void
}

/** A request to a client, as the audit trail tells it: before it leaves, and when its end is known. */
export interface AuditedRequest {
  /** What both lines of one attempt have in common. */
  readonly request: string | undefined
  readonly operation: string
  /** Full name of the user whose object it is about. */
  readonly user: string
  /** Identifier of the registered client that it goes to. */
  readonly client: string | undefined
  readonly address: string
  readonly object: string
  readonly result: 'pending' | 'success' | 'failed'
}

/** Who keeps account of requests to clients. */
export interface OutgoingAudit {
  newRequest(): string
  /**
   * @param durable whether nothing may leave before the disk has the line
   * @returns what is to be waited for, or undefined. Rejects where no line can be left
   */
  record(told: AuditedRequest, durable: boolean): Promise<void> | undefined
}

export interface OutgoingOptions {
  readonly addresses: readonly ClientAddress[]
  /** Names of the functions of Query that a client is asked (§5.3); none: it is asked nothing. */
  readonly questions: readonly string[]
  /** The server's certificate and key, which it shows to the client. */
  readonly material: TlsMaterial
  readonly limits: OutgoingLimits
  readonly store: Store
  readonly clock: Clock
  readonly log: OutgoingLog
  /** Undefined: nothing is audited. */
  readonly audit: OutgoingAudit | undefined
}

/** How often a note is tried while others change the same object. */
const conflictRetriesMax = 8
/** No wait between two attempts is longer. */
const retryMaxMs = 60_000
/** What a client told is asked anew after so long: its software may be another by then. */
const knownForMs = 600_000

interface Waiting {
  readonly change: DurableChange
  /** Of the client whose request made the change. */
  readonly version: Version
  readonly name: string
}

/** An address with what waits for it. */
interface Destination {
  readonly address: ClientAddress
  readonly waiting: Waiting[]
  sending: Promise<void> | undefined
  knowledge: { readonly client: ClientKnowledge; readonly atMs: number } | undefined
}

/** What is read of an answer to Discover Versions. */
interface Discovered {
  readonly protocolVersion: Parameters<typeof versionToSpeak>[0]
}

/** A failure that another attempt would not mend. */
class Refused extends Error {
  override readonly name = 'Refused'
}

/** What the client has told of itself leaves no way to send this. */
class Skipped extends Error {
  override readonly name = 'Skipped'
}

export class Outgoing {
  readonly #options: OutgoingOptions
  readonly #context: SecureContext
  readonly #destinations: readonly Destination[]
  readonly #sessions = new Set<ClientSession>()
  readonly #wakers = new Set<() => void>()
  #stopped = false

  constructor(options: OutgoingOptions) {
    this.#options = options
    this.#context = createSecureContext(secureContextOptions(options.material, options.limits))
    this.#destinations = options.addresses.map((address) => ({
      address,
      waiting: [],
      sending: undefined,
      knowledge: undefined,
    }))
  }

  /** Takes changes that are durable, made by a client of this version: their owners' clients are told. */
  changed(changes: readonly DurableChange[], version: Version): void {
    if (this.#stopped) return
    for (const change of changes) {
      const destinations = this.#destinations.filter(({ address }) => address.user === change.value?.owner)
      const request = destinations.length === 0 ? undefined : serverRequestOf(change, version)
      if (request === undefined) continue
      for (const destination of destinations) this.#take(destination, { change, version, name: request.name })
    }
  }

  /** Sends no more, and gives up what waits and what is under way; resolves when that has ended. */
  async stop(): Promise<void> {
    this.#stopped = true
    for (const session of this.#sessions) session.close()
    for (const wake of this.#wakers) wake()
    for (const { sending } of this.#destinations) await sending
  }

  #take(destination: Destination, waiting: Waiting): void {
    const count = this.#destinations.reduce((sum, each) => sum + each.waiting.length, 0)
    if (count >= this.#options.limits.outgoingQueueMax) {
      return this.#tell(destination, waiting, 'too many requests of the server wait')
    }
    destination.waiting.push(waiting)
    destination.sending ??= this.#sendAll(destination)
  }

  async #sendAll(destination: Destination): Promise<void> {
    for (let next = destination.waiting.shift(); next !== undefined; next = destination.waiting.shift()) {
      await this.#sendOne(destination, next)
    }
    destination.sending = undefined
  }

  /** Tries until the request is taken, or nothing is to be hoped for. What becomes of it is in the log. */
  async #sendOne(destination: Destination, waiting: Waiting): Promise<void> {
    const { outgoingAttemptsMax, outgoingRetryMs } = this.#options.limits
    for (let attempt = 1; ; attempt += 1) {
      const failure = this.#stopped
        ? new Refused('the server stops')
        : await this.#attempt(destination, waiting).then(() => undefined, asError)
      if (failure === undefined) return this.#tell(destination, waiting, undefined)
      const text = failure.message
      if (failure instanceof Skipped) return this.#tell(destination, waiting, text, { skipped: true })
      // What the client told may be what made it fail: it is asked again.
      destination.knowledge = undefined
      const isLast = failure instanceof Refused || attempt >= outgoingAttemptsMax || this.#stopped
      if (isLast) return this.#tell(destination, waiting, text)
      const againMs = Math.min(outgoingRetryMs * 2 ** (attempt - 1), retryMaxMs)
      this.#tell(destination, waiting, text, { againMs })
      await this.#wait(againMs)
    }
  }

  /** Resolves after the time, or when the server stops. */
  #wait(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        cancel()
        this.#wakers.delete(wake)
        resolve()
      }
      const cancel = this.#options.clock.after(delayMs, wake)
      this.#wakers.add(wake)
    })
  }

  #tell(
    { address }: Destination,
    { name }: Waiting,
    failure: string | undefined,
    more: { readonly againMs?: number; readonly skipped?: boolean } = {},
  ): void {
    this.#options.log.serverRequest({ operation: name, address: textOf(address), failure, ...more })
  }

  /** One attempt, on a session of its own. Rejects with what went wrong. */
  async #attempt(destination: Destination, { change, version }: Waiting): Promise<void> {
    const { limits, clock, store } = this.#options
    const { address } = destination
    const session = new ClientSession({
      ...address,
      context: this.#context,
      clock,
      answerSizeMax: limits.requestSizeMax,
      timeoutMs: limits.requestTimeoutMs,
    })
    this.#sessions.add(session)
    try {
      const identity = identify(store, (await session.opened()) ?? '', clock.nowSeconds())
      const principal = 'principal' in identity ? identity.principal : undefined
      if (principal === undefined || principal.user !== address.user) {
        throw new Refused('the peer is no registered client of the user whose address this is')
      }
      const client = await this.#knowledgeOf(destination, session, version)
      const spoken = spokenVersion(client, version)
      const request = requestFor(change, client, spoken)
      await this.#audited(request, principal, address, async () => {
        const item = await this.#ask(session, request, spoken)
        if (item?.resultStatus !== ResultStatus.Success) throw new Refused('the client has refused it')
      })
      if (request.operation === Operation.Put) await this.#noteServed(request.uniqueIdentifier)
    } finally {
      session.close()
      this.#sessions.delete(session)
    }
  }

  /** What is known of the client behind an address; it is asked when that is nothing, or old. */
  async #knowledgeOf(destination: Destination, session: ClientSession, version: Version): Promise<ClientKnowledge> {
    const { questions, clock, log } = this.#options
    const known = destination.knowledge
    const nowMs = clock.monotonicMs()
    if (known !== undefined && nowMs - known.atMs < knownForMs) return known.client
    const versions = versionsQuestion(version)
    if (questions.length === 0 || versions === undefined) return { version, operations: [], objectTypes: [] }
    const discovered = await this.#told<Discovered>(session, versions, version)
    const spoken = versionToSpeak(discovered?.protocolVersion ?? [])
    const query = spoken === 'none' ? undefined : capabilitiesQuestion(questions, spoken ?? version)
    const capabilities = await this.#told<ClientCapabilities>(
      session,
      query,
      spoken === 'none' ? version : (spoken ?? version),
    )
    const { operation = [], objectType = [] } = capabilities ?? {}
    const client: ClientKnowledge = { version: spoken, operations: operation, objectTypes: objectType }
    destination.knowledge = { client, atMs: nowMs }
    log.clientTold(textOf(destination.address), client, capabilities ?? {})
    return client
  }

  /** Sends a request between two lines of the audit trail; the key of a Put leaves when the first of them is on the disk. */
  async #audited(
    { operation, name, uniqueIdentifier, owner }: ServerRequest,
    { clientId }: Principal,
    address: ClientAddress,
    send: () => Promise<void>,
  ): Promise<void> {
    const { audit } = this.#options
    if (audit === undefined) return send()
    const told = {
      request: audit.newRequest(),
      operation: name,
      user: owner,
      client: clientId,
      address: textOf(address),
      object: uniqueIdentifier,
    }
    const record = (result: AuditedRequest['result'], durable: boolean) => audit.record({ ...told, result }, durable)
    await record('pending', operation === Operation.Put)
    try {
      await send()
    } catch (error) {
      await record('failed', false)
      throw error
    }
    await record('success', false)
  }

  /** The answer to a question. Undefined where nothing is asked, and for a client that does not answer such questions. */
  async #told<T>(session: ClientSession, question: Question | undefined, version: Version): Promise<T | undefined> {
    if (question === undefined) return undefined
    const item = await this.#ask(session, question, version)
    return item?.resultStatus === ResultStatus.Success ? (item.responsePayload as T | undefined) : undefined
  }

  async #ask(session: ClientSession, question: Question, version: Version): Promise<ResponseBatchItem | undefined> {
    const answer = await session.ask(encoded(question, version))
    const item = readResponse(new BinaryReader(answer, this.#options.limits, newestVersion)).batchItem[0]
    // A message that the client could not read at all is answered without an operation (§11.1).
    if (item?.operation !== undefined && item.operation !== question.operation) {
      throw new Error('the client answers another operation than it was asked for')
    }
    return item
  }

  /** §3.34: an object that a client has taken is fresh no longer. Read anew when another change came between. */
  async #noteServed(uniqueIdentifier: string): Promise<void> {
    const { store, clock } = this.#options
    for (let attempt = 0; attempt < conflictRetriesMax; attempt += 1) {
      const stored = store.read(objectTable, uniqueIdentifier)
      if (stored === undefined || valueOf(stored.value, 'Fresh') !== true) return
      const served = withValue(withValue(stored.value, 'Fresh', false), 'Last Change Date', clock.nowSeconds())
      const { revision, value: previous } = stored
      const change = { table: objectTable.name, key: uniqueIdentifier, revision, previous, value: served }
      if ((await store.commit([change])).done) return
    }
    throw new Refused('the object keeps changing, so that it could not be noted as served')
  }
}

/** The client's choice, or the version of the request that made the change. @throws Skipped where they have none in common */
const spokenVersion = ({ version: chosen }: ClientKnowledge, ofChange: Version): Version => {
  if (chosen === 'none') throw new Skipped('the client speaks no version of the protocol that the server has')
  return chosen ?? ofChange
}

/** The request of a change in a version. @throws Skipped when the client has no use for it */
const requestFor = (change: DurableChange, client: ClientKnowledge, version: Version): ServerRequest => {
  const request = serverRequestOf(change, version)
  if (request === undefined) throw new Skipped("the client's version of the protocol has no form for it")
  const objection = objectionOf(client, request)
  if (objection !== undefined) throw new Skipped(objection)
  return request
}

const textOf = ({ host, port }: ClientAddress): string => `${host}:${port}`

const encoded = ({ operation, payload }: Question, version: Version): Buffer => {
  const writer = new BinaryWriter(version)
  writeRequest(writer, {
    requestHeader: {
      protocolVersion: { protocolVersionMajor: majorOf(version), protocolVersionMinor: minorOf(version) },
      attestationType: [],
      batchCount: 1,
    },
    batchItem: [{ operation, requestPayload: payload }],
  })
  return writer.bytes()
}
