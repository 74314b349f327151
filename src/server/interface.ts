/**
 * The interface actor: one KMIP port. What it is: the TLS listener, its sessions and their number, and the change of its
 * settings while sessions go on. What it is not: the sessions' inside (connection.ts), whom they act as (session.ts), the
 * TLS options (tls.ts), or the set of interfaces and their records (interfaces.ts).
 */

import type { Socket } from 'node:net'
import { createServer, type Server, type TLSSocket } from 'node:tls'
import type { Clock } from '#actor/clock'
import { Connection, type ConnectionEnd, type ConnectionLimits } from './connection.ts'
import { clientOf } from './holdings.ts'
import { type KeptSession, type KeptSessions, rememberSessions } from './kept-sessions.ts'
import { PeerSession, type SessionLog, type SessionParts, type SessionRules } from './session.ts'
import type { SessionCount } from './session-count.ts'
import { hear, SocketOutput } from './session-socket.ts'
import {
  addressOf,
  type HandshakeRefusal,
  handshakeRefusal,
  heldHandshakes,
  isAllowed,
  listenOn,
  revokedRefusal,
  sameMaterial,
  secureContextOptions,
  shownBy,
  type TlsLimits,
  type TlsMaterial,
  tlsServerOptions,
} from './tls.ts'

/** Events of an interface that the log wants; each says what to do about it. */
export interface InterfaceLog extends SessionLog {
  handshakeRefused(event: HandshakeRefusal & { readonly interface: string; readonly address: string }): void
  sessionOpened(event: { readonly address: string; readonly user: string }): void
  sessionEnded(event: { readonly address: string; readonly reason: ConnectionEnd; readonly detail: string }): void
  /** Connections were refused: the first, and then those of each second together, for a storm must not fill the log. */
  sessionsExhausted(event: {
    readonly address: string
    readonly limit: 'sessionsMax' | 'sessionsPerAddressMax' | 'failedSessionsPerAddressMax'
    readonly sessionsMax: number
    /** Refused since the last such line. */
    readonly refused: number
  }): void
}

export interface InterfaceLimits extends ConnectionLimits, Omit<TlsLimits, 'minTlsVersion'> {
  readonly sessionsMax: number
  /** Of one address and one thread: what a single machine does must leave room for the others. */
  readonly sessionsPerAddressMax: number
  readonly failedSessionsPerAddressMax: number
  readonly tlsSessionsCachedMax: number
}

/** What an administrator can change while the interface runs. */
export interface InterfaceSettings {
  readonly name: string
  /** An address, or `all`. */
  readonly host: string
  /** 0: any free one. */
  readonly port: number
  readonly minTlsVersion: TlsLimits['minTlsVersion']
  readonly material: TlsMaterial
  readonly rules: SessionRules
}

export interface InterfaceOptions {
  readonly settings: InterfaceSettings
  readonly limits: InterfaceLimits
  readonly parts: SessionParts
  /** Sessions of all interfaces and threads together, which `sessionsMax` bounds. */
  readonly sessions: SessionCount
  /** Whether other threads listen on the same ports. */
  readonly shared?: boolean
  /** Told of TLS sessions that are kept by their identifier, so that other threads keep them too. */
  readonly onKept?: (session: KeptSession) => void
  readonly clock: Clock
  readonly log: InterfaceLog
}

/** A change that can still be taken back: a new port is listened on already, and nothing else has happened. */
export interface PreparedChange {
  readonly apply: () => void | Promise<void>
  readonly abandon: () => void
}

