/**
 * Template-Attributes with the names of Templates (KMIP 1.4 §2.1.8), for every operation whose request has one: what a
 * Template gives arrives on everything that is made, and the request's own stands above it. What it is not: what is refused
 * (`templateRows` in each operation's table).
 */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { payloads } from '#kmip/payloads/index'
import { Tag } from '#kmip/tags'
import { alice, attributesOf, openDispatcher, payloadOf, send } from '#test/dispatcher'
import { madeBy, makings } from '#test/making'
import { registerTemplate } from '#test/outcome-table'
import { attributes, name } from '#test/sample-objects'
import type { StructCodec } from '#ttlv/schema'

const templateTags: ReadonlySet<number> = new Set([Tag.TemplateAttribute, Tag.CommonTemplateAttribute])

describe('names of Templates', () => {
  for (const [operation, making] of Object.entries(makings)) {
    test(`${operation}: what they give arrives, the last of them stands, and the request's own above them`, async () => {
      const under = openDispatcher()
      await registerTemplate(under, 'first', { 'Contact Information': 'first', Comment: 'first', 'Object Group': 'a' })
      await registerTemplate(under, 'second', { Description: 'second', Comment: 'second', 'Object Group': 'b' })
      const template = {
        name: [name('first'), name('second')],
        attribute: attributes({ Description: 'own', 'Object Group': 'c' }),
      }
      const asked = await making(under, template)
      const answer = await send(under, alice, 104, [asked])
      const made = madeBy(payloadOf(answer, 0, asked.operation))
      assert.ok(made.length > 0)
      for (const uniqueIdentifier of made) {
        const has = await attributesOf(under, uniqueIdentifier)
        assert.deepEqual(has['Contact Information'], ['first'])
        assert.deepEqual(has['Comment'], ['second'])
        assert.deepEqual(has['Description'], ['own'])
        assert.deepEqual(has['Object Group']?.toSorted(), ['a', 'b', 'c'])
        assert.equal(has['Name'], undefined, "a Template's own Name is its own")
      }
    })
  }

  test('no operation that takes them is left out', () => {
    const taking = Object.entries(payloads).flatMap(([operation, { request }]) => {
      const fields = Object.values((request as StructCodec<unknown>).fields)
      return fields.some(({ tag }) => templateTags.has(tag)) ? [operation] : []
    })
    // Locate takes one as a filter, from clients that put their attributes there.
    const filters = ['Locate']
    assert.deepEqual(
      taking.filter((operation) => !filters.includes(operation)).toSorted(),
      Object.keys(makings).toSorted(),
    )
  })
})
