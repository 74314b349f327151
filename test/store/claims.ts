/** Claims, as every store must keep them: one holder each, found without a search, handed on within a commit. A part of `contract.ts`. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { IndexEntry, Store, Term } from '#store/store'
import { change, create, done, equals, named, others, present, query, type Thing, things } from './things.ts'

/** @param at gives the store of now */
export function claimTests(at: () => Store): void {
  test('a claim is held by one record, until it lets go', async () => {
    const store = at()
    const claim = (name: string) => ({ entries: [], claims: [named(name)] })
    const conflict = (key: string) => ({ done: false, table: 'things', key })
    assert.deepEqual(await store.commit([create('c1', claim('x'))]), done)
    assert.deepEqual(await store.commit([create('c2', claim('x'))]), conflict('c2'))
    assert.equal(store.read(things, 'c2'), undefined)
    assert.deepEqual(await store.commit([create('c2', claim('x'), others)]), done, 'a claim is of one table')
    assert.deepEqual(await store.commit([change(present(store, 'c1'), claim('x'))]), done, 'and its holder keeps it')
    assert.deepEqual(await store.commit([create('c2', claim('y'))]), done)
    assert.deepEqual(await store.commit([change(present(store, 'c2'), claim('x'))]), conflict('c2'))
    assert.deepEqual(await store.commit([change(present(store, 'c1'), claim('z'))]), done)
    assert.deepEqual(await store.commit([change(present(store, 'c2'), claim('x'))]), done)
    assert.deepEqual(await store.commit([change(present(store, 'c2'), undefined)]), done)
    assert.deepEqual(await store.commit([create('c3', claim('x'))]), done)
  })

  test('two creates with one claim at the same time: one is done', async () => {
    const store = at()
    const value = { entries: [named('race')], claims: [named('race')] }
    const results = await Promise.all(['r1', 'r2', 'r3'].map((key) => store.commit([create(key, value)])))
    assert.equal(results.filter((result) => result.done).length, 1)
    assert.equal(store.find(things, query([{ field: 'name', equals: 'race' }])).total, 1)
  })

  test('a claim finds its holder, and nobody once it is given up', async () => {
    const store = at()
    const claimed = (name: string): Term => ({ field: 'name', equals: name, claimed: true })
    const held = { entries: [named('seen')], claims: [named('held')] }
    assert.deepEqual(
      await store.commit([create('holder', held), create('bystander', { entries: [named('held')] })]),
      done,
    )
    const seen: Term = { field: 'name', equals: 'seen' }
    const holder = { keys: ['holder'], total: 1 }
    const nobody = { keys: [], total: 0 }
    for (const [all, more, expected] of [
      [[claimed('held')], {}, holder],
      [[claimed('held'), seen], {}, holder],
      [[seen, claimed('held')], { descending: true }, holder],
      [[claimed('held'), { field: 'name', equals: 'unseen' }], {}, nobody],
      [[claimed('held')], { any: [seen] }, holder],
      [[claimed('held')], { any: [{ field: 'name', equals: 'unseen' }] }, nobody],
      [[claimed('held')], { exclude: new Set(['holder']) }, nobody],
      [[claimed('free')], {}, nobody],
      [[claimed('free')], { include: ['bystander'] }, { keys: ['bystander'], total: 1 }],
      [[claimed('held')], { offset: 1 }, { keys: [], total: 1 }],
    ] as const) {
      assert.deepEqual(store.find(things, query(all, more)), expected)
      assert.deepEqual(await store.findInTurns(things, query(all, more)), expected)
    }
    assert.deepEqual(await store.commit([change(present(store, 'holder'), { ...held, claims: [] })]), done)
    assert.deepEqual(store.find(things, query([claimed('held')])), nobody)
    const left = ['holder', 'bystander'].map((key) => change(present(store, key), undefined))
    assert.deepEqual(await store.commit(left), done)
  })

  test('claims beside an entry are as good as others, also where several records have that entry', async () => {
    const store = at()
    const beside = { field: 'name', value: 'beside' }
    const claim = (place: string): IndexEntry => ({ field: 'claimed', value: place, beside })
    const claimed = (place: string): Term => ({ field: 'claimed', equals: place, claimed: true, beside })
    const value = (place: string): Thing => ({ entries: [beside], claims: [claim(place)] })
    const elsewhere = { field: 'name', value: 'elsewhere' }
    const other = { entries: [elsewhere], claims: [{ field: 'claimed', value: 'here', beside: elsewhere }] }
    assert.deepEqual(await store.commit([create('b4', other)]), done)
    assert.deepEqual(await store.commit([create('b1', value('here')), create('b2', value('there'))]), done)
    assert.deepEqual(await store.commit([create('b3', value('here'))]), { done: false, table: 'things', key: 'b3' })
    assert.deepEqual(store.find(things, query([claimed('here')])), { keys: ['b1'], total: 1 })
    assert.deepEqual(store.find(things, query([claimed('there')])), { keys: ['b2'], total: 1 })
    assert.deepEqual(store.find(things, query([claimed('nowhere')])), { keys: [], total: 0 })
    assert.deepEqual(store.find(things, query([equals('beside')])), { keys: ['b1', 'b2'], total: 2 })
    assert.deepEqual(await store.commit([change(present(store, 'b1'), { entries: [beside] })]), done)
    assert.deepEqual(await store.commit([create('b3', value('here'))]), done)
    assert.deepEqual(store.find(things, query([claimed('here')])), { keys: ['b3'], total: 1 })
    assert.deepEqual(store.find(things, query([equals('beside')])), { keys: ['b1', 'b2', 'b3'], total: 3 })
    const left = ['b1', 'b2', 'b3', 'b4'].map((key) => change(present(store, key), undefined))
    assert.deepEqual(await store.commit(left), done)
    assert.deepEqual(store.find(things, query([equals('beside')])), { keys: [], total: 0 })
  })

  test('claims change hands within one commit, and are not taken twice in it', async () => {
    const store = at()
    const claim = (...names: string[]) => ({ entries: [], claims: names.map(named) })
    await store.commit([create('h1', claim('left')), create('h2', claim('right'))])
    const [h1, h2] = [present(store, 'h1'), present(store, 'h2')]
    assert.deepEqual(await store.commit([change(h1, claim('right')), change(h2, claim('left'))]), done)
    const twice = await store.commit([create('h3', claim('new')), create('h4', claim('new'))])
    assert.deepEqual(twice, { done: false, table: 'things', key: 'h4' })
    const [g1, g2] = [present(store, 'h1'), present(store, 'h2')]
    assert.deepEqual(await store.commit([change(g1, undefined), change(g2, claim('left', 'right'))]), done)
    assert.equal((await store.commit([create('h5', claim('right'))])).done, false)
  })

  test('a record of entries that are not claimed does not hinder a claim of the same', async () => {
    const store = at()
    await store.commit([create('u1', { entries: [named('unclaimed')] })])
    assert.deepEqual(await store.commit([create('u2', { entries: [], claims: [named('unclaimed')] })]), done)
  })
}
