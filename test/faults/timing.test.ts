/**
 * The search for secrets in times: it finds a leak that was put there, finds none where there is none, and every comparison runs. What
 * it is not: a limit of times, which a machine that runs other tests cannot hold (`npm run timing`).
 */
import assert from 'node:assert/strict'
import { timingSafeEqual } from 'node:crypto'
import { describe, test } from 'node:test'
import { decodeResponse } from '#client/client'
import { reasonName } from '#client/errors'
import { seededRandom } from '#test/seeded-random'
import { compare, type Timed, tMax, welch } from './leak.ts'
import { timingCases } from './timing-cases.ts'

/** Of the one item of an answer. */
const outcomeOf = (answer: Buffer): string => {
  const [item] = decodeResponse(answer).batchItem
  return item?.resultReason === undefined ? 'answered' : reasonName(item.resultReason)
}

const right = Buffer.alloc(4_096, 7)
const wrongAt = (at: number): Buffer => {
  const guess = Buffer.from(right)
  guess[at] = 8
  return guess
}

/** What must not be: it stops at the first byte that differs. */
const leaking =
  (guess: Buffer): Timed =>
  () => {
    for (let at = 0; at < right.length; at += 1) if (guess[at] !== right[at]) return false
    return true
  }

test('a comparison that stops at the first difference is found out', async () => {
  const { t } = await compare([leaking(wrongAt(0)), leaking(wrongAt(4_095))], 2_000, seededRandom(1))
  assert.ok(t > tMax, `|t| ${t}`)
})

test('one that does not is far from it', async () => {
  const constant =
    (guess: Buffer): Timed =>
    () =>
      timingSafeEqual(guess, right)
  const leak = await compare([leaking(wrongAt(0)), leaking(wrongAt(4_095))], 2_000, seededRandom(2))
  const none = await compare([constant(wrongAt(0)), constant(wrongAt(4_095))], 2_000, seededRandom(2))
  assert.ok(none.t < leak.t / 2, `|t| ${none.t} and ${leak.t}`)
})

test("Welch's t of known numbers", () => {
  assert.ok(Math.abs(welch([1, 2, 3, 4], [2, 4, 6, 8]) - -1.7320508) < 1e-6)
  assert.equal(welch([1, 1], [1, 1]), 0)
  assert.equal(welch([1], [2, 3]), 0)
})

describe('every comparison runs', () => {
  for (const [name, { open, outcome }] of Object.entries(timingCases)) {
    test(name, async () => {
      const random = seededRandom(1)
      const [one, other] = await open(random)
      const told = await one()
      assert.deepEqual(told, await other(), 'what is told does not tell them apart, either')
      assert.equal(told instanceof Buffer ? outcomeOf(told) : told, name.startsWith('a password') ? undefined : outcome)
      const { t, samples, medianUs } = await compare([one, other], 3, random)
      assert.ok(Number.isFinite(t) && samples === 3)
      assert.ok(medianUs.every((us) => us > 0))
    })
  }
})
