/**
 * Latencies of several threads and processes as one: what becomes of percentiles when they are merged. What it is not: a
 * test of the runtime's histogram.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { distributionOf, latencyHistogram, latencyOf, mergeDistributions, percentileSeries } from '#bench/distribution'
import { pack, packedAt, packedCount } from '#bench/packed'

const recorded = (values: readonly number[]) => {
  const histogram = latencyHistogram()
  for (const value of values) histogram.record(value)
  return distributionOf(histogram)
}
const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, index) => from + index)

test('parts that are merged are as one', () => {
  const all = range(100_000, 110_000)
  const whole = latencyOf(recorded(all))
  const parts = [0, 1, 2].map((part) => recorded(all.filter((value) => value % 3 === part)))
  const merged = mergeDistributions([recorded([]), ...parts])
  assert.equal(merged.count, all.length)
  const latency = latencyOf(merged)
  assert.equal(latency.max, whole.max)
  for (const name of ['mean', 'p50', 'p90', 'p99', 'p999'] as const) {
    assert.ok(Math.abs(latency[name] - whole[name]) / whole[name] < 0.002, `${name}: ${latency[name]}, ${whole[name]}`)
  }
})

test('parts that differ keep their weights', () => {
  const merged = latencyOf(
    mergeDistributions([recorded(Array<number>(900).fill(1000)), recorded(Array<number>(100).fill(50_000))]),
  )
  assert.ok(merged.p50 <= 1001)
  assert.ok(merged.p99 >= 49_900)
})

test('nothing recorded is nothing', () => {
  const none = mergeDistributions([])
  assert.equal(none.count, 0)
  assert.deepEqual(latencyOf(none), { mean: 0, p50: 0, p90: 0, p99: 0, p999: 0, max: 0 })
  assert.ok(percentileSeries(none).every(([, ns]) => ns === 0))
})

test('packed messages come out in turn', () => {
  const packed = pack([Buffer.from('a'), Buffer.from('bc'), Buffer.from('')])
  assert.equal(packedCount(packed), 3)
  const texts = [0, 1, 2, 3].map((index) => Buffer.from(packedAt(packed, index)).toString())
  assert.deepEqual(texts, ['a', 'bc', '', 'a'])
  assert.equal(packedAt(pack([]), 5).length, 0)
})
