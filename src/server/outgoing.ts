/**
 * Requests of the server to clients (KMIP 1.4 §5.1, §5.2): Put of new objects and Notify of changed attributes, to the addresses
 * that the settings name for their owners. What it is: one sender, one request after the other, bounded in number and time.
 * What it is not: a promise: a client that cannot be reached is not told, and the log has it.
 */
import { connect, createSecureContext, type SecureContext, type TLSSocket } from 'node:tls'
import type { Clock } from '#actor/clock'
import { identify } from '#identity/principals'
import { Operation, ResultStatus } from '#kmip/enums'
import { readResponse, writeRequest } from '#kmip/message'
import { Tag } from '#kmip/tags'
import { majorOf, minorOf, newestVersion, type Version } from '#kmip/versions'
import { valueOf, withValue } from '#objects/managed-object'
import { objectTable } from '#operations/object-table'
import { type DurableChange, type ServerRequest, serverRequestOf } from '#operations/server-requests'
import type { Store } from '#store/store'
import { BinaryReader, BinaryWriter } from '#ttlv/binary'
import { Framer } from '#ttlv/framer'
import type { ReaderLimits } from '#ttlv/stream'
import { peerFingerprint, secureContextOptions, type TlsLimits, type TlsMaterial } from './tls.ts'

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
  /** Requests that wait to be sent; one more is dropped. */
  readonly outgoingQueueMax: number
}

/** What became of a request of the server. */
export interface OutgoingLog {
  serverRequest(event: {
    readonly operation: string
    readonly address: string
    /** Undefined: the client has answered with success. */
    readonly failure: string | undefined
  }): void
}

export interface OutgoingOptions {
  readonly addresses: readonly ClientAddress[]
  /** The server's certificate and key, which it shows to the client. */
  readonly material: TlsMaterial
  readonly limits: OutgoingLimits
  readonly store: Store
  readonly clock: Clock
  readonly log: OutgoingLog
}

/** How often a note is tried while others change the same object. */
const conflictRetriesMax = 8

interface Waiting {
  readonly address: ClientAddress
  readonly request: ServerRequest
  readonly version: Version
}

export class Outgoing {
  readonly #options: OutgoingOptions
  readonly #context: SecureContext
  #waiting: Waiting[] = []
  #socket: TLSSocket | undefined
  #stopped = false
  #sending: Promise<void> | undefined

  constructor(options: OutgoingOptions) {
    this.#options = options
    this.#context = createSecureContext(secureContextOptions(options.material, options.limits))
  }

  /** Takes changes that are durable, made by a client of this version: their owners' clients are told. */
  changed(changes: readonly DurableChange[], version: Version): void {
    if (this.#stopped) return
    for (const change of changes) {
      const addresses = this.#options.addresses.filter(({ user }) => user === change.value?.owner)
      const request = addresses.length === 0 ? undefined : serverRequestOf(change, version)
      if (request === undefined) continue
      for (const address of addresses) this.#take({ address, request, version })
    }
  }

  /** Sends no more, and gives up what is under way; resolves when that has ended. */
  async stop(): Promise<void> {
    this.#stopped = true
    this.#waiting = []
    this.#socket?.destroy()
    await this.#sending
  }

  #take(waiting: Waiting): void {
    if (this.#waiting.length >= this.#options.limits.outgoingQueueMax) {
      return this.#tell(waiting, 'too many requests of the server wait')
    }
    this.#waiting.push(waiting)
    this.#sending ??= this.#sendAll()
  }

  async #sendAll(): Promise<void> {
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
      const failure = await this.#send(next).then(
        () => undefined,
        (error: unknown) => (error instanceof Error ? error.message : String(error)),
      )
      this.#tell(next, failure)
    }
    this.#sending = undefined
  }

  #tell({ request, address }: Waiting, failure: string | undefined): void {
    const { host, port } = address
    this.#options.log.serverRequest({ operation: request.name, address: `${host}:${port}`, failure })
  }

  /** One request on a session of its own. Rejects with what went wrong. */
  async #send({ address, request, version }: Waiting): Promise<void> {
    const { limits, clock, store } = this.#options
    const { host, port } = address
    // Who the peer is, is decided below: not by a name, but by the certificate of a registered client.
    const socket = connect({ host, port, secureContext: this.#context, rejectUnauthorized: false })
    this.#socket = socket
    const cancel = clock.after(limits.requestTimeoutMs, () => socket.destroy(new Error('no answer came in time')))
    try {
      const answer = await exchange(socket, limits.requestSizeMax, () => {
        const identity = identify(store, peerFingerprint(socket) ?? '', clock.nowSeconds())
        const isOwn = 'principal' in identity && identity.principal.user === address.user
        if (!isOwn) throw new Error('the peer is no registered client of the user whose address this is')
        return encoded(request, version)
      })
      const reader = new BinaryReader(answer, limits, newestVersion)
      const [item] = readResponse(reader).batchItem
      if (item?.resultStatus !== ResultStatus.Success) throw new Error('the client has refused it')
      if (request.operation === Operation.Put) await this.#noteServed(request.uniqueIdentifier)
    } finally {
      cancel()
      socket.destroy()
      this.#socket = undefined
    }
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
    throw new Error('the object keeps changing, so that it could not be noted as served')
  }
}

const encoded = ({ operation, payload }: ServerRequest, version: Version): Buffer => {
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

/** Sends what `speak` gives once the handshake is done, and gives the one message that comes back. */
const exchange = (socket: TLSSocket, sizeMax: number, speak: () => Buffer): Promise<Buffer> =>
  new Promise((resolve, reject) => {
    const framer = new Framer(Tag.ResponseMessage, sizeMax)
    const attempt = (work: () => void): void => {
      try {
        work()
      } catch (error) {
        reject(error)
      }
    }
    socket.on('error', reject)
    socket.on('close', () => reject(new Error('the client closed before it answered')))
    socket.on('secureConnect', () => attempt(() => void socket.write(speak())))
    socket.on('data', (chunk: Buffer) =>
      attempt(() => {
        framer.push(chunk)
        const message = framer.next()
        if (message !== undefined) resolve(message)
      }),
    )
  })
