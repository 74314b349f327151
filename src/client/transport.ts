/**
 * Requests and responses as bytes over one TLS connection at a time. What it is: connecting, pipelining, bounds, time
 * limits and reconnecting. What it is not: a codec, or a knowledge of operations (client.ts).
 *
 *     send ──> waiting ──(connection open, fewer than pipelineMax in flight)──> in flight ──(answer, in order)──> done
 *
 *     idle ──send──> connecting ──handshake──> open ──end, error, garbage, late answer──> idle
 *      │ ^               └──failure──> idle
 *      v │ after a failure, a send waits first
 *     backing off
 *
 * Nothing is ever sent twice: what was in flight when a connection broke is given back to its caller.
 */
import { connect, createSecureContext, type SecureContext, type SecureVersion, type TLSSocket } from 'node:tls'
import { Tag } from '#kmip/tags'
import { Framer } from '#ttlv/framer'
import { type ClientClock, machineClock } from './clock.ts'
import { ClientClosed, ConnectionLost, QueueFull, RequestTimeout } from './errors.ts'

/** Where and how to connect, and what bounds it. PEM text wherever keys and certificates stand. */
export interface TransportOptions {
  readonly host: string
  readonly port: number
  /** Certificates of the authorities that may sign the server's; without it, those of the runtime. */
  readonly ca?: string | Buffer | readonly (string | Buffer)[]
  readonly cert?: string | Buffer
  readonly key?: string | Buffer
  readonly passphrase?: string
  /** Name that the server's certificate must carry, where it is not `host`. */
  readonly servername?: string
  readonly minVersion?: SecureVersion
  readonly maxVersion?: SecureVersion
  /** OpenSSL cipher list, for servers that need an old one. */
  readonly ciphers?: string
  /** Requests in flight at once; default 64. 1 sends a request only when the one before it is answered. */
  readonly pipelineMax?: number
  /** Requests that wait to be sent; default 10,000. */
  readonly queueMax?: number
  /** Bytes of one response; default 16 MiB. */
  readonly responseSizeMax?: number
  /** From `send` to the answer, waiting and connecting included; default 30,000. */
  readonly timeoutMs?: number
  /** To connect and complete the handshake; default 10,000. */
  readonly connectTimeoutMs?: number
  /** After the first failure in a row; doubles with each. Default 50. */
  readonly reconnectDelayMs?: number
  /** Default 5,000. */
  readonly reconnectDelayMaxMs?: number
  readonly clock?: ClientClock
}

/** What the handshake agreed on. */
export interface SessionFacts {
  readonly protocol: string
  readonly cipher: string
  readonly resumed: boolean
}

interface Pending {
  readonly bytes: Uint8Array
  readonly deadlineMs: number
  readonly resolve: (response: Buffer) => void
  readonly reject: (error: Error) => void
}

type State =
  | { readonly kind: 'idle' }
  | { readonly kind: 'backingOff'; readonly cancel: () => void }
  | { readonly kind: 'connecting'; readonly socket: TLSSocket; readonly cancelTimeout: () => void }
  | { readonly kind: 'open'; readonly socket: TLSSocket; readonly framer: Framer }

const idle: State = { kind: 'idle' }
const keepAliveDelayMs = 30_000

const settings = (options: TransportOptions) => ({
  pipelineMax: Math.max(1, options.pipelineMax ?? 64),
  queueMax: options.queueMax ?? 10_000,
  responseSizeMax: options.responseSizeMax ?? 16 * 1024 * 1024,
  timeoutMs: options.timeoutMs ?? 30_000,
  connectTimeoutMs: options.connectTimeoutMs ?? 10_000,
  reconnectDelayMs: options.reconnectDelayMs ?? 50,
  reconnectDelayMaxMs: options.reconnectDelayMaxMs ?? 5000,
})

/** One logical session with a server: connects when something is to be sent, and again when the connection broke. */
export class Transport {
  readonly #options: TransportOptions
  readonly #limits: ReturnType<typeof settings>
  readonly #clock: ClientClock
  #context: SecureContext | undefined
  /** The newest TLS ticket: the next connection resumes it and saves a handshake's signatures. */
  #session: Buffer | undefined
  #facts: SessionFacts | undefined
  #state: State = idle
  /** Connections in a row that broke before their first answer. */
  #failures = 0
  #connectNotBeforeMs = 0
  /** Sent and not answered, oldest first. */
  #inFlight: Pending[] = []
  #waiting: Pending[] = []
  #pumpScheduled = false
  #cancelDeadline: (() => void) | undefined
  #closing: PromiseWithResolvers<void> | undefined

  constructor(options: TransportOptions) {
    this.#options = options
    this.#limits = settings(options)
    this.#clock = options.clock ?? machineClock
  }

  /** What the newest handshake agreed on; undefined before the first. */
  get facts(): SessionFacts | undefined {
    return this.#facts
  }

  /** Requests that have no answer yet, sent or not. */
  get pendingCount(): number {
    return this.#inFlight.length + this.#waiting.length
  }

