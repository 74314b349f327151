/** The JSON encoding: both directions, the forms that the specification allows, and texts that are refused. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import * as fc from 'fast-check'
import { Tag } from '#kmip/tags'
import { vocabulary } from '#kmip/vocabulary'
import { TtlvError } from '#ttlv/error'
import type { Item } from '#ttlv/item'
import { decodeJson, encodeJson, type JsonLimits } from '#ttlv/json'
import { item, plain } from './arbitrary.ts'

const limits: JsonLimits = { textLengthMax: 100_000, nestingDepthMax: 16, itemCountMax: 1000 }
const decode = (text: string): Item => decodeJson(text, vocabulary, limits)
const encode = (value: Item): string => encodeJson(value, vocabulary)

describe('JSON encoding', () => {
  test('every tree comes back', () => {
    fc.assert(
      fc.property(item({ xml: false }), (value) => assert.deepEqual(plain(decode(encode(value))), plain(value))),
      { numRuns: 300 },
    )
  })

  const mask = (value: number): Item => ({ tag: Tag.CryptographicUsageMask, type: 2, value })
  const long = (value: bigint): Item => ({ tag: Tag.UsageLimitsTotal, type: 3, value })
  const forms: readonly (readonly [Item, string])[] = [
    [{ tag: Tag.State, type: 5, value: 2 }, '{"tag":"State","type":"Enumeration","value":"Active"}'],
    [{ tag: Tag.State, type: 5, value: 0x80000001 }, '{"tag":"State","type":"Enumeration","value":"0x80000001"}'],
    [mask(12), '{"tag":"CryptographicUsageMask","type":"Integer","value":"Encrypt|Decrypt"}'],
    [mask(0), '{"tag":"CryptographicUsageMask","type":"Integer","value":0}'],
    [long(-7n), '{"tag":"UsageLimitsTotal","type":"LongInteger","value":-7}'],
    [long(2n ** 62n), '{"tag":"UsageLimitsTotal","type":"LongInteger","value":"0x4000000000000000"}'],
    [{ tag: Tag.D, type: 4, value: -1n }, '{"tag":"D","type":"BigInteger","value":"0xffffffffffffffff"}'],
    [{ tag: Tag.LeaseTime, type: 10, value: 3600 }, '{"tag":"LeaseTime","type":"Interval","value":3600}'],
    [{ tag: Tag.Fresh, type: 6, value: true }, '{"tag":"Fresh","type":"Boolean","value":true}'],
    [
      { tag: Tag.TimeStamp, type: 9, value: 0 },
      '{"tag":"TimeStamp","type":"DateTime","value":"1970-01-01T00:00:00+00:00"}',
    ],
    [
      { tag: Tag.TimeStamp, type: 9, value: Number.MAX_SAFE_INTEGER },
      '{"tag":"TimeStamp","type":"DateTime","value":"0x7fffffffffffffff"}',
    ],
    [{ tag: 0x540001, type: 7, value: 'na' }, '{"tag":"0x540001","type":"TextString","value":"na"}'],
    [{ tag: Tag.RequestPayload, type: 1, value: [] }, '{"tag":"RequestPayload","value":[]}'],
  ]
  for (const [value, text] of forms) {
    test(`writes ${text}`, () => {
      assert.equal(encode(value), text)
      assert.deepEqual(decode(text), value)
    })
  }

  const readings: readonly (readonly [string, Item])[] = [
    ['{"tag":"0x420020","type":"BigInteger","value":"0xff00"}', { tag: 0x420020, type: 4, value: -256n }],
    ['{"tag":"D","type":"BigInteger","value":5}', { tag: Tag.D, type: 4, value: 5n }],
    ['{"tag":"Fresh","type":"Boolean","value":"0x0000000000000001"}', { tag: Tag.Fresh, type: 6, value: true }],
    ['{"tag":"BatchCount","type":"Integer","value":"0x00000002"}', { tag: Tag.BatchCount, type: 2, value: 2 }],
    ['{"tag":"State","name":"x","type":"Enumeration","value":2}', { tag: Tag.State, type: 5, value: 2 }],
    ['{"tag":"RequestPayload","type":"Structure","value":[]}', { tag: Tag.RequestPayload, type: 1, value: [] }],
  ]
  for (const [text, value] of readings) test(`reads ${text}`, () => assert.deepEqual(decode(text), value))

  const refused: readonly (readonly [string, string, string])[] = [
    ['half a surrogate pair', '{"tag":"0x540001","type":"TextString","value":"t\\ud800here"}', 'message'],
    ['no JSON', '{', 'message'],
    ['no object', '[]', 'message'],
    ['no tag', '{"value":[]}', 'message'],
    ['an unknown tag', '{"tag":"Nothing","value":[]}', 'message'],
    ['an unknown type', '{"tag":"State","type":"Word","value":1}', 'message'],
    ['an unknown member', '{"tag":"RequestPayload","value":[],"more":1}', 'message'],
    ['a structure without items', '{"tag":"RequestPayload"}', 'message'],
    ['a value that is missing', '{"tag":"State","type":"Enumeration"}', 'message'],
    ['an unknown enumeration value', '{"tag":"State","type":"Enumeration","value":"Tired"}', 'field'],
    ['a fraction', '{"tag":"BatchCount","type":"Integer","value":1.5}', 'message'],
    ['too large an Integer', '{"tag":"BatchCount","type":"Integer","value":2147483648}', 'message'],
    ['a number that is not exact', '{"tag":"D","type":"BigInteger","value":9007199254740993}', 'message'],
    ['a number as text', '{"tag":"Comment","type":"TextString","value":7}', 'message'],
    ['a Boolean of an Integer', '{"tag":"BatchCount","type":"Integer","value":true}', 'message'],
    ['half a byte', '{"tag":"KeyMaterial","type":"ByteString","value":"abc"}', 'message'],
    ['too long a text', `"${'x'.repeat(100_000)}"`, 'limit'],
    ['too deep a text', `${'{"tag":"Attribute","value":['.repeat(17)}${']}'.repeat(17)}`, 'limit'],
    [
      'too many items',
      `{"tag":"Attribute","value":[${Array(1000).fill('{"tag":"Attribute","value":[]}').join()}]}`,
      'limit',
    ],
  ]
  for (const [what, text, fault] of refused) {
    test(`refuses ${what}`, () => {
      assert.throws(
        () => decode(text),
        (error) => error instanceof TtlvError && error.fault === fault,
      )
    })
  }
})
