/**
 * Messages in HTTPS (KMIP Profiles 1.4 §5.5 to §5.7): POST to /kmip on a port of its own, the content type choosing the
 * encoding. What it is: HTTP around the dispatcher, under the bounds and the identity rules of a KMIP interface, which it
 * follows as that changes. What it is not: another way to a dispatcher's insides, or a web server.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer, type Server } from 'node:https'
import type { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import type { Clock } from '#actor/clock'
import { errorText } from '#actor/error-text'
import { awaitable } from '#actor/later'
import { nextSlice } from '#actor/slices'
import { ResultReason } from '#kmip/enums'
import { KmipError } from '#kmip/errors'
import { bytesOf, type ConnectionLimits, LastAnswer, largeRequestBytes, readingMs } from './connection.ts'
import { type Encoding, encodings } from './encodings.ts'
import { clientOf, type Holder } from './holdings.ts'
import type { InterfaceLog, InterfaceSettings } from './interface.ts'
import { PeerSession, type SessionParts } from './session.ts'
import {
  addressOf,
  handshakeRefusal,
  heldHandshakes,
  isAllowed,
  listenOn,
  revokedRefusal,
  secureContextOptions,
  shownBy,
  type TlsLimits,
  tlsServerOptions,
} from './tls.ts'

export interface HttpsLimits extends ConnectionLimits, Omit<TlsLimits, 'minTlsVersion'> {
  readonly sessionsMax: number
}

export interface HttpsOptions {
  readonly host: string
  /** Of the KMIP interface whose certificates and rules it has. */
  readonly settings: () => InterfaceSettings
  readonly limits: HttpsLimits
  readonly parts: SessionParts
  readonly clock: Clock
  readonly log: InterfaceLog
}

/** One TLS session: how many of its requests are unanswered, and when the last of them will be: answers keep their order. */
interface Session {
  readonly socket: TLSSocket
  readonly peer: PeerSession
  count: number
  last: Promise<void>
  /** The newest request, and when those before it will be answered. */
  newest: IncomingMessage | undefined
  earlier: Promise<void>
  /** What was taken is answered, and nothing more. */
  ending: boolean
}

/** The path of the profile. */
const path = '/kmip'

/** What is said of bytes that are no request, by the library's code: the status line's end. */
const unreadable: ReadonlyMap<string | undefined, string> = new Map([
  ['HPE_HEADER_OVERFLOW', '431 Request Header Fields Too Large'],
  ['HPE_CHUNK_EXTENSIONS_OVERFLOW', '413 Payload Too Large'],
  ['ERR_HTTP_REQUEST_TIMEOUT', '408 Request Timeout'],
])

/** A listening HTTPS port. */
export class HttpsInterface {
  readonly #options: HttpsOptions
  readonly #server: Server
  readonly #sessions = new Map<Socket, Session>()
  readonly #sockets = new Set<Socket>()

