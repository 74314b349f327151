/** Add Attribute: every reason of KMIP 1.4 §11.15, and the indices, values and consequences of §4.14 and §3. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Attribute } from '#kmip/attribute'
import { State, UsageLimitsUnit } from '#kmip/enums'
import { attributesOf, type DispatcherUnderTest, openDispatcher, outcome, succeed } from '#test/dispatcher'
import { type OutcomeRow, objectRows, registerTemplate, testOutcomes } from '#test/outcome-table'
import { createKey, name, opaqueRequest, revocation, secretRequest } from '#test/sample-objects'
import { type Item, ItemType } from '#ttlv/item'

const text = (value: string): Item => ({ tag: 0x42000b, type: ItemType.TextString, value })

/** What comes of adding an attribute to a key that was made with others. */
const adding =
  (
    attribute: Attribute | ((under: DispatcherUnderTest) => Attribute),
    made: Readonly<Record<string, unknown>> | ((under: DispatcherUnderTest) => Readonly<Record<string, unknown>>) = {},
  ) =>
  async (under: DispatcherUnderTest): Promise<string> => {
    const uniqueIdentifier = await createKey(under, typeof made === 'function' ? made(under) : made)
    return outcome(under, 'AddAttribute', {
      uniqueIdentifier,
      attribute: typeof attribute === 'function' ? attribute(under) : attribute,
    })
  }

const at =
  (attributeName: string, seconds: number) =>
  ({ clock }: DispatcherUnderTest): Attribute => ({ attributeName, attributeValue: clock.nowSeconds() + seconds })

const readOnly: readonly Attribute[] = [
  { attributeName: 'Unique Identifier', attributeValue: 'a' },
  { attributeName: 'Object Type', attributeValue: 2 },
  { attributeName: 'Cryptographic Algorithm', attributeValue: 3 },
  { attributeName: 'State', attributeValue: State.Active },
  { attributeName: 'Initial Date', attributeValue: 1 },
  { attributeName: 'Destroy Date', attributeValue: 1 },
  { attributeName: 'Compromise Date', attributeValue: 1 },
  { attributeName: 'Archive Date', attributeValue: 1 },
  { attributeName: 'Lease Time', attributeValue: 1 },
  { attributeName: 'Last Change Date', attributeValue: 1 },
  { attributeName: 'Key Value Present', attributeValue: true },
  { attributeName: 'Always Sensitive', attributeValue: true },
  { attributeName: 'Never Extractable', attributeValue: true },
  { attributeName: 'y-server', attributeValue: text('a') },
]

const readOnlyRows = readOnly.map(
  (attribute): OutcomeRow => [`${attribute.attributeName}, which is read-only`, 'PermissionDenied', adding(attribute)],
)

