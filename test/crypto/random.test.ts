/** Seeded random bytes: a seed changes the output, and never replaces the machine's randomness (KMIP 1.4 §4.36). */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { systemEntropy } from '#actor/entropy'
import { SeededRandom } from '#crypto/random'

const constant = { bytes: (length: number) => new Uint8Array(length).fill(5) }

test('without a seed the bytes are those of the entropy', () => {
  assert.deepEqual(new SeededRandom(constant).bytes(8), new Uint8Array(8).fill(5))
})

test('a seed changes the bytes, each time anew, and other seeds change them otherwise', () => {
  const of = (seed: number) => {
    const random = new SeededRandom(constant)
    random.seed(Uint8Array.of(seed))
    return [random.bytes(40), random.bytes(40)].map((bytes) => Buffer.from(bytes).toString('hex'))
  }
  assert.deepEqual(of(1), of(1))
  assert.equal(new Set([...of(1), ...of(2)]).size, 4)
})

test('the same seed gives different bytes where the entropy does', () => {
  const of = () => {
    const random = new SeededRandom(systemEntropy)
    random.seed(Uint8Array.of(1))
    return Buffer.from(random.bytes(32)).toString('hex')
  }
  assert.notEqual(of(), of())
})
