/** Simulated worlds: a few seeds for the suite. `npm run sim` runs more of them, and one again by its seed. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type Call, isLinearizable } from './model.ts'
import { storeCanaries } from './store.ts'
import { type Canary, simulate } from './world.ts'

const seeds = 8
const world = { steps: 2500, clients: 5, fronts: 2 }

describe('the check of histories', () => {
  const call = (ask: Call['ask'], beganAt: number, endedAt: number | undefined, seen?: string): Call => ({
    ask,
    session: beganAt,
    place: 0,
    beganAt,
    endedAt,
    seen,
  })
  const read = (beganAt: number, endedAt: number, seen: string): Call => call({ kind: 'read' }, beganAt, endedAt, seen)

  test('an acknowledged change is seen by whoever asks later', () => {
    const activated = call({ kind: 'activate' }, 1, 2, 'done')
    assert.ok(isLinearizable([activated, read(3, 4, 'Active 0 0')]))
    assert.ok(!isLinearizable([activated, read(3, 4, 'PreActive 0 0')]))
    assert.ok(isLinearizable([call({ kind: 'activate' }, 1, 5, 'done'), read(3, 4, 'PreActive 0 0')]))
  })

  test('a change without an answer may be there or not, and does not come and go', () => {
    const unknown = call({ kind: 'left', value: 'x' }, 1, undefined)
    assert.ok(isLinearizable([unknown, read(3, 4, 'PreActive 0 0')]))
    assert.ok(isLinearizable([unknown, read(3, 4, 'PreActive 0 0'), read(5, 6, 'PreActive x 0')]))
    assert.ok(!isLinearizable([unknown, read(3, 4, 'PreActive x 0'), read(5, 6, 'PreActive 0 0')]))
  })

  test('of two changes that were acknowledged, neither is lost', () => {
    const both = [call({ kind: 'left', value: 'x' }, 1, 4, 'done'), call({ kind: 'right', value: 'y' }, 2, 3, 'done')]
    assert.ok(isLinearizable([...both, read(5, 6, 'PreActive x y')]))
    assert.ok(!isLinearizable([...both, read(5, 6, 'PreActive x 0')]))
  })
})

describe('simulated worlds', () => {
  for (let seed = 1; seed <= seeds; seed += 1) {
    test(`seed ${seed}: everything that was seen can be explained`, async () => {
      const { wrong, counts } = await simulate({ ...world, seed })
      assert.deepEqual(wrong, [])
      for (const event of [
        'a client asks',
        'the disk has a commit',
        'a session breaks',
        'the server dies',
        'a front dies',
        'the clock is set',
      ]) {
        assert.ok((counts[event] ?? 0) > 0, event)
      }
    })
  }

  test('the same seed is the same world', async () => {
    const [first, second, other] = await Promise.all([3, 3, 4].map((seed) => simulate({ ...world, seed })))
    assert.equal(first?.trace, second?.trace)
    assert.notEqual(first?.trace, other?.trace)
  })

  test('the same seed is the same world on a machine that stands still for a second wherever it is looked at', async (t) => {
    const { trace } = await simulate({ ...world, seed: 3 })
    let nowMs = performance.now()
    t.mock.method(performance, 'now', () => (nowMs += 1000))
    assert.equal((await simulate({ ...world, seed: 3 })).trace, trace)
  })
})

describe('canaries: a broken server is found out', () => {
  const canaries: readonly Canary[] = [...storeCanaries, 'answers out of order']
  for (const canary of canaries) {
    test(canary, async () => {
      for (let seed = 1; seed <= 10; seed += 1) {
        const { wrong } = await simulate({ ...world, seed, canary })
        if (wrong.length > 0) return
      }
      assert.fail('nobody noticed')
    })
  }
})
