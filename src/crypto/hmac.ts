/**
 * HMAC over data that is there as a whole (RFC 2104). What it is: two hashes, each one call of the library, for short data; the
 * library's own object for long. What it is not: codes of data in pieces (`mac.ts`), keys made by HMAC (`derive.ts`), or a comparison (`secret.ts`).
 *
 * @hot A code over 64 bytes costs half of what it does by the library's object, which is made, fed and asked in a call each
 * (bench/micro/hmac.ts).
 */

import { createHmac, hash } from 'node:crypto'
import type { LibraryHash } from './digest.ts'
import { bytesOfLatin1 } from './octets.ts'
import { wipe } from './secret.ts'
import { plainBytes } from './transparent.ts'

/** Longer data is not worth a copy. */
const copiedBytesMax = 4_096
/** The longest block of a hash that the library has (SHA3-224). */
const blockBytesMax = 144
const innerPad = 0x36
const outerPad = 0x5c
/** Where a key is put together with what is hashed behind it. Nothing of a key stays in it. */
const scratch = Buffer.alloc(blockBytesMax + copiedBytesMax)

/** The code of data under a key, in memory of its own. */
export function hmacOf({ name, blockBytes }: LibraryHash, key: Uint8Array, data: Uint8Array): Uint8Array {
  if (data.length > copiedBytesMax || key.length > blockBytes)
    return plainBytes(createHmac(name, key).update(data).digest())
  putKey(key, blockBytes, innerPad)
  scratch.set(data, blockBytes)
  const inner = hash(name, scratch.subarray(0, blockBytes + data.length), 'latin1')
  putKey(key, blockBytes, outerPad)
  scratch.write(inner, blockBytes, 'latin1')
  const code = hash(name, scratch.subarray(0, blockBytes + inner.length), 'latin1')
  wipe(scratch.subarray(0, blockBytes + Math.max(data.length, inner.length)))
  return bytesOfLatin1(code)
}

function putKey(key: Uint8Array, blockBytes: number, pad: number): void {
  for (let at = 0; at < key.length; at += 1) scratch[at] = (key[at] ?? 0) ^ pad
  scratch.fill(pad, key.length, blockBytes)
}
