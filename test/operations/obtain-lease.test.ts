/** Obtain Lease: every reason of KMIP 1.4 §11.18, and the lease. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { openDispatcher, outcome, succeed } from '#test/dispatcher'
import { objectRows, registerTemplate, testOutcomes } from '#test/outcome-table'
import { attributes, createKey, revocation } from '#test/sample-objects'

describe('Obtain Lease: reasons', () => {
  testOutcomes([
    ...objectRows('ObtainLease', (uniqueIdentifier) => ({ uniqueIdentifier })),
    [
      'a compromised key',
      'PermissionDenied',
      async (under) => {
        const uniqueIdentifier = await createKey(under)
        await succeed(under, 'Revoke', revocation(uniqueIdentifier, true))
        return outcome(under, 'ObtainLease', { uniqueIdentifier })
      },
    ],
    [
      'a destroyed key',
      'PermissionDenied',
      async (under) => {
        const uniqueIdentifier = await createKey(under)
        await succeed(under, 'Destroy', { uniqueIdentifier })
        return outcome(under, 'ObtainLease', { uniqueIdentifier })
      },
    ],
    [
      'a Template',
      'PermissionDenied',
      async (under) =>
        outcome(under, 'ObtainLease', { uniqueIdentifier: await registerTemplate(under, 'a', { Comment: 'a' }) }),
    ],
  ])
})

test('Obtain Lease gives the Lease Time and the date of the last change', async () => {
  const under = openDispatcher({ policy: { leaseTimeSeconds: 60 } })
  const uniqueIdentifier = await createKey(under)
  const lastChangeDate = under.clock.nowSeconds()
  under.clock.advance(5_000)
  const given = await succeed(under, 'ObtainLease', { uniqueIdentifier })
  assert.deepEqual({ ...given }, { uniqueIdentifier, leaseTime: 60, lastChangeDate })
})

test('a state that a date has brought is a change that the Last Change Date tells of (§3.38)', async () => {
  const under = openDispatcher()
  const activationDate = under.clock.nowSeconds() + 5
  const uniqueIdentifier = await createKey(under, { 'Activation Date': activationDate })
  under.clock.advance(9_000)
  const { lastChangeDate } = await succeed(under, 'ObtainLease', { uniqueIdentifier })
  assert.equal(lastChangeDate, activationDate)
  const found = await succeed(under, 'Locate', { attribute: attributes({ 'Last Change Date': activationDate }) })
  assert.deepEqual(found.uniqueIdentifier, [uniqueIdentifier])
})

test('an object that replaces another has the Lease Time that is set for such', async () => {
  const under = openDispatcher({ policy: { leaseTimeSeconds: 60, replacementLeaseTimeSeconds: 0 } })
  const uniqueIdentifier = await createKey(under)
  const replacement = await succeed(under, 'ReKey', { uniqueIdentifier })
  assert.equal((await succeed(under, 'ObtainLease', { uniqueIdentifier })).leaseTime, 60)
  assert.equal((await succeed(under, 'ObtainLease', replacement)).leaseTime, 0)
})
