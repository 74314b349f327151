/** Slices of long work: one in each turn of the event loop, in order, however many wait. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { nextSlice } from '#actor/slices'

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
