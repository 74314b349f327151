/** The cache of opened records: it gives nothing but what was asked for, at the revision that was asked for, within its bound. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RecordCache } from '#store/lmdb/record-cache'

const stored = (key: string, revision: number, value: unknown = key) => ({ key, revision, value })

test('a record comes back at its revision, and at no other', () => {
  const cache = new RecordCache(10_000)
  cache.put('object', stored('a', 3), 10)
  assert.deepEqual(cache.get('object', 'a', 3), stored('a', 3))
  assert.equal(cache.get('user', 'a', 3), undefined)
  assert.equal(cache.get('object', 'a', 4), undefined)
  assert.equal(cache.get('object', 'a', 3), undefined, 'a record that was replaced is forgotten')
})

test('what was not asked for longest makes room', () => {
  // Each record weighs 512 + 4 x 100: two fit, three do not.
  const cache = new RecordCache(2 * 912)
  cache.put('t', stored('a', 1), 100)
  cache.put('t', stored('b', 1), 100)
  cache.get('t', 'a', 1)
  cache.put('t', stored('c', 1), 100)
  assert.equal(cache.get('t', 'b', 1), undefined)
  assert.ok(cache.get('t', 'a', 1))
  assert.ok(cache.get('t', 'c', 1))
})

test('a record that is put again, dropped or too large weighs nothing', () => {
  const cache = new RecordCache(2 * 912)
  for (let revision = 1; revision <= 5; revision += 1) cache.put('t', stored('a', revision), 100)
  cache.put('t', stored('b', 1), 100)
  assert.ok(cache.get('t', 'a', 5))
  cache.put('t', stored('large', 1), 10_000)
  assert.equal(cache.get('t', 'large', 1), undefined)
  cache.drop('t', 'a')
  cache.put('t', stored('c', 1), 100)
  assert.ok(cache.get('t', 'b', 1))
  assert.ok(cache.get('t', 'c', 1))
})

test('a bound of 0 keeps nothing', () => {
  const cache = new RecordCache(0)
  cache.put('t', stored('a', 1), 1)
  assert.equal(cache.get('t', 'a', 1), undefined)
})
