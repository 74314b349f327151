/** The canonical form: equal exactly for equal values. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { isDeepStrictEqual } from 'node:util'
import * as fc from 'fast-check'
import { canonical, sameValue } from '#objects/canonical'

const leaf = fc.oneof(
  fc.string({ maxLength: 3 }),
  fc.integer({ min: -2, max: 2 }),
  fc.bigInt(-2n, 2n),
  fc.boolean(),
  fc.uint8Array({ maxLength: 2 }),
)
const key = fc.constantFrom('a', 'b', 'c')
const { value } = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    leaf,
    fc.dictionary(key, tie('value'), { maxKeys: 3 }),
    fc.array(tie('value'), { minLength: 1, maxLength: 3 }),
  ),
}))

/** Without a prototype, and bytes as bytes, so that only content is compared. */
const plain = (given: unknown): unknown => {
  if (given instanceof Uint8Array) return { bytes: [...given] }
  if (Array.isArray(given)) return given.map(plain)
  if (typeof given !== 'object' || given === null) return given
  return Object.fromEntries(Object.entries(given).map(([name, content]) => [name, plain(content)]))
}

describe('canonical', () => {
  test('is equal exactly when the values are', () => {
    fc.assert(
      fc.property(value, value, (left, right) => {
        assert.equal(canonical(left) === canonical(right), isDeepStrictEqual(plain(left), plain(right)))
      }),
      { numRuns: 2000 },
    )
  })

  test('does not see the order of fields, absent fields, empty lists and kinds of byte arrays', () => {
    assert.equal(canonical({ a: 1, b: 2 }), canonical({ b: 2, a: 1 }))
    assert.equal(canonical({ a: 1, b: undefined, c: [] }), canonical({ a: 1 }))
    assert.equal(canonical(Buffer.from('ab')), canonical(new Uint8Array([97, 98])))
    const shared = new Uint8Array([1, 97, 98, 2])
    assert.equal(canonical(shared.subarray(1, 3)), canonical(Buffer.from('ab')))
  })

  test('keeps apart what looks alike', () => {
    const distinct: readonly unknown[] = [
      1,
      1n,
      '1',
      '1n',
      true,
      'true',
      '#31',
      Buffer.from('1'),
      ['1'],
      [['1']],
      { a: '1' },
      { a: 1 },
      '{a:1}',
      ['a', 'b'],
      ['b', 'a'],
      ['a,b'],
      undefined,
      'undefined',
      null,
      'null',
    ]
    assert.equal(new Set(distinct.map(canonical)).size, distinct.length)
    assert.ok(!sameValue('a', 'A'))
    assert.ok(sameValue({ a: 1n }, { a: 1n }))
  })
})
