/** The cache of opened records: it gives nothing but what was asked for, at the revision that was asked for, within its bound. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { RecordCache } from '#store/lmdb/record-cache'

const stored = (key: string, revision: number, value: unknown = key) => ({ key, revision, value })

test('a record comes back at its revision, and at no other', () => {
  const cache = new RecordCache(10_000)
  cache.put('object', stored('a', 3), 10, 1n)
  assert.deepEqual(cache.get('object', 'a', 3, 1n), stored('a', 3))
  assert.equal(cache.get('user', 'a', 3, 1n), undefined)
  assert.equal(cache.get('object', 'a', 4, 1n), undefined)
  assert.equal(cache.get('object', 'a', 3, 1n), undefined, 'a record that was replaced is forgotten')
})

test('what was not asked for longest makes room', () => {
  // Each record weighs 512 + 4 x 100: two fit, three do not.
  const cache = new RecordCache(2 * 912)
  cache.put('t', stored('a', 1), 100, 1n)
  cache.put('t', stored('b', 1), 100, 1n)
  cache.get('t', 'a', 1, 1n)
  cache.put('t', stored('c', 1), 100, 1n)
  assert.equal(cache.get('t', 'b', 1, 1n), undefined)
  assert.ok(cache.get('t', 'a', 1, 1n))
  assert.ok(cache.get('t', 'c', 1, 1n))
})

test('a record that is put again, dropped or too large weighs nothing', () => {
  const cache = new RecordCache(2 * 912)
  for (let revision = 1; revision <= 5; revision += 1) cache.put('t', stored('a', revision), 100, 1n)
  cache.put('t', stored('b', 1), 100, 1n)
  assert.ok(cache.get('t', 'a', 5, 1n))
  cache.put('t', stored('large', 1), 10_000, 1n)
  assert.equal(cache.get('t', 'large', 1, 1n), undefined)
  cache.drop('t', 'a')
  cache.put('t', stored('c', 1), 100, 1n)
  assert.ok(cache.get('t', 'b', 1, 1n))
  assert.ok(cache.get('t', 'c', 1, 1n))
})

test('a bound of 0 keeps nothing', () => {
  const cache = new RecordCache(0)
  cache.put('t', stored('a', 1), 1, 1n)
  assert.equal(cache.get('t', 'a', 1, 1n), undefined)
})

test('a record comes back without a look at the file as long as nothing was committed', () => {
  const cache = new RecordCache(10_000)
  cache.put('object', stored('a', 3), 10, 1n)
  assert.deepEqual(cache.unchangedSince('object', 'a', 1n), stored('a', 3))
  assert.equal(cache.unchangedSince('object', 'b', 1n), undefined)
  assert.equal(cache.unchangedSince('object', 'a', 2n), undefined)
  assert.ok(cache.get('object', 'a', 3, 2n), 'the file has it still')
  assert.deepEqual(cache.unchangedSince('object', 'a', 2n), stored('a', 3))
  cache.drop('object', 'a')
  assert.equal(cache.unchangedSince('object', 'a', 2n), undefined)
})

test('what was dropped is gone from memory, though no room was ever needed', async () => {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  const cache = new RecordCache(1_000_000)
  const keys = [...'abcdefgh']
  const values: WeakRef<object>[] = []
  for (let revision = 1; revision <= 100; revision += 1) {
    for (const key of keys) {
      const value = { keyMaterial: new Uint8Array(32) }
      values.push(new WeakRef(value))
      cache.put('object', stored(key, revision, value), 10, 1n)
    }
  }
  // What a WeakRef was made of is held until the turn ends.
  await setImmediate()
  collect()
  assert.equal(values.filter((value) => value.deref() !== undefined).length, keys.length)
  assert.ok(cache.get('object', 'a', 100, 1n))
})
