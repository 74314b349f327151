/** The line for logs: readable, one line, and silent about what is secret. */

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import * as fc from 'fast-check'
import { Tag } from '#kmip/tags'
import { vocabulary } from '#kmip/vocabulary'
import type { Item } from '#ttlv/item'
import { type TextOptions, textOfTree } from '#ttlv/text'
import { item } from './arbitrary.ts'

const options: TextOptions = {
  vocabulary,
  redactedTags: new Set([Tag.KeyMaterial, Tag.KeyValue, Tag.Password, Tag.Data]),
}

describe('text of a tree', () => {
  test('names, values and structures', () => {
    const value: Item = {
      tag: Tag.RequestPayload,
      type: 1,
      value: [
        { tag: Tag.UniqueIdentifier, type: 7, value: 'a"1' },
        {
          tag: Tag.Attribute,
          type: 1,
          value: [
            { tag: Tag.AttributeName, type: 7, value: 'State' },
            { tag: Tag.AttributeValue, type: 5, value: 2 },
          ],
        },
        { tag: 0x540001, type: 6, value: true },
      ],
    }
    assert.equal(
      textOfTree(value, options),
      'RequestPayload{UniqueIdentifier="a\\"1" Attribute{AttributeName="State" AttributeValue=Active} 0x540001=true}',
    )
  })

  test('secrets are replaced by their length, whatever their type', () => {
    const marker = 'marker-secret'
    const bytes = Buffer.from(marker)
    const secret: Item[] = [
      { tag: Tag.Password, type: 7, value: marker },
      { tag: Tag.Data, type: 8, value: bytes },
      { tag: Tag.KeyMaterial, type: 1, value: [{ tag: Tag.D, type: 4, value: 0x6d61726b6572n }] },
      { tag: Tag.KeyMaterial, type: 4, value: 0x6d61726b6572n },
    ]
    const line = textOfTree({ tag: Tag.RequestPayload, type: 1, value: secret }, options)
    assert.equal(
      line,
      'RequestPayload{Password=<13 bytes> Data=<13 bytes> KeyMaterial=<16 bytes> KeyMaterial=<8 bytes>}',
    )
    for (const form of [marker, bytes.toString('hex'), '6d61726b6572']) assert(!line.includes(form))
  })

  test('a value may be secret for the name before it', () => {
    const value: Item = {
      tag: Tag.Attribute,
      type: 1,
      value: [
        { tag: Tag.AttributeName, type: 7, value: 'x-Token' },
        { tag: Tag.AttributeValue, type: 7, value: 'marker-secret' },
      ],
    }
    const isRedacted = (child: Item, earlier: readonly Item[]): boolean =>
      child.tag === Tag.AttributeValue && earlier.some((sibling) => sibling.value === 'x-Token')
    assert.equal(
      textOfTree(value, { ...options, isRedacted }),
      'Attribute{AttributeName="x-Token" AttributeValue=<13 bytes>}',
    )
  })

  test('always one line of bounded length, with nothing that moves a cursor', () => {
    fc.assert(
      fc.property(item({ xml: false }), fc.integer({ min: 1, max: 200 }), (value, lengthMax) => {
        const line = textOfTree(value, { ...options, lengthMax })
        assert(line.length <= lengthMax + 1)
        assert.doesNotMatch(line, /[\p{Cc}\p{Zl}\p{Zp}]/u)
      }),
    )
  })

  test('a long message costs no more than its line', () => {
    const many: Item = {
      tag: Tag.RequestPayload,
      type: 1,
      value: Array.from({ length: 200_000 }, () => ({ tag: Tag.UniqueIdentifier, type: 7, value: 'id' }) as const),
    }
    assert.match(textOfTree(many, options), /^RequestPayload\{UniqueIdentifier="id" .*…$/)
  })
})
