/**
 * Keys that were read lately, kept as the library's objects: reading a private key anew costs twice its signature. What it
 * is: a bounded map of one thread, whose entries end with their use. What it is not: a store, nor a judge: whether a key
 * may be used is decided, from its object's state, before a job is made.
 *
 * An entry is found by an HMAC-SHA-256 over the whole key material, under a key that this thread drew and nobody else
 * knows. So whoever finds one has shown the very material, a changed object finds nothing of its former self, and neither
 * identifiers nor material are kept beside the library's object. That object does hold the key: it lives until it was idle
 * for `idleMs`, was pushed out by others, or `clear`; the library overwrites it when it is collected.
 */

import { createHmac, generateKeySync, type KeyObject } from 'node:crypto'
import type { Cancel, Clock } from '#actor/clock'
import type { UsableKey } from './key-use.ts'

/** Bounds of the keys that one thread keeps. */
export interface KeptKeysLimits {
  /** Number of keys; 0: none are kept. */
  readonly keysMax: number
  /** A key that was not used for so long is dropped, at most a quarter of it later. */
  readonly idleMs: number
}

interface Kept {
  readonly key: UsableKey
  usedMs: number
}

/** The keys of one thread. */
export class KeptKeys {
  readonly #limits: KeptKeysLimits
  readonly #clock: Clock
  readonly #hashKey: KeyObject = generateKeySync('hmac', { length: 256 })
  /** The one used longest ago comes first. */
  readonly #kept = new Map<string, Kept>()
  #cancel: Cancel | undefined

  constructor(limits: KeptKeysLimits, clock: Clock) {
    this.#limits = limits
    this.#clock = clock
  }

  /** Number of keys that are kept now. */
  get size(): number {
    return this.#kept.size
  }

  /**
   * The key of a material, read once for many uses. What `read` throws is thrown, and nothing is kept then.
   * @param purpose all that decides, beside the material, what `read` makes of it
   */
  find(purpose: string, material: Uint8Array, read: () => UsableKey): UsableKey {
    if (this.#limits.keysMax === 0) return read()
    const name = createHmac('sha256', this.#hashKey).update(`${purpose}\n`).update(material).digest('base64')
    const nowMs = this.#clock.monotonicMs()
    const found = this.#kept.get(name)
    if (found !== undefined) {
      found.usedMs = nowMs
      this.#kept.delete(name)
      this.#kept.set(name, found)
      return found.key
    }
    const key = read()
    this.#kept.set(name, { key, usedMs: nowMs })
    if (this.#kept.size > this.#limits.keysMax) this.#dropOldest()
    this.#cancel ??= this.#clock.after(this.#limits.idleMs / 4, () => this.#sweep())
    return key
  }

  /** Drops all, and its timer. */
  clear(): void {
    this.#kept.clear()
    this.#cancel?.()
    this.#cancel = undefined
  }

  #dropOldest(): void {
    const [oldest] = this.#kept.keys()
    if (oldest !== undefined) this.#kept.delete(oldest)
  }

  #sweep(): void {
    const nowMs = this.#clock.monotonicMs()
    for (const [name, { usedMs }] of this.#kept) {
      if (nowMs - usedMs >= this.#limits.idleMs) this.#kept.delete(name)
    }
    this.#cancel = this.#kept.size === 0 ? undefined : this.#clock.after(this.#limits.idleMs / 4, () => this.#sweep())
  }
}
