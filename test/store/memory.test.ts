/** The battery on the store in memory, and what only it finds out. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MemoryStore } from '#store/memory'
import { StoreUnavailable } from '#store/store'
import { storeContract } from './contract.ts'
import { change, create, present, tables, things } from './things.ts'

storeContract('memory', async () => new MemoryStore(tables))

test('a previous value that is not the stored one is found out', async () => {
  const store = new MemoryStore(tables)
  await store.commit([create('k', { entries: [{ field: 'name', value: 'a' }] })])
  const stored = present(store, 'k')
  const wrong = { ...stored, value: { entries: [{ field: 'name', value: 'b' }] } }
  await assert.rejects(store.commit([change(wrong, { entries: [] })]), /previous value/)
})

test('a closed store serves nothing', async () => {
  const store = new MemoryStore(tables)
  await store.close()
  assert.throws(() => store.read(things, 'k'), StoreUnavailable)
  await assert.rejects(store.commit([create('k', { entries: [] })]), StoreUnavailable)
})