describe('Add Attribute: reasons', () => {
  testOutcomes([
    ...objectRows('AddAttribute', (uniqueIdentifier) => ({
      uniqueIdentifier,
      attribute: { attributeName: 'Comment', attributeValue: 'a' },
    })),
    ...readOnlyRows,
    [
      'read-only, with an index',
      'PermissionDenied',
      adding({ attributeName: 'State', attributeIndex: 0, attributeValue: State.Active }),
    ],
    [
      'an attribute that nobody knows',
      'PermissionDenied',
      adding({ attributeName: 'Colour', attributeValue: text('red') }),
    ],
    [
      'not for this Object Type',
      'PermissionDenied',
      async (under) => {
        const { uniqueIdentifier } = await succeed(under, 'Register', secretRequest())
        const attribute = {
          attributeName: 'Usage Limits',
          attributeValue: { usageLimitsTotal: 1n, usageLimitsUnit: 1 },
        }
        return outcome(under, 'AddAttribute', { uniqueIdentifier, attribute })
      },
    ],
    [
      'a date for which it is too late',
      'PermissionDenied',
      async (under) => {
        const uniqueIdentifier = await createKey(under, { 'Activation Date': 0 })
        await succeed(under, 'Revoke', revocation(uniqueIdentifier))
        return outcome(under, 'AddAttribute', { uniqueIdentifier, attribute: at('Process Start Date', 1)(under) })
      },
    ],
    [
      'a single instance that is there',
      'IllegalOperation',
      adding({ attributeName: 'Contact Information', attributeValue: 'b' }, { 'Contact Information': 'a' }),
    ],
    [
      'a single instance that is there, with an index',
      'IllegalOperation',
      adding(
        { attributeName: 'Contact Information', attributeIndex: 0, attributeValue: 'b' },
        { 'Contact Information': 'a' },
      ),
    ],
    [
      'an instance of the same value',
      'IllegalOperation',
      adding({ attributeName: 'Object Group', attributeValue: 'a' }, { 'Object Group': ['b', 'a'] }),
    ],
    [
      'the mask, which every object has',
      'IllegalOperation',
      adding({ attributeName: 'Cryptographic Usage Mask', attributeValue: 1 }),
    ],
    [
      'an index',
      'InvalidField',
      adding({ attributeName: 'Object Group', attributeIndex: 1, attributeValue: 'b' }, { 'Object Group': 'a' }),
    ],
    [
      'an index, although it would be the right one',
      'InvalidField',
      adding({ attributeName: 'Comment', attributeIndex: 0, attributeValue: 'b' }),
    ],
    [
      'the Name of another object',
      'IllegalOperation',
      async (under) => {
        await createKey(under, { Name: name('taken') })
        return adding({ attributeName: 'Name', attributeValue: name('taken') })(under)
      },
    ],
    [
      'one instance too many',
      'IndexOutOfBounds',
      adding({ attributeName: 'Object Group', attributeValue: 'e' }, { 'Object Group': ['a', 'b', 'c', 'd'] }),
    ],
    [
      'one attribute too many',
      'IndexOutOfBounds',
      async (under) => {
        const custom = Object.fromEntries(Array.from({ length: 48 }, (_, index) => [`x-${index}`, text('a')]))
        const uniqueIdentifier = await createKey(under, custom)
        for (let index = 48; index < 65; index += 1) {
          const attribute = { attributeName: `x-${index}`, attributeValue: text('a') }
          const came = await outcome(under, 'AddAttribute', { uniqueIdentifier, attribute })
          if (came !== 'Success') return came
        }
        return 'Success'
      },
    ],
    [
      'Application Data left to the server',
      'ApplicationNamespaceNotSupported',
      adding({ attributeName: 'Application Specific Information', attributeValue: { applicationNamespace: 'ssl' } }),
    ],
    [
      'a custom structure of structures',
      'InvalidField',
      adding({
        attributeName: 'x-nested',
        attributeValue: {
          tag: 0x42000b,
          type: ItemType.Structure,
          value: [{ tag: 0x420001, type: ItemType.Structure, value: [] }],
        },
      }),
    ],
    [
      'Usage Limits without a unit',
      'InvalidField',
      adding({ attributeName: 'Usage Limits', attributeValue: { usageLimitsTotal: 1n } }),
    ],
    [
      'a Process Start Date before the Activation Date',
      'InvalidField',
      adding(at('Process Start Date', 10), ({ clock }) => ({ 'Activation Date': clock.nowSeconds() + 20 })),
    ],
    [
      'a Protect Stop Date after the Deactivation Date',
      'InvalidField',
      adding(at('Protect Stop Date', 30), ({ clock }) => ({ 'Deactivation Date': clock.nowSeconds() + 20 })),
    ],
    [
      'a Template, which has attributes too',
      'Success',
      async (under) =>
        outcome(under, 'AddAttribute', {
          uniqueIdentifier: await registerTemplate(under, 'a', { Comment: 'a' }),
          attribute: { attributeName: 'Description', attributeValue: 'a' },
        }),
    ],
    [
      'an Opaque Object and a Link',
      'Success',
      async (under) => {
        const { uniqueIdentifier } = await succeed(under, 'Register', opaqueRequest())
        const link = { linkType: 0x10a, linkedObjectIdentifier: 'elsewhere' }
        return outcome(under, 'AddAttribute', {
          uniqueIdentifier,
          attribute: { attributeName: 'Link', attributeValue: link },
        })
      },
    ],
    ['an attribute that a client may set', 'Success', adding({ attributeName: 'Comment', attributeValue: 'a' })],
  ])
})