/** An interface, as those have it who change it: it runs in this thread, or in others. */
export interface InterfaceActor {
  readonly settings: InterfaceSettings
  /** Where it listens; undefined before `start`. */
  readonly port: number | undefined
  /** Listens on its port, if it does not already. Gives the port. Rejects when it cannot be had. */
  start(failed: (reason: unknown) => void): Promise<number>
  /** Makes ready for other settings. @throws what the system says of a port that cannot be had */
  prepare(next: InterfaceSettings): Promise<PreparedChange>
  /** New sessions are resumed by tickets under these keys alone. */
  setTicketKeys(keys: Uint8Array): void | Promise<void>
  /** Ends the sessions of a client: what it has asked is answered, no more is taken. */
  endSessionsOf(fingerprint: string): void
  /** No new sessions and requests; resolves when what was taken is answered, or when the time is over. */
  stop(drainTimeoutMs: number): Promise<void>
}

interface Session {
  readonly socket: Socket
  /** From the end of the handshake on. */
  secured: { readonly socket: TLSSocket; readonly connection: Connection; readonly peer: PeerSession } | undefined
}

interface Listener {
  readonly server: Server
  readonly port: number
  readonly kept: KeptSessions
  failed: boolean
}

/** How sessions end that came to nothing. */
const fruitless: ReadonlySet<ConnectionEnd> = new Set([
  'unused',
  'framing',
  'request timeout',
  'slow reader',
  'refused',
])

/** A line of refused connections stands for all of so much time. */
const exhaustedToldMs = 1_000

/** A listening port. */
export class KmipInterface implements InterfaceActor {
  readonly #options: InterfaceOptions
  #settings: InterfaceSettings
  #listener: Listener | undefined
  /** Every TCP connection by its two ends. Those of a port that was left go on. */
  readonly #sessions = new Map<string, Session>()
  /** How many of them each address has. */
  readonly #sessionsOf = new Map<string, number>()
  #exhausted = { toldAtMs: Number.NEGATIVE_INFINITY, refused: 0 }
  readonly #closing = new Set<Promise<void>>()
  #draining = false
  #failed: (reason: unknown) => void = () => undefined

  constructor(options: InterfaceOptions) {
    this.#options = options
    this.#settings = options.settings
  }

  get settings(): InterfaceSettings {
    return this.#settings
  }

  /** Where it listens; undefined before `start`. */
  get port(): number | undefined {
    return this.#listener?.port
  }

