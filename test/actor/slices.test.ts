/** Slices of long work: one in each turn of the event loop, in order, however many wait. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { nextSlice, workedBriefly } from '#actor/slices'

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

test('who took long in one piece rests while others ask little, and nobody rests when nobody does', async () => {
  const busyFor = (milliseconds: number): void => {
    const untilMs = performance.now() + milliseconds
    while (performance.now() < untilMs);
  }
  const work = async (party: string, pieces: number): Promise<number> => {
    const beganMs = performance.now()
    for (let piece = 0; piece < pieces; piece += 1) {
      await nextSlice(party)
      busyFor(2)
    }
    return performance.now() - beganMs
  }
  const quietMs = await work('alone', 4)
  const over = new AbortController()
  const asking = (async () => {
    while (!over.signal.aborted) {
      workedBriefly()
      await turn()
    }
  })()
  const restedMs = await work('beside others', 4)
  over.abort()
  await asking
  // Three rests of sixteen times two milliseconds, and none.
  assert.ok(restedMs > 90, `${restedMs} ms`)
  assert.ok(quietMs < restedMs / 2, `${quietMs} and ${restedMs} ms`)
})
