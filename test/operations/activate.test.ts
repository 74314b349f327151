/** Activate: every reason of KMIP 1.4 §11.20, and the dates of §4.19 and §3.24. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { State } from '#kmip/enums'
import { attributesOf, openDispatcher, outcome, succeed } from '#test/dispatcher'
import { objectRows, registerTemplate, testOutcomes } from '#test/outcome-table'
import { createKey, opaqueRequest, revocation } from '#test/sample-objects'

describe('Activate: reasons', () => {
  testOutcomes([
    ...objectRows('Activate', (uniqueIdentifier) => ({ uniqueIdentifier })),
    [
      'a Template',
      'IllegalOperation',
      async (under) => {
        const uniqueIdentifier = await registerTemplate(under, 'template', { Comment: 'a' })
        return outcome(under, 'Activate', { uniqueIdentifier })
      },
    ],
    [
      'an object whose Process Start Date has passed, which may not precede activation',
      'IllegalOperation',
      async (under) => {
        const past = under.clock.nowSeconds() - 1
        return outcome(under, 'Activate', { uniqueIdentifier: await createKey(under, { 'Process Start Date': past }) })
      },
    ],
    [
      'an object whose Deactivation Date has passed',
      'IllegalOperation',
      async (under) => {
        const past = under.clock.nowSeconds() - 1
        return outcome(under, 'Activate', { uniqueIdentifier: await createKey(under, { 'Deactivation Date': past }) })
      },
    ],
    [
      'an active object',
      'PermissionDenied',
      async (under) => {
        const uniqueIdentifier = await createKey(under)
        await succeed(under, 'Activate', { uniqueIdentifier })
        return outcome(under, 'Activate', { uniqueIdentifier })
      },
    ],
    [
      'an object that a date has activated',
      'PermissionDenied',
      async (under) => {
        const uniqueIdentifier = await createKey(under, { 'Activation Date': under.clock.nowSeconds() + 10 })
        under.clock.advance(10_000)
        return outcome(under, 'Activate', { uniqueIdentifier })
      },
    ],
    [
      'a deactivated object',
      'PermissionDenied',
      async (under) => {
        const uniqueIdentifier = await createKey(under, { 'Activation Date': 0 })
        await succeed(under, 'Revoke', revocation(uniqueIdentifier))
        return outcome(under, 'Activate', { uniqueIdentifier })
      },
    ],
    [
      'a compromised object',
      'PermissionDenied',
      async (under) => {
        const uniqueIdentifier = await createKey(under)
        await succeed(under, 'Revoke', revocation(uniqueIdentifier, true))
        return outcome(under, 'Activate', { uniqueIdentifier })
      },
    ],
    [
      'a destroyed object',
      'PermissionDenied',
      async (under) => {
        const uniqueIdentifier = await createKey(under)
        await succeed(under, 'Destroy', { uniqueIdentifier })
        return outcome(under, 'Activate', { uniqueIdentifier })
      },
    ],
    [
      'a pre-active object',
      'Success',
      async (under) => outcome(under, 'Activate', { uniqueIdentifier: await createKey(under) }),
    ],
    [
      'an Opaque Object, which may be treated as a cryptographic one',
      'Success',
      async (under) => outcome(under, 'Activate', await succeed(under, 'Register', opaqueRequest())),
    ],
  ])
})

describe('Activate', () => {
  test('makes the object active now, whatever date was set before, and tells which object it was', async () => {
    const under = openDispatcher()
    const before = under.clock.nowSeconds()
    const uniqueIdentifier = await createKey(under, { 'Activation Date': before + 1000 })
    under.clock.advance(5000)
    assert.deepEqual(await succeed(under, 'Activate', { uniqueIdentifier }), { uniqueIdentifier })
    const now = await attributesOf(under, uniqueIdentifier)
    assert.deepEqual(now['State'], [State.Active])
    assert.deepEqual(now['Activation Date'], [before + 5])
    assert.deepEqual(now['Last Change Date'], [before + 5])
    assert.deepEqual(now['Initial Date'], [before])
  })
})
