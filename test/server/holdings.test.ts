/** What sessions hold for their peers: bounds of one client and of all, and the order of those who wait for room. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import * as fc from 'fast-check'
import { Holdings } from '#server/holdings'

const limits = { heldBytesPerClientMax: 100, heldBytesMax: 150 }

describe('room', () => {
  test('of one client, and of all', () => {
    const holdings = new Holdings(limits)
    const [one, other] = [holdings.holderOf('one'), holdings.holderOf('other')]
    one.take(100)
    assert.deepEqual([one.hasRoom(0), one.hasRoom(1), other.hasRoom(50), other.hasRoom(51)], [true, false, true, false])
    other.take(60)
    assert.ok(!holdings.holderOf('third').hasRoom(0), 'all together hold more than they may')
    one.give(100)
    other.give(60)
    assert.equal(holdings.bytes, 0)
  })

  test('what is larger than a limit has room where nothing else is', () => {
    const one = new Holdings(limits).holderOf('one')
    assert.ok(one.hasRoom(1_000))
    one.take(1_000)
    assert.ok(!one.hasRoom(0))
  })

  test('is given in turn to those of a client, and a client that waits for its own room keeps no other', () => {
    const holdings = new Holdings(limits)
    const [one, other] = [holdings.holderOf('one'), holdings.holderOf('other')]
    const told: string[] = []
    const ask = (holder: typeof one, bytes: number, name: string) =>
      holder.takeInTurn(bytes, () => void told.push(name))
    one.take(90)
    ask(one, 60, 'large')
    ask(one, 10, 'small, behind it')
    assert.ok(!one.hasRoom(10), 'nobody goes before those who wait')
    ask(other, 20, 'another client')
    assert.deepEqual(told, ['another client'])
    one.give(90)
    assert.deepEqual(told, ['another client', 'large', 'small, behind it'])
    assert.equal(holdings.bytes, 90)
  })

  test('who no longer waits is passed over', () => {
    const one = new Holdings(limits).holderOf('one')
    const told: string[] = []
    one.take(100)
    const cancel = one.takeInTurn(50, () => void told.push('gone'))
    one.takeInTurn(10, () => void told.push('there'))
    cancel()
    one.give(100)
    assert.deepEqual(told, ['there'])
  })
})

test('whatever happens: bounds hold, and all who wait are served when everything is given back', () => {
  const step = fc.record({ client: fc.constantFrom('a', 'b', 'c'), bytes: fc.integer({ min: 1, max: 100 }) })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const holdings = new Holdings(limits)
      const held: { readonly client: string; readonly bytes: number }[] = []
      let served = 0
      for (const { client, bytes } of steps) {
        holdings.holderOf(client).takeInTurn(bytes, () => {
          served += 1
          held.push({ client, bytes })
        })
        assert.ok(holdings.bytes <= limits.heldBytesMax)
      }
      for (let next = held.shift(); next !== undefined; next = held.shift()) {
        holdings.holderOf(next.client).give(next.bytes)
        assert.ok(holdings.bytes <= limits.heldBytesMax)
      }
      assert.equal(served, steps.length)
      assert.equal(holdings.bytes, 0)
    }),
  )
})
