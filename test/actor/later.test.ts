/** A value that comes later: who is told of it, when, and what comes of it. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { awaitable, Later } from '#actor/later'

/** Writes down what it is told. */
const teller = (told: string[], name: string) => ({
  resolved: (value: number): void => void told.push(`${name} ${value}`),
  rejected: (error: unknown): void => void told.push(`${name} ${error instanceof Error ? error.message : 'odd'}`),
})

describe('a value that comes later', () => {
  test('is told to all in the order of asking, in the turn in which it comes; at once, where it is there', () => {
    const told: string[] = []
    const later = new Later<number>()
    for (const name of ['a', 'b', 'c']) later.tell(teller(told, name))
    assert.deepEqual(told, [])
    later.resolve(1)
    later.tell(teller(told, 'd'))
    assert.deepEqual(told, ['a 1', 'b 1', 'c 1', 'd 1'])
  })

  test('settles once: what comes after it counts no more', () => {
    const told: string[] = []
    const failed = new Later<number>()
    failed.tell(teller(told, 'a'))
    failed.reject(new Error('lost'))
    failed.resolve(1)
    failed.reject(new Error('again'))
    failed.tell(teller(told, 'b'))
    assert.deepEqual(told, ['a lost', 'b lost'])
  })

  test('somebody who asks while others are told is told, too', () => {
    const told: string[] = []
    const later = new Later<number>()
    later.tell({ ...teller(told, 'a'), resolved: () => later.tell(teller(told, 'inner')) })
    later.tell(teller(told, 'b'))
    later.resolve(1)
    assert.deepEqual(told, ['inner 1', 'b 1'])
  })

  test('what a listener throws is heard of, when all others are told', (t) => {
    const jobs: (() => void)[] = []
    t.mock.method(globalThis, 'queueMicrotask', (job: () => void) => void jobs.push(job))
    const told: string[] = []
    const later = new Later<number>()
    later.tell({
      ...teller(told, 'a'),
      resolved: () => {
        throw new Error('odd')
      },
    })
    later.tell(teller(told, 'b'))
    later.resolve(1)
    assert.deepEqual(told, ['b 1'])
    assert.equal(jobs.length, 1)
    assert.throws(() => jobs[0]?.(), /odd/)
  })

  test('gives what comes of it, of its failure, and of what comes of that', async () => {
    const text = (value: number): string => `${value}`
    const cases: readonly {
      readonly of: (later: Later<number>) => Later<string>
      readonly gives: readonly string[]
    }[] = [
      { of: (later) => later.map(text), gives: ['1', 'lost'] },
      { of: (later) => later.map(text, () => 'mended'), gives: ['1', 'mended'] },
      { of: (later) => later.map(text).map((value) => `${value}!`), gives: ['1!', 'lost'] },
      {
        of: (later) =>
          later.map<string>(() => {
            throw new Error('no text')
          }),
        gives: ['no text', 'lost'],
      },
      {
        of: (later) =>
          later.map(text, () => {
            throw new Error('worse')
          }),
        gives: ['1', 'worse'],
      },
    ]
    for (const { of, gives } of cases) {
      const [good, bad] = [new Later<number>(), new Later<number>()]
      const promises = [good, bad].map((later) => of(later).promise())
      good.resolve(1)
      bad.reject(new Error('lost'))
      const ends = await Promise.allSettled(promises)
      const told = ends.map((end) => (end.status === 'fulfilled' ? end.value : (end.reason as Error).message))
      assert.deepEqual(told, gives)
    }
  })

  test('a failure that nobody waits for is no failure of the process', async () => {
    new Later<number>().reject(new Error('lost'))
    await assert.rejects(
      (() => {
        const later = new Later<number>()
        later.reject(new Error('lost'))
        return later.promise()
      })(),
      /lost/,
    )
  })

  test('is awaited as a promise is, and as a value is', async () => {
    const later = new Later<number>()
    const awaited = [1, Promise.resolve(1), later].map(async (soon) => awaitable<number>(soon))
    later.resolve(1)
    assert.deepEqual(await Promise.all(awaited), [1, 1, 1])
  })
})
