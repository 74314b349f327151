/**
 * The battery that every store must pass. What it is: the interface's promises as tests, given a way to open a fresh store.
 * What it is not: aware of any backend.
 */

import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { isDeepStrictEqual } from 'node:util'
import * as fc from 'fast-check'
import type { IndexEntry, Query, Store, Term } from '#store/store'
import { claimTests } from './claims.ts'
import { change, create, done, equals, named, others, present, query, things, uuid } from './things.ts'

/** Runs the battery. @param open gives a fresh, empty store with `tables`; the battery closes it. */
export function storeContract(name: string, open: () => Promise<Store>): void {
  describe(`store contract: ${name}`, () => {
    let store: Store
    before(async () => {
      store = await open()
    })
    after(() => store.close())
    recordTests(() => store)
    conflictTests(() => store)
    claimTests(() => store)
    findTests(() => store)
    test('agrees with a plain model on random changes and queries', () => agreesWithModel(open))
  })
}

function recordTests(at: () => Store): void {
  test('a record is absent, then there, then changed, then absent', async () => {
    const store = at()
    const key = uuid(1)
    const absent = [undefined, undefined]
    assert.deepEqual([store.read(things, key), store.revision(things, key)], absent)
    assert.deepEqual(await store.commit([create(key, { entries: [], content: 'a' })]), done)
    assert.equal(store.revision(things, key), 1)
    const first = present(store, key)
    assert.deepEqual(first, { key, revision: 1, value: { entries: [], content: 'a' } })
    assert.deepEqual(await store.commit([change(first, { entries: [], content: 'b' })]), done)
    const second = present(store, key)
    assert.deepEqual([second.revision, store.revision(things, key), second.value.content], [2, 2, 'b'])
    assert.deepEqual([store.read(others, key), store.revision(others, key)], absent)
    assert.deepEqual(await store.commit([change(second, undefined)]), done)
    assert.deepEqual([store.read(things, key), store.revision(things, key)], absent)
    assert.deepEqual(store.find(things, query([], { include: [] })).keys.includes(key), false)
  })

  test('values come back as they were', async () => {
    const store = at()
    const content = {
      numbers: [0, -1, 1.5, 2 ** 40, Number.MAX_SAFE_INTEGER, -(2 ** 31)],
      bigints: [0n, 5n, -5n, 2n ** 63n, 2n ** 64n, -(2n ** 64n), 3n ** 300n, -(3n ** 300n)],
      bytes: [new Uint8Array(0), new Uint8Array([0, 255]), new Uint8Array(5000).fill(7)],
      text: ['', 'é', '\u{1f600}', '\0', 'x'.repeat(70_000)],
      nothing: [undefined, null],
      flags: { yes: true, no: false, missing: undefined },
      nested: [[[{ deep: [new Uint8Array([1])] }]]],
    }
    await store.commit([create('values', { entries: [], content })])
    assert.deepEqual(present(store, 'values').value.content, content)
  })

  test('a value of several megabytes is kept, and what is done to it after the call is not', async () => {
    const store = at()
    const bytes = new Uint8Array(3_000_000).fill(1)
    const committed = store.commit([create('large', { entries: [], content: bytes })])
    bytes.fill(2)
    assert.deepEqual(await committed, done)
    assert(isDeepStrictEqual(present(store, 'large').value.content, new Uint8Array(3_000_000).fill(1)))
  })

  test('who changes a value that was read changes nothing in the store, or is stopped', async () => {
    const store = at()
    await store.commit([create('copy', { entries: [], content: [1] })])
    const { content } = present(store, 'copy').value
    try {
      ;(content as number[]).push(2)
    } catch (error) {
      assert(error instanceof TypeError)
    }
    assert.deepEqual(present(store, 'copy').value.content, [1])
  })

  test('keys may be any well-formed text', async () => {
    const store = at()
    const keys = ['', 'a', 'A', 'é', '\u{1f600}', 'x'.repeat(1900), uuid(0xffff).toUpperCase(), `${uuid(0xffff)} `]
    const entries = [named('any key'), { field: 'any key', value: 1 }]
    for (const key of keys) assert.deepEqual(await store.commit([create(key, { entries, content: key })]), done)
    for (const { field, value } of entries)
      assert.equal(store.find(things, query([{ field, equals: value }])).total, keys.length)
    for (const key of keys) assert.equal(present(store, key).value.content, key)
    for (const key of ['x'.repeat(1901), 'nul\0', '\ud800']) {
      assert.deepEqual([store.read(things, key), store.revision(things, key)], [undefined, undefined])
      await assert.rejects(store.commit([create(key, { entries: [] })]), /record key/)
    }
  })

  test('an empty commit is done; one that names a record twice is refused', async () => {
    const store = at()
    assert.deepEqual(await store.commit([]), done)
    const twice = create('twice', { entries: [] })
    await assert.rejects(store.commit([twice, twice]), /once/)
  })
}