  constructor(options: HttpsOptions) {
    this.#options = options
    const { limits, log } = options
    this.#server = createServer({
      ...tlsServerOptions(options.settings().material, this.#tlsLimits()),
      requestTimeout: limits.requestTimeoutMs,
      headersTimeout: limits.requestTimeoutMs,
      keepAliveTimeout: limits.idleTimeoutMs,
    })
    this.#server.maxConnections = limits.sessionsMax
    const begin = heldHandshakes(this.#server)
    this.#server.on('connection', (socket: Socket) => {
      // Asked for once, an address is known for as long as the socket is.
      const address = socket.remoteAddress ?? 'unknown'
      this.#sockets.add(socket)
      socket.once('close', () => this.#sockets.delete(socket))
      if (!options.parts.entrance.take(socket, address, () => begin(socket))) socket.destroy()
    })
    this.#server.on('drop', (peer) =>
      log.sessionsExhausted({
        address: peer?.remoteAddress ?? 'unknown',
        sessionsMax: limits.sessionsMax,
        limit: 'sessionsMax',
        refused: 1,
      }),
    )
    this.#server.on('tlsClientError', (error, socket) => {
      const address = addressOf(socket)
      options.parts.entrance.strike(address)
      log.handshakeRefused({ interface: 'https', address, ...handshakeRefusal(error, socket) })
      socket.destroy()
    })
    this.#server.on('secureConnection', (socket: TLSSocket) => this.#secured(socket))
    this.#server.on('clientError', (error: NodeJS.ErrnoException, socket) => this.#unreadable(error, socket as Socket))
    this.#server.on('request', (request: IncomingMessage, response: ServerResponse) => this.#take(request, response))
  }

  /**
   * Listens on the port, or on any free one for 0. Gives the port. Rejects when it cannot be had.
   * @param failed told when the listener fails later
   */
  start(port: number, failed: (reason: unknown) => void): Promise<number> {
    return listenOn(this.#server, this.#options.host, port, failed)
  }

  /** Takes the certificates and versions that the KMIP interface has now; sessions that these do not allow end. */
  renew(): void {
    const { settings, clock, parts } = this.#options
    const { material, minTlsVersion } = settings()
    const trust = { minTlsVersion, material, nowSeconds: clock.nowSeconds(), store: parts.store }
    this.#server.setSecureContext(secureContextOptions(material, this.#tlsLimits()))
    for (const session of this.#sessions.values()) {
      if (!isAllowed(session.socket, trust)) this.#end(session)
    }
  }

  /** Ends the sessions of a client: what it has asked is answered, no more is taken. */
  endSessionsOf(fingerprint: string): void {
    for (const session of this.#sessions.values()) {
      if (session.peer.peer.fingerprint === fingerprint) this.#end(session)
    }
  }

  /** No new sessions and requests; resolves when what was taken is answered, or when the time is over and the rest is cut off. */
  async stop(drainTimeoutMs: number): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()))
    this.#server.closeIdleConnections()
    const cancel = this.#options.clock.after(drainTimeoutMs, () => {
      for (const socket of this.#sockets) socket.destroy()
    })
    await closed
    cancel()
  }

  #end(session: Session): void {
    session.ending = true
    if (session.count === 0) session.socket.destroy()
  }

  #tlsLimits(): TlsLimits {
    return { ...this.#options.limits, minTlsVersion: this.#options.settings().minTlsVersion }
  }

  #secured(socket: TLSSocket): void {
    const { log, parts, settings } = this.#options
    const shown = shownBy(socket, parts.store)
    const peer = new PeerSession(parts, shown, () => settings().rules)
    if (peer.isRevoked) {
      log.handshakeRefused({ interface: 'https', address: shown.address, ...revokedRefusal })
      socket.destroy()
      return
    }
    const answered = Promise.resolve()
    const none = { count: 0, last: answered, newest: undefined, earlier: answered }
    this.#sessions.set(socket, { socket, peer, ...none, ending: false })
    socket.once('close', () => this.#sessions.delete(socket))
  }

  /** Answers in the order of the requests, whatever each takes. */
  #take(request: IncomingMessage, response: ServerResponse): void {
    const { socket } = request
    const session = this.#sessions.get(socket)
    if (session === undefined) return void socket.destroy()
    // Of a session that ends no more is taken; but what was taken before is answered.
    session.ending ||= session.count >= this.#options.limits.unansweredRequestsMax
    if (session.ending) return
    session.count += 1
    session.newest = request
    session.earlier = session.last
    session.last = session.last
      .then(() => this.#answer(session, request, response))
      .catch((error: unknown) => {
        // The peer went while it was still sending, or is too slow: nobody is left to be told.
        this.#options.log.sessionEnded({
          address: socket.remoteAddress ?? 'unknown',
          reason: 'peer',
          detail: errorText(error),
        })
        socket.destroy()
      })
      .finally(() => {
        session.count -= 1
        if (session.ending && session.count === 0) socket.destroySoon()
      })
  }

  /** What came is no HTTP, or not complete in time: what was asked before it is answered, then that is said. */
  #unreadable({ code }: NodeJS.ErrnoException, socket: Socket): void {
    const session = this.#sessions.get(socket)
    if (session === undefined) return void socket.destroy()
    const before = session.newest?.complete === false ? session.earlier : session.last
    void before.then(() => {
      if (socket.writable)
        socket.write(`HTTP/1.1 ${unreadable.get(code) ?? '400 Bad Request'}\r\nConnection: close\r\n\r\n`)
      socket.destroySoon()
    })
  }

  async #answer(session: Session, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const encoding = this.#encodingOf(request, response)
    if (encoding === undefined) return
    const { parts, limits } = this.#options
    const { requestSizeMax } = limits
    const { requests, answers } = session.peer.holders()
    // As large as its head says; without a length, as large as it may be.
    const length = Math.min(Number(request.headers['content-length'] ?? requestSizeMax), requestSizeMax)
    await roomFor(requests, length, request.socket)
    try {
      const message = await bodyOf(request, requestSizeMax)
      if (message === undefined) {
        const tooLarge = new KmipError(ResultReason.InvalidMessage, `A message may have ${requestSizeMax} bytes`)
        return finish(response, 413, encoding, parts.dispatcher.refusal(tooLarge, undefined, encoding), true)
      }
      await roomFor(answers, 0, request.socket)
      if (message.length >= largeRequestBytes) await nextSlice(clientOf(session.peer.peer), readingMs(message.length))
      const answer = await awaitable(session.peer.answer(message, encoding))
      const bytes = bytesOf(answer)
      // Behind the answer that says so nothing more is sent.
      const isLast = session.count === 1 && (session.ending || !this.#server.listening)
      finish(response, 200, encoding, bytes, answer instanceof LastAnswer || isLast)
      await this.#taken(request.socket, response, bytes.length, answers)
    } finally {
      requests.give(length)
    }
  }

  /** Waits until the peer has taken the answer, and ends the session when it does not in time. */
  async #taken(socket: Socket, response: ServerResponse, bytes: number, answers: Holder): Promise<void> {
    if (response.writableFinished) return
    const { clock, limits } = this.#options
    answers.take(bytes)
    const cancel = clock.after(limits.requestTimeoutMs, () => socket.destroy())
    await new Promise<void>((resolve) => response.once('close', resolve).once('finish', resolve))
    cancel()
    answers.give(bytes)
  }

  /** The request's encoding; undefined when it is refused, which is then said. */
  #encodingOf(request: IncomingMessage, response: ServerResponse): Encoding | undefined {
    if ((request.headersDistinct['host']?.length ?? 0) > 1) return refuse(response, 400, {})
    if (pathOf(request.url) !== path) return refuse(response, 404, {})
    if (request.method !== 'POST') return refuse(response, 405, { Allow: 'POST' })
    const type = request.headers['content-type']?.split(';')[0]?.trim().toLowerCase() ?? ''
    return encodings.get(type) ?? refuse(response, 415, { Accept: [...encodings.keys()].join(', ') })
  }
}