describe('Add Attribute', () => {
  test('answers with the instance and its index, which stays while others come and go', async () => {
    const under = openDispatcher()
    const uniqueIdentifier = await createKey(under)
    const add = async (attributeValue: string) => {
      const attribute = { attributeName: 'Object Group', attributeValue }
      return succeed(under, 'AddAttribute', { uniqueIdentifier, attribute })
    }
    const group = (attributeIndex: number | undefined, attributeValue: string) => ({
      attributeName: 'Object Group',
      attributeIndex,
      attributeValue,
    })
    assert.deepEqual(await add('a'), { uniqueIdentifier, attribute: group(undefined, 'a') })
    assert.deepEqual((await add('b')).attribute, group(1, 'b'))
    assert.deepEqual((await add('c')).attribute, group(2, 'c'))
    await succeed(under, 'DeleteAttribute', { uniqueIdentifier, attributeName: 'Object Group', attributeIndex: 0 })
    assert.deepEqual((await add('d')).attribute, group(3, 'd'))
    const { attribute } = await succeed(under, 'GetAttributes', { uniqueIdentifier, attributeName: ['Object Group'] })
    assert.deepEqual(attribute, [group(1, 'b'), group(2, 'c'), group(3, 'd')])
  })

  test('a change is dated', async () => {
    const under = openDispatcher()
    const uniqueIdentifier = await createKey(under)
    under.clock.advance(9000)
    await succeed(under, 'AddAttribute', {
      uniqueIdentifier,
      attribute: { attributeName: 'Comment', attributeValue: 'a' },
    })
    assert.deepEqual((await attributesOf(under, uniqueIdentifier))['Last Change Date'], [under.clock.nowSeconds()])
  })

  test('the Usage Limits Count starts at the Total, whatever the client says', async () => {
    const under = openDispatcher()
    const uniqueIdentifier = await createKey(under)
    const limits = { usageLimitsTotal: 50n, usageLimitsCount: 7n, usageLimitsUnit: UsageLimitsUnit.Object }
    const attribute = { attributeName: 'Usage Limits', attributeValue: limits }
    const answer = await succeed(under, 'AddAttribute', { uniqueIdentifier, attribute })
    assert.deepEqual(answer.attribute.attributeValue, { ...limits, usageLimitsCount: 50n })
  })

  test('dates take effect: activation in the past makes active, deactivation in the past deactivates', async () => {
    const under = openDispatcher()
    const uniqueIdentifier = await createKey(under)
    const state = async () => (await attributesOf(under, uniqueIdentifier))['State']
    const add = (attributeName: string, seconds: number) =>
      succeed(under, 'AddAttribute', { uniqueIdentifier, attribute: at(attributeName, seconds)(under) })
    await add('Activation Date', -10)
    assert.deepEqual(await state(), [State.Active])
    await add('Deactivation Date', 0)
    assert.deepEqual(await state(), [State.Deactivated])
  })

  test('an object whose dates the server itself brought into contradiction still takes other attributes', async () => {
    const under = openDispatcher()
    const later = under.clock.nowSeconds() + 1000
    const uniqueIdentifier = await createKey(under, { 'Activation Date': 0, 'Protect Stop Date': later })
    await succeed(under, 'Revoke', revocation(uniqueIdentifier))
    const add = { uniqueIdentifier, attribute: { attributeName: 'Comment', attributeValue: 'revoked in May' } }
    assert.equal(await outcome(under, 'AddAttribute', add), 'Success')
  })

  test('custom attributes of every type come back as they were', async () => {
    const under = openDispatcher()
    const uniqueIdentifier = await createKey(under)
    const tag = 0x42000b
    const items: readonly Item[] = [
      { tag, type: ItemType.TextString, value: 'a' },
      { tag, type: ItemType.Integer, value: -5 },
      { tag, type: ItemType.LongInteger, value: -5n },
      { tag, type: ItemType.BigInteger, value: 1n << 100n },
      { tag, type: ItemType.Enumeration, value: 5 },
      { tag, type: ItemType.Boolean, value: true },
      { tag, type: ItemType.DateTime, value: 5 },
      { tag, type: ItemType.Interval, value: 5 },
      { tag, type: ItemType.Structure, value: [{ tag: 0x420001, type: ItemType.Integer, value: 5 }] },
    ]
    for (const [index, attributeValue] of items.entries()) {
      const attribute = { attributeName: `x-${index}`, attributeValue }
      await succeed(under, 'AddAttribute', { uniqueIdentifier, attribute }, { version: 100 })
    }
    const now = await attributesOf(under, uniqueIdentifier, { version: 100 })
    for (const [index, attributeValue] of items.entries()) assert.deepEqual(now[`x-${index}`], [attributeValue])
  })
})
