/**
 * Secret bytes as a type, so that they cannot be printed by mistake. What it is: a box for key material and passwords
 * that refuses JSON, inspection and templates, compares in constant time and can be cleared. What it is not: a promise
 * that the bytes leave the memory: JavaScript may have copied them (strings, bigints and earlier buffers stay behind).
 */

import { timingSafeEqual } from 'node:crypto'
import { inspect } from 'node:util'

const hidden = '[Secret]'

/** Secret bytes. Printing it gives `[Secret]`; using it as text or number is a mistake of ours and throws. */
export class Secret {
  // A private field, not a property: neither inspection, spreading nor structured clone reaches it.
  #bytes: Uint8Array | undefined

  /** Takes the bytes over: the caller must not keep or change them. */
  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  /** A secret of a text, in UTF-8. The text itself stays in memory until it is collected. */
  static ofText(text: string): Secret {
    return new Secret(new TextEncoder().encode(text))
  }

  /** Number of bytes; 0 after `wipe`. */
  get length(): number {
    return this.#bytes?.length ?? 0
  }

  /** The bytes themselves, not a copy. Throws TypeError after `wipe`, for a cleared key must never be used as a key. */
  reveal(): Uint8Array {
    if (this.#bytes === undefined) throw new TypeError('The secret was wiped')
    return this.#bytes
  }

  /** Whether the other holds the same bytes, in a time that depends on the lengths only. */
  equals(other: Secret | Uint8Array): boolean {
    return constantTimeEqual(this.reveal(), other instanceof Secret ? other.reveal() : other)
  }

  /** Overwrites the bytes with zeros and forgets them. */
  wipe(): void {
    if (this.#bytes !== undefined) wipe(this.#bytes)
    this.#bytes = undefined
  }

  toJSON(): string {
    return hidden
  }

  toString(): never {
    throw new TypeError('A secret is not text')
  }

  [Symbol.toPrimitive](): never {
    throw new TypeError('A secret is not text')
  }

  [inspect.custom](): string {
    return hidden
  }

  [Symbol.dispose](): void {
    this.wipe()
  }
}

/** Whether two byte strings are equal; the time depends on their lengths only, which are taken as public. */
export function constantTimeEqual(left: Uint8Array, right: Uint8Array): boolean {
  return left.length === right.length && timingSafeEqual(left, right)
}

/** Overwrites bytes with zeros. */
export function wipe(bytes: Uint8Array): void {
  // Memory that was handed to another thread is empty here, and refuses to be filled.
  if (bytes.length > 0) bytes.fill(0)
}

/** Overwrites every byte array within plain data (objects and arrays). Numbers and bigints cannot be overwritten. */
export function wipeWithin(value: unknown): void {
  if (value instanceof Uint8Array) wipe(value)
  else if (typeof value === 'object' && value !== null) for (const part of Object.values(value)) wipeWithin(part)
}
