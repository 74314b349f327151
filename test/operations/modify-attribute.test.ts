/** Modify Attribute: every reason of KMIP 1.4 §11.16, and the instances, values and consequences of §4.15 and §3. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Attribute } from '#kmip/attribute'
import { State, UsageLimitsUnit } from '#kmip/enums'
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
import { createKey, name, revocation } from '#test/sample-objects'
import { type Item, ItemType } from '#ttlv/item'

const text = (value: string): Item => ({ tag: 0x42000b, type: ItemType.TextString, value })

/** What comes of modifying an attribute of a key that was made with others. */
const modifying =
  (attribute: Attribute, made: Readonly<Record<string, unknown>> = {}) =>
  async (under: DispatcherUnderTest): Promise<string> =>
    outcome(under, 'ModifyAttribute', { uniqueIdentifier: await createKey(under, made), attribute })

const limits = (total: bigint | undefined, unit: UsageLimitsUnit | undefined = UsageLimitsUnit.Byte) => ({
  usageLimitsTotal: total,
  usageLimitsUnit: unit,
})

describe('Modify Attribute: reasons', () => {
  testOutcomes([
    ...objectRows('ModifyAttribute', (uniqueIdentifier) => ({
      uniqueIdentifier,
      attribute: { attributeName: 'Comment', attributeValue: 'a' },
    })),
    [
      'an attribute that the object does not have',
      'InvalidField',
      modifying({ attributeName: 'Comment', attributeValue: 'a' }),
    ],
    [
      'an attribute that nobody knows',
      'InvalidField',
      modifying({ attributeName: 'Colour', attributeValue: text('red') }),
    ],
    [
      'an instance that is not there',
      'ItemNotFound',
      modifying({ attributeName: 'Object Group', attributeIndex: 1, attributeValue: 'b' }, { 'Object Group': 'a' }),
    ],
    [
      'another index than 0 of a single instance, although it is read-only',
      'ItemNotFound',
      modifying({ attributeName: 'State', attributeIndex: 1, attributeValue: State.Active }),
    ],
    ...(
      [
        ['State', State.Active],
        ['Unique Identifier', 'a'],
        ['Object Type', 2],
        ['Cryptographic Algorithm', 3],
        ['Cryptographic Usage Mask', 1],
        ['Initial Date', 1],
        ['Last Change Date', 1],
        ['Lease Time', 1],
        ['Fresh', false],
        ['Original Creation Date', 1],
        ['Always Sensitive', true],
      ] as const
    ).map(
      ([attributeName, attributeValue]) =>
        [
          `${attributeName}, which is read-only`,
          'PermissionDenied',
          modifying({ attributeName, attributeValue }),
        ] as const,
    ),
    [
      "a custom attribute of the server's",
      'PermissionDenied',
      async (under) => {
        const uniqueIdentifier = await createKey(under)
        const object = stored(under, uniqueIdentifier)
        const attributes = { ...object.attributes, 'y-server': [{ index: 0, value: text('a') }] }
        await place(under, { ...object, attributes })
        const attribute = { attributeName: 'y-server', attributeValue: text('b') }
        return outcome(under, 'ModifyAttribute', { uniqueIdentifier, attribute })
      },
    ],
    [
      'the Activation Date of an active object',
      'PermissionDenied',
      modifying({ attributeName: 'Activation Date', attributeValue: 5 }, { 'Activation Date': 1 }),
    ],
    [
      'a Process Start Date that was reached just now',
      'PermissionDenied',
      async (under) => {
        const uniqueIdentifier = await createKey(under, { 'Process Start Date': under.clock.nowSeconds() + 10 })
        under.clock.advance(10_000)
        const attribute = { attributeName: 'Process Start Date', attributeValue: under.clock.nowSeconds() + 10 }
        return outcome(under, 'ModifyAttribute', { uniqueIdentifier, attribute })
      },
    ],
    [
      'a Process Start Date that is a second away',
      'Success',
      async (under) => {
        const uniqueIdentifier = await createKey(under, { 'Process Start Date': under.clock.nowSeconds() + 10 })
        under.clock.advance(9000)
        const attribute = { attributeName: 'Process Start Date', attributeValue: under.clock.nowSeconds() + 10 }
        return outcome(under, 'ModifyAttribute', { uniqueIdentifier, attribute })
      },
    ],
    [
      'the Deactivation Date of a deactivated object',
      'PermissionDenied',
      async (under) => {
        const uniqueIdentifier = await createKey(under, { 'Activation Date': 0 })
        await succeed(under, 'Revoke', revocation(uniqueIdentifier))
        const attribute = { attributeName: 'Deactivation Date', attributeValue: under.clock.nowSeconds() + 10 }
        return outcome(under, 'ModifyAttribute', { uniqueIdentifier, attribute })
      },
    ],
    [
      'Usage Limits of which some were used',
      'PermissionDenied',
      async (under) => {
        const uniqueIdentifier = await createKey(under, { 'Usage Limits': limits(10n) })
        const object = stored(under, uniqueIdentifier)
        const used = { ...limits(10n), usageLimitsCount: 9n }
        await place(under, {
          ...object,
          attributes: { ...object.attributes, 'Usage Limits': [{ index: 0, value: used }] },
        })
        const attribute = { attributeName: 'Usage Limits', attributeValue: limits(20n) }
        return outcome(under, 'ModifyAttribute', { uniqueIdentifier, attribute })
      },
    ],
    [
      'the Name of another object',
      'IllegalOperation',
      async (under) => {
        await createKey(under, { Name: name('taken') })
        return modifying({ attributeName: 'Name', attributeValue: name('taken') }, { Name: name('own') })(under)
      },
    ],
    [
      'Application Data left to the server',
      'ApplicationNamespaceNotSupported',
      modifying(
        { attributeName: 'Application Specific Information', attributeValue: { applicationNamespace: 'a' } },
        { 'Application Specific Information': { applicationNamespace: 'a', applicationData: 'b' } },
      ),
    ],
    [
      'a Deactivation Date before the Activation Date',
      'InvalidField',
      modifying(
        { attributeName: 'Deactivation Date', attributeValue: 5 },
        { 'Activation Date': 10, 'Deactivation Date': Number.MAX_SAFE_INTEGER },
      ),
    ],
    [
      'the Name that the object has',
      'Success',
      modifying({ attributeName: 'Name', attributeValue: name('own') }, { Name: name('own') }),
    ],
    [
      'another Name, at index 0',
      'Success',
      modifying({ attributeName: 'Name', attributeIndex: 0, attributeValue: name('new') }, { Name: name('old') }),
    ],
  ])
})

