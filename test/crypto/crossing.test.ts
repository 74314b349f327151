/** Data on its way to another thread: cut out of its memory, and the large parts handed over. */

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { crossing } from '#crypto/crossing'
import { createCryptoRunner } from '#crypto/run'
import { BlockCipherMode as M } from '#kmip/enums'
import { symmetric } from '#test/crypto/published'

describe('data that crosses', () => {
  test('takes nothing of its surroundings along, and leaves the original alone', () => {
    const slab = new Uint8Array(1000).fill(5)
    const original = { key: slab.subarray(10, 26), list: [Buffer.from(slab.buffer, 0, 4), 7n, undefined], text: 'text' }
    const { value, transfer } = crossing(original, false)
    assert.equal(value.key.buffer.byteLength, 16)
    assert.deepEqual(value.key, new Uint8Array(16).fill(5))
    assert.deepEqual(value.list, [new Uint8Array(4).fill(5), 7n, undefined])
    assert.equal(value.text, 'text')
    assert.deepEqual(transfer, [])
    value.key.fill(0)
    assert.equal(slab[10], 5)
  })

  test('hands large memory over: a copy of what is only lent, the very memory of what is owned', () => {
    const large = new Uint8Array(100_000)
    const lent = crossing([large], false)
    assert.equal(lent.transfer.length, 1)
    assert.notEqual(lent.transfer[0], large.buffer)
    const owned = crossing([large, large], true)
    assert.deepEqual(owned.transfer, [large.buffer])
    assert.equal(owned.value[0]?.buffer, large.buffer)
    const part = crossing([large.subarray(1)], true)
    assert.notEqual(part.transfer[0], large.buffer)
  })
})

test('a MiB goes through a worker and back; the caller keeps its own', async () => {
  const runner = createCryptoRunner({ placement: 'pool', workers: 1, queueMax: 10 })
  const key = symmetric('000102030405060708090a0b0c0d0e0f')
  const data = Uint8Array.from({ length: 1 << 20 }, (_, index) => index * 7)
  const parameters = { blockCipherMode: M.GCM, randomIv: true }
  const jobs = Array.from({ length: 3 }, async () => runner.run({ kind: 'encrypt', key, parameters, data }))
  for (const encrypted of await Promise.all(jobs)) {
    assert.equal(encrypted.data.length, data.length)
    const decrypted = await runner.run({ kind: 'decrypt', key, parameters, ...encrypted })
    assert.deepEqual(decrypted.data, data)
  }
  assert.equal(data[1], 7)
  await runner.close()
})
