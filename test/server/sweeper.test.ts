/** The sweeper: what dates have brought is written down, once, and nothing else is. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SettableClock } from '#actor/clock'
import { openStream } from '#crypto/stream'
import { HashingAlgorithm, ObjectType, State } from '#kmip/enums'
import type { ManagedObject } from '#objects/managed-object'
import { objectTable } from '#operations/object-table'
import { Streams } from '#operations/streams'
import { Sweeper, sweepOnce } from '#server/sweeper'
import { MemoryStore } from '#store/memory'
import { type Change, type CommitResult, StoreDamaged, type Stored, StoreUnavailable, type Table } from '#store/store'

const start = 1_000_000

const key = (uniqueIdentifier: string, dates: Readonly<Record<string, number>>): ManagedObject => ({
  uniqueIdentifier,
  objectType: ObjectType.SymmetricKey,
  owner: 'local|kmip',
  attributes: Object.fromEntries(
    Object.entries({ State: State.PreActive, ...dates }).map(([name, value]) => [name, [{ index: 0, value }]]),
  ),
  value: undefined,
})

const storeWith = async (objects: readonly ManagedObject[]): Promise<MemoryStore> => {
  const store = new MemoryStore([objectTable])
  for (const value of objects) {
    await store.commit([{ table: 'object', key: value.uniqueIdentifier, revision: 0, previous: undefined, value }])
  }
  return store
}

const unexpected = (reason: Error): void => assert.fail(reason)

const stateIn = (store: MemoryStore, uniqueIdentifier: string): unknown =>
  store.read(objectTable, uniqueIdentifier)?.value.attributes['State']?.[0]?.value

const found = (store: MemoryStore, state: number): readonly string[] =>
  store.find(objectTable, { all: [{ field: 'State', equals: String(state) }], any: [], offset: 0, limit: 1000 }).keys

test('an object whose dates have come is found in its new state, others stay as they are', async () => {
  const clock = new SettableClock(start * 1000)
  const store = await storeWith([
    key('a', { 'Activation Date': start }),
    key('b', { 'Activation Date': start + 1 }),
    key('c', { 'Activation Date': start - 10, 'Deactivation Date': start - 5 }),
    key('d', {}),
  ])
  assert.equal(await sweepOnce({ store, table: objectTable, clock, onTrouble: unexpected }, new Set()), false)
  assert.deepEqual(
    ['a', 'b', 'c', 'd'].map((id) => stateIn(store, id)),
    [State.Active, State.PreActive, State.Deactivated, State.PreActive],
  )
  assert.deepEqual(found(store, State.Active), ['a'])
  const revision = store.read(objectTable, 'a')?.revision
  await sweepOnce({ store, table: objectTable, clock, onTrouble: unexpected }, new Set())
  assert.equal(store.read(objectTable, 'a')?.revision, revision, 'what is settled is not written again')
})

test('more than one commit holds is settled in several', async () => {
  const clock = new SettableClock(start * 1000)
  const store = await storeWith(Array.from({ length: 300 }, (_, index) => key(`k${index}`, { 'Activation Date': 1 })))
  let sweeps = 1
  while (await sweepOnce({ store, table: objectTable, clock, onTrouble: unexpected }, new Set())) sweeps += 1
  assert.equal(sweeps, 3)
  assert.equal(found(store, State.Active).length, 300)
})

test('it sweeps at its interval, and tells of a failure instead of going on', async () => {
  const clock = new SettableClock(start * 1000)
  const store = await storeWith([key('a', { 'Activation Date': start + 5 })])
  const failed = Promise.withResolvers<unknown>()
  const streams = { forgetIdle: () => undefined }
  const sweeper = new Sweeper({
    store,
    table: objectTable,
    clock,
    streams,
    intervalMs: 1000,
    onTrouble: unexpected,
    onFailure: failed.resolve,
  })
  for (let second = 0; second < 6; second += 1) {
    clock.advance(1000)
    await new Promise((resolve) => setImmediate(resolve))
  }
  assert.equal(stateIn(store, 'a'), State.Active)
  store.find = () => assert.fail('an error of the server')
  clock.advance(1000)
  assert.ok((await failed.promise) instanceof Error)
  await sweeper.stop()
})

/** A store of which one object is damaged, and whose disk is full for a while. */
class TroubledStore extends MemoryStore {
  damagedKey: string | undefined
  isFull = false

  override read<T>(table: Table<T>, wanted: string): Stored<T> | undefined {
    if (wanted === this.damagedKey) throw new StoreDamaged(`the record ${wanted} does not open`)
    return super.read(table, wanted)
  }

  override async commit(changes: readonly Change[]): Promise<CommitResult> {
    if (this.isFull) throw new StoreUnavailable('the disk is full')
    return super.commit(changes)
  }
}

const sweeps = async (clock: SettableClock, count: number): Promise<void> => {
  for (let sweep = 0; sweep < count; sweep += 1) {
    clock.advance(5000)
    for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setImmediate(resolve))
  }
}

test('a disk that is full and an object that is damaged are told once, and never end what serves all others', async () => {
  const clock = new SettableClock(start * 1000)
  const store = new TroubledStore([objectTable])
  for (const value of [key('a', { 'Activation Date': 1 }), key('b', { 'Activation Date': 1 })]) {
    await store.commit([{ table: 'object', key: value.uniqueIdentifier, revision: 0, previous: undefined, value }])
  }
  const told: string[] = []
  const sweeper = new Sweeper({
    store,
    table: objectTable,
    clock,
    streams: { forgetIdle: () => undefined },
    intervalMs: 5000,
    onTrouble: ({ message }) => told.push(message),
    onFailure: (reason) => assert.fail(String(reason)),
  })
  store.isFull = true
  store.damagedKey = 'a'
  await sweeps(clock, 4)
  assert.deepEqual(told, ['the record a does not open', 'the disk is full'])
  store.isFull = false
  await sweeps(clock, 2)
  store.damagedKey = undefined
  assert.deepEqual([stateIn(store, 'a'), stateIn(store, 'b')], [State.PreActive, State.Active])
  await sweeper.stop()
})

test('a stream that its client does not continue is forgotten in time, though nobody asks for any', async () => {
  const clock = new SettableClock(start * 1000)
  const store = await storeWith([])
  const streams = new Streams({
    openStream,
    monotonicMs: () => clock.monotonicMs(),
    newCorrelationValue: () => Uint8Array.of(1),
    perUserMax: 1,
    bytesMax: 1024,
    idleTimeoutMs: 10_000,
  })
  const parameters = { hashingAlgorithm: HashingAlgorithm.SHA_256 }
  const part = { data: Uint8Array.of(1), initIndicator: true }
  streams.step({ part, user: 'somebody', kind: 'hash', open: () => ({ kind: 'hash', parameters }) })
  const failures: unknown[] = []
  const onFailure = (reason: unknown): void => void failures.push(reason)
  const sweeper = new Sweeper({
    store,
    table: objectTable,
    clock,
    streams,
    intervalMs: 5000,
    onTrouble: unexpected,
    onFailure,
  })
  const open: number[] = []
  for (let sweep = 0; sweep < 3; sweep += 1) {
    clock.advance(5000)
    await new Promise((resolve) => setImmediate(resolve))
    open.push(streams.open)
  }
  assert.deepEqual(open, [1, 1, 0])
  await sweeper.stop()
  assert.deepEqual(failures, [])
})