describe('Modify Attribute', () => {
  test('changes the instance that is meant alone, and answers with it', async () => {
    const under = openDispatcher()
    const uniqueIdentifier = await createKey(under, { 'Object Group': ['a', 'b', 'c'] })
    under.clock.advance(4000)
    const modified = { attributeName: 'Object Group', attributeIndex: 1, attributeValue: 'B' }
    const answer = await succeed(under, 'ModifyAttribute', { uniqueIdentifier, attribute: modified })
    assert.deepEqual(answer, { uniqueIdentifier, attribute: modified })
    const first = { attributeName: 'Object Group', attributeValue: 'A' }
    const { attribute } = await succeed(under, 'ModifyAttribute', { uniqueIdentifier, attribute: first })
    assert.deepEqual(attribute, { ...first, attributeIndex: undefined })
    const now = await attributesOf(under, uniqueIdentifier)
    assert.deepEqual(now['Object Group'], ['A', 'B', 'c'])
    assert.deepEqual(now['Last Change Date'], [under.clock.nowSeconds()])
  })

  test('dates move the state: activation now, then deactivation now (transitions 4 and 6)', async () => {
    const under = openDispatcher()
    const later = under.clock.nowSeconds() + 100
    const uniqueIdentifier = await createKey(under, { 'Activation Date': later, 'Deactivation Date': later })
    const set = async (attributeName: string) => {
      const attribute = { attributeName, attributeValue: under.clock.nowSeconds() }
      await succeed(under, 'ModifyAttribute', { uniqueIdentifier, attribute })
      return (await attributesOf(under, uniqueIdentifier))['State']
    }
    assert.deepEqual(await set('Activation Date'), [State.Active])
    assert.deepEqual(await set('Deactivation Date'), [State.Deactivated])
  })

  test('Always Sensitive and Never Extractable are lost for good', async () => {
    const under = openDispatcher()
    const uniqueIdentifier = await createKey(under, { Sensitive: true, Extractable: false })
    const told = async () => {
      const now = await attributesOf(under, uniqueIdentifier)
      return ['Sensitive', 'Always Sensitive', 'Extractable', 'Never Extractable'].map((each) => now[each]?.[0])
    }
    const set = (attributeName: string, attributeValue: boolean) =>
      succeed(under, 'ModifyAttribute', { uniqueIdentifier, attribute: { attributeName, attributeValue } })
    assert.deepEqual(await told(), [true, true, false, true])
    await set('Sensitive', false)
    await set('Extractable', true)
    assert.deepEqual(await told(), [false, false, true, false])
    await set('Sensitive', true)
    await set('Extractable', false)
    assert.deepEqual(await told(), [true, false, false, false])
  })

  test('Usage Limits: Total or Unit alone, and the Count starts anew', async () => {
    const under = openDispatcher()
    const uniqueIdentifier = await createKey(under, { 'Usage Limits': limits(10n) })
    const set = async (attributeValue: object) => {
      const attribute = { attributeName: 'Usage Limits', attributeValue }
      return (await succeed(under, 'ModifyAttribute', { uniqueIdentifier, attribute })).attribute.attributeValue
    }
    assert.deepEqual(await set({ usageLimitsTotal: 20n, usageLimitsCount: 3n }), {
      ...limits(20n),
      usageLimitsCount: 20n,
    })
    assert.deepEqual(await set({ usageLimitsUnit: UsageLimitsUnit.Object }), {
      ...limits(20n, UsageLimitsUnit.Object),
      usageLimitsCount: 20n,
    })
  })
})
