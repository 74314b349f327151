/** Failed log-ins: slowed per user and address, never locked, in bounded memory. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import * as fc from 'fast-check'
import { SettableClock } from '#actor/clock'
import { type AttemptLimits, Attempts } from '#identity/attempts'

const limits: AttemptLimits = {
  entriesMax: 6,
  freePerUser: 2,
  freePerAddress: 4,
  atOncePerUser: 3,
  atOncePerAddress: 5,
  turnMaxMs: 3_000,
  firstIntervalMs: 100,
  intervalMaxMs: 400,
  waitMaxMs: 1_000,
  forgetAfterMs: 10_000,
}

/** How long a try waits: milliseconds, or undefined when it is refused. */
const wait = async (attempts: Attempts, clock: SettableClock, user: string, address: string) => {
  let admitted: boolean | undefined
  const trying = attempts.admit(user, address).then((answer) => {
    admitted = answer
  })
  for (let waitedMs = 0; waitedMs <= 2_000; waitedMs += 50) {
    await new Promise((resolve) => setImmediate(resolve))
    if (admitted !== undefined) return admitted ? waitedMs : undefined
    clock.advance(50)
  }
  await trying
  return assert.fail('never admitted')
}

describe('failed log-ins', () => {
  test('the first ones cost nothing, the later ones twice as much each, up to a bound', async () => {
    const clock = new SettableClock()
    const attempts = new Attempts(clock, limits)
    const waits: (number | undefined)[] = []
    for (let count = 0; count < 7; count++) {
      waits.push(await wait(attempts, clock, 'joe', '10.0.0.1'))
      attempts.failed('joe', '10.0.0.1')
    }
    assert.deepEqual(waits, [0, 0, 0, 100, 200, 400, 400])
    assert.equal(await wait(attempts, clock, 'joe', '10.0.0.2'), 0, 'another address is not slowed')
  })

  test('addresses of one IPv6 network are one place, other networks and IPv4 addresses are others', async () => {
    const clock = new SettableClock()
    const attempts = new Attempts(clock, limits)
    for (const host of ['1', '2', 'ffff:1', 'a:b:c:d'])
      attempts.failed('joe', `2001:db8:0:5:${host.includes(':b') ? '' : ':'}${host}`)
    assert.equal(await wait(attempts, clock, 'joe', '2001:db8:0:5::77'), 200)
    for (const other of ['2001:db8:0:6::1', '2001:db8::1', '::1', '192.0.2.1'])
      assert.equal(await wait(attempts, clock, 'joe', other), 0, other)
    for (let count = 0; count < 3; count++) attempts.failed('ann', '::ffff:192.0.2.9')
    assert.equal(await wait(attempts, clock, 'ann', '192.0.2.9'), 100)
    assert.equal(await wait(attempts, clock, 'ann', '::ffff:192.0.2.8'), 0)
  })

  test('many users tried from one address slow the address', async () => {
    const clock = new SettableClock()
    const attempts = new Attempts(clock, limits)
    for (const user of ['a', 'b', 'c', 'd', 'e']) attempts.failed(user, '10.0.0.1')
    assert.equal(await wait(attempts, clock, 'f', '10.0.0.1'), 100)
  })

  test('tries at once stand in a row, and too long a row is refused', async () => {
    const clock = new SettableClock()
    const attempts = new Attempts(clock, limits)
    for (let count = 0; count < 5; count++) attempts.failed('joe', '10.0.0.1')
    const tries = Array.from({ length: 6 }, () => attempts.admit('joe', '10.0.0.1'))
    for (let step = 0; step < 40; step++) {
      await new Promise((resolve) => setImmediate(resolve))
      clock.advance(50)
    }
    assert.deepEqual(await Promise.all(tries), [true, true, false, false, false, false])
  })

  /** Lets everything go on that can, for so long. */
  const pass = async (clock: SettableClock, ms: number): Promise<void> => {
    for (let step = 0; step <= ms; step += 50) {
      await new Promise((resolve) => setImmediate(resolve))
      if (step < ms) clock.advance(50)
    }
  }

  test('tries at once are few, too, while nobody knows yet that they are wrong', async () => {
    const clock = new SettableClock()
    const attempts = new Attempts(clock, limits)
    let admitted = 0
    let isKnown = false
    const tries = (users: readonly string[]) =>
      users.map(async (user) => {
        if (!(await attempts.admit(user, '10.0.0.1'))) return
        admitted += 1
        if (isKnown) attempts.failed(user, '10.0.0.1')
      })
    const joes = tries(Array<string>(20).fill('joe'))
    await pass(clock, 0)
    assert.equal(admitted, 3)
    isKnown = true
    for (let count = 0; count < 3; count++) attempts.failed('joe', '10.0.0.1')
    // From here on they stand in the row of those who have failed too often, each twice as long as the one before.
    await pass(clock, 0)
    assert.equal(admitted, 3)
    await pass(clock, 5_000)
    await Promise.all(joes)
    assert.ok(admitted <= 3 + 5_000 / limits.intervalMaxMs + 2, String(admitted))
    admitted = 0
    const others = new Attempts(clock, limits)
    const many = ['a', 'b', 'c', 'd', 'e', 'f', 'g'].map((user) =>
      others.admit(user, '10.0.0.2').then(() => admitted++),
    )
    await pass(clock, 0)
    assert.equal(admitted, 5)
    for (const user of ['a', 'b']) others.succeeded(user, '10.0.0.2')
    await Promise.all(many)
    assert.equal(admitted, 7)
  })

  test('tries that are right, or of which nothing is heard, keep nobody waiting for long', async () => {
    const clock = new SettableClock()
    const attempts = new Attempts(clock, limits)
    const right = Array.from({ length: 50 }, async () => {
      const admitted = await attempts.admit('joe', '10.0.0.1')
      attempts.succeeded('joe', '10.0.0.1')
      return admitted
    })
    await pass(clock, 0)
    assert.ok((await Promise.all(right)).every(Boolean))
    const silent = Array.from({ length: 4 }, () => attempts.admit('joe', '10.0.0.1'))
    await pass(clock, 1_000)
    assert.deepEqual(await Promise.all(silent), [true, true, true, true])
    assert.equal(await wait(attempts, clock, 'joe', '10.0.0.1'), 0)
  })

  test('an end lets one in, whatever number waits, and users take turns', async () => {
    let timers = 0
    class CountedClock extends SettableClock {
      override after(...given: Parameters<SettableClock['after']>): ReturnType<SettableClock['after']> {
        timers += 1
        return super.after(...given)
      }
    }
    const clock = new CountedClock()
    const attempts = new Attempts(clock, limits)
    const waiting = 2_000
    const order: string[] = []
    const enters = async (user: string) => {
      if (await attempts.admit(user, '10.0.0.1')) order.push(user)
    }
    const all = [...Array<string>(waiting).fill('joe'), 'ann', 'ann', 'ann', 'ben', 'eve'].map(enters)
    await pass(clock, 0)
    assert.deepEqual(order.toSorted(), ['ann', 'ann', 'joe', 'joe', 'joe'])
    for (let ended = 0; ended < order.length; ended++) {
      attempts.succeeded(order[ended] ?? '', '10.0.0.1')
      await new Promise((resolve) => setImmediate(resolve))
    }
    await Promise.all(all)
    assert.equal(order.length, waiting + 5)
    for (const user of ['ann', 'ben', 'eve']) assert.ok(order.lastIndexOf(user) < 15, `${user} waited for all joes`)
    assert.ok(timers <= 2 * order.length, `${timers} timers for ${order.length} tries`)
  })

  test('whatever ends in whatever order, who may begin does, and nothing is left behind', async () => {
    const step = fc.record({
      does: fc.constantFrom('admit', 'succeeded', 'failed', 'time'),
      user: fc.constantFrom('a', 'b', 'c', 'd'),
    })
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
        const clock = new SettableClock()
        const attempts = new Attempts(clock, { ...limits, entriesMax: 100 })
        const under: string[] = []
        const tries: Promise<void>[] = []
        for (const { does, user } of steps) {
          if (does === 'admit')
            tries.push(attempts.admit(user, '10.0.0.1').then((isAdmitted) => void (isAdmitted && under.push(user))))
          else if (does === 'time') clock.advance(50)
          else if (under.includes(user)) {
            under.splice(under.indexOf(user), 1)
            attempts[does](user, '10.0.0.1')
          }
          await new Promise((resolve) => setImmediate(resolve))
        }
        let answered = 0
        for (const each of tries) void each.then(() => answered++)
        // Each wait in the row has a bound, and so has each turn: all ends by itself, and long before the end of a turn.
        for (let tried = 0; tried < 40 && answered < tries.length; tried++) {
          for (const user of under.splice(0)) attempts.succeeded(user, '10.0.0.1')
          await pass(clock, 50)
        }
        assert.equal(answered, tries.length)
        clock.advance(limits.forgetAfterMs + limits.waitMaxMs)
        const fresh = ['a', 'a', 'a', 'b', 'b'].map((user) => attempts.admit(user, '10.0.0.1'))
        assert.deepEqual(await Promise.all(fresh), [true, true, true, true, true])
      }),
      { numRuns: 60 },
    )
  })

  test('a success, or time, makes forget', async () => {
    const clock = new SettableClock()
    const attempts = new Attempts(clock, limits)
    for (let count = 0; count < 4; count++) attempts.failed('joe', '10.0.0.1')
    attempts.succeeded('joe', '10.0.0.1')
    assert.equal(await wait(attempts, clock, 'joe', '10.0.0.1'), 0)
    for (let count = 0; count < 4; count++) attempts.failed('joe', '10.0.0.1')
    clock.advance(limits.forgetAfterMs + 1)
    assert.equal(await wait(attempts, clock, 'joe', '10.0.0.1'), 0)
  })

  test('memory is bounded: who failed longest ago is forgotten', async () => {
    const clock = new SettableClock()
    const attempts = new Attempts(clock, limits)
    for (let count = 0; count < 4; count++) attempts.failed('joe', '10.0.0.1')
    for (let host = 2; host < 6; host++) attempts.failed('eve', `10.0.0.${host}`)
    assert.equal(await wait(attempts, clock, 'joe', '10.0.0.1'), 0)
  })
})
