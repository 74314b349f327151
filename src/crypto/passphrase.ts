/**
 * A passphrase in the place of a root key. What it is: the passphrase, what it costs to try one (argon2id, RFC 9106), and how
 * a sealed keyring says with which salt and cost its key was derived. What it is not: where passphrases come from.
 *
 *   head of a keyring under a passphrase    memory in KiB 4 | passes 4 | lanes 4 | salt 16      integers big-endian
 */

import { argon2Sync } from 'node:crypto'
import type { Entropy } from '#actor/entropy'
import { Secret } from './secret.ts'

/** A passphrase that cannot be one, or costs that no keyring of ours has. */
export class PassphraseRefused extends Error {
  override readonly name = 'PassphraseRefused'
}

const saltBytes = 16
const keyBytes = 32
export const passphraseHeadBytes = 12 + saltBytes
/** Characters that a passphrase has at least: whoever has the keyring can try as many as he can pay for. */
export const passphraseLengthMin = 12
/** 128 MiB and 4 passes: about half a second, once a start. RFC 9106 §4 recommends 64 MiB and 3 where memory is short. */
const cost = { memoryKiB: 128 * 1024, passes: 4, lanes: 1 } as const
/** A keyring that somebody has changed must not take the machine's memory before it is refused. */
const costMax = { memoryKiB: 2 ** 20, passes: 64, lanes: 16 } as const

/** A passphrase. Shows nothing of itself to inspection or JSON. */
export class Passphrase {
  readonly #secret: Secret

  /**
   * @param text in any spelling of Unicode: it is normalised (NFKC), so that another keyboard gives the same key
   * @throws PassphraseRefused when it is too short
   */
  constructor(text: string) {
    const normal = text.normalize('NFKC')
    if (Array.from(normal).length < passphraseLengthMin)
      throw new PassphraseRefused(`a passphrase has at least ${passphraseLengthMin} characters`)
    this.#secret = Secret.ofText(normal)
  }

  /**
   * The root key that this passphrase gives with a head: 32 bytes. Takes half a second and 128 MiB.
   * @throws PassphraseRefused when the head asks for more than any of ours does
   */
  key(head: Uint8Array): Uint8Array {
    const bytes = Buffer.from(head.buffer, head.byteOffset, head.length)
    const [memory, passes, parallelism] = [bytes.readUInt32BE(0), bytes.readUInt32BE(4), bytes.readUInt32BE(8)]
    const isSmall = parallelism < 1 || passes < 1 || memory < 8 * parallelism
    if (isSmall || memory > costMax.memoryKiB || passes > costMax.passes || parallelism > costMax.lanes)
      throw new PassphraseRefused('the keyring asks for memory or time as none that was made here: it was changed')
    const nonce = bytes.subarray(12, passphraseHeadBytes)
    const message = this.#secret.reveal()
    return new Uint8Array(argon2Sync('argon2id', { message, nonce, parallelism, tagLength: keyBytes, memory, passes }))
  }
}

/** A head with a salt of its own, for a keyring that is sealed now. */
export function newPassphraseHead(entropy: Entropy): Uint8Array {
  const head = Buffer.alloc(passphraseHeadBytes)
  head.writeUInt32BE(cost.memoryKiB, 0)
  head.writeUInt32BE(cost.passes, 4)
  head.writeUInt32BE(cost.lanes, 8)
  head.set(entropy.bytes(saltBytes), 12)
  return head
}
