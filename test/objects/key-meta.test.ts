/** Key meta: the two shapes that administrators know, and every other part of it. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { keyMetaOf } from '#objects/key-meta'
import type { ManagedObject } from '#objects/managed-object'
import { openDispatcher, stored, succeed } from '#test/dispatcher'
import { createRequest } from '#test/sample-objects'
import type { Item } from '#ttlv/item'

const object = (values: Readonly<Record<string, readonly unknown[]>>): ManagedObject => ({
  uniqueIdentifier: 'k1',
  objectType: 2,
  owner: 'local|261d8e87-73bb-4106-aa3d-06ed92e2f010',
  attributes: Object.fromEntries(
    Object.entries(values).map(([name, list]) => [name, list.map((value, index) => ({ index, value }))]),
  ),
  value: undefined,
})
const text = (value: string): Item => ({ tag: 0x42000b, type: 7, value })
const owned = { ownerId: 'local|261d8e87-73bb-4106-aa3d-06ed92e2f010', permissions: {} }

describe('key meta', () => {
  test('a custom attribute', () => {
    assert.deepEqual(keyMetaOf(object({ 'x-attribute1': [text('Value1')] })), {
      kmip: { custom: [{ type: 'TextString', 'x-attribute1': 'Value1' }] },
      ...owned,
    })
  })

  test('Application Specific Information, one and several', () => {
    const one = { applicationNamespace: 'TestASi', applicationData: 'data' }
    const known = { application_data: 'data', application_namespace: 'TestASi' }
    const name = 'Application Specific Information'
    assert.deepEqual(keyMetaOf(object({ [name]: [one] })), { kmip: { app_specific_info: known }, ...owned })
    const both = keyMetaOf(object({ [name]: [one, { applicationNamespace: 'b' }] }))
    assert.deepEqual(both.kmip, { app_specific_info: [known, { application_namespace: 'b' }] })
  })

  const forms: readonly (readonly [Item, unknown])[] = [
    [
      { tag: 1, type: 2, value: -5 },
      { type: 'Integer', 'x-a': -5 },
    ],
    [
      { tag: 1, type: 3, value: 2n ** 60n },
      { type: 'LongInteger', 'x-a': '1152921504606846976' },
    ],
    [
      { tag: 1, type: 6, value: true },
      { type: 'Boolean', 'x-a': true },
    ],
    [
      { tag: 1, type: 8, value: Uint8Array.of(1, 255) },
      { type: 'ByteString', 'x-a': '01ff' },
    ],
    [
      { tag: 1, type: 9, value: 0 },
      { type: 'DateTime', 'x-a': '1970-01-01T00:00:00.000Z' },
    ],
    [
      { tag: 1, type: 9, value: 2 ** 52 },
      { type: 'DateTime', 'x-a': 2 ** 52 },
    ],
    [
      { tag: 1, type: 1, value: [{ tag: 0x540001, type: 7, value: 'in' }] },
      { type: 'Structure', 'x-a': [{ tag: '0x540001', type: 'TextString', value: 'in' }] },
    ],
  ]
  for (const [item, expected] of forms) {
    test(`a custom attribute of item type ${item.type}`, () => {
      assert.deepEqual(keyMetaOf(object({ 'x-a': [item] })).kmip.custom, [expected])
    })
  }

  test('a key that clients made, with Fresh and Digest and permissions, as JSON', async () => {
    const under = openDispatcher()
    const request = createRequest({ 'x-site': text('north') })
    const { uniqueIdentifier } = await succeed(under, 'Create', request)
    const key = { ...stored(under, uniqueIdentifier), permissions: { read: ['local|bob'] } }
    const meta = keyMetaOf(key)
    assert.deepEqual(meta.kmip.custom, [{ type: 'TextString', 'x-site': 'north' }])
    assert.equal(meta.kmip.fresh, true)
    assert.equal(meta.kmip.digest?.[0]?.hashing_algorithm, 'SHA_256')
    assert.match(meta.kmip.digest?.[0]?.digest_value ?? '', /^[0-9a-f]{64}$/)
    assert.equal(meta.ownerId, 'local|alice')
    assert.deepEqual(meta.permissions, { read: ['local|bob'] })
    assert.deepEqual(JSON.parse(JSON.stringify(meta)), meta)
  })
})
