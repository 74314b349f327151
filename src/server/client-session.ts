/**
 * A TLS session that the server opens to a client (KMIP 1.4 §5): one request after the other, each with its answer. What it is:
 * bytes out and bytes in, bounded in time and size. What it is not: what is sent, or what becomes of it (outgoing.ts).
 */
import { connect, type SecureContext, type TLSSocket } from 'node:tls'
import type { Clock } from '#actor/clock'
import { Tag } from '#kmip/tags'
import { Framer } from '#ttlv/framer'
import { peerCertificate } from './tls.ts'

export interface ClientSessionOptions {
  readonly host: string
  readonly port: number
  readonly context: SecureContext
  readonly clock: Clock
  /** Bytes of an answer. */
  readonly answerSizeMax: number
  /** For the handshake, and for each answer. */
  readonly timeoutMs: number
}

interface Waiter {
  readonly resolve: (answer: Buffer) => void
  readonly reject: (reason: unknown) => void
}

export class ClientSession {
  readonly #options: ClientSessionOptions
  readonly #socket: TLSSocket
  readonly #framer: Framer
  #waiter: Waiter | undefined
  #failure: unknown

  constructor(options: ClientSessionOptions) {
    this.#options = options
    const { host, port, context } = options
    this.#framer = new Framer(Tag.ResponseMessage, options.answerSizeMax)
    // Who the peer is, is decided by the caller: not by a name, but by the certificate of a registered client.
    this.#socket = connect({ host, port, secureContext: context, rejectUnauthorized: false })
    this.#socket.on('error', (error) => this.#fail(error))
    this.#socket.on('close', () => this.#fail(new Error('the client closed before it answered')))
    this.#socket.on('data', (chunk: Buffer) => this.#take(chunk))
  }

  /** Waits for the handshake; gives the fingerprint of the peer's certificate. Rejects with what went wrong. */
  async opened(): Promise<string | undefined> {
    const shaken = new Promise<Buffer>((resolve, reject) => {
      this.#waiter = { resolve, reject }
    })
    this.#socket.once('secureConnect', () => this.#give(Buffer.alloc(0)))
    await this.#timed(shaken)
    return peerCertificate(this.#socket)?.fingerprint
  }

  /** Sends a message and gives the one that answers it. Rejects with what went wrong; the session is then of no more use. */
  ask(message: Buffer): Promise<Buffer> {
    if (this.#failure !== undefined) return Promise.reject(asError(this.#failure))
    const answer = new Promise<Buffer>((resolve, reject) => {
      this.#waiter = { resolve, reject }
    })
    this.#socket.write(message)
    return this.#timed(answer)
  }

  /** Ends the session at once; whoever waits is told. */
  close(): void {
    this.#socket.destroy()
  }

  async #timed<T>(event: Promise<T>): Promise<T> {
    const late = new Error('no answer came in time')
    const cancel = this.#options.clock.after(this.#options.timeoutMs, () => this.#socket.destroy(late))
    try {
      return await event
    } finally {
      cancel()
    }
  }

  #take(chunk: Buffer): void {
    try {
      this.#framer.push(chunk)
      const message = this.#framer.next()
      // Left for later, it would be taken for the answer to what is asked then.
      if (this.#waiter === undefined || (message !== undefined && this.#framer.pendingBytes > 0)) {
        throw new Error('the client answers what it was not asked')
      }
      if (message !== undefined) this.#give(message)
    } catch (error) {
      this.#socket.destroy(asError(error))
    }
  }

  #give(what: Buffer): void {
    const waiter = this.#waiter
    this.#waiter = undefined
    waiter?.resolve(what)
  }

  #fail(reason: unknown): void {
    this.#failure ??= reason
    this.#waiter?.reject(reason)
    this.#waiter = undefined
  }
}

/** What was thrown, as an error. */
export const asError = (reason: unknown): Error => (reason instanceof Error ? reason : new Error(String(reason)))
