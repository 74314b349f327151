/** HMAC of whole data: what the library's own object makes of it, for every hash, key and length, and nothing of a key left behind. */

import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { describe, test } from 'node:test'
import * as fc from 'fast-check'
import { hashRows } from '#crypto/digest'
import { hmacOf } from '#crypto/hmac'

describe('HMAC of whole data', () => {
  for (const { name, library } of hashRows.values()) {
    if (library === undefined) continue
    const { blockBytes } = library
    const lengths = (...around: number[]) =>
      fc.constantFrom(...around.flatMap((length) => [length - 1, length, length + 1]))
    const filled = (length: fc.Arbitrary<number>) =>
      length.chain((bytes) => fc.uint8Array({ minLength: bytes, maxLength: bytes }))
    test(name, () => {
      fc.assert(
        fc.property(
          filled(fc.oneof(fc.nat(200), lengths(1, blockBytes))),
          filled(fc.oneof(fc.nat(200), lengths(1, 4096))),
          (key, data) => {
            const expected = createHmac(library.name, key).update(data).digest('hex')
            assert.equal(Buffer.from(hmacOf(library, key, data)).toString('hex'), expected)
          },
        ),
        { numRuns: 60 },
      )
    })
  }

  test('a code has memory of its own', () => {
    const library = { name: 'sha256', blockBytes: 64 }
    const first = hmacOf(library, Uint8Array.of(1), Uint8Array.of(2))
    const copy = Uint8Array.from(first)
    hmacOf(library, Uint8Array.of(3), Uint8Array.of(4))
    assert.deepEqual(first, copy)
    assert.equal(first.buffer.byteLength, first.length)
  })
})
