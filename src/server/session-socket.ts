/**
 * The socket of a session as its connection has it. What it is: bytes out, and what the socket tells, handed on. What it is not:
 * a decision about either (connection.ts).
 *
 * Nothing here is made anew for each session but what differs: ten thousand of them rest at times.
 */

import type { TLSSocket } from 'node:tls'
import type { Clock } from '#actor/clock'
import { flushBurst, writeInBurst } from './burst.ts'
import type { Connection, Output } from './connection.ts'

/** Of sockets that live. With it, all have the same listeners. */
const connections = new WeakMap<TLSSocket, Connection>()

type Heard = (this: TLSSocket, chunk: Buffer) => void

const listeners: Readonly<Record<string, Heard>> = {
  data(chunk) {
    connections.get(this)?.data(chunk)
  },
  end() {
    connections.get(this)?.ended()
  },
  drain() {
    connections.get(this)?.drained()
  },
  close() {
    connections.get(this)?.closed()
  },
  // A peer that aborts is told by `close`, and is no error of ours.
  error() {
    this.destroy()
  },
}

/** Hands on what a socket tells, from now until it is closed. */
export const hear = (socket: TLSSocket, connection: Connection): void => {
  connections.set(socket, connection)
  for (const [event, heard] of Object.entries(listeners)) socket.on(event, heard)
}

/** Where a session's answers go. */
export class SocketOutput implements Output {
  readonly #socket: TLSSocket
  readonly #clock: Clock
  readonly #lingerMs: number

  /** @param lingerMs how long a peer may keep its side open after the end of ours; what it sends meanwhile is thrown away */
  constructor(socket: TLSSocket, clock: Clock, lingerMs: number) {
    this.#socket = socket
    this.#clock = clock
    this.#lingerMs = lingerMs
  }

  send(answer: Buffer): boolean {
    return writeInBurst(this.#socket, answer)
  }

  pause(): void {
    this.#socket.pause()
  }

  resume(): void {
    this.#socket.resume()
  }

  end(): void {
    flushBurst()
    const socket = this.#socket
    const cancel = this.#clock.after(this.#lingerMs, () => socket.destroy())
    socket.once('close', cancel)
    // The peer's own end is seen by a socket that is read.
    socket.resume()
    socket.end()
  }

  destroy(): void {
    this.#socket.destroy()
  }
}
