/** Get Usage Allocation: every reason of KMIP 1.4 §11.19, and that no unit is given twice. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { RequestPayload } from '#client/operation-methods'
import { CryptographicUsageMask, UsageLimitsUnit } from '#kmip/enums'
import { type DispatcherUnderTest, openDispatcher, outcome } from '#test/dispatcher'
import { objectRows, testOutcomes } from '#test/outcome-table'
import { createKey } from '#test/sample-objects'

const limitedKey = (under: DispatcherUnderTest, values: Readonly<Record<string, unknown>> = {}) =>
  createKey(under, {
    'Usage Limits': { usageLimitsTotal: 100n, usageLimitsUnit: UsageLimitsUnit.Byte },
    'Activation Date': under.clock.nowSeconds(),
    ...values,
  })

const allocation = async (under: DispatcherUnderTest, uniqueIdentifier: string, usageLimitsCount = 1n) =>
  outcome(under, 'GetUsageAllocation', { uniqueIdentifier, usageLimitsCount })

describe('Get Usage Allocation: reasons', () => {
  testOutcomes([
    ...objectRows('GetUsageAllocation', (uniqueIdentifier) => ({ uniqueIdentifier, usageLimitsCount: 1n })),
    ['no Usage Limits', 'IllegalOperation', async (under) => allocation(under, await createKey(under))],
    [
      'a mask that allows no protection',
      'IllegalOperation',
      async (under) =>
        allocation(under, await limitedKey(under, { 'Cryptographic Usage Mask': CryptographicUsageMask.Decrypt })),
    ],
    [
      'no Usage Limits Count',
      'InvalidMessage',
      async (under) =>
        outcome(under, 'GetUsageAllocation', {
          uniqueIdentifier: await limitedKey(under),
        } as RequestPayload<'GetUsageAllocation'>),
    ],
    ['nothing is asked for', 'InvalidField', async (under) => allocation(under, await limitedKey(under), 0n)],
    ['less than nothing', 'InvalidField', async (under) => allocation(under, await limitedKey(under), -5n)],
    ['more than there is', 'PermissionDenied', async (under) => allocation(under, await limitedKey(under), 101n)],
    [
      'before the Activation Date',
      'PermissionDenied',
      async (under) => allocation(under, await limitedKey(under, { 'Activation Date': under.clock.nowSeconds() + 60 })),
    ],
    [
      'at the Protect Stop Date',
      'PermissionDenied',
      async (under) => allocation(under, await limitedKey(under, { 'Protect Stop Date': under.clock.nowSeconds() })),
    ],
    ['all that there is', 'Success', async (under) => allocation(under, await limitedKey(under), 100n)],
  ])

  test('clients that ask at once are given the Total together and not more', async () => {
    const under = openDispatcher({ conflictRetriesMax: 32 })
    const key = await limitedKey(under)
    const outcomes = await Promise.all(Array.from({ length: 15 }, () => allocation(under, key, 10n)))
    assert.deepEqual(outcomes.toSorted(), [
      ...Array<string>(5).fill('PermissionDenied'),
      ...Array<string>(10).fill('Success'),
    ])
  })
})
