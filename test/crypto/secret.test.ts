/** Secrets: nothing prints them, comparison and clearing do what they say. */

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { format, inspect } from 'node:util'
import { constantTimeEqual, Secret, wipe, wipeWithin } from '#crypto/secret'

const marker = 'marker-of-the-secret'
const hexOfMarker = Buffer.from(marker).toString('hex')

describe('secret', () => {
  const prints: readonly (readonly [string, (value: unknown) => string])[] = [
    ['inspect', (value) => inspect(value, { depth: 9, showHidden: true, getters: true })],
    ['format', (value) => format('%s %o %O %j', value, value, value, value)],
    ['JSON', (value) => JSON.stringify(value)],
    ['structured clone', (value) => inspect(structuredClone(value))],
    ['error', (value) => inspect(new Error('with a cause', { cause: value }))],
  ]
  for (const [name, print] of prints) {
    test(`${name} does not show the bytes`, () => {
      const secret = Secret.ofText(marker)
      for (const value of [secret, { secret }, [secret]]) {
        // %s turns to text, which is refused; any other text must not hold the bytes.
        const shown = shownBy(print, value)
        assert.ok(!shown.includes(marker))
        assert.ok(!shown.toLowerCase().includes(hexOfMarker))
        assert.ok(!shown.includes([...Buffer.from(marker)].slice(0, 4).join(', ')))
      }
    })
  }

  test('is neither text nor number', () => {
    const secret: unknown = Secret.ofText(marker)
    assert.throws(() => String(secret), TypeError)
    assert.throws(() => ['the key is ', secret].join(''), TypeError)
    assert.throws(() => Number(secret), TypeError)
  })

  test('compares by content', () => {
    assert.ok(Secret.ofText('abc').equals(Secret.ofText('abc')))
    assert.ok(Secret.ofText('abc').equals(Buffer.from('abc')))
    assert.ok(!Secret.ofText('abc').equals(Secret.ofText('abd')))
    assert.ok(!constantTimeEqual(Buffer.from('abc'), Buffer.from('ab')))
    assert.ok(constantTimeEqual(Buffer.alloc(0), Buffer.alloc(0)))
  })

  test('is gone after wipe', () => {
    const bytes = Uint8Array.from([1, 2, 3])
    {
      using secret = new Secret(bytes)
      assert.equal(secret.length, 3)
      assert.equal(secret.reveal(), bytes)
      secret.wipe()
      assert.equal(secret.length, 0)
      assert.throws(() => secret.reveal(), TypeError)
    }
    assert.deepEqual(bytes, new Uint8Array(3))
  })

  test('wipes within plain data', () => {
    const bytes = Uint8Array.of(1, 2)
    const inner = Uint8Array.of(3, 4)
    wipeWithin({ bytes, list: [{ inner }, null, 5, 'text', 7n] })
    assert.deepEqual([bytes, inner], [new Uint8Array(2), new Uint8Array(2)])
    wipe(bytes)
  })
})

function shownBy(print: (value: unknown) => string, value: unknown): string {
  try {
    return print(value)
  } catch (error) {
    return inspect(error)
  }
}
