/** The binary encoding: the specification's own examples, round trips, and bytes that nobody should send. */

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import * as fc from 'fast-check'
import { BinaryReader, BinaryWriter, bigIntegerBytes, decodeItem, encodeItem } from '#ttlv/binary'
import { TtlvError } from '#ttlv/error'
import { type Item, ItemType } from '#ttlv/item'
import { item, limits, plain } from './arbitrary.ts'

const bytes = (hex: string): Buffer => Buffer.from(hex.replaceAll(' ', ''), 'hex')
const T = 0x420020

/** KMIP 1.4 §9.1.2. */
const examples: readonly (readonly [Item, string])[] = [
  [{ tag: T, type: 2, value: 8 }, '420020 02 00000004 00000008 00000000'],
  [{ tag: T, type: 3, value: 123456789000000000n }, '420020 03 00000008 01B69B4BA5749200'],
  [{ tag: T, type: 4, value: 1234567890000000000000000000n }, '420020 04 00000010 0000000003FD35EB 6BC2DF4618080000'],
  [{ tag: T, type: 5, value: 255 }, '420020 05 00000004 000000FF 00000000'],
  [{ tag: T, type: 6, value: true }, '420020 06 00000008 0000000000000001'],
  [{ tag: T, type: 7, value: 'Hello World' }, '420020 07 0000000B 48656C6C6F20576F 726C640000000000'],
  [{ tag: T, type: 8, value: Uint8Array.of(1, 2, 3) }, '420020 08 00000003 0102030000000000'],
  [{ tag: T, type: 9, value: Date.UTC(2008, 2, 14, 11, 56, 40) / 1000 }, '420020 09 00000008 0000000047DA67F8'],
  [{ tag: T, type: 10, value: 10 * 86_400 }, '420020 0A 00000004 000D2F00 00000000'],
  [
    {
      tag: T,
      type: 1,
      value: [
        { tag: 0x420004, type: 5, value: 254 },
        { tag: 0x420005, type: 2, value: 255 },
      ],
    },
    '420020 01 00000020 420004 05 00000004 000000FE 00000000 420005 02 00000004 000000FF 00000000',
  ],
]

/** Decoding either refuses, or gives what encodes and decodes to itself; nothing else ever happens. */
const survives = (input: Uint8Array): void => {
  let decoded: Item
  try {
    decoded = decodeItem(input, limits)
  } catch (error) {
    assert(error instanceof TtlvError, String(error))
    return
  }
  assert.deepEqual(plain(decodeItem(encodeItem(decoded), limits)), plain(decoded))
}

describe('binary encoding', () => {
  for (const [value, hex] of examples) {
    test(`example of the specification: item type ${value.type}`, () => {
      assert.deepEqual(encodeItem(value), bytes(hex))
      assert.deepEqual(plain(decodeItem(bytes(hex), limits)), plain(value))
    })
  }

  test('every tree comes back', () => {
    fc.assert(
      fc.property(item({ xml: false }), (value) =>
        assert.deepEqual(plain(decodeItem(encodeItem(value), limits)), plain(value)),
      ),
    )
  })

  test('a message that is cut off anywhere is refused', () => {
    fc.assert(
      fc.property(item({ xml: false }), (value) => {
        const encoded = encodeItem(value)
        for (let end = 0; end < encoded.length; end += 1) {
          assert.throws(() => decodeItem(encoded.subarray(0, end), limits), TtlvError)
        }
      }),
      { numRuns: 40 },
    )
  })

  test('changed bytes are refused or give a value that survives', () => {
    const change = fc.record({ at: fc.nat(), to: fc.integer({ min: 0, max: 255 }) })
    fc.assert(
      fc.property(item({ xml: false }), fc.array(change, { minLength: 1, maxLength: 4 }), (value, changes) => {
        const encoded = encodeItem(value)
        for (const { at, to } of changes) encoded[at % encoded.length] = to
        survives(encoded)
      }),
      { numRuns: 500 },
    )
  })

  test('random bytes are refused or give a value that survives', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), survives), { numRuns: 300 })
  })

  test('a Big Integer is the shortest multiple of eight bytes, sign included', () => {
    const cases: readonly (readonly [bigint, string])[] = [
      [0n, '0000000000000000'],
      [-1n, 'ffffffffffffffff'],
      [2n ** 63n - 1n, '7fffffffffffffff'],
      [2n ** 63n, '00000000000000008000000000000000'],
      [-(2n ** 63n), '8000000000000000'],
      [-(2n ** 63n) - 1n, 'ffffffffffffffff7fffffffffffffff'],
    ]
    for (const [value, hex] of cases) assert.equal(bigIntegerBytes(value).toString('hex'), hex)
  })
})