  /**
   * Listens on its port, if it does not already. Gives the port. Rejects when it cannot be had.
   * @param failed told when the listener fails later; `start` is then to be called again
   */
  async start(failed: (reason: unknown) => void): Promise<number> {
    this.#failed = failed
    if (this.#listener?.failed === false) return this.#listener.port
    if (this.#listener !== undefined) this.#leave(this.#listener)
    // A port that the system chose stays the interface's own.
    this.#listener = await this.#listen(this.#settings, this.#listener?.port ?? this.#settings.port)
    return this.#listener.port
  }

  /**
   * Makes ready for other settings. A new address or port is listened on before anything is given up.
   * @throws what the system says of a port that cannot be had
   */
  async prepare(next: InterfaceSettings): Promise<PreparedChange> {
    const { host, port } = this.#settings
    const moves =
      this.#listener !== undefined && (next.host !== host || (next.port !== port && next.port !== this.port))
    const listener = moves ? await this.#listen(next, next.port) : undefined
    // What came from another thread is a copy: the same as long as its content is.
    const { material } = this.#settings
    const settled = sameMaterial(next.material, material) ? { ...next, material } : next
    return {
      apply: () => this.#apply(settled, listener),
      abandon: () => void listener?.server.close(),
    }
  }

  /** New sessions are resumed by tickets under these keys alone. */
  setTicketKeys(ticketKeys: Uint8Array): void {
    this.#settings = { ...this.#settings, material: { ...this.#settings.material, ticketKeys } }
    this.#listener?.server.setTicketKeys(Buffer.from(ticketKeys))
  }

  /** Keeps a TLS session that another thread has made under the ticket keys of now. */
  keepSession(session: KeptSession): void {
    this.#listener?.kept.keep(session)
  }

  /** Looks at every session again, because what is trusted, or revoked, has changed; those that are no longer allowed end. */
  review(): void {
    this.#renewContext()
    const { minTlsVersion, material } = this.#settings
    const { clock, parts } = this.#options
    const trust = { minTlsVersion, material, nowSeconds: clock.nowSeconds(), store: parts.store }
    for (const { secured } of this.#sessions.values()) {
      if (secured === undefined) continue
      const { socket, connection } = secured
      if (!isAllowed(socket, trust)) connection.drain()
    }
  }

  /** Ends the sessions of a client: what it has asked is answered, no more is taken. */
  endSessionsOf(fingerprint: string): void {
    for (const { secured } of this.#sessions.values()) {
      if (secured?.peer.peer.fingerprint === fingerprint) secured.connection.drain()
    }
  }

  /** No new sessions and requests; resolves when what was taken is answered, or when the time is over and the rest is cut off. */
  async stop(drainTimeoutMs: number): Promise<void> {
    this.#draining = true
    if (this.#listener !== undefined) this.#leave(this.#listener)
    this.#listener = undefined
    for (const { socket, secured } of this.#sessions.values()) {
      if (secured === undefined) socket.destroy()
      else secured.connection.drain()
    }
    const cancel = this.#options.clock.after(drainTimeoutMs, () => {
      for (const { socket } of this.#sessions.values()) socket.destroy()
    })
    await Promise.all(this.#closing)
    cancel()
  }

  async #listen(settings: InterfaceSettings, port: number): Promise<Listener> {
    const { limits, clock } = this.#options
    const server = createServer(tlsServerOptions(settings.material, this.#tlsLimits(settings)))
    const { tlsSessionsCachedMax, tlsSessionLifetimeSeconds } = limits
    const kept = rememberSessions(server, tlsSessionsCachedMax, tlsSessionLifetimeSeconds, clock, this.#options.onKept)
    const begin = heldHandshakes(server)
    server.on('connection', (socket: Socket) => this.#accept(socket, () => begin(socket)))
    server.on('secureConnection', (socket) => this.#secured(socket))
    server.on('tlsClientError', (error, socket) => {
      this.#refused(socket, handshakeRefusal(error, socket))
      // Node closes what it refuses by itself, but not who is late: such a peer would keep its place for good.
      socket.destroy()
    })
    const failed = (reason: unknown): void => {
      listener.failed = true
      this.#failed(reason)
    }
    const listener = {
      server,
      port: await listenOn(server, settings.host, port, failed, this.#options.shared),
      kept,
      failed: false,
    }
    return listener
  }

  #tlsLimits({ minTlsVersion }: InterfaceSettings): TlsLimits {
    const isOld = minTlsVersion === 'TLSv1' || minTlsVersion === 'TLSv1.1'
    const { tlsProfile } = this.#options.limits
    // The old versions know no suite of the modern profile.
    return { ...this.#options.limits, minTlsVersion, tlsProfile: isOld ? 'compatible' : tlsProfile }
  }

  #apply(next: InterfaceSettings, listener: Listener | undefined): void {
    const before = this.#settings
    this.#settings = next
    if (listener !== undefined) {
      if (this.#listener !== undefined) this.#leave(this.#listener)
      this.#listener = listener
    }
    const { minTlsVersion, material } = before
    if (next.minTlsVersion !== minTlsVersion || next.material !== material) this.review()
  }

  /** New sessions are made by the settings of now, and none that was made before is taken up again. */
  #renewContext(): void {
    if (this.#listener === undefined) return
    const { server, kept } = this.#listener
    server.setSecureContext(secureContextOptions(this.#settings.material, this.#tlsLimits(this.#settings)))
    kept.forget()
  }

  /** Takes no more sessions on a port; those that are there go on. */
  #leave({ server }: Listener): void {
    const closed = new Promise<void>((resolve) => server.close(() => resolve()))
    this.#closing.add(closed)
    void closed.then(() => this.#closing.delete(closed))
  }

  /** Takes a connection, now or when its turn comes, or closes it: whether there is room. */
  #accept(socket: Socket, begin: () => void): void {
    if (this.#draining) return void socket.destroy()
    const { limits, sessions, parts } = this.#options
    const address = socket.remoteAddress ?? 'unknown'
    const ofAddress = this.#sessionsOf.get(address) ?? 0
    const limit =
      sessions.total >= limits.sessionsMax
        ? 'sessionsMax'
        : ofAddress >= limits.sessionsPerAddressMax
          ? 'sessionsPerAddressMax'
          : undefined
    if (limit !== undefined) return this.#refuse(socket, address, limit)
    this.#enter(socket, address)
    if (!parts.entrance.take(socket, address, begin)) this.#refuse(socket, address, 'failedSessionsPerAddressMax')
  }

  /** It counts from now until it is closed. */
  #enter(socket: Socket, address: string): void {
    const { sessions } = this.#options
    const ends = endsOf(socket)
    this.#sessions.set(ends, { socket, secured: undefined })
    this.#sessionsOf.set(address, (this.#sessionsOf.get(address) ?? 0) + 1)
    sessions.entered()
    socket.once('close', () => {
      this.#sessions.delete(ends)
      const left = (this.#sessionsOf.get(address) ?? 0) - 1
      if (left > 0) this.#sessionsOf.set(address, left)
      else this.#sessionsOf.delete(address)
      sessions.left()
    })
  }

  #refuse(
    socket: Socket,
    address: string,
    limit: 'sessionsMax' | 'sessionsPerAddressMax' | 'failedSessionsPerAddressMax',
  ): void {
    const { limits, log, clock } = this.#options
    socket.destroy()
    this.#exhausted.refused += 1
    const nowMs = clock.monotonicMs()
    if (nowMs - this.#exhausted.toldAtMs < exhaustedToldMs) return
    log.sessionsExhausted({ address, limit, sessionsMax: limits[limit], refused: this.#exhausted.refused })
    this.#exhausted = { toldAtMs: nowMs, refused: 0 }
  }

  #refused(socket: TLSSocket, refusal: HandshakeRefusal): void {
    const { name } = this.#settings
    const address = addressOf(socket)
    this.#options.parts.entrance.strike(address)
    this.#options.log.handshakeRefused({ interface: name, address, ...refusal })
  }

  #secured(socket: TLSSocket): void {
    const { clock, limits, log, parts } = this.#options
    // Who ends its side of a session still gets its answers. Not sooner: who ends it before the handshake only knocked.
    socket.allowHalfOpen = true
    // Node would join answers that wait into one TLS record, and clients exist that take a record for one answer.
    Object.assign(socket, { _writev: undefined })
    const shown = shownBy(socket, parts.store)
    const { address, fingerprint } = shown
    const peer = new PeerSession(parts, shown, () => this.#settings.rules)
    // The library wants the lists of all CAs or of none, and looks at none when a session is resumed.
    if (peer.isRevoked) {
      this.#refused(socket, revokedRefusal)
      socket.destroy()
      return
    }
    const connection = new Connection({
      output: new SocketOutput(socket, clock, limits.requestTimeoutMs),
      responder: peer,
      limits,
      holders: peer.holders(),
      client: clientOf(peer.peer),
      clock,
      onEnd: (reason, detail) => {
        if (fruitless.has(reason)) parts.entrance.strike(address)
        log.sessionEnded({ address, reason, detail })
      },
    })
    const session = this.#sessions.get(endsOf(socket))
    if (session !== undefined) session.secured = { socket, connection, peer }
    hear(socket, connection)
    log.sessionOpened({ address, user: fingerprint ?? 'none' })
  }
}

/** What tells the two sockets of a session, TCP and TLS, from all others of the machine. */
const endsOf = ({ localAddress, localPort, remoteAddress, remotePort }: Socket): string =>
  `${remoteAddress}|${remotePort}|${localAddress}|${localPort}`
