/**
 * One connection that says whatever it is given, and waits for what must come back. What it is: raw TLS, and the count of
 * answers that bytes are owed. What it is not: the client (#client/client), which would never send such bytes.
 */
import { once } from 'node:events'
import { connect, type TLSSocket } from 'node:tls'
import { systemClock } from '#actor/clock'
import type { RunningServer } from '#test/running-server'

const headerSize = 8
const requestTag = 0x42_0078
const responseTag = 0x42_007b
const structureType = 1

/** What bytes are owed, by the rules of framing alone (KMIP 1.4 §9.1.1, and the server's bound on a request's size). */
export interface Owed {
  /** Whole messages: one answer each. */
  readonly frames: number
  /** What is behind them: nothing, bytes that can begin no message (a refusal and an end), or a message that is not complete. */
  readonly rest: 'nothing' | 'garbage' | 'incomplete'
}

/** @param requestSizeMax the server's bound, header included */
export const owedTo = (bytes: Buffer, requestSizeMax: number): Owed => {
  let frames = 0
  let at = 0
  while (at < bytes.length) {
    const left = bytes.length - at
    if (left < headerSize) return { frames, rest: bytes[at] === requestTag >>> 16 ? 'incomplete' : 'garbage' }
    const length = bytes.readUInt32BE(at + 4) + headerSize
    const isMessage = bytes.readUIntBE(at, 3) === requestTag && bytes[at + 3] === structureType
    if (!isMessage || length > requestSizeMax || length % 8 !== 0) return { frames, rest: 'garbage' }
    if (left < length) return { frames, rest: 'incomplete' }
    frames += 1
    at += length
  }
  return { frames, rest: 'nothing' }
}

/** What came back. */
export interface Reply {
  /** Whole responses, in order. */
  readonly responses: readonly Buffer[]
  /** Bytes that are no response. */
  readonly strayBytes: number
  /** `hang`: neither the answers nor the end came in time. */
  readonly end: 'open' | 'closed' | 'hang'
  readonly tookMs: number
}

export class Lane {
  readonly #server: RunningServer
  readonly #replyTimeoutMs: number
  #socket: TLSSocket | undefined
  #session: Buffer | undefined
  /** How often it connected. */
  connections = 0

  constructor(server: RunningServer, replyTimeoutMs: number) {
    this.#server = server
    this.#replyTimeoutMs = replyTimeoutMs
  }

  /**
   * Sends bytes and waits for all that they are owed.
   * @throws what the system says when no connection can be made
   */
  async say(bytes: Buffer, owed: Owed): Promise<Reply> {
    const socket = this.#socket ?? (await this.#connect())
    const wantedEnd = owed.rest !== 'nothing'
    const wanted = owed.frames + (owed.rest === 'garbage' ? 1 : 0)
    const received: Buffer[] = []
    let closed = false
    const beganMs = performance.now()
    const { promise: settled, resolve } = Promise.withResolvers<'done' | 'late'>()
    const look = (): void => {
      if (closed || (!wantedEnd && split(received).responses.length >= wanted)) resolve('done')
    }
    const onData = (chunk: Buffer): void => {
      received.push(chunk)
      look()
    }
    const onEnd = (): void => {
      closed = true
      look()
    }
    socket.on('data', onData).on('end', onEnd).on('close', onEnd)
    const cancel = systemClock.after(this.#replyTimeoutMs, () => resolve('late'))
    socket.write(bytes)
    if (owed.rest === 'incomplete') socket.end()
    const outcome = await settled
    cancel()
    socket.off('data', onData).off('end', onEnd).off('close', onEnd)
    if (outcome === 'late' || closed) this.#drop()
    const { responses, strayBytes } = split(received)
    const end = outcome === 'late' ? 'hang' : closed ? 'closed' : 'open'
    return { responses, strayBytes, end, tookMs: performance.now() - beganMs }
  }

  /** Ends the connection. */
  close(): void {
    this.#drop()
  }

  async #connect(): Promise<TLSSocket> {
    const socket = connect({
      ...this.#server.connection,
      ...(this.#session === undefined ? {} : { session: this.#session }),
    })
    socket.on('session', (ticket) => {
      this.#session = ticket
    })
    await once(socket, 'secureConnect')
    // What breaks later is told by `close`.
    socket.on('error', () => socket.destroy())
    this.#socket = socket
    this.connections += 1
    return socket
  }

  #drop(): void {
    this.#socket?.destroy()
    this.#socket = undefined
  }
}

/** Whole responses, and how many bytes behind them are none. */
const split = (received: readonly Buffer[]): { readonly responses: readonly Buffer[]; readonly strayBytes: number } => {
  const bytes = Buffer.concat(received)
  const responses: Buffer[] = []
  let at = 0
  while (at + headerSize <= bytes.length) {
    const end = at + headerSize + bytes.readUInt32BE(at + 4)
    if (bytes.readUIntBE(at, 3) !== responseTag || end > bytes.length) break
    responses.push(bytes.subarray(at, end))
    at = end
  }
  return { responses, strayBytes: bytes.length - at }
}
