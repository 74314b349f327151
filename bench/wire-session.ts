/**
 * One TLS session of the load generator: sends whole requests, cuts answers out of what comes, and hands each to who asked.
 * What it is: as little as that can cost, since the generator shares the machine with the server that it measures: bytes
 * are read into one buffer of the thread, nothing is made for an answer, and no promise for a request. What it is not: a
 * client (client/transport.ts).
 *
 * A session that breaks fails what was in flight and is opened anew for what comes next; nothing is sent twice.
 */
import { type ConnectionOptions, connect, createSecureContext, type TLSSocket } from 'node:tls'
import { Tag } from '#kmip/tags'
import type { Target } from './job.ts'

/** Who asked. Bytes of an answer are only lent: `from` to `to` of a buffer that the next read fills again. */
export interface Exchange {
  answered(bytes: Buffer, from: number, to: number): void
  /**
   * @param name of the error: ConnectionLost, RequestTimeout or MalformedAnswer
   * @param cause what the system or TLS said of it, if anything
   */
  failed(name: string, cause?: Error): void
}

/** How the sessions of a thread are made. */
export interface WireOptions {
  readonly target: Target
  /** Requests in flight on each session; what is more waits. */
  readonly pipelineMax: number
  /** No answer for so long is an error, and the session's end. */
  readonly timeoutMs: number
  /** Milliseconds that only grow. */
  readonly nowMs: () => number
}

interface Pending {
  readonly bytes: Buffer
  readonly exchange: Exchange
  readonly sentMs: number
}

const headerSize = 8
const answerSizeMax = 64 * 1024 * 1024
/** The most that TLS gives at once is a record of 16 KiB; a few of them come together. */
const readBufferSize = 65_536
const connectTimeoutMs = 10_000
const reconnectDelayMs = 50
const reconnectDelayMaxMs = 2000
const answerStart = Tag.ResponseMessage * 256 + 1

/** What all sessions of a thread share: the context with its certificates, and the buffer that sockets are read into. */
export class Wire {
  readonly options: WireOptions
  readonly connectOptions: ConnectionOptions
  readonly buffer = Buffer.allocUnsafeSlow(readBufferSize)
  readonly sessions: WireSession[] = []
  readonly #watch: NodeJS.Timeout

  constructor(options: WireOptions) {
    this.options = options
    const { host, port, ca, cert, key, servername } = options.target
    const secureContext = createSecureContext({
      ca,
      ...(cert === undefined ? {} : { cert }),
      ...(key === undefined ? {} : { key }),
    })
    this.connectOptions = { host, port, secureContext, ...(servername === undefined ? {} : { servername }) }
    // One look at all sessions now and then, in place of a timer for each request.
    this.#watch = setInterval(
      () => {
        for (const session of this.sessions) session.expire()
      },
      Math.max(10, Math.min(250, options.timeoutMs / 4)),
    )
  }

  /** Another session, which connects when something is sent. */
  session(): WireSession {
    const session = new WireSession(this)
    this.sessions.push(session)
    return session
  }

  /** Ends all sessions; what is in flight is told to nobody. */
  close(): void {
    clearInterval(this.#watch)
    for (const session of this.sessions) session.close()
  }
}

/** One session. */
export class WireSession {
  readonly #wire: Wire
  #socket: TLSSocket | undefined
  #isOpen = false
  #isClosed = false
  /** Sent and not answered, oldest first. */
  #inFlight: Pending[] = []
  #waiting: Pending[] = []
  /** The beginning of an answer whose rest has not come yet. */
  #carry = Buffer.alloc(0)
  #carried = 0
  /** While answers of one read are handed out: what is sent meanwhile goes in one write. */
  #gathered: Buffer[] | undefined
  #failures = 0
  #delay: NodeJS.Timeout | undefined

  constructor(wire: Wire) {
    this.#wire = wire
  }

