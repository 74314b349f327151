/** Archive: every reason of KMIP 1.4 §11.23, and what an archived object is good for. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { StorageStatusMask } from '#kmip/enums'
import { openDispatcher, outcome, succeed } from '#test/dispatcher'
import { objectRows, testOutcomes } from '#test/outcome-table'
import { createKey } from '#test/sample-objects'

describe('Archive: reasons', () => {
  testOutcomes(objectRows('Archive', (uniqueIdentifier) => ({ uniqueIdentifier })))
})

test('an archived object is found in the archive alone, and tells that it is archived', async () => {
  const under = openDispatcher()
  const uniqueIdentifier = await createKey(under)
  await succeed(under, 'Archive', { uniqueIdentifier })
  const found = async (storageStatusMask: number) =>
    (await succeed(under, 'Locate', { attribute: [], storageStatusMask })).uniqueIdentifier
  assert.deepEqual(await found(StorageStatusMask.OnLineStorage), [])
  assert.deepEqual(await found(StorageStatusMask.ArchivalStorage), [uniqueIdentifier])
  assert.equal(await outcome(under, 'Get', { uniqueIdentifier }), 'ObjectArchived')
})
