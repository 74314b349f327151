/**
 * Times src/crypto/hmac.ts, and beside it the library's own object: a code over 64 bytes, and one over what is just short enough to be
 * copied. What it is not: MAC as an operation (dispatch.ts).
 */
import { createHmac } from 'node:crypto'
import { libraryHash } from '#crypto/digest'
import { hmacOf } from '#crypto/hmac'
import { HashingAlgorithm } from '#kmip/enums'
import { noClose, type Suite, type Task } from './suite.ts'

const hash = libraryHash(HashingAlgorithm.SHA_256)
const key = new Uint8Array(32).fill(1)

/** A task a length of the data and a way. */
export const open = (): Promise<Suite> => {
  const tasks = [64, 4096].flatMap((bytes): Task[] => {
    const data = new Uint8Array(bytes).fill(2)
    return [
      { name: `SHA-256 of ${bytes} bytes`, run: () => hmacOf(hash, key, data).length },
      { name: `the library's, of ${bytes} bytes`, run: () => createHmac(hash.name, key).update(data).digest().length },
    ]
  })
  return Promise.resolve({ tasks, close: noClose })
}