function conflictTests(at: () => Store): void {
  test('a revision that is not the present one is a conflict', async () => {
    const store = at()
    const key = uuid(100)
    const conflict = { done: false, table: 'things', key }
    const value = { entries: [] }
    const ghost = { key, revision: 1, value }
    assert.deepEqual(await store.commit([change(ghost, value)]), conflict)
    assert.deepEqual(await store.commit([create(key, value)]), done)
    assert.deepEqual(await store.commit([create(key, value)]), conflict)
    const first = present(store, key)
    assert.deepEqual(await store.commit([change(first, value)]), done)
    assert.deepEqual(await store.commit([change(first, value)]), conflict)
    assert.deepEqual(await store.commit([change(first, undefined)]), conflict)
    assert.equal(present(store, key).revision, 2)
  })

  test('a record made again goes on with its revision, so that an old reader is told', async () => {
    const store = at()
    const key = 'made again'
    await store.commit([create(key, { entries: [named('old self')] })])
    const old = present(store, key)
    await store.commit([change(old, undefined)])
    await store.commit([create(key, { entries: [named('new self')] })])
    assert.deepEqual([store.revision(things, key), present(store, key).revision], [2, 2])
    assert.deepEqual(await store.commit([change(old, old.value)]), { done: false, table: 'things', key })
    assert.deepEqual(store.find(things, query([{ field: 'name', equals: 'old self' }])).keys, [])
    await store.commit([change(present(store, key), undefined)])
    assert.deepEqual(await store.commit([create(key, { entries: [] })]), done)
    assert.equal(present(store, key).revision, 3)
  })

  test('a record of a new key is made without a look; who had a record under that key is told of a conflict', async () => {
    const store = at()
    const made = (key: string) => ({ ...create(key, { entries: [named('made now')] }), isNew: true })
    assert.deepEqual(await store.commit([made('new-1')]), done)
    assert.deepEqual([present(store, 'new-1').revision, store.find(things, query([equals('made now')])).total], [1, 1])
    const conflict = { done: false, table: 'things', key: 'new-1' }
    assert.deepEqual(await store.commit([made('new-1')]), conflict)
    await store.commit([change(present(store, 'new-1'), undefined)])
    assert.deepEqual(await store.commit([made('new-1')]), conflict)
    assert.deepEqual(await store.commit([create('new-1', { entries: [] })]), done)
    assert.equal(present(store, 'new-1').revision, 2)
  })

  test('of two writers that have read the same, one wins', async () => {
    const store = at()
    const key = uuid(101)
    await store.commit([create(key, { entries: [], content: 0 })])
    const read = present(store, key)
    const results = await Promise.all(
      [1, 2, 3].map((content) => store.commit([change(read, { entries: [], content })])),
    )
    assert.equal(results.filter((result) => result.done).length, 1)
    assert.equal(present(store, key).revision, 2)
  })

  test('a counter that many raise at once loses nothing', async () => {
    const store = at()
    const key = 'counter'
    await store.commit([create(key, { entries: [], content: 0 })])
    const raise = async () => {
      for (;;) {
        const read = present(store, key)
        const result = await store.commit([change(read, { entries: [], content: (read.value.content as number) + 1 })])
        if (result.done) return
      }
    }
    await Promise.all(Array.from({ length: 20 }, raise))
    assert.deepEqual([present(store, key).value.content, present(store, key).revision], [20, 21])
  })

  test('all changes of a commit are applied, or none', async () => {
    const store = at()
    const thing = (name: string) => ({ entries: [named(name)], claims: [named(name)] })
    await store.commit([create('all-1', thing('all-1'))])
    const refused = await store.commit([
      create('all-2', thing('all-2')),
      change(present(store, 'all-1'), thing('all-1 renamed')),
      create('all-1', { entries: [] }, others),
      change({ key: 'all-3', revision: 4, value: { entries: [] } }, thing('all-3')),
    ])
    assert.deepEqual(refused, { done: false, table: 'things', key: 'all-3' })
    assert.equal(store.read(things, 'all-2'), undefined)
    assert.equal(store.read(others, 'all-1'), undefined)
    assert.equal(present(store, 'all-1').revision, 1)
    for (const [name, keys] of [
      ['all-1', ['all-1']],
      ['all-2', []],
      ['all-1 renamed', []],
    ] as const)
      assert.deepEqual(store.find(things, query([{ field: 'name', equals: name }])).keys, keys)
    assert.deepEqual(await store.commit([create('all-2', thing('all-2')), create('all-4', thing('all-4'))]), done)
  })

  test('numbers up to a bound are found as they come and go', async () => {
    const store = at()
    const due = (to: number): Query => query([{ field: 'due', to }])
    const dueAt = (value: number) => ({ entries: [{ field: 'due', value }] })
    assert.equal(store.find(things, due(Infinity)).total, 0)
    for (const number of [5, -3, 0.5]) {
      assert.deepEqual(await store.commit([create(`due ${number}`, dueAt(number))]), done)
      assert.deepEqual(store.find(things, due(number)).total, number === 5 ? 1 : number === -3 ? 1 : 2)
      assert.equal(store.find(things, due(-4)).total, 0)
    }
    assert.deepEqual(store.find(things, due(-3)).keys, ['due -3'])
    assert.deepEqual(await store.commit([change(present(store, 'due -3'), dueAt(7))]), done)
    assert.equal(store.find(things, due(-3)).total, 0)
    assert.deepEqual(store.find(things, due(0.5)).keys, ['due 0.5'])
    for (const number of [5, -3, 0.5]) {
      assert.deepEqual(await store.commit([change(present(store, `due ${number}`), undefined)]), done)
    }
    assert.equal(store.find(things, due(Infinity)).total, 0)
  })

  test('many commits at once are each answered', async () => {
    const store = at()
    const keys = Array.from({ length: 300 }, (_, n) => uuid(10_000 + n))
    const entries = [{ field: 'crowd', value: 1 }]
    const results = await Promise.all(keys.map((key) => store.commit([create(key, { entries })])))
    assert(results.every((result) => result.done))
    assert.deepEqual(store.find(things, query([{ field: 'crowd', equals: 1 }])), { keys, total: 300 })
  })
}

