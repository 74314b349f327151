/** What becomes of the values that clients give (KMIP 1.4 §3.21, §3.36, §3.39). */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { ResultReason, UsageLimitsUnit } from '#kmip/enums'
import { KmipError } from '#kmip/errors'
import { acceptedValue } from '#objects/accepted-values'
import { type Item, ItemType } from '#ttlv/item'

const refused = (reason: number, run: () => unknown): void =>
  assert.throws(run, (error) => error instanceof KmipError && error.reason === reason)

describe('Usage Limits', () => {
  const accept = (given: object, before?: object) => acceptedValue('Usage Limits', given, before)
  const { Byte, Object: Objects } = UsageLimitsUnit
  const limits = (total: bigint, usageLimitsUnit: UsageLimitsUnit = Byte) => ({
    usageLimitsTotal: total,
    usageLimitsCount: total,
    usageLimitsUnit,
  })

  test('the Count is the Total, whatever the client says', () => {
    assert.deepEqual(accept({ usageLimitsTotal: 9n, usageLimitsCount: 2n, usageLimitsUnit: Byte }), limits(9n))
    assert.deepEqual(accept(limits(0n)), limits(0n))
  })

  test('a change of one part leaves the other', () => {
    assert.deepEqual(accept({ usageLimitsTotal: 5n }, limits(9n, Objects)), limits(5n, Objects))
    assert.deepEqual(accept({ usageLimitsUnit: Objects }, limits(9n)), limits(9n, Objects))
  })

  test('a part that nobody ever gave, or a negative Total, is refused', () => {
    refused(ResultReason.InvalidField, () => accept({ usageLimitsTotal: 5n }))
    refused(ResultReason.InvalidField, () => accept({ usageLimitsUnit: Byte }))
    refused(ResultReason.InvalidField, () => accept(limits(-1n)))
  })
})

test('Application Specific Information: data for no namespace is the server’s to make', () => {
  const name = 'Application Specific Information'
  refused(ResultReason.ApplicationNamespaceNotSupported, () =>
    acceptedValue(name, { applicationNamespace: 'a' }, undefined),
  )
  const whole = { applicationNamespace: 'a', applicationData: '' }
  assert.equal(acceptedValue(name, whole, undefined), whole)
})

describe('custom attributes', () => {
  const integer: Item = { tag: 2, type: ItemType.Integer, value: 1 }
  const structure = (...value: readonly Item[]): Item => ({ tag: 1, type: ItemType.Structure, value })

  test('any type, a structure of values too, but no structures within', () => {
    for (const value of [integer, structure(), structure(integer, integer)]) {
      assert.equal(acceptedValue('x-a', value, undefined), value)
    }
    refused(ResultReason.InvalidField, () => acceptedValue('x-a', structure(integer, structure()), undefined))
  })

  test('a name with a NUL is refused', () => {
    refused(ResultReason.InvalidField, () => acceptedValue('x-a\0b', integer, undefined))
  })
})

test('everything else is kept as it is', () => {
  for (const [name, value] of [
    ['Comment', 'a'],
    ['Activation Date', 5],
    ['Name', { nameValue: '', nameType: 1 }],
  ] as const) {
    assert.equal(acceptedValue(name, value, undefined), value)
  }
})
