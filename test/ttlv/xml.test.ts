/** The XML encoding: both directions, the forms that the specification allows, and documents that are refused. */

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import * as fc from 'fast-check'
import { Tag } from '#kmip/tags'
import { vocabulary } from '#kmip/vocabulary'
import { TtlvError } from '#ttlv/error'
import type { Item } from '#ttlv/item'
import { decodeXml, encodeXml } from '#ttlv/xml'
import { parseXml, type XmlLimits } from '#ttlv/xml-element'
import { item, plain } from './arbitrary.ts'

const limits: XmlLimits = {
  textLengthMax: 100_000,
  attributeLengthMax: 10_000,
  nestingDepthMax: 16,
  itemCountMax: 1000,
}
const decode = (text: string): Item => decodeXml(text, vocabulary, limits)
const encode = (value: Item): string => encodeXml(value, vocabulary)

describe('XML encoding', () => {
  test('every tree comes back, on one line and indented', () => {
    fc.assert(
      fc.property(item({ xml: true }), fc.constantFrom(undefined, 2), (value, indent) => {
        const text = encodeXml(value, vocabulary, indent === undefined ? {} : { indent })
        assert.deepEqual(plain(decode(text)), plain(value))
      }),
      { numRuns: 300 },
    )
  })

  const mask = (value: number): Item => ({ tag: Tag.CryptographicUsageMask, type: 2, value })
  const date = (value: number): Item => ({ tag: Tag.TimeStamp, type: 9, value })
  const forms: readonly (readonly [Item, string])[] = [
    [{ tag: Tag.State, type: 5, value: 2 }, '<State type="Enumeration" value="Active"/>'],
    [{ tag: Tag.State, type: 5, value: 0x80000001 }, '<State type="Enumeration" value="0x80000001"/>'],
    [mask(12), '<CryptographicUsageMask type="Integer" value="Encrypt Decrypt"/>'],
    [mask(0), '<CryptographicUsageMask type="Integer" value="0"/>'],
    [mask(-0x8000_0000), '<CryptographicUsageMask type="Integer" value="0x80000000"/>'],
    [date(0), '<TimeStamp type="DateTime" value="1970-01-01T00:00:00+00:00"/>'],
    [date(-62_167_219_201), '<TimeStamp type="DateTime" value="0xfffffff1868b83ff"/>'],
    [date(Number.MAX_SAFE_INTEGER), '<TimeStamp type="DateTime" value="0x7fffffffffffffff"/>'],
    [{ tag: 0x540001, type: 7, value: 'na' }, '<TTLV tag="0x540001" type="TextString" value="na"/>'],
    [{ tag: Tag.D, type: 4, value: -1n }, '<D type="BigInteger" value="ffffffffffffffff"/>'],
    [{ tag: Tag.LeaseTime, type: 10, value: 3600 }, '<LeaseTime type="Interval" value="3600"/>'],
    [{ tag: Tag.RequestPayload, type: 1, value: [] }, '<RequestPayload/>'],
    [
      { tag: Tag.NameValue, type: 7, value: '<&"\'\n>' },
      '<NameValue type="TextString" value="&lt;&amp;&quot;\'&#xA;&gt;"/>',
    ],
  ]
  for (const [value, text] of forms) {
    test(`writes ${text}`, () => {
      assert.equal(encode(value), text)
      assert.deepEqual(decode(text), value)
    })
  }

  const readings: readonly (readonly [string, Item])[] = [
    ['<CryptographicUsageMask type="Integer" value="Decrypt   Encrypt"/>', mask(12)],
    ['<CryptographicUsageMask type="Integer" value="Decrypt|Encrypt"/>', mask(12)],
    ['<CryptographicUsageMask type="Integer" value="0x0000000C"/>', mask(12)],
    ['<CryptographicUsageMask type="Integer" value="12"/>', mask(12)],
    ['<TimeStamp type="DateTime" value="1970-01-01T01:00:00.5+01:00"/>', date(0)],
    ['<TimeStamp type="DateTime" value="1969-12-31T19:00:00-05:00"/>', date(0)],
    ['<TimeStamp type="DateTime" value="1970-01-01T00:00:00Z"/>', date(0)],
    ['<TimeStamp type="DateTime" value="0x0000000000000000"/>', date(0)],
    ['<TTLV tag="0x42008D" type="Enumeration" value="0x1"/>', { tag: Tag.State, type: 5, value: 1 }],
    ['<RequestPayload type="Structure"></RequestPayload>', { tag: Tag.RequestPayload, type: 1, value: [] }],
    ['<D type="BigInteger" value="FFFFFFFFFFFFFFFE"/>', { tag: Tag.D, type: 4, value: -2n }],
    [
      '<UsageLimitsTotal type="LongInteger" value="0xffffffffffffffff"/>',
      { tag: Tag.UsageLimitsTotal, type: 3, value: -1n },
    ],
  ]
  for (const [text, value] of readings) test(`reads ${text}`, () => assert.deepEqual(decode(text), value))

  test('the value of an attribute takes its names from the name before it', () => {
    const attribute = (name: string, type: string, value: string): string =>
      `<Attribute><AttributeName type="TextString" value="${name}"/><AttributeValue type="${type}" value="${value}"/></Attribute>`
    const valueOf = (text: string): unknown => {
      const decoded = decode(text)
      return decoded.type === 1 ? decoded.value.find((child) => child.tag === Tag.AttributeValue)?.value : undefined
    }
    assert.equal(valueOf(attribute('Cryptographic Algorithm', 'Enumeration', 'AES')), 3)
    assert.equal(valueOf(attribute('Cryptographic   Algorithm', 'Enumeration', 'AES')), 3)
    assert.equal(valueOf(attribute('Cryptographic Usage Mask', 'Integer', 'Sign Verify')), 3)
    assert.throws(() => valueOf(attribute('x-ID', 'Enumeration', 'AES')), { fault: 'field' })
    assert.throws(() => valueOf(attribute('State', 'Enumeration', 'AES')), { fault: 'field' })
    const text = attribute('State', 'Enumeration', 'PreActive')
    assert.equal(encode(decode(text)), text)
  })

  test('a text with a character that XML cannot carry is refused', () => {
    for (const value of ['\u0000', 'a\u001bb', '\uffff', '\ud800']) {
      assert.throws(() => encode({ tag: Tag.NameValue, type: 7, value }), { name: 'TtlvError', fault: 'field' })
    }
  })
})