function findTests(at: () => Store): void {
  const binary = new Uint8Array([0, 255, 1])
  const rows: readonly (readonly [string, readonly IndexEntry[]])[] = [
    [
      uuid(0x201),
      [
        { field: 'f', value: 'red' },
        { field: 'n', value: 1 },
        { field: 'g', value: 'even' },
      ],
    ],
    [
      uuid(0x202),
      [
        { field: 'f', value: 'red' },
        { field: 'n', value: 2 },
        { field: 'n', value: 20 },
      ],
    ],
    [
      uuid(0x203),
      [
        { field: 'f', value: 'blue' },
        { field: 'n', value: -3.5 },
        { field: 'g', value: 'even' },
      ],
    ],
    [
      uuid(0x204),
      [
        { field: 'f', value: binary },
        { field: 'n', value: Number.MAX_SAFE_INTEGER },
      ],
    ],
    [
      uuid(0x205),
      [
        { field: 'f', value: '1' },
        { field: 'f', value: 1 },
        { field: 'n', value: 0 },
      ],
    ],
    [
      'text key',
      [
        { field: 'f', value: 'red' },
        { field: 'n', value: 3 },
      ],
    ],
  ]
  const key = (n: number) => rows[n]?.[0] ?? ''
  const f = (equals: string | number | Uint8Array): Term => ({ field: 'f', equals })

  test('the rows of the find tests are stored', async () => {
    const changes = rows.map(([name, entries]) => create(name, { entries }, others))
    assert.deepEqual(await at().commit(changes.toReversed()), done)
  })

  const cases: readonly (readonly [string, Partial<Query>, readonly number[]])[] = [
    ['text', { all: [f('red')] }, [0, 1, 5]],
    ['text that nothing has', { all: [f('green')] }, []],
    ['a field that nothing has', { all: [{ field: 'x', equals: 'red' }] }, []],
    ['bytes', { all: [f(Uint8Array.from(binary))] }, [3]],
    ['text is not a number', { all: [f('1'), f(1)] }, [4]],
    ['a number', { all: [{ field: 'n', equals: 20 }] }, [1]],
    ['zero by its other name', { all: [{ field: 'n', equals: -0 }] }, [4]],
    ['a range', { all: [{ field: 'n', from: 1, to: 3 }] }, [0, 1, 5]],
    ['a range from below', { all: [{ field: 'n', to: 0 }] }, [2, 4]],
    ['a range to above', { all: [{ field: 'n', from: 3 }] }, [1, 3, 5]],
    ['a range of everything', { all: [{ field: 'n' }] }, [0, 1, 2, 3, 4, 5]],
    ['an empty range', { all: [{ field: 'n', from: 3, to: 1 }] }, []],
    ['a range in a field of text', { all: [{ field: 'g', from: 0 }] }, []],
    ['both terms', { all: [f('red'), { field: 'n', from: 2 }] }, [1, 5]],
    [
      'two values of one record',
      {
        all: [
          { field: 'n', equals: 2 },
          { field: 'n', equals: 20 },
        ],
      },
      [1],
    ],
    ['any of two', { any: [f('blue'), f('red')] }, [0, 1, 2, 5]],
    [
      'any of overlapping',
      { any: [f('red'), { field: 'n', from: 2 }, { field: 'g', equals: 'even' }] },
      [0, 1, 2, 3, 5],
    ],
    ['all and any', { all: [{ field: 'g', equals: 'even' }], any: [f('red'), f('green')] }, [0]],
    ['exclude', { all: [f('red')], exclude: new Set([key(0), key(3)]) }, [1, 5]],
    ['include', { all: [f('red')], include: [key(5), key(2), key(1)] }, [0, 1, 2, 5]],
    ['include wins over exclude', { all: [f('red')], include: [key(0)], exclude: new Set([key(0), key(1)]) }, [0, 5]],
    ['no term', {}, [0, 1, 2, 3, 4, 5]],
    ['no term, less one', { exclude: new Set([key(1)]) }, [0, 2, 3, 4, 5]],
  ]
  for (const [name, part, expected] of cases) {
    test(`find: ${name}`, () => {
      const store = at()
      // Each page of each size, so that offset, limit and total are tried on every kind of term.
      const known = new Set(rows.map(([row]) => row))
      const whole = store.find(others, query([], part))
      const keys = whole.keys.filter((found) => known.has(found))
      assert.deepEqual(keys, expected.map(key))
      assert.equal(whole.total, whole.keys.length)
      for (const offset of [0, 1, 2, 7])
        for (const limit of [0, 1, 2, 10])
          assert.deepEqual(store.find(others, query([], { ...part, offset, limit })), {
            keys: whole.keys.slice(offset, offset + limit),
            total: whole.total,
          })
      const backwards = whole.keys.toReversed()
      for (const offset of [0, 1, 2, 7])
        for (const limit of [0, 1, 2, 10])
          assert.deepEqual(store.find(others, query([], { ...part, offset, limit, descending: true })), {
            keys: backwards.slice(offset, offset + limit),
            total: whole.total,
          })
    })
  }

  test('find: included keys need not be stored, and stand in their place', () => {
    const include = [uuid(0x2ff), 'zzz', uuid(0x200), 'text']
    const found = at().find(others, query([f('red')], { include }))
    assert.deepEqual(found.keys, [uuid(0x200), key(0), key(1), uuid(0x2ff), 'text', key(5), 'zzz'])
    assert.equal(found.total, 7)
  })

  test('entries that are given twice count once, however many there are', async () => {
    const store = at()
    for (const count of [2, 200]) {
      const key = `many-${count}`
      const entries = Array.from({ length: count }, (_, each) => ({ field: key, value: `${each % (count / 2)}` }))
      const all = entries.map(({ field, value }) => ({ field, equals: value }))
      await store.commit([create(key, { entries })])
      assert.deepEqual(store.find(things, query(all)).keys, [key])
      await store.commit([change(present(store, key), { entries: entries.slice(1) })])
      assert.deepEqual(store.find(things, query(all)).keys, [key])
      await store.commit([change(present(store, key), { entries: entries.slice(0, 1) })])
      assert.deepEqual(store.find(things, query(all.slice(0, 1))).keys, [key])
      for (const gone of all.slice(1, count / 2)) assert.equal(store.find(things, query([gone])).total, 0)
    }
  })

  test('find follows what a change does to the entries', async () => {
    const store = at()
    const now = present(store, key(0), others)
    await store.commit([
      change(
        now,
        {
          entries: [
            { field: 'f', value: 'blue' },
            { field: 'n', value: 7 },
          ],
        },
        others,
      ),
    ])
    assert.deepEqual(store.find(others, query([f('red')])).keys, [key(1), key(5)])
    assert.deepEqual(store.find(others, query([f('blue')])).keys, [key(0), key(2)])
    assert.deepEqual(store.find(others, query([{ field: 'n', equals: 1 }])).keys, [])
    assert.deepEqual(store.find(others, query([{ field: 'n', from: 4, to: 9 }])).keys, [key(0)])
  })
}

