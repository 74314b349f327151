/**
 * The entrance of a thread's listeners. What it is: where a connection waits before its handshake when too many of its address came to
 * nothing: they are begun one by one, at the rate that is borne, so that a machine that knocks in vain takes little from the others, and
 * those behind the same address still come in. What it is not: the bound of sessions (`interface.ts`), or what comes to nothing
 * (`strikes.ts`).
 */
import type { Socket } from 'node:net'
import type { Cancel, Clock } from '#actor/clock'
import { type StrikeLimits, Strikes } from './strikes.ts'

/** So many of an address wait as are begun in this time. */
const waitSeconds = 4
/** Of all addresses. */
const waitingMax = 256
/** Those of so much time begin together where many are borne. */
const turnMsMin = 10
/** The log is told of an address, and then of none for so long. */
const toldEveryMs = 60_000

interface Waiting {
  readonly socket: Socket
  readonly begin: () => void
}

interface Queue {
  readonly waiting: Set<Waiting>
  cancel: Cancel
}

export interface EntranceLog {
  /** Connections of an address begin one by one. */
  addressPaced(event: { readonly address: string; readonly perSecond: number }): void
}

export class Entrance {
  readonly #perSecond: number
  readonly #clock: Clock
  readonly #log: EntranceLog
  readonly #strikes: Strikes
  readonly #queues = new Map<string, Queue>()
  #waiting = 0
  #toldAtMs = Number.NEGATIVE_INFINITY

  constructor(limits: StrikeLimits, clock: Clock, log: EntranceLog) {
    this.#perSecond = limits.failedSessionsPerAddressMax
    this.#clock = clock
    this.#log = log
    this.#strikes = new Strikes(limits, clock)
  }

  /** A connection of this address came to nothing. */
  strike(address: string): void {
    this.#strikes.strike(address)
  }

  /**
   * Takes a connection of which nothing has been read.
   * @param begin begins its handshake, now or later; not called when it is closed before
   * @returns false: too many wait
   */
  take(socket: Socket, address: string, begin: () => void): boolean {
    const known = this.#queues.get(address)
    if (known === undefined && !this.#strikes.isFull(address)) {
      begin()
      return true
    }
    const queue = known ?? { waiting: new Set(), cancel: () => undefined }
    if (queue.waiting.size >= this.#perSecond * waitSeconds || this.#waiting >= waitingMax) return false
    if (known === undefined) {
      this.#queues.set(address, queue)
      this.#schedule(address, queue)
      this.#tell(address)
    }
    this.#wait(address, queue, socket, begin)
    return true
  }

  #wait(address: string, queue: Queue, socket: Socket, begin: () => void): void {
    const entry = { socket, begin }
    queue.waiting.add(entry)
    this.#waiting += 1
    socket.on('error', destroyed)
    socket.once('close', () => {
      if (queue.waiting.delete(entry)) this.#left(address, queue)
    })
  }

  #left(address: string, queue: Queue): void {
    this.#waiting -= 1
    if (queue.waiting.size > 0) return
    queue.cancel()
    this.#queues.delete(address)
  }

  #schedule(address: string, queue: Queue): void {
    const delayMs = Math.max(turnMsMin, 1_000 / this.#perSecond)
    queue.cancel = this.#clock.after(delayMs, () => {
      const next = [...queue.waiting].slice(0, Math.round((delayMs * this.#perSecond) / 1_000))
      for (const entry of next) {
        queue.waiting.delete(entry)
        this.#left(address, queue)
      }
      if (queue.waiting.size > 0) this.#schedule(address, queue)
      for (const { socket, begin } of next) {
        socket.off('error', destroyed)
        // Who was closed in this turn is told a turn later.
        if (!socket.destroyed) begin()
      }
    })
  }

  #tell(address: string): void {
    const nowMs = this.#clock.monotonicMs()
    if (nowMs - this.#toldAtMs < toldEveryMs) return
    this.#toldAtMs = nowMs
    this.#log.addressPaced({ address, perSecond: this.#perSecond })
  }
}

/** A peer that aborts is told by `close`, and is no error of ours. */
function destroyed(this: Socket): void {
  this.destroy()
}
