/** Export: reasons of KMIP 1.4 §11.41 that are not those of Get, and that what is exported can be imported as it was. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { attributesOf, openDispatcher, succeed } from '#test/dispatcher'
import { objectRows, testOutcomes } from '#test/outcome-table'
import { createKey, name, revocation } from '#test/sample-objects'

describe('Export: reasons', () => {
  testOutcomes(objectRows('Export', (uniqueIdentifier) => ({ uniqueIdentifier })))
})

describe('Export', () => {
  test('another server imports the object with identifier, attributes and value', async () => {
    const [here, there] = [openDispatcher(), openDispatcher()]
    const uniqueIdentifier = await createKey(here, { Name: [name('a'), name('b')], 'Activation Date': 5 })
    await succeed(here, 'Revoke', revocation(uniqueIdentifier, true))
    await succeed(here, 'Get', { uniqueIdentifier })
    const exported = await succeed(here, 'Export', { uniqueIdentifier })
    there.clock.advance(1_000_000)
    await succeed(there, 'Import', exported)
    assert.deepEqual(await attributesOf(there, uniqueIdentifier), await attributesOf(here, uniqueIdentifier))
    const value = async (under: typeof here) => (await succeed(under, 'Get', { uniqueIdentifier })).symmetricKey
    assert.deepEqual(await value(there), await value(here))
  })

  test('of a destroyed object the attributes are what is left', async () => {
    const under = openDispatcher()
    const uniqueIdentifier = await createKey(under)
    await succeed(under, 'Destroy', { uniqueIdentifier })
    const exported = await succeed(under, 'Export', { uniqueIdentifier })
    assert.equal(exported.symmetricKey, undefined)
    assert.ok(exported.attribute.some(({ attributeName }) => attributeName === 'Destroy Date'))
  })
})
