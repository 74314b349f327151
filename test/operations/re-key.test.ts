/** Re-key: every reason of KMIP 1.4 §11.5, and what a replacement takes over (Tables 172 and 173). */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { LinkType, State, UsageLimitsUnit } from '#kmip/enums'
import { withValue } from '#objects/managed-object'
import { attributesOf, openDispatcher, outcome, place, stored, succeed } from '#test/dispatcher'
import { objectRows, templateRows, testOutcomes, withFailingCryptography } from '#test/outcome-table'
import { attributes, createKey, name, pairRequest, parentLink, revocation } from '#test/sample-objects'

const asked = (values: Readonly<Record<string, unknown>>) => ({ attribute: attributes(values) })

describe('Re-key: reasons', () => {
  testOutcomes([
    ...objectRows('ReKey', (uniqueIdentifier) => ({ uniqueIdentifier })),
    [
      'a key that is not symmetric',
      'PermissionDenied',
      async (under) => {
        const { privateKeyUniqueIdentifier } = await succeed(under, 'CreateKeyPair', pairRequest())
        return outcome(under, 'ReKey', { uniqueIdentifier: privateKeyUniqueIdentifier })
      },
    ],
    [
      'a destroyed key',
      'PermissionDenied',
      async (under) => {
        const uniqueIdentifier = await createKey(under)
        await succeed(under, 'Destroy', { uniqueIdentifier })
        return outcome(under, 'ReKey', { uniqueIdentifier })
      },
    ],
    [
      'an Offset beside a date',
      'InvalidMessage',
      async (under) =>
        outcome(under, 'ReKey', {
          uniqueIdentifier: await createKey(under),
          offset: 5,
          templateAttribute: asked({ 'Activation Date': 9 }),
        }),
    ],
    [
      'more instances of an attribute, together with those that are there, than the server allows',
      'IndexOutOfBounds',
      async (under) =>
        outcome(under, 'ReKey', {
          uniqueIdentifier: await createKey(under, { 'Object Group': ['a', 'b', 'c'] }),
          templateAttribute: asked({ 'Object Group': ['c', 'd', 'e'] }),
        }),
    ],
    [
      'more attributes, together with those that are there, than an object has room for',
      'InvalidField',
      async ({ store, clock }) => {
        const under = openDispatcher({ store, clock, policy: { attributeBytesMax: 3_000 } })
        return outcome(under, 'ReKey', {
          uniqueIdentifier: await createKey(under, { 'Contact Information': 'a'.repeat(1_000) }),
          templateAttribute: asked({ 'Object Group': 'b'.repeat(2_000) }),
        })
      },
    ],
    [
      'a library that fails',
      'CryptographicFailure',
      async (under) => {
        const uniqueIdentifier = await createKey(under)
        return outcome(withFailingCryptography(under), 'ReKey', { uniqueIdentifier })
      },
    ],
    [
      'Application Data that the server would have to make',
      'ApplicationNamespaceNotSupported',
      async (under) =>
        outcome(under, 'ReKey', {
          uniqueIdentifier: await createKey(under),
          templateAttribute: asked({ 'Application Specific Information': { applicationNamespace: 'ssl' } }),
        }),
    ],
    [
      'an Offset, and dates of the existing key without an Activation Date',
      'IllegalOperation',
      async (under) =>
        outcome(under, 'ReKey', {
          uniqueIdentifier: await createKey(under, { 'Deactivation Date': under.clock.nowSeconds() + 9 }),
          offset: 5,
        }),
    ],
    [
      'the key value is kept elsewhere',
      'KeyValueNotPresent',
      async (under) => {
        const uniqueIdentifier = await createKey(under)
        await place(under, withValue(stored(under, uniqueIdentifier), 'Key Value Present', false))
        return outcome(under, 'ReKey', { uniqueIdentifier })
      },
    ],
    ...templateRows(async (under, template) =>
      outcome(under, 'ReKey', {
        uniqueIdentifier: await createKey(under),
        templateAttribute: { name: [name(template)] },
      }),
    ),
    [
      'a key that is not active yet',
      'Success',
      async (under) => outcome(under, 'ReKey', { uniqueIdentifier: await createKey(under) }),
    ],
  ])
})

