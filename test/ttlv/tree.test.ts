/** Trees read and written through the same interfaces as bytes. */

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import * as fc from 'fast-check'
import { BinaryReader, encodeItem } from '#ttlv/binary'
import type { Item } from '#ttlv/item'
import type { Reader } from '#ttlv/stream'
import { TreeReader, TreeWriter } from '#ttlv/tree'
import { item, limits, plain } from './arbitrary.ts'

/** Copies what a reader gives, item by item, without its `item`. */
const copy = (reader: Reader, writer: TreeWriter): void => {
  for (let tag = reader.peekTag(); tag !== 0; tag = reader.peekTag()) {
    switch (reader.peekType()) {
      case 1:
        reader.enter(tag)
        writer.begin(tag)
        copy(reader, writer)
        writer.end()
        reader.leave()
        break
      case 2:
        writer.integer(tag, reader.integer(tag))
        break
      case 3:
        writer.longInteger(tag, reader.longInteger(tag))
        break
      case 4:
        writer.bigInteger(tag, reader.bigInteger(tag))
        break
      case 5:
        writer.enumeration(tag, reader.enumeration(tag))
        break
      case 6:
        writer.boolean(tag, reader.boolean(tag))
        break
      case 7:
        writer.textString(tag, reader.textString(tag))
        break
      case 8:
        writer.byteString(tag, reader.byteString(tag))
        break
      case 9:
        writer.dateTime(tag, reader.dateTime(tag))
        break
      default:
        writer.interval(tag, reader.interval(tag))
    }
  }
}

describe('trees', () => {
  test('both readers walk alike', () => {
    fc.assert(
      fc.property(item({ xml: false }), (value) => {
        for (const reader of [new TreeReader(value, limits), new BinaryReader(encodeItem(value), limits)]) {
          const writer = new TreeWriter(0)
          copy(reader, writer)
          assert.deepEqual(writer.items().map(plain), [plain(value)])
          assert(reader.atEnd())
        }
      }),
    )
  })

  test('an item is given whole, under the tag that the writer says', () => {
    const value: Item = { tag: 1, type: 1, value: [{ tag: 2, type: 6, value: true }] }
    assert.deepEqual(new TreeReader(value, limits).item(1), value)
    const writer = new TreeWriter(0)
    writer.item(7, value)
    assert.deepEqual(writer.items(), [{ ...value, tag: 7 }])
  })

  test('wrong tags, wrong types, rests and limits are refused', () => {
    const value: Item = { tag: 1, type: 1, value: [{ tag: 2, type: 6, value: true }] }
    const entered = (): TreeReader => {
      const reader = new TreeReader(value, limits)
      reader.enter(1)
      return reader
    }
    assert.throws(() => new TreeReader(value, limits).enter(2), { fault: 'message' })
    assert.throws(() => entered().integer(2), { fault: 'message', path: [1, 2] })
    assert.throws(() => entered().item(3), { fault: 'message' })
    assert.throws(() => entered().leave(), { fault: 'message' })
    assert.throws(() => {
      const reader = entered()
      reader.skip()
      reader.skip()
    }, /expected/)
    assert.throws(() => new TreeReader(value, { ...limits, nestingDepthMax: 0 }).item(1), { fault: 'limit' })
    assert.throws(() => new TreeReader(value, { ...limits, itemCountMax: 1 }).item(1), { fault: 'limit' })
  })

  test('behind a tag of zero nothing is passed over in silence: it is refused, as in binary', () => {
    const hidden: Item = { tag: 0, type: 6, value: true }
    const value: Item = { tag: 1, type: 1, value: [hidden, { tag: 2, type: 6, value: true }] }
    for (const reader of [new TreeReader(value, limits), new BinaryReader(encodeItem(value), limits)]) {
      assert.throws(() => reader.item(1), { fault: 'message', message: /left over/ })
    }
  })

  test('leaveTo stands behind the structure that is given up', () => {
    const inner: Item = { tag: 2, type: 1, value: [{ tag: 3, type: 1, value: [{ tag: 4, type: 2, value: 5 }] }] }
    const reader = new TreeReader({ tag: 1, type: 1, value: [inner, { tag: 6, type: 6, value: true }] }, limits)
    reader.enter(1)
    reader.enter(2)
    reader.enter(3)
    assert.deepEqual(reader.path(), [1, 2, 3])
    reader.leaveTo(2)
    assert.equal(reader.boolean(6), true)
    reader.leave()
    assert(reader.atEnd())
  })

  test('an end without a begin is our own mistake', () => assert.throws(() => new TreeWriter(0).end(), TypeError))
})