describe('what the binary reader refuses', () => {
  const refused: readonly (readonly [string, string, RegExp])[] = [
    ['padding that is not zero', '420020 02 00000004 00000008 00000001', /padding/],
    ['padding of a text that is not zero', '420020 07 00000001 4101000000000000', /padding/],
    ['an Integer of another length', '420020 02 00000008 0000000000000008', /length/],
    ['a Boolean that is neither', '420020 06 00000008 0000000000000002', /Boolean/],
    ['a text that is not UTF-8', '420020 07 00000001 ff00000000000000', /UTF-8/],
    ['a Big Integer of no length', '420020 04 00000000', /Big Integer/],
    ['an item type that is not known', '420020 0b 00000004 0000000000000000', /type/],
    ['an item longer than its structure', '420020 01 00000008 420004 05 00000004', /longer/],
    ['a length near 2^32', '420020 08 ffffffff 00000000', /longer/],
    ['bytes behind the item', '420020 06 00000008 0000000000000001 00', /left over/],
    ['a tag of zero within a structure', '420020 01 00000010 000000 06 00000008 0000000000000001', /left over/],
    ['a Date-Time beyond the numbers', '420020 09 00000008 7ffffffffffffffe', /Date-Time/],
  ]
  for (const [what, hex, message] of refused) {
    test(what, () => assert.throws(() => decodeItem(bytes(hex), limits), { name: 'TtlvError', message }))
  }

  const nested = (depth: number): Item => {
    let value: Item = { tag: T, type: ItemType.Structure, value: [] }
    for (let level = 1; level < depth; level += 1) value = { tag: T, type: ItemType.Structure, value: [value] }
    return value
  }

  test('structures nested deeper than the limit', () => {
    assert.deepEqual(decodeItem(encodeItem(nested(32)), limits), nested(32))
    assert.throws(() => decodeItem(encodeItem(nested(33)), limits), { fault: 'limit' })
  })

  test('more items than the limit, skipped ones included', () => {
    const many: Item = { tag: T, type: 1, value: Array.from({ length: 10 }, () => ({ tag: T, type: 6, value: true })) }
    assert.throws(() => decodeItem(encodeItem(many), { ...limits, itemCountMax: 10 }), { fault: 'limit' })
    const reader = new BinaryReader(encodeItem(many), { ...limits, itemCountMax: 10 })
    reader.enter(T)
    assert.throws(
      () => {
        while (reader.peekTag() !== 0) reader.skip()
      },
      { fault: 'limit' },
    )
  })

  test('the error names the path and quotes nothing', () => {
    const secret = 'hunter2'
    const message: Item = { tag: 1, type: 1, value: [{ tag: 2, type: 1, value: [{ tag: 3, type: 7, value: secret }] }] }
    const reader = new BinaryReader(encodeItem(message), limits)
    reader.enter(1)
    reader.enter(2)
    assert.throws(
      () => reader.integer(3),
      (error) => error instanceof TtlvError && error.path.join() === '1,2,3' && !error.message.includes(secret),
    )
  })
})

describe('standing behind a structure that is given up', () => {
  test('leaveTo ends at the sibling, from any depth', () => {
    const writer = new BinaryWriter(0)
    writer.begin(1)
    writer.begin(2)
    writer.begin(3)
    writer.integer(4, 5)
    writer.end()
    writer.end()
    writer.boolean(6, true)
    writer.end()
    const reader = new BinaryReader(writer.bytes(), limits)
    reader.enter(1)
    const depth = reader.depth()
    reader.enter(2)
    reader.enter(3)
    reader.leaveTo(depth + 1)
    assert.equal(reader.depth(), depth)
    assert.equal(reader.boolean(6), true)
    reader.leave()
    assert(reader.atEnd())
  })

  test('byte strings are copies: the buffer may be used again', () => {
    const encoded = encodeItem({ tag: T, type: 8, value: Uint8Array.of(1, 2, 3) })
    const value = new BinaryReader(encoded, limits).byteString(T)
    encoded.fill(0)
    assert.deepEqual([...value], [1, 2, 3])
  })
})

test('the largest Date-Time, which says "no date", is read and written as itself', () => {
  const bytes = Buffer.from('42000109000000087fffffffffffffff', 'hex')
  const item = decodeItem(bytes, { nestingDepthMax: 8, itemCountMax: 8 })
  assert.equal(item.value, Number.MAX_SAFE_INTEGER)
  assert.deepEqual(encodeItem(item), bytes)
})

test('a number that its item type cannot hold is refused, not cut', () => {
  for (const write of [
    (writer: BinaryWriter) => writer.integer(1, 2 ** 31),
    (writer: BinaryWriter) => writer.integer(1, 0.5),
    (writer: BinaryWriter) => writer.enumeration(1, -1),
    (writer: BinaryWriter) => writer.interval(1, 2 ** 32),
    (writer: BinaryWriter) => writer.longInteger(1, 2n ** 63n),
    (writer: BinaryWriter) => writer.dateTime(1, 0.5),
    (writer: BinaryWriter) => writer.dateTime(1, Number.NaN),
  ]) {
    assert.throws(() => write(new BinaryWriter(104)), RangeError)
  }
})

test('a text is the same whether it is short, long, of ASCII or not', () => {
  for (const text of [
    '',
    'a',
    'sevenhh',
    'a'.repeat(64),
    'a'.repeat(65),
    '\u00e4',
    'aaaaaaa\u{1f511}',
    '\u007f',
    '\u0080',
  ]) {
    const item = { tag: 0x420053, type: ItemType.TextString, value: text } as const
    const bytes = encodeItem(item)
    assert.equal(bytes.subarray(8, 8 + bytes.readUInt32BE(4)).toString('utf8'), text)
    assert.deepEqual(decodeItem(bytes, limits), item)
  }
})
