/** RNG Retrieve: its bounds (KMIP 1.4 §4.35, §11.36), and bytes that differ. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { openDispatcher, outcome, succeed } from '#test/dispatcher'
import { testOutcomes } from '#test/outcome-table'

describe('RNG Retrieve: reasons', () => {
  testOutcomes([
    ['fewer than no bytes', 'InvalidField', (under) => outcome(under, 'RNGRetrieve', { dataLength: -1 })],
    ['more than the server returns', 'InvalidField', (under) => outcome(under, 'RNGRetrieve', { dataLength: 1_025 })],
    ['the most', 'Success', (under) => outcome(under, 'RNGRetrieve', { dataLength: 1_024 })],
  ])
})

test('RNG Retrieve gives as many bytes as asked for, never the same, before a seed and after it', async () => {
  const under = openDispatcher()
  const seen = new Set<string>()
  for (let round = 0; round < 4; round += 1) {
    if (round === 2) await succeed(under, 'RNGSeed', { data: new Uint8Array(32) })
    const { data } = await succeed(under, 'RNGRetrieve', { dataLength: 32 })
    assert.equal(data.length, 32)
    seen.add(Buffer.from(data).toString('hex'))
  }
  assert.equal(seen.size, 4)
  assert.equal((await succeed(under, 'RNGRetrieve', { dataLength: 0 })).data.length, 0)
})