describe('what the XML reader refuses', () => {
  const refused: readonly (readonly [string, string])[] = [
    ['a document type', '<!DOCTYPE a [<!ENTITY x "y">]><RequestPayload/>'],
    ['an entity of its own', '<NameValue type="TextString" value="&x;"/>'],
    ['two roots', '<RequestPayload/><RequestPayload/>'],
    ['no root', ''],
    ['an end without a start', '</RequestPayload>'],
    ['an element that is not closed', '<RequestPayload>'],
    ['an attribute twice', '<NameValue type="TextString" value="a" value="b"/>'],
    ['a character that is none', '<NameValue type="TextString" value="&#x0;"/>'],
    ['half a character', '<NameValue type="TextString" value="\ud800"/>'],
    ['an element of no name', '<NoSuchTag/>'],
    ['a tag that is not six digits', '<TTLV tag="0x42" type="Boolean" value="true"/>'],
    ['an item type of no name', '<NameValue type="String" value="a"/>'],
    ['a value that is missing', '<NameValue type="TextString"/>'],
    ['a structure with a value', '<RequestPayload value="a"/>'],
    ['a value with an element within', '<NameValue type="TextString" value="a"><D/></NameValue>'],
    ['text between elements', '<RequestPayload>text</RequestPayload>'],
    ['an attribute of no meaning', '<NameValue type="TextString" value="a" size="1"/>'],
    ['an Integer of 33 bits', '<BatchCount type="Integer" value="2147483648"/>'],
    ['an Integer with a fraction', '<BatchCount type="Integer" value="1.5"/>'],
    ['a Long Integer of 65 bits', '<UsageLimitsTotal type="LongInteger" value="9223372036854775808"/>'],
    ['a Big Integer of seven bytes', '<D type="BigInteger" value="ffffffffffffff"/>'],
    ['an odd number of digits', '<Data type="ByteString" value="abc"/>'],
    ['a Boolean of another spelling', '<BatchOrderOption type="Boolean" value="TRUE"/>'],
    ['the 30th of February', '<TimeStamp type="DateTime" value="2024-02-30T00:00:00Z"/>'],
    ['a month of no year', '<TimeStamp type="DateTime" value="2024-13-01T00:00:00Z"/>'],
    ['an Interval below zero', '<LeaseTime type="Interval" value="-1"/>'],
  ]
  for (const [what, text] of refused) test(what, () => assert.throws(() => decode(text), TtlvError))

  test('an enumeration value or a bit of no name: an error of the field', () => {
    assert.throws(() => decode('<State type="Enumeration" value="Lost"/>'), { fault: 'field' })
    assert.throws(() => decode('<CryptographicUsageMask type="Integer" value="Encrypt Lose"/>'), { fault: 'field' })
  })

  test('what passes a bound', () => {
    const nested = (depth: number): string => `${'<KeyBlock>'.repeat(depth)}${'</KeyBlock>'.repeat(depth)}`
    parseXml(nested(16), limits)
    assert.throws(() => parseXml(nested(17), limits), { fault: 'limit' })
    assert.throws(() => parseXml(`<A v="${'x'.repeat(10_001)}"/>`, limits), { fault: 'limit' })
    assert.throws(() => parseXml(`<A>${'<B/>'.repeat(1000)}</A>`, limits), { fault: 'limit' })
    assert.throws(() => parseXml(`<A>${' '.repeat(100_000)}</A>`, limits), { fault: 'limit' })
  })

  test('changed documents are refused or give a value that survives', () => {
    const change = fc.record({
      at: fc.nat(),
      to: fc.constantFrom('<', '>', '"', '&', '0', 'x', ' ', '/', '=', '\u0001'),
    })
    fc.assert(
      fc.property(item({ xml: true }), fc.array(change, { minLength: 1, maxLength: 3 }), (value, changes) => {
        let text = encode(value)
        for (const { at, to } of changes) {
          const place = at % text.length
          text = text.slice(0, place) + to + text.slice(place + 1)
        }
        let decoded: Item
        try {
          decoded = decode(text)
        } catch (error) {
          assert(error instanceof TtlvError, String(error))
          return
        }
        assert.deepEqual(plain(decode(encode(decoded))), plain(decoded))
      }),
      { numRuns: 300 },
    )
  })

  test('the error names the line and quotes nothing', () => {
    const text = '<KeyBlock>\n<KeyMaterial type="ByteString" value="secret"/>\n</KeyBlock>'
    assert.throws(
      () => decode(text),
      (error) => error instanceof TtlvError && error.message.includes('line 2') && !error.message.includes('secret'),
    )
  })
})

describe('elements', () => {
  test('text is kept where it stands, for files with remarks', () => {
    const root = parseXml('<KMIP> # one <A/>\n# two\n<B> within </B> # three </KMIP>', limits)
    assert.deepEqual(
      root.children.map(({ name, before, content, line }) => [name, before, content, line]),
      [
        ['A', '# one', '', 1],
        ['B', '# two', 'within', 3],
      ],
    )
    assert.match(root.content, /# one[^]*# two[^]*# three/)
  })
})
