/** Where an index entry lies among the others: what the order of keys promises. What it is not: a test of what is found by them. */

import assert from 'node:assert/strict'
import { hash } from 'node:crypto'
import { test } from 'node:test'
import { entryKeyBytes, IndexKeys } from '#store/keys'
import type { IndexEntry, Sealer } from '#store/store'

const sealer: Pick<Sealer, 'hash'> = { hash: (term) => hash('sha256', term, 'buffer').subarray(0, 16) }
const keys = new IndexKeys(sealer as Sealer, 'things')
const named = (value: string): IndexEntry => ({ field: 'name', value })
const claim = (place: string, name: string): IndexEntry => ({
  field: 'claimed',
  value: place,
  beside: named(name),
})

test('a claim lies right beside its entry, whatever else is there', () => {
  const names = Array.from({ length: 1000 }, (_, count) => `name ${count}`)
  const all = names.flatMap((name) => [
    { name, key: Buffer.concat([keys.posting(named(name)), Buffer.from('a record key')]) },
    { name, key: keys.claim(claim('here', name)) },
    { name, key: keys.claim(claim('there', name)) },
  ])
  const sorted = all.toSorted((a, b) => Buffer.compare(a.key, b.key))
  for (let at = 0; at < sorted.length; at += 3)
    assert.equal(new Set(sorted.slice(at, at + 3).map(({ name }) => name)).size, 1, `at ${at}`)
  assert.equal(new Set(all.map(({ key }) => key.toString('hex'))).size, all.length, 'each key is one of its own')
})

test('a claim is never taken for the entry beside which it lies', () => {
  const posting = keys.posting(named('x'))
  const beside = keys.claim(claim('here', 'x'))
  assert.equal(beside.length, entryKeyBytes)
  assert.equal(posting.length, entryKeyBytes)
  assert.equal(beside[0], posting[0])
  assert.notDeepEqual(beside, posting)
})

test('a claim beside a number is an error of the table', () => {
  assert.throws(() => keys.claim({ field: 'claimed', value: 'x', beside: { field: 'length', value: 1 } }), /beside/)
})
