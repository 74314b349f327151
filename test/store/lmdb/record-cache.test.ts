/** The cache of opened records: it gives nothing but what was asked for, at the revision that was asked for, within its bound. */
import assert from 'node:assert/strict'
import { memoryUsage } from 'node:process'
import { test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { RecordCache } from '#store/lmdb/record-cache'
import { packValue, unpackValue } from '#store/records'

const stored = (key: string, revision: number, value: unknown = key) => ({ key, revision, value })

/** Two records of a short text weigh so much, and three do not fit. */
const roomForTwo = 2 * (384 + 24 + 1)

test('a record comes back at its revision, and at no other', () => {
  const cache = new RecordCache(10_000)
  cache.put('object', stored('a', 3), 1n)
  assert.deepEqual(cache.get('object', 'a', 3, 1n), stored('a', 3))
  assert.equal(cache.get('user', 'a', 3, 1n), undefined)
  assert.equal(cache.get('object', 'a', 4, 1n), undefined)
  assert.equal(cache.get('object', 'a', 3, 1n), undefined, 'a record that was replaced is forgotten')
})

test('what was not asked for longest makes room', () => {
  const cache = new RecordCache(roomForTwo)
  cache.put('t', stored('a', 1), 1n)
  cache.put('t', stored('b', 1), 1n)
  cache.get('t', 'a', 1, 1n)
  cache.put('t', stored('c', 1), 1n)
  assert.equal(cache.get('t', 'b', 1, 1n), undefined)
  assert.ok(cache.get('t', 'a', 1, 1n))
  assert.ok(cache.get('t', 'c', 1, 1n))
})

test('a record that is put again, dropped or too large weighs nothing', () => {
  const cache = new RecordCache(roomForTwo)
  for (let revision = 1; revision <= 5; revision += 1) cache.put('t', stored('a', revision), 1n)
  cache.put('t', stored('b', 1), 1n)
  assert.ok(cache.get('t', 'a', 5, 1n))
  cache.put('t', stored('large', 1, 'x'.repeat(roomForTwo)), 1n)
  assert.equal(cache.get('t', 'large', 1, 1n), undefined)
  cache.drop('t', 'a')
  cache.put('t', stored('c', 1), 1n)
  assert.ok(cache.get('t', 'b', 1, 1n))
  assert.ok(cache.get('t', 'c', 1, 1n))
})

test('a bound of 0 keeps nothing', () => {
  const cache = new RecordCache(0)
  cache.put('t', stored('a', 1), 1n)
  assert.equal(cache.get('t', 'a', 1, 1n), undefined)
})

test('a record comes back without a look at the file as long as nothing was committed', () => {
  const cache = new RecordCache(10_000)
  cache.put('object', stored('a', 3), 1n)
  assert.deepEqual(cache.unchangedSince('object', 'a', 1n), stored('a', 3))
  assert.equal(cache.unchangedSince('object', 'b', 1n), undefined)
  assert.equal(cache.unchangedSince('object', 'a', 2n), undefined)
  assert.ok(cache.get('object', 'a', 3, 2n), 'the file has it still')
  assert.deepEqual(cache.unchangedSince('object', 'a', 2n), stored('a', 3))
  assert.equal(cache.revisionSince('object', 'a', 2n), 3)
  assert.equal(cache.revisionSince('object', 'a', 3n), undefined)
  cache.drop('object', 'a')
  assert.equal(cache.unchangedSince('object', 'a', 2n), undefined)
  assert.equal(cache.revisionSince('object', 'a', 2n), undefined)
})

/** Runs the garbage collector, once the turn has ended: until then what a WeakRef was made of is held. */
const collect = async (): Promise<void> => {
  await setImmediate()
  setFlagsFromString('--expose-gc')
  const run = runInNewContext('gc') as () => void
  run()
  run()
}

test('what was dropped is gone from memory, though no room was ever needed', async () => {
  const cache = new RecordCache(1_000_000)
  const keys = Array.from('abcdefgh')
  const values: WeakRef<object>[] = []
  for (let revision = 1; revision <= 100; revision += 1) {
    for (const key of keys) {
      const value = { keyMaterial: new Uint8Array(32) }
      values.push(new WeakRef(value))
      cache.put('object', stored(key, revision, value), 1n)
    }
  }
  await collect()
  assert.equal(values.filter((value) => value.deref() !== undefined).length, keys.length)
  assert.ok(cache.get('object', 'a', 100, 1n))
})

/** A key with a Name of its own, and what a server sets of it. */
const keyOf = (number: number) => {
  const flags = Object.fromEntries(Array.from('abcdefghijkl', (name) => [name, [{ index: 0, value: true }]]))
  return {
    uniqueIdentifier: `key-${number}`,
    objectType: 2,
    owner: 'local|kmip',
    attributes: {
      ...flags,
      Name: [{ index: 0, value: { nameValue: `volume ${number}`, nameType: 1 } }],
      Digest: [{ index: 0, value: { digestValue: new Uint8Array(32).fill(number) } }],
    },
    value: { keyBlock: { keyValue: { keyMaterial: new Uint8Array(32).fill(number), attribute: [] } } },
  }
}

test('the memory that records take is about the bound', async () => {
  const bytesMax = 4 * 2 ** 20
  const sealed = Array.from({ length: 10_000 }, (_, number) => Buffer.from(packValue(keyOf(number))))
  const used = async (): Promise<number> => {
    await collect()
    const { heapUsed, arrayBuffers } = memoryUsage()
    return heapUsed + arrayBuffers
  }
  const fill = (cache: RecordCache): RecordCache => {
    for (const [number, bytes] of sealed.entries()) {
      const key = `key-${number}`
      cache.put('object', stored(key, 1, unpackValue(bytes, key)), 1n)
    }
    return cache
  }
  // Once before, so that what is made at the first time is there.
  fill(new RecordCache(bytesMax))
  const before = await used()
  const cache = fill(new RecordCache(bytesMax))
  const bytes = (await used()) - before
  assert.ok(cache.get('object', 'key-9999', 1, 1n))
  assert.equal(cache.get('object', 'key-0', 1, 1n), undefined)
  assert.ok(bytes > 0.7 * bytesMax && bytes < 1.3 * bytesMax, `${bytes} bytes`)
})
