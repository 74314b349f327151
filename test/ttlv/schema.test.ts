/** Declarations: what a structure takes, what it refuses, and what a version makes of it, in every encoding. */

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { BinaryReader, BinaryWriter, encodeItem } from '#ttlv/binary'
import type { Item } from '#ttlv/item'
import {
  anyItem,
  bigInteger,
  boolean,
  byteString,
  type Codec,
  dateTime,
  enumeration,
  integer,
  interval,
  longInteger,
  many,
  one,
  optional,
  partial,
  struct,
  textString,
} from '#ttlv/schema'
import type { Reader } from '#ttlv/stream'
import { TreeReader, TreeWriter } from '#ttlv/tree'
import { limits } from './arbitrary.ts'

const rows = {
  values: [
    { value: 1, since: 100 },
    { value: 2, since: 102 },
    { value: 3, since: 100, until: 102 },
  ],
}
const shape = struct({
  id: one(1, textString),
  count: optional(2, integer),
  names: many(3, textString),
  later: optional(4, boolean, { since: 102 }),
  early: optional(5, boolean, { until: 102 }),
  lenient: optional(6, boolean, { since: 103, lenient: true }),
  kind: optional(7, enumeration(rows)),
})
const S = 0x420000

const text = (tag: number, value: string): Item => ({ tag, type: 7, value })
const flag = (tag: number): Item => ({ tag, type: 6, value: true })
const structure = (...value: Item[]): Item => ({ tag: S, type: 1, value })

/** Each test runs on both readers. */
const readers: readonly (readonly [string, (item: Item, version: number) => Reader])[] = [
  ['binary', (item, version) => new BinaryReader(encodeItem(item), limits, version)],
  ['tree', (item, version) => new TreeReader(item, limits, version)],
]

for (const [name, open] of readers) {
  const read = <T>(codec: Codec<T>, item: Item, version = 100): T => codec.read(open(item, version), S)

  describe(`a structure read from ${name}`, () => {
    test('fields, absent ones and repeated ones', () => {
      const value = read(shape, structure(text(1, 'a'), text(3, 'x'), text(3, 'y')))
      assert.equal(value.id, 'a')
      assert.equal(value.count, undefined)
      assert.deepEqual(value.names, ['x', 'y'])
    })

    test('in another order than declared', () => {
      const value = read(shape, structure({ tag: 2, type: 2, value: 5 }, text(3, 'x'), text(1, 'a'), text(3, 'y')))
      assert.deepEqual([value.id, value.count, value.names], ['a', 5, ['x', 'y']])
    })

    test('a field that comes twice is an error of the message', () => {
      assert.throws(() => read(shape, structure(text(1, 'a'), text(1, 'b'))), {
        fault: 'message',
        message: /more than once/,
      })
    })

    test('a field that is missing is an error of the message', () => {
      assert.throws(() => read(shape, structure(text(3, 'x'))), { fault: 'message', message: /missing/ })
    })

    test('another item type is an error of the message', () => {
      assert.throws(() => read(shape, structure({ tag: 1, type: 2, value: 1 })), { fault: 'message', message: /type/ })
    })

    test('an unknown field is an error of the field, or passed over where the reader says so', () => {
      const message = structure(text(1, 'a'), structure(text(9, 'within')), flag(8))
      assert.throws(() => read(shape, message), { fault: 'field' })
      const reader = open(message, 100)
      reader.ignoreUnknown = true
      assert.equal(shape.read(reader, S).id, 'a')
      assert.equal(reader.peekTag(), 0)
    })

    test('fields that a version does not have', () => {
      const later = structure(text(1, 'a'), flag(4))
      assert.throws(() => read(shape, later, 101), { fault: 'field' })
      assert.equal(read(shape, later, 102).later, true)
      const early = structure(text(1, 'a'), flag(5))
      assert.equal(read(shape, early, 101).early, true)
      assert.throws(() => read(shape, early, 102), { fault: 'field' })
    })

    test('a lenient field is taken from versions that do not have it yet', () => {
      assert.equal(read(shape, structure(text(1, 'a'), flag(6)), 100).lenient, true)
    })

    test('enumeration values by version, vendor values in all', () => {
      const of = (value: number): Item => structure(text(1, 'a'), { tag: 7, type: 5, value })
      assert.equal(read(shape, of(1), 100).kind, 1)
      assert.throws(() => read(shape, of(2), 101), { fault: 'field' })
      assert.equal(read(shape, of(2), 102).kind, 2)
      assert.throws(() => read(shape, of(3), 102), { fault: 'field' })
      assert.throws(() => read(shape, of(77), 104), { fault: 'field' })
      assert.equal(read(shape, of(0x8000_0001), 100).kind, 0x8000_0001)
    })

    test('a codec is chosen by the fields in front of it', () => {
      const chosen = struct({
        type: one(1, integer),
        value: one(2, (parent) => (parent['type'] === 1 ? textString : integer) as Codec<unknown>),
      })
      const kind = (value: number): Item => ({ tag: 1, type: 2, value })
      assert.equal(read(chosen, structure(kind(1), text(2, 'a'))).value, 'a')
      assert.equal(read(chosen, structure(kind(2), { tag: 2, type: 2, value: 9 })).value, 9)
      assert.throws(() => read(chosen, structure(kind(2), text(2, 'a'))), { fault: 'message' })
    })

    test('partial makes every field optional', () => {
      assert.equal(read(partial(shape), structure(text(3, 'x'))).id, undefined)
    })

    test('the reader counts against its limits', () => {
      const flat = structure(text(1, 'a'), ...Array.from({ length: 50 }, () => text(3, 'x')))
      const reader =
        name === 'binary'
          ? new BinaryReader(encodeItem(flat), { ...limits, itemCountMax: 20 }, 100)
          : new TreeReader(flat, { ...limits, itemCountMax: 20 }, 100)
      assert.throws(() => shape.read(reader, S), { fault: 'limit' })
    })
  })
}

