/** A cipher that goes on from one message to the next: what comes out is what a new one gives. */
import assert from 'node:assert/strict'
import { createCipheriv } from 'node:crypto'
import { test } from 'node:test'
import { cipherRow } from '#crypto/cipher-rows'
import { KeptCipher } from '#crypto/kept-cipher'
import { BlockCipherMode, CryptographicAlgorithm } from '#kmip/enums'
import { seededRandom } from '#test/seeded-random'

const random = seededRandom(7)
const none = Buffer.alloc(0)
const drawn = (length: number): Buffer => Buffer.from(Array.from({ length }, () => random.below(256)))

for (const [name, algorithm, keyBytes] of [
  ['AES', CryptographicAlgorithm.AES, 32],
  ['AES', CryptographicAlgorithm.AES, 16],
  ['Camellia', CryptographicAlgorithm.Camellia, 24],
  ['3DES', CryptographicAlgorithm.DES3, 24],
] as const) {
  test(`${name} of ${keyBytes} bytes: messages of any length, one after the other`, () => {
    const row = cipherRow(algorithm, BlockCipherMode.CBC, drawn(keyBytes))
    const kept = new KeptCipher()
    for (let message = 0; message < 200; message += 1) {
      const data = drawn(row.blockBytes * random.below(message === 99 ? 400 : 9))
      const cut = random.below(data.length + 1)
      const iv = drawn(row.blockBytes)
      const anew = createCipheriv(row.libraryName, row.key, iv).setAutoPadding(false)
      assert.deepEqual(Buffer.from(kept.encrypt(row, iv, data.subarray(0, cut), data.subarray(cut))), anew.update(data))
    }
  })
}

test('a message that is refused leaves no trace in the next one', () => {
  const row = cipherRow(CryptographicAlgorithm.AES, BlockCipherMode.CBC, drawn(32))
  const kept = new KeptCipher()
  const iv = drawn(16)
  const data = drawn(64)
  const expected = createCipheriv(row.libraryName, row.key, iv).setAutoPadding(false).update(data)
  assert.deepEqual(Buffer.from(kept.encrypt(row, iv, data, none)), expected)
  assert.throws(() => kept.encrypt(row, iv, drawn(20), none))
  assert.deepEqual(Buffer.from(kept.encrypt(row, iv, data, none)), expected)
})
