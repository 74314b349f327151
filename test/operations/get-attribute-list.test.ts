/** Get Attribute List: every reason of KMIP 1.4 §11.14, and the names of §4.13, in each version those that it has. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { openDispatcher, outcome, succeed } from '#test/dispatcher'
import { objectRows, testOutcomes } from '#test/outcome-table'
import { createKey } from '#test/sample-objects'

describe('Get Attribute List: reasons', () => {
  testOutcomes([
    ...objectRows('GetAttributeList', (uniqueIdentifier) => ({ uniqueIdentifier })),
    [
      'an object',
      'Success',
      async (under) => outcome(under, 'GetAttributeList', { uniqueIdentifier: await createKey(under) }),
    ],
  ])
})

describe('Get Attribute List', () => {
  test('names each attribute once, as Get Attributes gives them, in every version', async () => {
    const under = openDispatcher()
    const uniqueIdentifier = await createKey(under, { 'Object Group': ['a', 'b'], Comment: 'a' })
    const counts: number[] = []
    for (const version of [100, 101, 102, 103, 104]) {
      const list = await succeed(under, 'GetAttributeList', { uniqueIdentifier }, { version })
      assert.equal(list.uniqueIdentifier, uniqueIdentifier)
      const { attribute } = await succeed(under, 'GetAttributes', { uniqueIdentifier }, { version })
      const names = [...new Set(attribute.map(({ attributeName }) => attributeName))]
      assert.deepEqual(list.attributeName, names)
      counts.push(names.length)
    }
    assert.deepEqual(
      counts,
      counts.toSorted((left, right) => left - right),
    )
    assert.equal(new Set(counts).size, 5)
  })
})