  /**
   * Sends one whole request and gives the whole response that answers it. The bytes are the transport's until then.
   * @throws ConnectionLost, RequestTimeout, QueueFull, ClientClosed (by rejection)
   */
  send(bytes: Uint8Array): Promise<Buffer> {
    if (this.#closing !== undefined) return Promise.reject(new ClientClosed())
    if (this.#waiting.length >= this.#limits.queueMax) return Promise.reject(new QueueFull(this.#limits.queueMax))
    return new Promise((resolve, reject) => {
      this.#waiting.push({ bytes, deadlineMs: this.#clock.nowMs() + this.#limits.timeoutMs, resolve, reject })
      this.#watchDeadlines()
      this.#schedulePump()
    })
  }

  /** Takes no more requests, waits for the answers to those taken, then ends the connection. */
  close(): Promise<void> {
    this.#closing ??= Promise.withResolvers<void>()
    this.#settleClose()
    return this.#closing.promise
  }

  /** Ends the connection at once; requests that were sent reject with ConnectionLost, the others with ClientClosed. */
  destroy(): void {
    this.#closing ??= Promise.withResolvers<void>()
    this.#drop(new ConnectionLost(true, 'the client was destroyed'))
    this.#rejectWaiting(new ClientClosed())
    this.#settleClose()
  }

  /** All that is sent in one turn of the event loop goes in one write: one TLS record, one system call. */
  #schedulePump(): void {
    if (this.#pumpScheduled) return
    this.#pumpScheduled = true
    process.nextTick(() => {
      this.#pumpScheduled = false
      this.#pump()
    })
  }

  /** Moves the state on as far as it goes: connects if need be, sends what may be sent. */
  #pump(): void {
    const state = this.#state
    if (this.#waiting.length === 0) return
    if (state.kind === 'idle') return this.#connectInTime()
    if (state.kind !== 'open') return
    const room = this.#limits.pipelineMax - this.#inFlight.length
    if (room <= 0 || state.socket.writableNeedDrain) return
    const sending = this.#waiting.splice(0, room)
    this.#inFlight.push(...sending)
    const first = sending[0]
    if (sending.length === 1 && first !== undefined) state.socket.write(first.bytes)
    else state.socket.write(Buffer.concat(sending.map((entry) => entry.bytes)))
  }

  #connectInTime(): void {
    const delayMs = this.#connectNotBeforeMs - this.#clock.nowMs()
    if (delayMs <= 0) return this.#connect()
    const cancel = this.#clock.after(delayMs, () => {
      this.#state = idle
      if (this.#waiting.length > 0) this.#connect()
    })
    this.#state = { kind: 'backingOff', cancel }
  }

