/**
 * Cipher block chaining with one key over and over (NIST SP 800-38A §6.2). What it is: a cipher of the library that goes on from one
 * message to the next: making one takes four times as long as four blocks. What it is not: another mode: what comes out is what a
 * new cipher with the initialization vector gives.
 *
 *     the library's chain:   C1 = E( P1' ⊕ last )            last: the last block that came out of it
 *     what is wanted:        C1 = E( P1  ⊕ IV   )            so P1' = P1 ⊕ IV ⊕ last; from then on the chain is the message's own
 */
import assert from 'node:assert/strict'
import { type Cipheriv, createCipheriv } from 'node:crypto'
import type { CipherRow } from './cipher-rows.ts'

/** Where messages up to its length are put together, whichever cipher encrypts them; zeros in between. */
const place = Buffer.alloc(1_024)

/** The cipher of one key. Whoever lets go of it lets go of the key in it. */
export class KeptCipher {
  #cipher: Cipheriv | undefined
  readonly #last = Buffer.alloc(16)

  /**
   * Encrypts a message.
   * @param row always the same, of a mode that chains
   * @param tail what fills the last block of the data up
   * @throws what the library throws
   */
  encrypt({ libraryName, key, blockBytes }: CipherRow, iv: Uint8Array, data: Uint8Array, tail: Uint8Array): Uint8Array {
    const length = data.length + tail.length
    assert(length % blockBytes === 0, 'what is chained is whole blocks')
    if (length === 0) return data
    const last = this.#last
    // Before the first message nothing has come out: then it goes on from zeros.
    const cipher = this.#cipher ?? newCipher(libraryName, key, last.fill(0).subarray(0, blockBytes))
    // What fails in the midst leaves a chain that nobody knows.
    this.#cipher = undefined
    const blocks = length > place.length ? Buffer.alloc(length) : place.subarray(0, length)
    blocks.set(data)
    blocks.set(tail, data.length)
    for (let at = 0; at < blockBytes; at += 1) {
      blocks[at] = (blocks[at] ?? 0) ^ (iv[at] ?? 0) ^ (last[at] ?? 0)
    }
    try {
      const encrypted = cipher.update(blocks)
      encrypted.copy(last, 0, length - blockBytes)
      this.#cipher = cipher
      return encrypted
    } finally {
      blocks.fill(0)
    }
  }
}

const newCipher = (libraryName: string, key: Uint8Array, iv: Uint8Array): Cipheriv =>
  createCipheriv(libraryName, key, iv).setAutoPadding(false)
