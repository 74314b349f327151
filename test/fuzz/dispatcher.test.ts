/** A hundred thousand faulty messages for the dispatcher, in every encoding. `npm run fuzz` tries more. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fuzzTarget, targets } from './targets.ts'

const messages = 100_000
const slowestMsMax = 2_000

test('the dispatcher answers every faulty message with a reason that is not its own failure', async () => {
  const { dispatcher } = targets
  assert.ok(dispatcher !== undefined)
  const { findings, accepted, slowestMs, slowest } = await fuzzTarget(dispatcher, { messages, seed: 1 })
  assert.deepEqual(findings, [])
  assert.ok(accepted > messages / 100 && accepted < messages, `${accepted} accepted`)
  assert.ok(slowestMs < slowestMsMax, `${slowestMs} ms: ${slowest}`)
})
