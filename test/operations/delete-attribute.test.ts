/** Delete Attribute: every reason of KMIP 1.4 §11.17, and the instance that §4.16 takes. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { UsageLimitsUnit } from '#kmip/enums'
import {
  attributesOf,
  type DispatcherUnderTest,
  openDispatcher,
  outcome,
  place,
  stored,
  succeed,
} from '#test/dispatcher'
import { objectRows, testOutcomes } from '#test/outcome-table'
import { createKey, createRequest, name } from '#test/sample-objects'

/** What comes of deleting an attribute of a key that was made with others. */
const deleting =
  (attributeName: string, made: Readonly<Record<string, unknown>> = {}, attributeIndex?: number) =>
  async (under: DispatcherUnderTest): Promise<string> =>
    outcome(under, 'DeleteAttribute', { uniqueIdentifier: await createKey(under, made), attributeName, attributeIndex })

const limits = { usageLimitsTotal: 10n, usageLimitsUnit: UsageLimitsUnit.Byte }

describe('Delete Attribute: reasons', () => {
  testOutcomes([
    ...objectRows('DeleteAttribute', (uniqueIdentifier) => ({ uniqueIdentifier, attributeName: 'Comment' })),
    ...[
      'Unique Identifier',
      'Object Type',
      'Cryptographic Algorithm',
      'Cryptographic Usage Mask',
      'State',
      'Initial Date',
      'Digest',
      'Sensitive',
      'Extractable',
      'Random Number Generator',
      'Original Creation Date',
    ].map(
      (attributeName) =>
        [`read-only or required: ${attributeName}`, 'PermissionDenied', deleting(attributeName)] as const,
    ),
    ['a read-only attribute that is not there', 'PermissionDenied', deleting('Destroy Date')],
    ['a date, which is never deleted', 'PermissionDenied', deleting('Activation Date', { 'Activation Date': 1 })],
    [
      'Usage Limits of which some were used',
      'PermissionDenied',
      async (under) => {
        const uniqueIdentifier = await createKey(under, { 'Usage Limits': limits })
        const object = stored(under, uniqueIdentifier)
        const used = [{ index: 0, value: { ...limits, usageLimitsCount: 9n } }]
        await place(under, { ...object, attributes: { ...object.attributes, 'Usage Limits': used } })
        return outcome(under, 'DeleteAttribute', { uniqueIdentifier, attributeName: 'Usage Limits' })
      },
    ],
    ['an instance that is not there', 'ItemNotFound', deleting('Object Group', { 'Object Group': 'a' }, 1)],
    ['an attribute that the object does not have', 'ItemNotFound', deleting('Object Group')],
    ['an attribute that nobody knows', 'ItemNotFound', deleting('Colour')],
    ['Usage Limits that were not used', 'Success', deleting('Usage Limits', { 'Usage Limits': limits })],
    ['an attribute that the client gave', 'Success', deleting('Object Group', { 'Object Group': 'a' })],
  ])
})

describe('Delete Attribute', () => {
  test('takes the instance that is meant, index 0 without one, and answers with it', async () => {
    const under = openDispatcher()
    const uniqueIdentifier = await createKey(under, { 'Object Group': ['a', 'b', 'c'] })
    under.clock.advance(4000)
    const attributeName = 'Object Group'
    const answer = await succeed(under, 'DeleteAttribute', { uniqueIdentifier, attributeName, attributeIndex: 1 })
    assert.deepEqual(answer, {
      uniqueIdentifier,
      attribute: { attributeName, attributeIndex: 1, attributeValue: 'b' },
    })
    const { attribute } = await succeed(under, 'DeleteAttribute', { uniqueIdentifier, attributeName })
    assert.equal(attribute.attributeValue, 'a')
    const now = await attributesOf(under, uniqueIdentifier)
    assert.deepEqual(now[attributeName], ['c'])
    assert.deepEqual(now['Last Change Date'], [under.clock.nowSeconds()])
    assert.equal(await outcome(under, 'DeleteAttribute', { uniqueIdentifier, attributeName }), 'ItemNotFound')
  })

  test('of the last instance leaves no attribute; a Name is free again', async () => {
    const under = openDispatcher()
    const uniqueIdentifier = await createKey(under, { Name: name('a') })
    await succeed(under, 'DeleteAttribute', { uniqueIdentifier, attributeName: 'Name' })
    const { attributeName } = await succeed(under, 'GetAttributeList', { uniqueIdentifier })
    assert.ok(!attributeName.includes('Name'))
    assert.equal(await outcome(under, 'Create', createRequest({ Name: name('a') })), 'Success')
  })
})
