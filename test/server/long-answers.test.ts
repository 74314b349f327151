/**
 * A session whose answers take the thread for long: what others have in between, and when it rests. What it is not: everything else of a
 * connection (connection.test.ts).
 */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { type Clock, SettableClock, systemClock } from '#actor/clock'
import { heavyMs } from '#actor/slices'
import { Connection } from '#server/connection'
import { Holdings } from '#server/holdings'
import { besideOthers, spin, standStill } from '#test/actor/thread-work'
import { labelOf, request } from './frames.ts'

const limits = {
  requestSizeMax: 1024,
  unansweredRequestsMax: 100,
  unansweredBytesMax: 4096,
  requestTimeoutMs: 1000,
  idleTimeoutMs: 10_000,
}
const room = new Holdings({ heldBytesPerClientMax: 1 << 20, heldBytesMax: 1 << 20 })
const nothing = (): void => undefined

/** A session of a client that has asked for so many things, each of which is answered by this. */
const asked = (client: string, count: number, clock: Clock, answer: (label: number) => void): void => {
  const connection = new Connection({
    output: { send: () => true, pause: nothing, resume: nothing, end: nothing, destroy: nothing },
    responder: {
      answer: (message) => {
        answer(labelOf(message))
        return Buffer.alloc(0)
      },
      refusal: () => Buffer.alloc(0),
      unreadable: 0,
    },
    limits,
    holders: { requests: room.holderOf(client), answers: room.holderOf(client) },
    client,
    clock,
    onEnd: nothing,
  })
  connection.data(Buffer.concat(Array.from({ length: count }, (_, index) => request(index + 1))))
  connection.ended()
}

/** How long it takes until all is answered, while others ask little. */
const answeredIn = (client: string, count: number, piece: (label: number) => void): Promise<number> =>
  besideOthers(
    () =>
      new Promise((resolve) => {
        const beganMs = performance.now()
        asked(client, count, systemClock, (label) => {
          piece(label)
          if (label === count) resolve(performance.now() - beganMs)
        })
      }),
  )

describe('a session whose answers take long', () => {
  test('has one of them in a turn of the loop, though all its requests are there', async () => {
    const answered: number[] = []
    const clock = new SettableClock()
    asked('in turns', 4, clock, (label) => {
      clock.advance(heavyMs + 1)
      answered.push(label)
    })
    assert.deepEqual(answered, [1])
    for (let turns = 1; turns <= 100 && answered.length < 4; turns += 1) {
      await turn()
      assert.ok(answered.length <= turns + 1, 'others have the thread in between')
    }
    assert.deepEqual(answered, [1, 2, 3, 4])
  })

  test('rests between them', async () => {
    const tookMs = await answeredIn('works', 6, () => spin(2))
    // The first is taken for the machine's doing, the second and third are timed; two milliseconds of work rest for 32.
    assert.ok(tookMs > 90, `${tookMs} ms`)
  })

  test('does not rest for time in which it did not work', async () => {
    const heldMs = await answeredIn('is held up', 8, () => standStill(2))
    assert.ok(heldMs < 90, `${heldMs} ms`)
  })
})
