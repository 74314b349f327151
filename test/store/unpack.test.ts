/**
 * Packed values come back as msgpackr would give them, with small equal parts as one object: and nothing that may be secret is
 * such a part.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { Packr } from 'msgpackr'
import { packValue, unpackValue } from '#store/records'
import { unpackPlain, unread } from '#store/unpack'

const msgpackr = new Packr({ useRecords: false, moreTypes: true, copyBuffers: true })
const packed = (value: unknown): Buffer => Buffer.from(packValue(value))

const fieldName = fc.string({ unit: 'binary', maxLength: 60 }).filter((name) => name !== '__proto__')

const plain = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 5 },
    fc.integer(),
    fc.maxSafeInteger(),
    fc.double({ noNaN: true }),
    fc.boolean(),
    fc.constantFrom(null, undefined, 0.5, 2 ** 31, -(2 ** 31), 2 ** 32, -129, 65_536),
    fc.string({ unit: 'binary', maxLength: 300 }),
    fc.bigInt({ min: -(2n ** 63n), max: 2n ** 64n - 1n }),
    fc.uint8Array({ maxLength: 300 }),
    fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
    fc.array(tie('value'), { maxLength: 20 }),
    fc.dictionary(fieldName, tie('value'), { maxKeys: 20, noNullPrototype: true }),
  ),
})).value

test('whatever is plain comes back as msgpackr gives it, without its help', () => {
  fc.assert(
    fc.property(plain, (value) => {
      const bytes = packed(value)
      const mine = unpackPlain(bytes, '')
      assert.notEqual(mine, unread)
      assert.deepEqual(mine, msgpackr.unpack(bytes))
    }),
    { numRuns: 2_000 },
  )
})

test('what is not plain is left to msgpackr', () => {
  const values = [2n ** 64n, -(3n ** 300n), new Set([1]), new Date(0), { list: [new Float64Array(2)] }]
  for (const value of values) {
    assert.equal(unpackPlain(packed(value), ''), unread)
    assert.deepEqual(unpackValue(packed(value)), value)
  }
})

test('bytes that were cut, made longer or changed are refused, or read as msgpackr reads them', () => {
  const readBy = (read: (bytes: Buffer) => unknown, bytes: Buffer): unknown => {
    try {
      return read(bytes)
    } catch {
      return 'refused'
    }
  }
  fc.assert(
    fc.property(
      plain,
      fc.nat(),
      fc.nat(255),
      fc.constantFrom('cut', 'longer', 'changed'),
      (value, place, byte, what) => {
        let bytes = packed(value)
        const at = place % bytes.length
        if (what === 'cut') bytes = bytes.subarray(0, at)
        else if (what === 'longer') bytes = Buffer.concat([bytes, Buffer.of(byte)])
        else bytes[at] = byte
        assert.deepEqual(
          readBy(unpackValue, bytes),
          readBy((all) => msgpackr.unpack(all) as unknown, bytes),
        )
      },
    ),
    { numRuns: 2_000 },
  )
})

interface Opened {
  readonly attributes: Readonly<Record<string, readonly { readonly value: unknown }[]>>
}

/** An object as it is opened: with one attribute that is its own. */
const opened = (values: Readonly<Record<string, unknown>>): Opened => {
  const attributes = Object.entries({ ...values, Name: 'volume' }).map(([name, value]) => [name, [{ index: 0, value }]])
  return unpackValue(packed({ attributes: Object.fromEntries(attributes) })) as Opened
}

test('equal attributes of two records are one object, which nobody can change', () => {
  const one = opened({
    State: 2,
    Fresh: true,
    Rng: { algorithm: 3, length: 256, hash: undefined },
    Dates: 1_796_010_362,
  })
  const other = opened({
    Dates: 1_796_010_362,
    Rng: { algorithm: 3, length: 256, hash: undefined },
    State: 2,
    Fresh: false,
  })
  for (const name of ['State', 'Rng', 'Dates']) {
    assert.equal(one.attributes[name], other.attributes[name])
    assert.ok(Object.isFrozen(one.attributes[name]?.[0]))
  }
  assert.ok(Object.isFrozen(one.attributes['Rng']?.[0]?.value))
  assert.notEqual(one.attributes['Fresh'], other.attributes['Fresh'])
  assert.deepEqual(other.attributes['Fresh'], [{ index: 0, value: false }])
})

test('text, byte strings and bigints are in no part that is shared', () => {
  for (const value of ['secret', new Uint8Array(16), Buffer.alloc(16), 65_537n, 2n ** 70n, '']) {
    for (const within of [value, { a: 1, b: value }, [1, [value]]]) {
      const [one, other] = [opened({ 'x-part': within, State: 3 }), opened({ 'x-part': within, State: 3 })]
      assert.deepEqual(one, other)
      assert.notEqual(one.attributes['x-part'], other.attributes['x-part'])
      assert.notEqual(one.attributes['x-part']?.[0], other.attributes['x-part']?.[0])
    }
  }
})

test('a list that is long, or of many levels, is its own', () => {
  const long = Array.from({ length: 300 }, (_, index) => index % 100)
  const deep = [[[[[[[[1]]]]]]]]
  const [one, other] = [opened({ long, deep }), opened({ long, deep })]
  assert.deepEqual(one, other)
  assert.notEqual(one.attributes['long'], other.attributes['long'])
  assert.notEqual(one.attributes['deep'], other.attributes['deep'])
})

test('parts that come and do not come back take no more than their room', () => {
  const before = opened({ State: 4 })
  for (let number = 0; number < 20_000; number += 1) {
    const date = 1_000_000_000 + number
    assert.deepEqual(opened({ Date: date }).attributes['Date'], [{ index: 0, value: date }])
  }
  const [one, other] = [opened({ State: 4 }), opened({ State: 4 })]
  assert.deepEqual(one, before)
  assert.equal(one.attributes['State'], other.attributes['State'])
  assert.notEqual(one.attributes['State'], before.attributes['State'], 'what was full has begun anew')
})

test('what a field may not be called is a mere name', () => {
  const value = { constructor: [1], hasOwnProperty: { prototype: 2 } }
  assert.deepEqual(unpackValue(packed(value)), value)
  const renamed = unpackValue(packed(JSON.parse('{"__proto__":{"a":1}}')))
  assert.equal(Object.getPrototypeOf(renamed), Object.prototype)
})
