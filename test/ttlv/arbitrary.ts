/**
 * Random trees of items for the tests of the encodings. What it is not: messages; the tags mean nothing here.
 */
import * as fc from 'fast-check'
import { Tag } from '#kmip/tags'
import { type Item, ItemType, type ItemValue } from '#ttlv/item'
import type { ReaderLimits } from '#ttlv/stream'

export const limits: ReaderLimits = { nestingDepthMax: 32, itemCountMax: 10_000 }

/** Tags of the vocabulary, a vendor's, and numbers that are no tag at all. */
const tag = fc.oneof(
  fc.constantFrom(Tag.Attribute, Tag.AttributeName, Tag.AttributeValue, Tag.Name, Tag.Operation, Tag.State),
  fc.constantFrom(Tag.CryptographicUsageMask, Tag.CryptographicAlgorithm, Tag.UniqueIdentifier, Tag.KeyMaterial),
  fc.integer({ min: 0x540000, max: 0x54ffff }),
  fc.integer({ min: 1, max: 0xffffff }),
)

const int32 = fc.integer({ min: -0x8000_0000, max: 0x7fff_ffff })
const uint32 = fc.integer({ min: 0, max: 0xffff_ffff })

/** Text; `xml`: only characters that XML 1.0 can carry. */
export const text = (xml: boolean): fc.Arbitrary<string> => {
  const any = fc.string({ unit: 'binary', maxLength: 40 })
  return xml ? any.map((value) => value.replace(/[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu, '')) : any
}

/** The same item with byte strings of one class: readers may give Buffers, which strict equality tells apart. */
export const plain = (value: Item): Item => {
  if (value.type === ItemType.Structure) return { ...value, value: value.value.map(plain) }
  return value.type === ItemType.ByteString ? { ...value, value: Uint8Array.from(value.value) } : value
}

/** Any item whose encoding gives it back unchanged. */
export const item = (options: { readonly xml: boolean }): fc.Arbitrary<Item> => {
  const of = <T extends ItemType>(type: T, value: fc.Arbitrary<ItemValue<T>>): fc.Arbitrary<Item> =>
    fc.record({ tag, type: fc.constant(type), value }, { noNullPrototype: true }) as fc.Arbitrary<Item>
  const { node } = fc.letrec<{ node: Item }>((tie) => ({
    node: fc.oneof(
      { maxDepth: 6, depthSize: 'small', withCrossShrink: true },
      of(ItemType.Integer, int32),
      of(ItemType.LongInteger, fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })),
      of(ItemType.BigInteger, fc.bigInt({ min: -(2n ** 200n), max: 2n ** 200n })),
      of(ItemType.Enumeration, uint32),
      of(ItemType.Boolean, fc.boolean()),
      of(ItemType.TextString, text(options.xml)),
      of(ItemType.ByteString, fc.uint8Array({ maxLength: 40 })),
      of(ItemType.DateTime, fc.integer({ min: Number.MIN_SAFE_INTEGER, max: Number.MAX_SAFE_INTEGER })),
      of(ItemType.Interval, uint32),
      of(ItemType.Structure, fc.array(tie('node'), { maxLength: 6 })),
    ),
  }))
  return node
}
