/**
 * Log-ins to the administration interface. What it is: opaque, short-lived tokens, of which only a hash is kept, in memory:
 * a restart ends every log-in. What it is not: the check of a password (`login.ts`), or a registration token.
 */
import { createHash } from 'node:crypto'
import type { Clock } from '#actor/clock'
import type { Entropy } from '#actor/entropy'

/** What a log-in stands for. */
export interface LogIn {
  /** Full name of the user's record, `root|local|admin`. */
  readonly userKey: string
  /** Identifier of the domain that is administered: the user's own, or another for administrators of the root domain. */
  readonly domain: string
}

interface Kept extends LogIn {
  readonly untilMs: number
}

/** Random bytes of a token: too many to guess, so that a plain hash is enough. */
const tokenBytes = 48
/** Log-ins that are kept at once: the oldest goes for a new one. */
const logInsMax = 10_000

/** The log-ins of a running server. */
export class BearerTokens {
  readonly #clock: Clock
  readonly #entropy: Entropy
  readonly #lifetimeMs: number
  /** By SHA-256 of the token, so that looking one up tells by its time nothing of a token. The oldest stands first. */
  readonly #kept = new Map<string, Kept>()

  constructor(clock: Clock, entropy: Entropy, lifetimeMs: number) {
    this.#clock = clock
    this.#entropy = entropy
    this.#lifetimeMs = lifetimeMs
  }

  /** Seconds that a token is good for. */
  get lifetimeSeconds(): number {
    return Math.floor(this.#lifetimeMs / 1000)
  }

  /** A new token, shown once. */
  issue({ userKey, domain }: LogIn): string {
    const nowMs = this.#clock.monotonicMs()
    for (const [digest, { untilMs }] of this.#kept) {
      if (untilMs > nowMs && this.#kept.size < logInsMax) break
      this.#kept.delete(digest)
    }
    const token = Buffer.from(this.#entropy.bytes(tokenBytes)).toString('base64url')
    this.#kept.set(digestOf(token), { userKey, domain, untilMs: nowMs + this.#lifetimeMs })
    return token
  }

  /** What a token stands for now, or undefined. */
  find(token: string): LogIn | undefined {
    const kept = this.#kept.get(digestOf(token))
    return kept !== undefined && kept.untilMs > this.#clock.monotonicMs() ? kept : undefined
  }

  /** Ends a user's log-ins: its password or its rights have changed. */
  endOf(userKey: string): void {
    for (const [digest, kept] of this.#kept) if (kept.userKey === userKey) this.#kept.delete(digest)
  }
}

const digestOf = (token: string): string => createHash('sha256').update(token).digest('hex')