interface Step {
  readonly key: number
  readonly entries: readonly IndexEntry[] | undefined
}

/** A record number picks both kinds of keys, so that the order between them is tried too. */
const modelKey = (n: number) => (n % 3 === 0 ? `key ${n}` : uuid(n))

const entryArbitrary: fc.Arbitrary<IndexEntry> = fc.record({
  field: fc.constantFrom('p', 'q'),
  value: fc.oneof(fc.constantFrom('a', 'b'), fc.integer({ min: -3, max: 3 }), fc.constant(new Uint8Array([1]))),
})
const bound = fc.integer({ min: -4, max: 4 })
const termArbitrary: fc.Arbitrary<Term> = fc.oneof(
  entryArbitrary.map(({ field, value }) => ({ field, equals: value })),
  fc.record({ field: fc.constantFrom('p', 'q'), from: bound, to: bound }, { requiredKeys: ['field'] }),
)
const keyArbitrary = fc.integer({ min: 0, max: 30 })
const queryArbitrary: fc.Arbitrary<Query> = fc.record({
  all: fc.array(termArbitrary, { maxLength: 3 }),
  any: fc.array(termArbitrary, { maxLength: 3 }),
  exclude: fc.array(keyArbitrary, { maxLength: 3 }).map((keys) => new Set(keys.map(modelKey))),
  include: fc.array(keyArbitrary, { maxLength: 3 }).map((keys) => keys.map(modelKey)),
  descending: fc.boolean(),
  offset: fc.integer({ min: 0, max: 5 }),
  limit: fc.integer({ min: 0, max: 20 }),
})
const stepArbitrary: fc.Arbitrary<Step> = fc.record({
  key: keyArbitrary,
  entries: fc.option(fc.array(entryArbitrary, { maxLength: 6 }), { nil: undefined, freq: 4 }),
})

