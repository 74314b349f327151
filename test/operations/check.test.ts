/** Check: every reason of KMIP 1.4 §11.11, and the fields that §4.10 returns with a denial. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { CryptographicUsageMask, UsageLimitsUnit } from '#kmip/enums'
import { alice, ask, continueOnError, item, openDispatcher, outcome, outcomesOf, send, succeed } from '#test/dispatcher'
import { objectRows, registerTemplate, testOutcomes } from '#test/outcome-table'
import { createKey } from '#test/sample-objects'

const { Encrypt, Decrypt, Sign } = CryptographicUsageMask
const limited = { 'Usage Limits': { usageLimitsTotal: 100n, usageLimitsUnit: UsageLimitsUnit.Byte } }

describe('Check: reasons', () => {
  testOutcomes([
    ...objectRows('Check', (uniqueIdentifier) => ({ uniqueIdentifier })),
    [
      'a Template',
      'IllegalOperation',
      async (under) =>
        outcome(under, 'Check', { uniqueIdentifier: await registerTemplate(under, 'a', { Comment: 'a' }) }),
    ],
    [
      'more than the Usage Limits allow',
      'PermissionDenied',
      async (under) =>
        outcome(under, 'Check', { uniqueIdentifier: await createKey(under, limited), usageLimitsCount: 101n }),
    ],
    [
      'a use that the mask does not allow',
      'PermissionDenied',
      async (under) =>
        outcome(under, 'Check', { uniqueIdentifier: await createKey(under), cryptographicUsageMask: Encrypt | Sign }),
    ],
    [
      'a lease that is too long',
      'PermissionDenied',
      async (under) => outcome(under, 'Check', { uniqueIdentifier: await createKey(under), leaseTime: 3601 }),
    ],
    [
      'any lease where none is in effect (§4.17: a Lease Time of 0)',
      'Success',
      async ({ store, clock }) => {
        const under = openDispatcher({ store, clock, policy: { leaseTimeSeconds: 0 } })
        return outcome(under, 'Check', { uniqueIdentifier: await createKey(under), leaseTime: 3600 })
      },
    ],
    [
      'all that is allowed, and not more',
      'Success',
      async (under) =>
        outcome(under, 'Check', {
          uniqueIdentifier: await createKey(under, limited),
          usageLimitsCount: 100n,
          cryptographicUsageMask: Encrypt | Decrypt,
          leaseTime: 3600,
        }),
    ],
    [
      'any count of an object without Usage Limits',
      'Success',
      async (under) =>
        outcome(under, 'Check', { uniqueIdentifier: await createKey(under), usageLimitsCount: 1n << 60n }),
    ],
  ])
})

describe('Check', () => {
  test('gives back what caused the denial and nothing else, without the identifier', async () => {
    const under = openDispatcher()
    const uniqueIdentifier = await createKey(under, limited)
    const asked = { usageLimitsCount: 100n, cryptographicUsageMask: Encrypt, leaseTime: 3600 }
    const denials = [
      { usageLimitsCount: 200n },
      { cryptographicUsageMask: Sign },
      { leaseTime: 4000 },
      { usageLimitsCount: 200n, cryptographicUsageMask: Sign, leaseTime: 4000 },
    ]
    for (const denied of denials) {
      const { payload } = await ask(under, 'Check', { uniqueIdentifier, ...asked, ...denied })
      const nothing = { usageLimitsCount: undefined, cryptographicUsageMask: undefined, leaseTime: undefined }
      assert.deepEqual(payload, { uniqueIdentifier: undefined, ...nothing, ...denied })
    }
    assert.deepEqual(await succeed(under, 'Check', { uniqueIdentifier, ...asked }), {
      uniqueIdentifier,
      usageLimitsCount: undefined,
      cryptographicUsageMask: undefined,
      leaseTime: undefined,
    })
  })

  test('a denial empties the ID Placeholder', async () => {
    const under = openDispatcher()
    const answer = await send(
      under,
      alice,
      104,
      [
        item('Locate', { attribute: [{ attributeName: 'Unique Identifier', attributeValue: await createKey(under) }] }),
        item('Check', { cryptographicUsageMask: Encrypt }),
        item('Check', { cryptographicUsageMask: Sign }),
        item('Get', {}),
      ],
      continueOnError,
    )
    assert.deepEqual(outcomesOf(answer), ['Success', 'Success', 'PermissionDenied', 'ItemNotFound'])
  })
})