  /** Sends a whole request, now or when there is room. */
  send(bytes: Buffer, exchange: Exchange, sentMs: number): void {
    const pending = { bytes, exchange, sentMs }
    if (this.#isOpen && this.#inFlight.length < this.#wire.options.pipelineMax) this.#write(pending)
    else {
      this.#waiting.push(pending)
      if (this.#socket === undefined && this.#delay === undefined) this.#connect()
    }
  }

  /** Fails what has waited too long, and with it the session: the answers behind it would be told to the wrong ones. */
  expire(): void {
    const oldest = this.#inFlight[0] ?? this.#waiting[0]
    if (oldest === undefined || this.#wire.options.nowMs() - oldest.sentMs < this.#wire.options.timeoutMs) return
    this.#drop('RequestTimeout')
  }

  close(): void {
    this.#isClosed = true
    clearTimeout(this.#delay)
    this.#socket?.destroy()
  }

  #write(pending: Pending): void {
    this.#inFlight.push(pending)
    if (this.#gathered === undefined) this.#socket?.write(pending.bytes)
    else this.#gathered.push(pending.bytes)
  }

  #connect(): void {
    const { connectOptions, buffer } = this.#wire
    const socket = connect({
      ...connectOptions,
      // The types know it of plain sockets only; the runtime takes it for these too.
      onread: {
        buffer,
        callback: (size: number) => {
          this.#received(size)
          return true
        },
      },
    } as ConnectionOptions)
    this.#socket = socket
    const lost = (cause?: Error): void => {
      if (this.#socket === socket) this.#drop('ConnectionLost', cause)
    }
    socket.setNoDelay(true)
    socket.setTimeout(connectTimeoutMs, () => lost(new Error(`no connection within ${connectTimeoutMs} ms`)))
    socket.once('secureConnect', () => {
      socket.setTimeout(0)
      this.#isOpen = true
      this.#fill()
    })
    socket.on('error', lost)
    socket.on('end', () => lost())
    socket.on('close', () => lost())
  }

  /** Sends what waits, as far as there is room. */
  #fill(): void {
    while (this.#isOpen && this.#inFlight.length < this.#wire.options.pipelineMax) {
      const next = this.#waiting.shift()
      if (next === undefined) return
      this.#write(next)
    }
  }

  #received(size: number): void {
    const gathered: Buffer[] = []
    this.#gathered = gathered
    try {
      this.#cut(size)
      if (this.#waiting.length > 0) this.#fill()
    } catch {
      // Not TTLV: where the next answer starts is not known any more.
      this.#gathered = undefined
      return this.#drop('MalformedAnswer')
    }
    this.#gathered = undefined
    const [first] = gathered
    if (first === undefined) return
    this.#socket?.write(gathered.length === 1 ? first : Buffer.concat(gathered))
  }

  /** Hands out every whole answer of what was read, and keeps the rest. @throws TypeError when it is no answer */
  #cut(size: number): void {
    let { buffer } = this.#wire
    let end = size
    if (this.#carried > 0) {
      this.#keep(buffer, 0, size)
      buffer = this.#carry
      end = this.#carried
      this.#carried = 0
    }
    let at = 0
    while (end - at >= headerSize) {
      if (buffer.readUInt32BE(at) !== answerStart) throw new TypeError('the bytes do not start an answer')
      const next = at + headerSize + buffer.readUInt32BE(at + 4)
      if (next - at > answerSizeMax) throw new TypeError('the answer is too long')
      if (next > end) break
      const answered = this.#inFlight.shift()
      if (answered === undefined) throw new TypeError('an answer came to no request')
      this.#failures = 0
      answered.exchange.answered(buffer, at, next)
      at = next
    }
    if (at === 0 && buffer === this.#carry) this.#carried = end
    else if (at < end) this.#keep(buffer, at, end)
  }

  /** Appends to what is carried over to the next read. The buffer may be the carry itself, whose rest moves to its start. */
  #keep(buffer: Buffer, from: number, to: number): void {
    const size = this.#carried + to - from
    if (size > this.#carry.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(4096, size * 2))
      this.#carry.copy(larger, 0, 0, this.#carried)
      buffer.copy(larger, this.#carried, from, to)
      this.#carry = larger
    } else buffer.copy(this.#carry, this.#carried, from, to)
    this.#carried = size
  }

  /** Gives the session up: all that was sent fails, and what waits goes to the next one, if there was one. */
  #drop(name: string, cause?: Error): void {
    // What waits while there is no session would wait for ever.
    const failed = this.#isOpen ? this.#inFlight : [...this.#inFlight, ...this.#waiting]
    if (!this.#isOpen) this.#waiting = []
    this.#inFlight = []
    this.#carried = 0
    this.#isOpen = false
    this.#socket?.destroy()
    this.#socket = undefined
    if (this.#isClosed) return
    this.#failures += 1
    const delayMs = Math.min(reconnectDelayMaxMs, reconnectDelayMs * 2 ** Math.min(10, this.#failures - 1))
    this.#delay = setTimeout(() => {
      this.#delay = undefined
      if (this.#waiting.length > 0) this.#connect()
    }, delayMs)
    for (const { exchange } of failed) exchange.failed(name, cause)
  }
}