describe('writing', () => {
  const value = { id: 'a', count: 1, names: ['x'], later: true, early: true, lenient: true, kind: 1 }

  test('leaves out what the version does not have, in the order declared', () => {
    const tags = (version: number): readonly number[] => {
      const writer = new TreeWriter(version)
      shape.write(writer, S, value)
      const [item] = writer.items()
      return item?.type === 1 ? item.value.map((child) => child.tag) : []
    }
    assert.deepEqual(tags(100), [1, 2, 3, 5, 7])
    assert.deepEqual(tags(102), [1, 2, 3, 4, 7])
    assert.deepEqual(tags(103), [1, 2, 3, 4, 6, 7])
  })

  test('binary and tree writers say the same, for every type', () => {
    const all = struct({
      a: one(1, integer),
      b: one(2, longInteger),
      c: one(3, bigInteger),
      d: one(4, boolean),
      e: one(5, textString),
      f: one(6, byteString),
      g: one(7, dateTime),
      h: one(8, interval),
      i: one(9, anyItem),
      j: one(10, shape),
    })
    const inner = { id: 'é', names: [] }
    const content = {
      a: -1,
      b: -2n,
      c: 3n,
      d: false,
      e: '',
      f: Uint8Array.of(0),
      g: 0,
      h: 4_294_967_295,
      i: text(99, 'any'),
      j: inner,
    }
    const binary = new BinaryWriter(104)
    const tree = new TreeWriter(104)
    all.write(binary, S, content)
    all.write(tree, S, content)
    const [item] = tree.items()
    assert(item !== undefined)
    const bytes = binary.bytes()
    assert.deepEqual(encodeItem(item), bytes)
    const back = all.read(new BinaryReader(bytes, limits, 104), S)
    assert.equal(back.j.id, 'é')
    assert.deepEqual(back.i, text(9, 'any'))
  })
})
