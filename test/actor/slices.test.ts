/** Slices of long work: one in each turn of the event loop, in order, however many wait. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { nextSlice } from '#actor/slices'
import { besideOthers, spin, standStill } from '#test/actor/thread-work'

test('one of those who wait goes on in each turn, and others are not behind all of them', async () => {
  const went: string[] = []
  const work = async (name: string): Promise<void> => {
    for (let slice = 1; slice <= 2; slice += 1) {
      await nextSlice()
      went.push(`${name}${slice}`)
    }
  }
  const working = ['a', 'b', 'c'].map(work)
  const seen: number[] = []
  for (let turns = 0; turns < 4; turns += 1) {
    await turn()
    seen.push(went.length)
  }
  await Promise.all(working)
  assert.deepEqual(went, ['a1', 'b1', 'c1', 'a2', 'b2', 'c2'])
  for (const [index, count] of seen.entries()) assert.ok(count <= index + 1, `${count} slices in ${index + 1} turns`)
})

/** How long four pieces take, one in each slice. */
const fourPieces = async (party: string, piece: () => void): Promise<number> => {
  const beganMs = performance.now()
  for (let pieces = 0; pieces < 4; pieces += 1) {
    await nextSlice(party)
    piece()
  }
  return performance.now() - beganMs
}

test('who took long in one piece rests while others ask little, and nobody rests when nobody does', async () => {
  const quietMs = await fourPieces('alone', () => spin(2))
  const restedMs = await besideOthers(() => fourPieces('beside others', () => spin(2)))
  // Three rests of sixteen times two milliseconds, and none.
  assert.ok(restedMs > 90, `${restedMs} ms`)
  assert.ok(quietMs < restedMs / 2, `${quietMs} and ${restedMs} ms`)
})

test('who held the thread without working need not rest, who worked as long must', async () => {
  const heldMs = await besideOthers(() => fourPieces('held', () => standStill(5)))
  const workedMs = await besideOthers(() => fourPieces('worked', () => spin(5)))
  // Three rests of twenty times five milliseconds, and none.
  assert.ok(workedMs > 300, `${workedMs} ms`)
  assert.ok(heldMs < workedMs / 2, `${heldMs} and ${workedMs} ms`)
})

test('what was spent before the slice counts as work', async () => {
  const restedMs = await besideOthers(async () => {
    const beganMs = performance.now()
    await nextSlice('read much', 5)
    await nextSlice('read much')
    return performance.now() - beganMs
  })
  assert.ok(restedMs > 95, `${restedMs} ms`)
})
