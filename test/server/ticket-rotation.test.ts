/** The rotation of ticket keys: it goes on, tells of a failure, and leaves nothing behind when it is stopped. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { SettableClock } from '#actor/clock'
import { ticketRotation } from '#server/ticket-rotation'

test('goes on until it is stopped, also in the middle of a rotation', async () => {
  const clock = new SettableClock()
  const rotations: PromiseWithResolvers<void>[] = []
  const rotate = (): Promise<void> => {
    const rotation = Promise.withResolvers<void>()
    rotations.push(rotation)
    return rotation.promise
  }
  const running = await ticketRotation(clock, 1_000, rotate).start((reason) => assert.fail(String(reason)))
  clock.advance(1_000)
  rotations[0]?.resolve()
  await turn()
  clock.advance(1_000)
  assert.equal(rotations.length, 2)
  await running.stop()
  rotations[1]?.resolve()
  await turn()
  assert.equal(clock.timers, 0, 'a timer would keep the process alive')
})

test('tells of a rotation that has failed, and waits to be started again', async () => {
  const clock = new SettableClock()
  const failures: unknown[] = []
  await ticketRotation(clock, 1_000, () => Promise.reject(new Error('no'))).start((reason) => failures.push(reason))
  clock.advance(1_000)
  await turn()
  assert.deepEqual([failures.length, clock.timers], [1, 0])
})
