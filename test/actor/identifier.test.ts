/** The settable clock, and identifiers that ascend whatever the clock does. */

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import * as fc from 'fast-check'
import { SettableClock, systemClock } from '#actor/clock'
import { systemEntropy, uniqueIdentifier } from '#actor/entropy'

describe('settable clock', () => {
  test('fires timers in order of their time, at their time', () => {
    const clock = new SettableClock(1_000_500)
    const log: [string, number][] = []
    const note = (name: string) => () => void log.push([name, clock.nowMs()])
    clock.after(20, note('b'))
    clock.after(10, note('a'))
    clock.after(20, note('c'))
    const cancel = clock.after(15, note('never'))
    clock.after(10, () => clock.after(5, note('nested')))
    cancel()
    assert.equal(clock.nowSeconds(), 1000)
    clock.advance(30)
    assert.deepEqual(log, [
      ['a', 1_000_510],
      ['nested', 1_000_515],
      ['b', 1_000_520],
      ['c', 1_000_520],
    ])
    assert.equal(clock.nowMs(), 1_000_530)
    assert.equal(clock.timers, 0)
  })

  test('the system clock counts and its timers can be cancelled', async () => {
    assert.equal(systemClock.nowSeconds(), Math.floor(systemClock.nowMs() / 1000))
    const cancel = systemClock.after(0, () => assert.fail('cancelled'))
    cancel()
    await new Promise<void>((resolve) => systemClock.after(1, resolve))
  })
})

describe('unique identifier', () => {
  test('is a lower-case UUID of version 7 with the time in front', () => {
    const clock = new SettableClock(0x0192_3456_789a)
    const identifier = uniqueIdentifier(clock, systemEntropy)
    assert.match(identifier, /^01923456-789a-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
  })

  test('ascends within a millisecond and when the clock steps back', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -5000, max: 5 }), { minLength: 1, maxLength: 40 }), (steps) => {
        const clock = new SettableClock()
        let last = ''
        for (const step of steps) {
          clock.set(clock.nowMs() + step)
          for (let n = 0; n < 3; n++) {
            const identifier = uniqueIdentifier(clock, systemEntropy)
            assert(identifier > last)
            last = identifier
          }
        }
      }),
    )
  })

  test('borrows the next millisecond when the counter is used up', () => {
    const clock = new SettableClock()
    let last = ''
    for (let n = 0; n < 10_000; n++) {
      const identifier = uniqueIdentifier(clock, systemEntropy)
      assert(identifier > last)
      last = identifier
    }
  })
})

describe('entropy', () => {
  test('gives bytes of their own, never the same, of any length', () => {
    const seen = new Set<string>()
    for (let round = 0; round < 3_000; round += 1) {
      const bytes = systemEntropy.bytes(16)
      assert.equal(bytes.buffer.byteLength, 16)
      seen.add(Buffer.from(bytes).toString('hex'))
    }
    assert.equal(seen.size, 3_000)
    for (const length of [0, 1, 511, 512, 513, 16_384, 16_385, 100_000]) {
      const bytes = systemEntropy.bytes(length)
      assert.equal(bytes.length, length)
      if (length > 64) assert.ok(new Set(bytes).size > 32, 'bytes of every kind')
    }
  })
})
