/**
 * The interface actor: one KMIP port. What it is: the TLS listener, its sessions and their number, and the identity of each
 * request. What it is not: the sessions' inside (connection.ts) or the TLS options (tls.ts).
 */

import type { Socket } from 'node:net'
import { createServer, type Server, type TLSSocket } from 'node:tls'
import type { Clock } from '#actor/clock'
import type { Store } from '#store/store'
import { Connection, type ConnectionEnd, type ConnectionLimits, type Output, type Responder } from './connection.ts'
import type { Dispatcher } from './dispatch.ts'
import { binaryEncoding } from './encodings.ts'
import { answerFor, type SessionLog } from './session.ts'
import {
  handshakeRefusal,
  listenOn,
  peerFingerprint,
  rememberSessions,
  secureContextOptions,
  type TlsLimits,
  type TlsMaterial,
  tlsServerOptions,
} from './tls.ts'

/** Events of an interface that the log wants; each says what to do about it. */
export interface InterfaceLog extends SessionLog {
  handshakeRefused(event: {
    readonly address: string
    readonly code: string
    readonly reason: string
    readonly remedy: string
    readonly quiet: boolean
  }): void
  sessionOpened(event: { readonly address: string; readonly user: string }): void
  sessionEnded(event: { readonly address: string; readonly reason: ConnectionEnd; readonly detail: string }): void
  sessionsExhausted(event: { readonly address: string; readonly sessionsMax: number }): void
}

export interface InterfaceLimits extends ConnectionLimits, TlsLimits {
  readonly sessionsMax: number
  readonly tlsSessionsCachedMax: number
}

export interface InterfaceOptions {
  readonly host: string
  readonly material: TlsMaterial
  readonly limits: InterfaceLimits
  readonly dispatcher: Dispatcher
  readonly store: Store
  readonly clock: Clock
  readonly log: InterfaceLog
}

interface Session {
  readonly socket: Socket
  connection: Connection | undefined
}

/** A listening port. */
export class KmipInterface {
  readonly #options: InterfaceOptions
  readonly #server: Server
  /** Every TCP connection by its peer's address and port; the actor is there once the handshake is done. */
  readonly #sessions = new Map<string, Session>()
  #draining = false

  constructor(options: InterfaceOptions) {
    this.#options = options
    const { material, limits, clock } = options
    this.#server = createServer({ ...tlsServerOptions(material, limits), allowHalfOpen: true })
    rememberSessions(this.#server, limits.tlsSessionsCachedMax, limits.tlsSessionLifetimeSeconds, clock)
    this.#server.on('connection', (socket: Socket) => this.#accept(socket))
    this.#server.on('secureConnection', (socket) => this.#secured(socket))
    this.#server.on('tlsClientError', (error, socket) => {
      options.log.handshakeRefused({ address: socket.remoteAddress ?? 'unknown', ...handshakeRefusal(error, socket) })
    })
  }

  /**
   * Listens on the port, or on any free one for 0. Gives the port. Rejects when it cannot be had.
   * @param failed told when the listener fails later
   */
  start(port: number, failed: (reason: unknown) => void): Promise<number> {
    return listenOn(this.#server, this.#options.host, port, failed)
  }

  /** Takes new certificates or trusted CAs for the sessions to come; those that are open live on. */
  setMaterial(material: TlsMaterial): void {
    this.#server.setSecureContext(secureContextOptions(material, this.#options.limits))
  }

  /** No new sessions and requests; resolves when what was taken is answered, or when the time is over and the rest is cut off. */
  async stop(drainTimeoutMs: number): Promise<void> {
    this.#draining = true
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()))
    for (const { socket, connection } of this.#sessions.values()) {
      if (connection === undefined) socket.destroy()
      else connection.drain()
    }
    const cancel = this.#options.clock.after(drainTimeoutMs, () => {
      for (const { socket } of this.#sessions.values()) socket.destroy()
    })
    await closed
    cancel()
  }

  #accept(socket: Socket): void {
    const { limits, log } = this.#options
    if (this.#sessions.size >= limits.sessionsMax || this.#draining) {
      if (!this.#draining)
        log.sessionsExhausted({ address: socket.remoteAddress ?? 'unknown', sessionsMax: limits.sessionsMax })
      socket.destroy()
      return
    }
    const peer = peerOf(socket)
    this.#sessions.set(peer, { socket, connection: undefined })
    socket.once('close', () => this.#sessions.delete(peer))
  }

  #secured(socket: TLSSocket): void {
    const { clock, limits, log } = this.#options
    const address = socket.remoteAddress ?? 'unknown'
    const fingerprint = peerFingerprint(socket)
    const connection = new Connection({
      output: outputTo(socket, clock, limits.requestTimeoutMs),
      responder: this.#responder(fingerprint, address),
      limits,
      clock,
      onEnd: (reason, detail) => log.sessionEnded({ address, reason, detail }),
    })
    const session = this.#sessions.get(peerOf(socket))
    if (session !== undefined) session.connection = connection
    socket.on('data', (chunk: Buffer) => connection.data(chunk))
    socket.on('end', () => connection.ended())
    socket.on('drain', () => connection.drained())
    socket.on('close', () => connection.closed())
    // A peer that aborts is told by `close`, and is no error of ours.
    socket.on('error', () => socket.destroy())
    log.sessionOpened({ address, user: fingerprint ?? 'none' })
  }

  #responder(fingerprint: string | undefined, address: string): Responder {
    return {
      answer: (message) => answerFor(this.#options, { address, fingerprint }, message, binaryEncoding),
      refusal: (error) => this.#options.dispatcher.refusal(error),
    }
  }
}

/** What tells the two sockets of a session, TCP and TLS, from all others of this port. */
const peerOf = (socket: Socket): string => `${socket.remoteAddress}|${socket.remotePort}`

/** @param lingerMs how long a peer may keep its side open after the end of ours; what it sends meanwhile is thrown away */
const outputTo = (socket: TLSSocket, clock: Clock, lingerMs: number): Output => ({
  send: (answer) => socket.write(answer),
  pause: () => void socket.pause(),
  resume: () => void socket.resume(),
  end: () => {
    const cancel = clock.after(lingerMs, () => socket.destroy())
    socket.once('close', cancel)
    // The peer's own end is seen by a socket that is read.
    socket.resume()
    socket.end()
  },
  destroy: () => void socket.destroy(),
})