async function agreesWithModel(open: () => Promise<Store>): Promise<void> {
  const store = await open()
  const model = new Map<string, readonly IndexEntry[]>()
  const property = fc.asyncProperty(
    fc.array(stepArbitrary, { maxLength: 15 }),
    fc.array(queryArbitrary, { minLength: 5, maxLength: 10 }),
    async (steps, queries) => {
      const last = new Map(steps.map(({ key, entries }) => [modelKey(key), entries]))
      const changes = [...last].flatMap(([key, entries]) => {
        const stored = store.read(things, key)
        if (stored === undefined) return entries === undefined ? [] : [create(key, { entries })]
        return [change(stored, entries && { entries })]
      })
      assert.deepEqual(await store.commit(changes), done)
      for (const [key, entries] of last) {
        if (entries === undefined) model.delete(key)
        else model.set(key, entries)
      }
      for (const each of queries) {
        assert.deepEqual(store.find(things, each), modelFind(model, each))
        assert.deepEqual(await store.findInTurns(things, each), modelFind(model, each))
      }
    },
  )
  await fc.assert(property, { numRuns: 60 })
  await store.close()
}

/** What `find` should give, written as plainly as can be. */
function modelFind(
  model: ReadonlyMap<string, readonly IndexEntry[]>,
  { all, any, exclude, include, descending, offset, limit }: Query,
) {
  const matches = (entries: readonly IndexEntry[], term: Term) =>
    entries.some(({ field, value }) => {
      if (field !== term.field) return false
      if ('equals' in term) return isDeepStrictEqual(value, term.equals)
      return typeof value === 'number' && value >= (term.from ?? -Infinity) && value <= (term.to ?? Infinity)
    })
  const found = [...model]
    .filter(([key]) => exclude?.has(key) !== true)
    .filter(([, entries]) => all.every((term) => matches(entries, term)))
    .filter(([, entries]) => any.length === 0 || any.some((term) => matches(entries, term)))
    .map(([key]) => key)
  // 'key …' sorts behind '0…' as text too, so that the store's order is the order of the text here.
  const keys = [...new Set([...found, ...(include ?? [])])].sort()
  if (descending === true) keys.reverse()
  return { keys: keys.slice(offset, offset + limit), total: keys.length }
}
