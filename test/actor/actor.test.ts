/** The run loop and the supervisor: order, batches, one at a time, failures told, restarts bounded. */

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Actor, type Ending, Supervisor } from '#actor/actor'
import { SettableClock } from '#actor/clock'
import { Mailbox } from '#actor/mailbox'

/** One that never has to give up. */
const patient = () =>
  new Supervisor({ clock: new SettableClock(), restartsMax: 5, withinMs: 1000, onGiveUp: assert.fail })

const turn = () => new Promise((resolve) => setImmediate(resolve))

describe('mailbox', () => {
  test('refuses beyond its capacity and keeps the order', () => {
    const mailbox = new Mailbox<number>(3)
    assert.deepEqual(
      [1, 2, 3, 4].map((n) => mailbox.offer(n)),
      [true, true, true, false],
    )
    assert.deepEqual(mailbox.take(1), [1])
    assert.equal(mailbox.offer(5), true)
    assert.equal(mailbox.size, 3)
    assert.deepEqual(mailbox.take(2), [2, 3])
    assert.deepEqual(mailbox.take(), [5])
    assert.deepEqual(mailbox.take(), [])
    assert.equal(mailbox.size, 0)
  })

  test('cannot be built without room', () => {
    for (const capacity of [0, -1, 1.5, Number.NaN]) assert.throws(() => new Mailbox(capacity))
  })
})

describe('actor', () => {
  test('handles batches in order, never two at a time', async () => {
    const seen: number[][] = []
    let inside = 0
    const actor = new Actor<number>({
      name: 'a',
      capacity: 100,
      batchMax: 4,
      async handle(batch) {
        assert.equal(++inside, 1)
        seen.push([...batch])
        await new Promise((resolve) => setImmediate(resolve))
        inside--
      },
    })
    for (let n = 0; n < 10; n++) assert.equal(actor.send(n), true)
    assert.deepEqual(await actor.stop(), { kind: 'stopped' })
    assert.deepEqual(seen, [
      [0, 1, 2, 3],
      [4, 5, 6, 7],
      [8, 9],
    ])
    assert.equal(actor.send(11), false)
  })

  test('tells the sender when there is no room', async () => {
    const actor = new Actor<number>({ name: 'a', capacity: 2, batchMax: 1, handle: () => undefined })
    assert.deepEqual(
      [1, 2, 3].map((n) => actor.send(n)),
      [true, true, false],
    )
    await actor.stop()
  })

  test('a failure ends it and is told with all that was not delivered', async () => {
    const endings: Ending<number>[] = []
    const actor = new Actor<number>({
      name: 'a',
      capacity: 9,
      batchMax: 1,
      handle([message]) {
        if (message === 2) throw new Error('two')
      },
      onEnd: (ending) => endings.push(ending),
    })
    for (const n of [1, 2, 3, 4]) actor.send(n)
    const ending = await actor.ended
    assert(ending.kind === 'failed')
    assert.match(String(ending.failure), /two/)
    assert.deepEqual(ending.batch, [2])
    assert.deepEqual(ending.waiting, [3, 4])
    assert.deepEqual(endings, [ending])
    assert.equal(actor.send(5), false)
    assert.equal(await actor.stop(), ending)
  })
})

/** Adds a child whose start waits for something, but for the first one, and that tells of its end. Gives what makes it fail. */
const addSlow = async (
  supervisor: Supervisor,
  name: string,
  again: Promise<void>,
  told: string[],
): Promise<(reason: unknown) => void> => {
  let fail: (reason: unknown) => void = () => assert.fail('not started')
  let starts = 0
  await supervisor.add({
    name,
    start: async (failed) => {
      fail = failed
      if (++starts > 1) await again
      return { stop: async () => void told.push(`${name} ends`) }
    },
  })
  return (reason) => fail(reason)
}

describe('supervisor', () => {
  test('restarts what fails, and gives up when it fails too often', async () => {
    const clock = new SettableClock()
    const log: string[] = []
    let fail: (reason: unknown) => void = () => undefined
    const gaveUp = Promise.withResolvers<string>()
    const supervisor = new Supervisor({
      clock,
      restartsMax: 2,
      withinMs: 1000,
      onGiveUp: (name) => gaveUp.resolve(name),
    })
    const stop = (name: string) => ({ stop: async () => void log.push(`stop ${name}`) })
    await supervisor.add({ name: 'steady', start: () => stop('steady') })
    await supervisor.add({
      name: 'shaky',
      start(failed) {
        log.push('start shaky')
        fail = failed
        return stop('shaky')
      },
    })
    for (let n = 0; n < 4; n++) {
      fail(new Error('once'))
      await turn()
      clock.advance(600) // two failures within a second at most: it goes on
    }
    assert.equal(log.filter((line) => line === 'start shaky').length, 5)
    fail(new Error('again'))
    await turn()
    fail(new Error('and again'))
    assert.equal(await gaveUp.promise, 'shaky')
    assert.deepEqual(log.slice(-1), ['stop steady'])
  })

  test('stops in reverse order, and a failure while stopping restarts nothing', async () => {
    const log: string[] = []
    const supervisor = patient()
    for (const name of ['a', 'b'])
      await supervisor.add({
        name,
        start: (failed) => ({
          async stop() {
            log.push(name)
            failed(new Error('late'))
          },
        }),
      })
    await supervisor.stop()
    assert.deepEqual(log, ['b', 'a'])
  })

  test('waits at its end for one that is being started again, and stops it before those that it stands on', async () => {
    const told: string[] = []
    const supervisor = patient()
    await supervisor.add({ name: 'base', start: async () => ({ stop: async () => void told.push('base ends') }) })
    const again = Promise.withResolvers<void>()
    const fail = await addSlow(supervisor, 'upper', again.promise, told)
    fail('a fault')
    const stopped = supervisor.stop()
    await turn()
    assert.deepEqual(told, [])
    again.resolve()
    await stopped
    assert.deepEqual(told, ['upper ends', 'base ends'])
  })

  test('stops one whose other start ends after the end was begun and before its own turn to end', async () => {
    const told: string[] = []
    const supervisor = patient()
    const [again, last] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    const fail = await addSlow(supervisor, 'base', again.promise, told)
    await supervisor.add({ name: 'upper', start: () => ({ stop: () => last.promise }) })
    fail('a fault')
    const stopped = supervisor.stop()
    again.resolve()
    await turn()
    last.resolve()
    await stopped
    assert.deepEqual(told, ['base ends'])
  })

  test('stops all, also when one of them cannot end well, and throws that', async () => {
    const log: string[] = []
    const supervisor = patient()
    for (const name of ['a', 'b', 'c'])
      await supervisor.add({
        name,
        start: () => ({
          async stop() {
            log.push(name)
            if (name !== 'a') throw new Error(`${name} cannot`)
          },
        }),
      })
    await assert.rejects(supervisor.stop(), /c cannot/)
    assert.deepEqual(log, ['c', 'b', 'a'])
  })

  test('a start that fails at first is thrown to the starter', async () => {
    const supervisor = patient()
    await assert.rejects(
      supervisor.add({
        name: 'x',
        start() {
          throw new Error('port taken')
        },
      }),
      /port taken/,
    )
  })
})
