/** Turns at contended objects: one at a time, in the order of asking, and nothing left behind. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Turns } from '#server/turns'

test('turns at one key come one after the other, in the order of asking', async () => {
  const turns = new Turns()
  const told: string[] = []
  const work = async (name: string): Promise<void> => {
    const giveBack = await turns.take('a')
    told.push(`${name} begins`)
    await Promise.resolve()
    told.push(`${name} ends`)
    giveBack()
  }
  await Promise.all(['first', 'second', 'third'].map(work))
  assert.deepEqual(
    told,
    ['first', 'second', 'third'].flatMap((name) => [`${name} begins`, `${name} ends`]),
  )
})

test('another key is another queue', async () => {
  const turns = new Turns()
  const a = await turns.take('a')
  const b = await turns.take('b')
  assert.ok(turns.isTaken('a') && turns.isTaken('b') && !turns.isTaken('c'))
  b()
  assert.ok(turns.isTaken('a') && !turns.isTaken('b'))
  a()
  assert.ok(turns.isIdle)
})

test('a queue is there while anybody waits', async () => {
  const turns = new Turns()
  const first = await turns.take('a')
  const waiting = turns.take('a')
  first()
  assert.ok(turns.isTaken('a'))
  ;(await waiting)()
  assert.ok(turns.isIdle)
})
