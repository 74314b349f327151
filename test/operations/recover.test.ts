/** Recover: every reason of KMIP 1.4 §11.24, and the way back of an archived object. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { alice, attributesOf, bob, item, openDispatcher, outcome, payloadOf, send, succeed } from '#test/dispatcher'
import { testOutcomes } from '#test/outcome-table'
import { createKey } from '#test/sample-objects'

describe('Recover: reasons', () => {
  testOutcomes([
    ['no such object', 'ItemNotFound', (under) => outcome(under, 'Recover', { uniqueIdentifier: 'nobody' })],
    [
      'the object of another user',
      'PermissionDenied',
      async (under) => {
        const uniqueIdentifier = await createKey(under)
        await succeed(under, 'Archive', { uniqueIdentifier })
        return outcome(under, 'Recover', { uniqueIdentifier }, { who: bob })
      },
    ],
    [
      'an object that is on-line',
      'Success',
      async (under) => outcome(under, 'Recover', { uniqueIdentifier: await createKey(under) }),
    ],
  ])
})

test('a recovered object is what it was, without an Archive Date', async () => {
  const under = openDispatcher()
  const uniqueIdentifier = await createKey(under)
  const before = await succeed(under, 'Get', { uniqueIdentifier })
  await succeed(under, 'Archive', { uniqueIdentifier })
  await succeed(under, 'Recover', { uniqueIdentifier })
  assert.deepEqual(await succeed(under, 'Get', { uniqueIdentifier }), before)
  assert.equal((await attributesOf(under, uniqueIdentifier))['Archive Date'], undefined)
})

test('the recovered object is the ID Placeholder of the items behind it (§4)', async () => {
  const under = openDispatcher()
  const uniqueIdentifier = await createKey(under)
  await succeed(under, 'Archive', { uniqueIdentifier })
  const answer = await send(under, alice, 104, [item('Recover', { uniqueIdentifier }), item('Get', {})])
  assert.equal(payloadOf(answer, 1, 'Get').uniqueIdentifier, uniqueIdentifier)
})

test('Get Attributes tells of an archived object where a setting says so', async () => {
  const under = openDispatcher({ policy: { archivedAttributes: 'give' } })
  const uniqueIdentifier = await createKey(under)
  await succeed(under, 'Archive', { uniqueIdentifier })
  assert.deepEqual((await attributesOf(under, uniqueIdentifier))['Archive Date'], [under.clock.nowSeconds()])
  assert.equal(await outcome(under, 'Get', { uniqueIdentifier }), 'ObjectArchived')
})