  #connect(): void {
    let socket: TLSSocket
    try {
      this.#context ??= createSecureContext(contextOptions(this.#options))
      socket = connect({
        host: this.#options.host,
        port: this.#options.port,
        secureContext: this.#context,
        ...(this.#options.servername === undefined ? {} : { servername: this.#options.servername }),
        ...(this.#session === undefined ? {} : { session: this.#session }),
      })
    } catch (error) {
      // A key that does not belong to its certificate, for example: no later attempt would fare better.
      this.#rejectWaiting(new ConnectionLost(false, 'the connection could not be prepared', error))
      return this.#settleClose()
    }
    socket.setNoDelay(true)
    socket.setKeepAlive(true, keepAliveDelayMs)
    const limitMs = this.#limits.connectTimeoutMs
    const cancelTimeout = this.#clock.after(limitMs, () =>
      this.#lost(socket, new Error(`no connection within ${limitMs} ms`)),
    )
    this.#state = { kind: 'connecting', socket, cancelTimeout }
    socket.on('session', (ticket) => {
      this.#session = ticket
    })
    socket.on('secureConnect', () => this.#opened(socket))
    socket.on('data', (chunk: Buffer) => this.#received(socket, chunk))
    socket.on('drain', () => this.#pump())
    socket.on('end', () => this.#lost(socket, undefined))
    socket.on('error', (error) => this.#lost(socket, error))
    socket.on('close', () => this.#lost(socket, undefined))
  }

  #opened(socket: TLSSocket): void {
    if (this.#state.kind !== 'connecting' || this.#state.socket !== socket) return
    this.#state.cancelTimeout()
    this.#facts = {
      protocol: socket.getProtocol() ?? 'unknown',
      cipher: socket.getCipher().name,
      resumed: socket.isSessionReused(),
    }
    this.#state = { kind: 'open', socket, framer: new Framer(Tag.ResponseMessage, this.#limits.responseSizeMax) }
    this.#pump()
  }

  #received(socket: TLSSocket, chunk: Buffer): void {
    const state = this.#state
    if (state.kind !== 'open' || state.socket !== socket) return
    try {
      state.framer.push(chunk)
      for (let response = state.framer.next(); response !== undefined; response = state.framer.next()) {
        const answered = this.#inFlight.shift()
        if (answered === undefined) throw new Error('an answer came to no request')
        this.#failures = 0
        answered.resolve(response)
      }
    } catch (error) {
      // Not TTLV, or beyond a bound: where the next message starts is not known any more.
      return this.#lost(socket, error)
    }
    this.#pump()
    this.#settleClose()
  }

  /** This socket is of no more use. A socket that was given up before is no news. */
  #lost(socket: TLSSocket, cause: unknown): void {
    const state = this.#state
    if ((state.kind !== 'open' && state.kind !== 'connecting') || state.socket !== socket) return
    this.#drop(new ConnectionLost(true, 'the connection broke before the answer came', cause))
    if (state.kind === 'connecting') {
      // A ticket may be what the server did not like.
      this.#session = undefined
      this.#rejectWaiting(new ConnectionLost(false, 'the connection could not be made', cause))
    }
    this.#pump()
    this.#settleClose()
  }

  /** Gives up the connection, if there is one: all that is in flight rejects with this error. */
  #drop(error: Error): void {
    const state = this.#state
    this.#state = idle
    if (state.kind === 'backingOff') state.cancel()
    if (state.kind === 'connecting') state.cancelTimeout()
    if (state.kind === 'open' || state.kind === 'connecting') {
      state.socket.destroy()
      this.#failures += 1
      this.#connectNotBeforeMs = this.#clock.nowMs() + this.#delayMs(state.kind === 'open')
    }
    const lost = this.#inFlight
    this.#inFlight = []
    for (const entry of lost) entry.reject(error)
  }

  /** Nothing after a connection that had worked; else twice as long each time, and spread, so that many clients do not come at once. */
  #delayMs(opened: boolean): number {
    if (opened && this.#failures <= 1) return 0
    const { reconnectDelayMs, reconnectDelayMaxMs } = this.#limits
    const fullMs = Math.min(reconnectDelayMaxMs, reconnectDelayMs * 2 ** Math.min(30, this.#failures - 1))
    return fullMs * (0.5 + this.#clock.luck() / 2)
  }

  #rejectWaiting(error: Error): void {
    const waiting = this.#waiting
    this.#waiting = []
    for (const entry of waiting) entry.reject(error)
  }

  /** One timer for all: requests are answered, and time out, in the order in which they came. */
  #watchDeadlines(): void {
    const oldest = this.#inFlight[0] ?? this.#waiting[0]
    if (this.#cancelDeadline !== undefined || oldest === undefined) return
    this.#cancelDeadline = this.#clock.after(Math.max(0, oldest.deadlineMs - this.#clock.nowMs()), () => {
      this.#cancelDeadline = undefined
      this.#expire()
      this.#watchDeadlines()
    })
  }

  #expire(): void {
    const nowMs = this.#clock.nowMs()
    const isLate = (entry: Pending) => entry.deadlineMs <= nowMs
    const late = this.#waiting.filter(isLate)
    this.#waiting = this.#waiting.filter((entry) => !isLate(entry))
    for (const entry of late) entry.reject(new RequestTimeout(false, this.#limits.timeoutMs))
    const sentLate = this.#inFlight.filter(isLate)
    if (sentLate.length > 0) {
      this.#inFlight = this.#inFlight.filter((entry) => !isLate(entry))
      for (const entry of sentLate) entry.reject(new RequestTimeout(true, this.#limits.timeoutMs))
      this.#drop(new ConnectionLost(true, 'an earlier answer did not come in time'))
      this.#pump()
    }
    this.#settleClose()
  }

  /** Ends the connection once a close was asked for and nothing is pending. */
  #settleClose(): void {
    const closing = this.#closing
    if (this.pendingCount > 0 || (closing === undefined && this.#state.kind !== 'idle')) return
    // Nothing is left that could be late; an armed timer would only keep the process alive.
    this.#cancelDeadline?.()
    this.#cancelDeadline = undefined
    if (closing === undefined) return
    const state = this.#state
    this.#state = idle
    if (state.kind === 'backingOff') state.cancel()
    if (state.kind === 'connecting') {
      state.cancelTimeout()
      state.socket.destroy()
    }
    if (state.kind !== 'open') return closing.resolve()
    state.socket.once('close', () => closing.resolve())
    state.socket.destroySoon()
  }
}

const contextOptions = (options: TransportOptions) => ({
  ...(options.ca === undefined
    ? {}
    : { ca: Array.isArray(options.ca) ? [...options.ca] : (options.ca as string | Buffer) }),
  ...(options.cert === undefined ? {} : { cert: options.cert }),
  ...(options.key === undefined ? {} : { key: options.key }),
  ...(options.passphrase === undefined ? {} : { passphrase: options.passphrase }),
  ...(options.minVersion === undefined ? {} : { minVersion: options.minVersion }),
  ...(options.maxVersion === undefined ? {} : { maxVersion: options.maxVersion }),
  ...(options.ciphers === undefined ? {} : { ciphers: options.ciphers }),
})
