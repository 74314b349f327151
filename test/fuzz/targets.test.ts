/** A hundred thousand faulty messages for each codec, always the same ones. `npm run fuzz` tries more. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { fuzzTarget, targets } from './targets.ts'

const messages = 100_000
/** Of one message, in a process that shares its machine with all other tests. */
const slowestMsMax = 2_000

describe('faulty messages are refused, or are what they say', () => {
  for (const [name, target] of Object.entries(targets)) {
    if (name === 'dispatcher') continue
    test(name, async () => {
      const { findings, accepted, slowestMs, slowest } = await fuzzTarget(target, { messages, seed: 1 })
      assert.deepEqual(findings, [])
      assert.ok(accepted > messages / 100 && accepted < messages, `${accepted} accepted`)
      assert.ok(slowestMs < slowestMsMax, `${slowestMs} ms: ${slowest}`)
    })
  }

  test('what must not be is found', async () => {
    const { framer } = targets
    assert.ok(framer !== undefined)
    const broken = { ...framer, open: () => (message: Buffer) => message.readUInt8(900) > 0 }
    const { findings } = await fuzzTarget(broken, { messages: 100, seed: 1, findingsMax: 3 })
    assert.equal(findings.length, 3)
    assert.match(findings[0]?.what ?? '', /ERR_OUT_OF_RANGE|ERR_BUFFER_OUT_OF_BOUNDS/)
  })
})
