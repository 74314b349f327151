/** Revoke: every reason of KMIP 1.4 §11.21, and the states and dates of §4.20, §3.29 and §3.30. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { RevocationReasonCode, State } from '#kmip/enums'
import { attributesOf, openDispatcher, outcome, succeed } from '#test/dispatcher'
import { objectRows, registerTemplate, testOutcomes } from '#test/outcome-table'
import { createKey, opaqueRequest, revocation } from '#test/sample-objects'

const { CessationOfOperation, KeyCompromise, CACompromise, Superseded } = RevocationReasonCode
const because = (uniqueIdentifier: string | undefined, revocationReasonCode: RevocationReasonCode) => ({
  uniqueIdentifier,
  revocationReason: { revocationReasonCode },
})

describe('Revoke: reasons', () => {
  testOutcomes([
    ...objectRows('Revoke', (uniqueIdentifier) => because(uniqueIdentifier, KeyCompromise)),
    [
      'a Revocation Reason that is not recognized',
      'InvalidField',
      async (under) => outcome(under, 'Revoke', because(await createKey(under), 99 as RevocationReasonCode)),
    ],
    [
      'a Compromise Occurrence Date with another reason',
      'InvalidField',
      async (under) => {
        const uniqueIdentifier = await createKey(under, { 'Activation Date': 0 })
        return outcome(under, 'Revoke', { ...because(uniqueIdentifier, Superseded), compromiseOccurrenceDate: 1 })
      },
    ],
    [
      'a Template',
      'IllegalOperation',
      async (under) =>
        outcome(under, 'Revoke', because(await registerTemplate(under, 'a', { Comment: 'a' }), KeyCompromise)),
    ],
    [
      'a pre-active object that is not compromised',
      'IllegalOperation',
      async (under) => outcome(under, 'Revoke', because(await createKey(under), CessationOfOperation)),
    ],
    [
      'a deactivated object once more',
      'IllegalOperation',
      async (under) => {
        const uniqueIdentifier = await createKey(under, { 'Activation Date': 0 })
        await succeed(under, 'Revoke', revocation(uniqueIdentifier))
        return outcome(under, 'Revoke', revocation(uniqueIdentifier))
      },
    ],
    [
      'a compromised object once more',
      'IllegalOperation',
      async (under) => {
        const uniqueIdentifier = await createKey(under)
        await succeed(under, 'Revoke', revocation(uniqueIdentifier, true))
        return outcome(under, 'Revoke', revocation(uniqueIdentifier, true))
      },
    ],
    [
      'an active object',
      'Success',
      async (under) =>
        outcome(under, 'Revoke', because(await createKey(under, { 'Activation Date': 0 }), CessationOfOperation)),
    ],
    [
      'an Opaque Object',
      'Success',
      async (under) => {
        const { uniqueIdentifier } = await succeed(under, 'Register', opaqueRequest())
        return outcome(under, 'Revoke', because(uniqueIdentifier, CACompromise))
      },
    ],
  ])
})

describe('Revoke', () => {
  test('deactivates now, and keeps reason and message', async () => {
    const under = openDispatcher()
    const before = under.clock.nowSeconds()
    const uniqueIdentifier = await createKey(under, {
      'Activation Date': 0,
      'Deactivation Date': before + 1000,
    })
    under.clock.advance(7000)
    const revocationReason = { revocationReasonCode: Superseded, revocationMessage: 'replaced' }
    const answer = await succeed(under, 'Revoke', { uniqueIdentifier, revocationReason })
    assert.deepEqual(answer, { uniqueIdentifier })
    const now = await attributesOf(under, uniqueIdentifier)
    assert.deepEqual(now['State'], [State.Deactivated])
    assert.deepEqual(now['Deactivation Date'], [before + 7])
    assert.deepEqual(now['Revocation Reason'], [revocationReason])
    assert.deepEqual(now['Last Change Date'], [before + 7])
    assert.equal(now['Compromise Date'], undefined)
    assert.equal(now['Compromise Occurrence Date'], undefined)
  })

  test('compromises now; without a date it occurred when the object was made', async () => {
    for (const occurred of [undefined, 1_700_000_000]) {
      const under = openDispatcher()
      const before = under.clock.nowSeconds()
      const uniqueIdentifier = await createKey(under, { 'Activation Date': 0 })
      under.clock.advance(7000)
      await succeed(under, 'Revoke', {
        ...because(uniqueIdentifier, CACompromise),
        ...(occurred === undefined ? {} : { compromiseOccurrenceDate: occurred }),
      })
      const now = await attributesOf(under, uniqueIdentifier)
      assert.deepEqual(now['State'], [State.Compromised])
      assert.deepEqual(now['Compromise Date'], [before + 7])
      assert.deepEqual(now['Compromise Occurrence Date'], [occurred ?? before])
      assert.equal(now['Deactivation Date'], undefined)
    }
  })

  test('a compromised object that was destroyed is Destroyed Compromised (transition 10)', async () => {
    const under = openDispatcher()
    const uniqueIdentifier = await createKey(under)
    await succeed(under, 'Destroy', { uniqueIdentifier })
    await succeed(under, 'Revoke', revocation(uniqueIdentifier, true))
    assert.deepEqual((await attributesOf(under, uniqueIdentifier))['State'], [State.DestroyedCompromised])
  })
})
