/**
 * Time that is set by hand: the clock of tests itself, and that whatever lasts so long lasts so long whichever way the machine's
 * clock is set meanwhile. What it is not: dates, which are those of the new time (faults/clock.test.ts).
 */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { processorMs, SettableClock, systemClock } from '#actor/clock'
import { systemEntropy } from '#actor/entropy'
import { KeptKeys } from '#crypto/kept-keys'
import { Attempts } from '#identity/attempts'
import { BearerTokens } from '#identity/bearer-tokens'

const dayMs = 86_400_000

describe('the settable clock', () => {
  test('moves date and timers together, and is set without them', () => {
    const clock = new SettableClock(1_000)
    const fired: number[] = []
    clock.after(50, () => fired.push(clock.nowMs()))
    clock.after(20, () => fired.push(clock.nowMs()))
    clock.set(500)
    clock.advance(20)
    assert.deepEqual([fired, clock.nowMs(), clock.monotonicMs()], [[520], 520, 20])
    clock.set(dayMs)
    assert.equal(clock.timers, 1, 'no timer is in a hurry')
    clock.advance(30)
    assert.deepEqual([fired, clock.monotonicMs()], [[520, dayMs + 30], 50])
  })

  test('the machine\u2019s: time passes', () => {
    const before = systemClock.monotonicMs()
    assert.ok(systemClock.monotonicMs() >= before)
  })
})

describe('the processor time of a thread', () => {
  test('passes in small steps while the thread works', () => {
    const readings = new Set<number>()
    for (let count = 0; count < 10_000; count += 1) readings.add(processorMs())
    assert.ok(readings.size > 100, `${readings.size} readings differ`)
  })

  test('stands still while it waits', () => {
    const before = processorMs()
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20)
    const passedMs = processorMs() - before
    assert.ok(passedMs < 2, `${passedMs} ms`)
  })
})

describe('what lasts so long, while the clock is set', () => {
  for (const [way, byMs] of [
    ['forward', 30 * dayMs],
    ['back', -30 * dayMs],
  ] as const) {
    const set = (clock: SettableClock): void => clock.set(clock.nowMs() + byMs)

    test(`${way}: who guessed a password waits as long as before, and not for days`, async () => {
      const clock = new SettableClock()
      const attempts = new Attempts(clock)
      for (let count = 0; count < 7; count += 1) attempts.failed('joe', '192.0.2.1')
      set(clock)
      let admitted: boolean | undefined
      void attempts.admit('joe', '192.0.2.1').then((answer) => (admitted = answer))
      await turn()
      assert.equal(admitted, undefined, 'the wait is not over')
      clock.advance(60_000)
      await turn()
      assert.equal(admitted, true)
    })

    test(`${way}: a log-in ends when its time is over`, () => {
      const clock = new SettableClock()
      const tokens = new BearerTokens(clock, systemEntropy, 900_000)
      const token = tokens.issue({ userKey: 'local|joe', domain: 'root' })
      set(clock)
      clock.advance(899_000)
      assert.ok(tokens.find(token) !== undefined)
      clock.advance(2_000)
      assert.equal(tokens.find(token), undefined)
    })

    test(`${way}: a key that nobody uses is kept as long as it may be`, () => {
      const clock = new SettableClock()
      const keys = new KeptKeys({ keysMax: 4, idleMs: 60_000 }, clock)
      keys.find('sign', Buffer.alloc(32), () => ({}) as never)
      set(clock)
      clock.advance(30_000)
      assert.equal(keys.size, 1)
      clock.advance(60_000)
      assert.equal(keys.size, 0)
    })
  }
})