/** A request's target in either of its forms (RFC 9112 §3.2.1, §3.2.2): the absolute one names the host too. */
const pathOf = (target = ''): string => target.replace(/^https:\/\/[^/?#]*/i, '')

/** Ends a request that is not one of KMIP, and with it the session: what follows of it is not read. */
const refuse = (response: ServerResponse, status: number, headers: Readonly<Record<string, string>>): undefined => {
  response.writeHead(status, { ...headers, Connection: 'close', 'Content-Length': 0 })
  response.end()
}

const finish = (response: ServerResponse, status: number, encoding: Encoding, body: Buffer, last: boolean): void => {
  response.writeHead(status, {
    'Content-Type': encoding.contentType,
    'Content-Length': body.length,
    'Cache-Control': 'no-cache',
    ...(last ? { Connection: 'close' } : {}),
  })
  response.end(body)
}

/** Waits for room, and holds it; rejects when the peer goes. */
const roomFor = async (holder: Holder, bytes: number, socket: Socket): Promise<void> => {
  if (holder.hasRoom(bytes)) return holder.take(bytes)
  await new Promise<void>((resolve, reject) => {
    const gone = (): void => {
      cancel()
      reject(new Error('the peer went while it waited for room'))
    }
    const cancel = holder.takeInTurn(bytes, () => {
      socket.off('close', gone)
      resolve()
    })
    socket.once('close', gone)
  })
}

/** The whole body, or undefined when it has more bytes. Rejects when the peer goes. */
const bodyOf = async (request: IncomingMessage, sizeMax: number): Promise<Buffer | undefined> => {
  if (Number(request.headers['content-length'] ?? 0) > sizeMax) return undefined
  const chunks: Buffer[] = []
  let size = 0
  // A body that is too long is answered, so its end must not be the connection's.
  for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > sizeMax) return undefined
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}