describe('Re-key', () => {
  test('the replacement takes Names and attributes over, and both link to one another', async () => {
    const under = openDispatcher()
    const limits = { usageLimitsTotal: 100n, usageLimitsUnit: UsageLimitsUnit.Byte }
    const existing = await createKey(under, {
      Name: [name('one'), name('two')],
      'Contact Information': 'Joe',
      'Activation Date': under.clock.nowSeconds(),
      'Usage Limits': limits,
    })
    await succeed(under, 'GetUsageAllocation', { uniqueIdentifier: existing, usageLimitsCount: 40n })
    const { uniqueIdentifier } = await succeed(under, 'ReKey', {
      uniqueIdentifier: existing,
      templateAttribute: asked({ Name: name('three'), 'Contact Information': 'Jane' }),
    })
    const [before, after] = [await attributesOf(under, existing), await attributesOf(under, uniqueIdentifier)]
    assert.deepEqual(before['Name'], undefined)
    assert.deepEqual(after['Name'], [name('one'), name('two'), name('three')])
    assert.deepEqual(after['Contact Information'], ['Jane'])
    assert.deepEqual(after['Usage Limits'], [{ ...limits, usageLimitsCount: 100n }])
    assert.deepEqual(before['Link'], [
      { linkType: LinkType.ReplacementObjectLink, linkedObjectIdentifier: uniqueIdentifier },
    ])
    assert.deepEqual(after['Link'], [{ linkType: LinkType.ReplacedObjectLink, linkedObjectIdentifier: existing }])
    assert.notDeepEqual(after['Digest'], before['Digest'])
  })

  test('a Link that the request gives stands beside the one to the replaced key', async () => {
    const under = openDispatcher()
    const existing = await createKey(under, { Link: parentLink('old parent') })
    const { uniqueIdentifier } = await succeed(under, 'ReKey', {
      uniqueIdentifier: existing,
      templateAttribute: asked({ Link: parentLink('new parent') }),
    })
    assert.deepEqual((await attributesOf(under, uniqueIdentifier))['Link'], [
      parentLink('new parent'),
      { linkType: LinkType.ReplacedObjectLink, linkedObjectIdentifier: existing },
    ])
  })

  test('a key that is re-keyed once more has one replacement, the newest (§3.35)', async () => {
    const under = openDispatcher()
    const existing = await createKey(under, { Link: parentLink('parent') })
    const replacements = [
      await succeed(under, 'ReKey', { uniqueIdentifier: existing }),
      await succeed(under, 'ReKey', { uniqueIdentifier: existing }),
    ]
    assert.deepEqual((await attributesOf(under, existing))['Link'], [
      parentLink('parent'),
      { linkType: LinkType.ReplacementObjectLink, linkedObjectIdentifier: replacements[1]?.uniqueIdentifier },
    ])
    for (const { uniqueIdentifier } of replacements) {
      assert.deepEqual((await attributesOf(under, uniqueIdentifier))['Link'], [
        { linkType: LinkType.ReplacedObjectLink, linkedObjectIdentifier: existing },
      ])
    }
  })

  test('Attribute Indices of the replacement start with 0, also where the first instance is gone (§2.1.1)', async () => {
    const under = openDispatcher()
    const existing = await createKey(under, { Name: [name('one'), name('two'), name('three')] })
    await succeed(under, 'DeleteAttribute', { uniqueIdentifier: existing, attributeName: 'Name' })
    const { uniqueIdentifier } = await succeed(under, 'ReKey', { uniqueIdentifier: existing })
    const { attribute } = await succeed(under, 'GetAttributes', { uniqueIdentifier, attributeName: ['Name'] })
    assert.deepEqual(
      attribute.map(({ attributeIndex, attributeValue }) => [attributeIndex ?? 0, attributeValue]),
      [
        [0, name('two')],
        [1, name('three')],
      ],
    )
  })

  test('a compromised key is replaced by one that is not', async () => {
    const under = openDispatcher()
    const existing = await createKey(under, { 'Activation Date': under.clock.nowSeconds() })
    await succeed(under, 'Revoke', revocation(existing, true))
    const { uniqueIdentifier } = await succeed(under, 'ReKey', { uniqueIdentifier: existing })
    const after = await attributesOf(under, uniqueIdentifier)
    assert.deepEqual(after['State'], [State.Active])
    for (const gone of ['Revocation Reason', 'Compromise Date', 'Compromise Occurrence Date']) {
      assert.equal(after[gone], undefined)
    }
  })

  test('an Offset moves every date by what it moves the Activation Date (Table 172)', async () => {
    const under = openDispatcher()
    const now = under.clock.nowSeconds()
    const existing = await createKey(under, {
      'Activation Date': now - 100,
      'Process Start Date': now - 50,
      'Protect Stop Date': now + 50,
      'Deactivation Date': now + 100,
    })
    const { uniqueIdentifier } = await succeed(under, 'ReKey', { uniqueIdentifier: existing, offset: 10 })
    const after = await attributesOf(under, uniqueIdentifier)
    assert.deepEqual(
      ['Activation Date', 'Process Start Date', 'Protect Stop Date', 'Deactivation Date'].map((date) => after[date]),
      [[now + 10], [now + 60], [now + 160], [now + 210]],
    )
    assert.deepEqual(after['State'], [State.PreActive])
  })
})
