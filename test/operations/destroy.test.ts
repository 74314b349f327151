/** Destroy: every reason of KMIP 1.4 §11.22, and what §4.21 keeps and what it does not. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { State } from '#kmip/enums'
import { attributesOf, openDispatcher, outcome, stored, succeed } from '#test/dispatcher'
import { objectRows, registerTemplate, testOutcomes } from '#test/outcome-table'
import { createKey, createRequest, name, revocation } from '#test/sample-objects'

describe('Destroy: reasons', () => {
  testOutcomes([
    ...objectRows('Destroy', (uniqueIdentifier) => ({ uniqueIdentifier })),
    [
      'an object that was destroyed',
      'PermissionDenied',
      async (under) => {
        const uniqueIdentifier = await createKey(under)
        await succeed(under, 'Destroy', { uniqueIdentifier })
        return outcome(under, 'Destroy', { uniqueIdentifier })
      },
    ],
    [
      'an active object',
      'PermissionDenied',
      async (under) =>
        outcome(under, 'Destroy', { uniqueIdentifier: await createKey(under, { 'Activation Date': 0 }) }),
    ],
    [
      'a deactivated object',
      'Success',
      async (under) => {
        const past = under.clock.nowSeconds() - 1
        const dates = { 'Activation Date': 0, 'Deactivation Date': past }
        return outcome(under, 'Destroy', { uniqueIdentifier: await createKey(under, dates) })
      },
    ],
    [
      'a compromised object',
      'Success',
      async (under) => {
        const uniqueIdentifier = await createKey(under)
        await succeed(under, 'Revoke', revocation(uniqueIdentifier, true))
        return outcome(under, 'Destroy', { uniqueIdentifier })
      },
    ],
    [
      'a pre-active object, without Revoke',
      'Success',
      async (under) => outcome(under, 'Destroy', { uniqueIdentifier: await createKey(under) }),
    ],
  ])
})

describe('Destroy', () => {
  test('takes the material and leaves what else is known, with state and date', async () => {
    const under = openDispatcher()
    const before = under.clock.nowSeconds()
    const uniqueIdentifier = await createKey(under, { Name: name('a'), 'x-tape': { tag: 0, type: 7, value: 'b' } })
    under.clock.advance(3000)
    assert.deepEqual(await succeed(under, 'Destroy', { uniqueIdentifier }), { uniqueIdentifier })
    assert.equal(stored(under, uniqueIdentifier).value, undefined)
    const now = await attributesOf(under, uniqueIdentifier)
    assert.deepEqual(now['State'], [State.Destroyed])
    assert.deepEqual(now['Destroy Date'], [before + 3])
    assert.deepEqual(now['Last Change Date'], [before + 3])
    assert.deepEqual(now['Name'], [name('a')])
    assert.equal(now['x-tape']?.length, 1)
    assert.equal(await outcome(under, 'Get', { uniqueIdentifier }), 'IllegalOperation')
  })

  test('a compromised object becomes Destroyed Compromised (transition 9)', async () => {
    const under = openDispatcher()
    const uniqueIdentifier = await createKey(under)
    await succeed(under, 'Revoke', revocation(uniqueIdentifier, true))
    await succeed(under, 'Destroy', { uniqueIdentifier })
    assert.deepEqual((await attributesOf(under, uniqueIdentifier))['State'], [State.DestroyedCompromised])
  })

  test('frees the Name for others, also within one batch of changes', async () => {
    const under = openDispatcher()
    const uniqueIdentifier = await createKey(under, { Name: name('a') })
    assert.equal(await outcome(under, 'Create', createRequest({ Name: name('a') })), 'InvalidField')
    await succeed(under, 'Destroy', { uniqueIdentifier })
    assert.equal(await outcome(under, 'Create', createRequest({ Name: name('a') })), 'Success')
  })

  test('of a Template leaves nothing', async () => {
    const under = openDispatcher()
    const uniqueIdentifier = await registerTemplate(under, 'a', { Comment: 'a' })
    await succeed(under, 'Destroy', { uniqueIdentifier })
    assert.equal(await outcome(under, 'GetAttributes', { uniqueIdentifier }), 'ItemNotFound')
    assert.equal(await outcome(under, 'Create', createRequest({}, ['a'])), 'ItemNotFound')
  })

  test('leaves nothing of any object when the server is set so', async () => {
    const under = openDispatcher({ policy: { hardDelete: true } })
    const uniqueIdentifier = await createKey(under)
    await succeed(under, 'Destroy', { uniqueIdentifier })
    assert.equal(await outcome(under, 'GetAttributes', { uniqueIdentifier }), 'ItemNotFound')
  })
})
