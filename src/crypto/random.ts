/**
 * Random bytes for clients, into which they may stir a seed of their own (KMIP 1.4 §4.35, §4.36). What it is: the machine's
 * generator, and a pool whose output is added to it bit by bit, so that a seed can never make the bytes worse. What it is
 * not: the source of keys, which take nothing from clients.
 */
import { createHash } from 'node:crypto'
import type { Entropy } from '#actor/entropy'

const poolBytes = 64

export class SeededRandom {
  readonly #entropy: Entropy
  #pool: Uint8Array | undefined

  constructor(entropy: Entropy) {
    this.#entropy = entropy
    this.#pool = undefined
  }

  /** `length` bytes. */
  bytes(length: number): Uint8Array {
    const bytes = this.#entropy.bytes(length)
    if (this.#pool === undefined || length === 0) return bytes
    const salt = this.#entropy.bytes(poolBytes)
    const output = { outputLength: length + poolBytes }
    const stream = createHash('shake256', output).update(this.#pool).update(salt).digest()
    for (let at = 0; at < length; at += 1) bytes[at] = (bytes[at] ?? 0) ^ (stream[at] ?? 0)
    this.#pool = new Uint8Array(stream.subarray(length))
    return bytes
  }

  /** Stirs a client's bytes into the pool. */
  seed(material: Uint8Array): void {
    const pool = this.#pool ?? this.#entropy.bytes(poolBytes)
    this.#pool = new Uint8Array(createHash('sha512').update(pool).update(material).digest())
  }
}
