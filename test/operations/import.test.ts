/** Import: every reason of KMIP 1.4 §11.42 in its order, and attributes that stand as they are supplied (§4.41). */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { ObjectType, State, UsageLimitsUnit } from '#kmip/enums'
import { attributesOf, bob, openDispatcher, outcome, stored, succeed } from '#test/dispatcher'
import { testOutcomes } from '#test/outcome-table'
import { attributes, createKey, keyRequest, name } from '#test/sample-objects'

const { symmetricKey } = keyRequest()
const importing = (values: Readonly<Record<string, unknown>> = {}, more: object = {}) => ({
  uniqueIdentifier: 'theirs',
  attribute: attributes({ 'Cryptographic Usage Mask': 12, ...values }),
  symmetricKey,
  ...more,
})

describe('Import: reasons', () => {
  testOutcomes([
    [
      'the identifier is taken',
      'ObjectAlreadyExists',
      async (under) => outcome(under, 'Import', importing({}, { uniqueIdentifier: await createKey(under) })),
    ],
    [
      'the object of another user, to be replaced',
      'PermissionDenied',
      async (under) => {
        const request = importing({}, { uniqueIdentifier: await createKey(under), replaceExisting: true })
        return outcome(under, 'Import', request, { who: bob })
      },
    ],
    [
      'an Object Type of nobody',
      'InvalidField',
      (under) => outcome(under, 'Import', importing({}, { objectType: 0x8000_0001 })),
    ],
    [
      'an object of another Object Type',
      'InvalidField',
      (under) => outcome(under, 'Import', importing({}, { objectType: ObjectType.PublicKey })),
    ],
    ['no object', 'InvalidMessage', (under) => outcome(under, 'Import', importing({}, { symmetricKey: undefined }))],
    [
      'an attribute that does not apply',
      'InvalidField',
      (under) => outcome(under, 'Import', importing({ 'Certificate Length': 5 })),
    ],
    [
      'another Unique Identifier among the attributes',
      'InvalidField',
      (under) => outcome(under, 'Import', importing({ 'Unique Identifier': 'other' })),
    ],
    [
      'an identifier that is no text for one',
      'InvalidField',
      (under) => outcome(under, 'Import', importing({}, { uniqueIdentifier: 'a\u0000b' })),
    ],
    [
      'the Name of another object',
      'InvalidField',
      async (under) => {
        await createKey(under, { Name: name('taken') })
        return outcome(under, 'Import', importing({ Name: name('taken') }))
      },
    ],
    [
      'a single-instance attribute twice',
      'InvalidField',
      (under) => outcome(under, 'Import', importing({ State: [State.Active, State.Active] })),
    ],
    [
      'more instances than the server keeps',
      'IndexOutOfBounds',
      (under) => {
        const attribute = Array.from({ length: 5 }, (_, attributeIndex) => ({
          attributeName: 'Object Group',
          attributeIndex,
          attributeValue: `group ${attributeIndex}`,
        }))
        return outcome(under, 'Import', importing({}, { attribute }))
      },
    ],
    [
      'Application Data that the server would have to make',
      'ApplicationNamespaceNotSupported',
      (under) =>
        outcome(under, 'Import', importing({ 'Application Specific Information': { applicationNamespace: 'ssl' } })),
    ],
    ['all as it should be', 'Success', (under) => outcome(under, 'Import', importing())],
  ])
})

describe('Import', () => {
  test('what is supplied stands, also where the server sets it otherwise', async () => {
    const under = openDispatcher()
    const supplied = {
      State: State.Deactivated,
      'Initial Date': 1_000,
      'Last Change Date': 2_000,
      'Original Creation Date': 500,
      Fresh: false,
      'Lease Time': 7,
      'Usage Limits': { usageLimitsTotal: 10n, usageLimitsCount: 3n, usageLimitsUnit: UsageLimitsUnit.Byte },
    }
    await succeed(under, 'Import', importing(supplied))
    const attributesNow = await attributesOf(under, 'theirs')
    for (const [attribute, value] of Object.entries(supplied)) assert.deepEqual(attributesNow[attribute], [value])
  })

  test('of an object that is destroyed the attributes alone are kept (§4.21)', async () => {
    for (const state of [State.Destroyed, State.DestroyedCompromised]) {
      const under = openDispatcher()
      await succeed(under, 'Import', importing({ State: state, 'Destroy Date': 1_000 }))
      assert.deepEqual((await attributesOf(under, 'theirs'))['State'], [state])
      assert.equal(await outcome(under, 'Get', { uniqueIdentifier: 'theirs' }), 'IllegalOperation')
      assert.equal(stored(under, 'theirs').value, undefined)
    }
  })

  test('an existing object is replaced as a whole, and keeps its owner', async () => {
    const under = openDispatcher()
    const uniqueIdentifier = await createKey(under, { 'Contact Information': 'Joe', Name: name('a') })
    await succeed(under, 'Import', importing({ Name: name('a') }, { uniqueIdentifier, replaceExisting: true }))
    const after = await attributesOf(under, uniqueIdentifier)
    assert.equal(after['Contact Information'], undefined)
    assert.deepEqual(
      (await succeed(under, 'Get', { uniqueIdentifier })).symmetricKey?.keyBlock.cryptographicLength,
      128,
    )
  })
})
