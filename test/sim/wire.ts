/**
 * A session of the simulation: a connection actor at one end, a client's bytes at the other, and a network between them that
 * splits, joins, delays and cuts. What it is: two queues of bytes. What it is not: a client (clients.ts).
 */
import type { Clock } from '#actor/clock'
import { Tag } from '#kmip/tags'
import { Connection, type ConnectionLimits, type Responder } from '#server/connection'
import { type HoldingLimits, Holdings } from '#server/holdings'
import type { SeededRandom } from '#test/seeded-random'
import { Framer } from '#ttlv/framer'

/** Bytes that the server may have sent and the client not taken, before the server is told to wait. */
const unreadBytesMax = 600

const limits: ConnectionLimits & HoldingLimits = {
  heldBytesPerClientMax: 65_536,
  heldBytesMax: 65_536,
  requestSizeMax: 65_536,
  unansweredRequestsMax: 3,
  unansweredBytesMax: 65_536,
  requestTimeoutMs: 30_000,
  idleTimeoutMs: 3_600_000,
}

export class Wire {
  /** Of the front that it was opened to. */
  readonly responder: Responder
  readonly #connection: Connection
  readonly #onResponse: (response: Buffer) => void
  readonly #framer = new Framer(Tag.ResponseMessage, 1_048_576)
  #toServer = Buffer.alloc(0)
  #toClient = Buffer.alloc(0)
  #paused = false
  #full = false
  #ended = false
  /** Whether either end is gone. */
  isOver = false

  constructor(responder: Responder, clock: Clock, onResponse: (response: Buffer) => void) {
    this.#onResponse = onResponse
    this.responder = responder
    this.#connection = new Connection({
      output: {
        send: (answer) => {
          this.#toClient = Buffer.concat([this.#toClient, answer])
          this.#full = this.#toClient.length > unreadBytesMax
          return !this.#full
        },
        pause: () => void (this.#paused = true),
        resume: () => void (this.#paused = false),
        end: () => void (this.#ended = true),
        destroy: () => this.cut(),
      },
      responder,
      limits,
      holders: {
        requests: new Holdings(limits).holderOf('client'),
        answers: new Holdings(limits).holderOf('client'),
      },
      client: 'client',
      clock,
      onEnd: () => void (this.#ended = true),
    })
  }

  /** Gives the network bytes of the client. */
  write(bytes: Buffer): void {
    this.#toServer = Buffer.concat([this.#toServer, bytes])
  }

  /** Whether the network has bytes that the server would take. */
  get hasRequests(): boolean {
    return !this.isOver && !this.#paused && !this.#ended && this.#toServer.length > 0
  }

  /** Whether the network has bytes for the client, or the end of the session. */
  get hasAnswers(): boolean {
    return !this.isOver && (this.#toClient.length > 0 || this.#ended)
  }

  /** Some bytes reach the server. */
  deliverRequests(random: SeededRandom): void {
    const chunk = this.#toServer.subarray(0, someOf(this.#toServer.length, random))
    this.#toServer = this.#toServer.subarray(chunk.length)
    this.#connection.data(Buffer.from(chunk))
  }

  /** Some bytes reach the client; behind the last ones, the end. */
  deliverAnswers(random: SeededRandom): void {
    if (this.#toClient.length === 0) return this.cut()
    const chunk = this.#toClient.subarray(0, someOf(this.#toClient.length, random))
    this.#toClient = this.#toClient.subarray(chunk.length)
    this.#framer.push(Buffer.from(chunk))
    for (let answer = this.#framer.next(); answer !== undefined; answer = this.#framer.next()) this.#onResponse(answer)
    if (!this.#full || this.#toClient.length > 0) return
    this.#full = false
    this.#connection.drained()
  }

  /** The session breaks: what is under way is lost. */
  cut(): void {
    if (this.isOver) return
    this.isOver = true
    this.#connection.closed()
  }
}

/** All of it, or a part. */
const someOf = (length: number, random: SeededRandom): number =>
  random.below(3) === 0 ? 1 + random.below(length) : length
