/** The set of fronts, with threads that do nothing: which of them are kept. What it is not: the server on fronts (fronts.test.ts). */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Worker } from 'node:worker_threads'
import { SettableClock } from '#actor/clock'
import { FrontSet, type SharedCalls } from '#server/front-set'
import type { InterfaceSettings } from '#server/interface'

const unasked = (): never => assert.fail('nobody asks')
const nothing = (): void => undefined
const calls: SharedCalls = {
  line: nothing,
  durable: unasked,
  admit: unasked,
  guessFailed: unasked,
  guessSucceeded: unasked,
  streamObject: unasked,
  streamStep: unasked,
  takeRequest: unasked,
  poll: unasked,
  cancel: unasked,
}
const settings: InterfaceSettings = {
  name: 'kmip',
  host: 'localhost',
  port: 0,
  minTlsVersion: 'TLSv1.2',
  material: { server: [], trusted: [], ticketKeys: new Uint8Array(48) },
  rules: { mode: 'tls-pw-opt', hardDelete: undefined, autoRegistration: undefined },
}

test('a front that answers nothing for 30 s is ended and fails; one that answers is kept', async () => {
  const clock = new SettableClock()
  const gone: number[] = []
  const set = new FrontSet({
    startThread: () => new Worker(new URL('standing-front.ts', import.meta.url)),
    calls,
    level: () => 'info',
    permits: () => true,
    seed: nothing,
    onGone: (number) => gone.push(number),
    onFailure: (reason) => assert.fail(String(reason)),
    clock,
  })
  const failed = Promise.withResolvers<unknown>()
  const running = await set.child(1).start(failed.resolve)
  for (let looks = 0; looks < 20; looks += 1) {
    clock.advance(5_000)
    // Answers come in the order of the questions: that of the look is there.
    await set.ask('samples', undefined)
  }
  assert.deepEqual(gone, [])

  const opening = set.open(settings)
  clock.advance(30_000)
  assert.deepEqual(gone, [])
  clock.advance(5_000)
  assert.deepEqual(gone, [1])
  assert.equal(await failed.promise, 'has answered nothing for 30 s')
  await opening
  assert.equal(clock.timers, 0)
  await running.stop()
})
