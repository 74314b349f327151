/**
 * What sessions hold in memory for their peers: bytes of large requests that come in, and of answers that are not taken. What it is:
 * an account of them by client and in all, with a queue of those who wait for room. What it is not: the bounds of one session
 * (`connection.ts`), or the bytes themselves.
 *
 *     take, give ─▶ bytes of a client, bytes in all ─▶ room for more? ─▶ at once, or in turn when others have given back
 *
 * Whoever waits is not starved: a client that holds nothing has room as soon as all together have some, however much it wants, and what
 * is held is given back when an answer was taken, or when a peer's time is over.
 */
import type { Cancel } from '#actor/clock'

export interface HoldingLimits {
  /** Bytes for the peers with one certificate. */
  readonly heldBytesPerClientMax: number
  /** Bytes for all. */
  readonly heldBytesMax: number
}

/** The account as a session of one client has it. */
export interface Holder {
  /** Holds more, whether there is room or not. */
  take(bytes: number): void
  give(bytes: number): void
  /** Whether there is room for so much, with nobody before who waits for it. */
  hasRoom(bytes: number): boolean
  /** Takes it when there is room, and says so. The order is that of asking, client by client. */
  takeInTurn(bytes: number, taken: () => void): Cancel
}

interface Waiter {
  readonly client: string
  readonly bytes: number
  readonly taken: () => void
}

export class Holdings {
  readonly #limits: HoldingLimits
  readonly #ofClient = new Map<string, number>()
  readonly #waiting = new Set<Waiter>()
  #bytes = 0

  constructor(limits: HoldingLimits) {
    this.#limits = limits
  }

  /** Bytes of all. */
  get bytes(): number {
    return this.#bytes
  }

  /** @param client whatever tells one client from the others */
  holderOf(client: string): Holder {
    return new ClientHolder(this, client)
  }

  /** As `Holder.take`, for a client. */
  take(client: string, bytes: number): void {
    if (bytes === 0) return
    this.#ofClient.set(client, (this.#ofClient.get(client) ?? 0) + bytes)
    this.#bytes += bytes
  }

  /** As `Holder.give`, for a client. */
  give(client: string, bytes: number): void {
    if (bytes === 0) return
    const left = (this.#ofClient.get(client) ?? 0) - bytes
    if (left > 0) this.#ofClient.set(client, left)
    else this.#ofClient.delete(client)
    this.#bytes -= bytes
    if (this.#waiting.size > 0) this.#admit()
  }

  /** As `Holder.hasRoom`, for a client. */
  hasRoom(client: string, bytes: number): boolean {
    return this.#fits(client, bytes) && (this.#waiting.size === 0 || !this.#isWaiting(client))
  }

  /** As `Holder.takeInTurn`, for a client. */
  takeInTurn(client: string, bytes: number, taken: () => void): Cancel {
    const waiter = { client, bytes, taken }
    this.#waiting.add(waiter)
    this.#admit()
    return () => void this.#waiting.delete(waiter)
  }

  #isWaiting(client: string): boolean {
    for (const waiter of this.#waiting) if (waiter.client === client) return true
    return false
  }

  /** What is larger than a limit has room where nothing else is. */
  #fits(client: string, bytes: number): boolean {
    if (this.#bytes === 0) return true
    const { heldBytesPerClientMax, heldBytesMax } = this.#limits
    const own = this.#ofClient.get(client) ?? 0
    const fitsClient = own === 0 || own + bytes <= heldBytesPerClientMax
    return fitsClient && this.#bytes + bytes <= heldBytesMax
  }

  #admit(): void {
    const stuck = new Set<string>()
    for (const waiter of this.#waiting) {
      if (stuck.has(waiter.client)) continue
      if (!this.#fits(waiter.client, waiter.bytes)) {
        stuck.add(waiter.client)
        continue
      }
      this.#waiting.delete(waiter)
      this.take(waiter.client, waiter.bytes)
      waiter.taken()
    }
  }
}

/** Small: every session has two. */
class ClientHolder implements Holder {
  readonly #holdings: Holdings
  readonly #client: string

  constructor(holdings: Holdings, client: string) {
    this.#holdings = holdings
    this.#client = client
  }

  take(bytes: number): void {
    this.#holdings.take(this.#client, bytes)
  }

  give(bytes: number): void {
    this.#holdings.give(this.#client, bytes)
  }

  hasRoom(bytes: number): boolean {
    return this.#holdings.hasRoom(this.#client, bytes)
  }

  takeInTurn(bytes: number, taken: () => void): Cancel {
    return this.#holdings.takeInTurn(this.#client, bytes, taken)
  }
}

/** Who is one client: all sessions with its certificate. */
export const clientOf = ({
  fingerprint,
  address,
}: {
  readonly fingerprint?: string | undefined
  readonly address: string
}): string => fingerprint ?? address
