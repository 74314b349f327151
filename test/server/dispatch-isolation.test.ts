/**
 * What the dispatcher keeps apart: clients that change the same objects at once, failures inside the server from what clients
 * are told, and users from each other's objects (KMIP 1.4 §11.1). What it is not: the rules of messages (dispatch.test.ts).
 */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { CryptoRunner } from '#crypto/run'
import { Operation, State } from '#kmip/enums'
import { Tag } from '#kmip/tags'
import { operations } from '#operations/index'
import { objectTable } from '#operations/object-table'
import type { OperationRow } from '#operations/operation'
import { type Store, StoreUnavailable } from '#store/store'
import {
  type Answer,
  alice,
  ask,
  attributesOf,
  bob,
  continueOnError,
  type DispatcherUnderTest,
  item,
  newStore,
  openDispatcher,
  outcome,
  outcomesOf,
  type RequestedItem,
  send,
  succeed,
  undoOnError,
} from '#test/dispatcher'
import { attributes, createKey, createRequest, name, revocation } from '#test/sample-objects'
import { ItemType } from '#ttlv/item'

const query = item('Query', { queryFunction: [1] })

/** A store with some of its verbs changed. */
const storeAround = (store: Store, own: Partial<Store>): Store => ({
  read: (table, key) => (own.read === undefined ? store.read(table, key) : own.read(table, key)),
  find: (table, what) => (own.find === undefined ? store.find(table, what) : own.find(table, what)),
  findInTurns: async (table, what) => (own.find === undefined ? store.findInTurns(table, what) : own.find(table, what)),
  commit: (changes) => (own.commit === undefined ? store.commit(changes) : own.commit(changes)),
  revision: (table, key) => (own.read === undefined ? store.revision(table, key) : own.read(table, key)?.revision),
  committed: () => store.committed(),
  least: (table, field) => store.least(table, field),
  onChanged: (listener) => store.onChanged(listener),
  close: () => store.close(),
})

describe('two clients at once', () => {
  /** Two dispatchers, as two threads have them, on one store that counts what it refuses. */
  const two = () => {
    const store = newStore()
    const counted = { conflicts: 0 }
    const commit: Store['commit'] = async (changes) => {
      const result = await store.commit(changes)
      if (!result.done) counted.conflicts += 1
      return result
    }
    const shared = storeAround(store, { commit })
    const first = openDispatcher({ store: shared })
    return { counted, first, second: openDispatcher({ store: shared, clock: first.clock }) }
  }

  test('change one object: both changes are there', async () => {
    const { counted, first, second } = two()
    const uniqueIdentifier = await createKey(first)
    const add = (under: DispatcherUnderTest, attributeValue: string) =>
      outcome(under, 'AddAttribute', {
        uniqueIdentifier,
        attribute: { attributeName: 'Object Group', attributeValue },
      })
    assert.deepEqual(await Promise.all([add(first, 'a'), add(second, 'b')]), ['Success', 'Success'])
    assert.deepEqual((await attributesOf(first, uniqueIdentifier))['Object Group']?.toSorted(), ['a', 'b'])
    assert.ok(counted.conflicts > 0, 'they did get in each other’s way')
  })

  test('activate one object: one of them is too late', async () => {
    const { counted, first, second } = two()
    const uniqueIdentifier = await createKey(first)
    const both = await Promise.all([first, second].map((under) => outcome(under, 'Activate', { uniqueIdentifier })))
    assert.deepEqual(both.toSorted(), ['PermissionDenied', 'Success'])
    assert.ok(counted.conflicts > 0)
  })

  test('give one Name to two objects: one of them gets it', async () => {
    const { counted, first, second } = two()
    const request = createRequest({ Name: name('a') })
    const both = await Promise.all([first, second].map((under) => outcome(under, 'Create', request)))
    assert.deepEqual(both.toSorted(), ['InvalidField', 'Success'])
    assert.ok(counted.conflicts > 0)
  })

  test('a batch is decided anew as a whole', async () => {
    const { first, second } = two()
    const uniqueIdentifier = await createKey(first)
    const batch = (under: DispatcherUnderTest, group: string) =>
      send(
        under,
        alice,
        104,
        [
          item('Create', createRequest({ Name: name(group) })),
          item('AddAttribute', {
            uniqueIdentifier,
            attribute: { attributeName: 'Object Group', attributeValue: group },
          }),
        ],
        undoOnError,
      )
    const answers = await Promise.all([batch(first, 'a'), batch(second, 'b')])
    for (const answer of answers) assert.deepEqual(outcomesOf(answer), ['Success', 'Success'])
    const { locatedItems } = await succeed(first, 'Locate', {})
    assert.equal(locatedItems, 3)
  })

  test('many writers on one object: nothing is lost', async () => {
    const { first, second } = two()
    const third = openDispatcher({ store: first.store, clock: first.clock, conflictRetriesMax: 32 })
    const uniqueIdentifier = await createKey(first)
    const adding = Array.from({ length: 12 }, (_, index) =>
      outcome(third, 'AddAttribute', {
        uniqueIdentifier,
        attribute: {
          attributeName: `x-${index}`,
          attributeValue: { tag: Tag.AttributeValue, type: ItemType.TextString, value: 'a' },
        },
      }),
    )
    assert.deepEqual(new Set(await Promise.all(adding)), new Set(['Success']))
    const has = Object.keys(await attributesOf(second, uniqueIdentifier)).filter((each) => each.startsWith('x-'))
    assert.equal(has.length, 12)
  })

  test('who is always too late is told to try again, and nothing was done', async () => {
    const store = newStore()
    const commit: Store['commit'] = async (changes) => ({ done: false, table: 'object', key: changes[0]?.key ?? '' })
    const under = openDispatcher({ store: storeAround(store, { commit }) })
    const { reason, message } = await ask(under, 'Create', createRequest())
    assert.equal(reason, 'GeneralFailure')
    assert.match(message ?? '', /try again/)
    assert.deepEqual(under.failures, [])
  })
})

describe('failures inside the server', () => {
  const secret = 'hunter2-hunter2'
  const failure = () => new Error(`the key is ${secret}`, { cause: secret })

  /** A reason that tells nothing, in one answer whose bytes hold nothing of the error, which the log has. */
  const toldNothing = async (under: DispatcherUnderTest, items: readonly RequestedItem[]): Promise<Answer> => {
    const answer = await send(under, alice, 104, items, continueOnError)
    assert.ok(!answer.bytes.includes('hunter2'))
    for (const { reason, message } of answer.items) {
      if (reason !== 'GeneralFailure') continue
      const named = under.failures.find(({ correlation }) => message?.includes(correlation))
      assert.ok(named, `${message} names a failure of the log`)
      assert.ok(named.error instanceof Error && named.error.message.includes(secret))
    }
    return answer
  }

  test('when the store fails to read, to find, or to commit', async () => {
    const throwing = () => {
      throw failure()
    }
    const store = newStore()
    const made = openDispatcher({ store })
    const uniqueIdentifier = await createKey(made)
    const reading = openDispatcher({ store: storeAround(store, { read: throwing }) })
    assert.deepEqual(outcomesOf(await toldNothing(reading, [item('Get', { uniqueIdentifier }), query])), [
      'GeneralFailure',
      'Success',
    ])
    const finding = openDispatcher({ store: storeAround(store, { find: throwing }) })
    assert.deepEqual(outcomesOf(await toldNothing(finding, [item('Locate', {}), query])), ['GeneralFailure', 'Success'])
    const committing = openDispatcher({ store: storeAround(store, { commit: () => Promise.reject(failure()) }) })
    const both = [item('Create', createRequest()), query]
    assert.deepEqual(outcomesOf(await toldNothing(committing, both)), ['GeneralFailure', 'GeneralFailure'])
  })

  test('when cryptography fails in a way that nobody foresaw', async () => {
    const crypto: CryptoRunner = { run: () => Promise.reject(failure()), close: () => Promise.resolve() }
    const under = openDispatcher({ crypto })
    assert.deepEqual(outcomesOf(await toldNothing(under, [item('Create', createRequest())])), ['GeneralFailure'])
  })

  test('when an operation throws, or gives what cannot be written', async () => {
    const row = operations.find(({ code }) => code === Operation.Query)
    assert.ok(row)
    const withHandle = (handle: OperationRow['handle']) => openDispatcher({ operations: [{ ...row, handle }] })
    const throwing = withHandle(() => {
      throw failure()
    })
    assert.deepEqual(outcomesOf(await toldNothing(throwing, [query])), ['GeneralFailure'])
    const unwritable = withHandle(() => ({ vendorIdentification: Symbol(secret) }))
    const { items, bytes } = await send(unwritable, alice, 104, [query])
    assert.equal(items[0]?.reason, 'GeneralFailure')
    assert.ok(!bytes.includes('hunter2'))
    assert.equal(unwritable.failures.length, 1)
  })

  test('when the store cannot serve now, the client may try again', async () => {
    const commit = () => Promise.reject(new StoreUnavailable(`the disk is full: /${secret}`))
    const under = openDispatcher({ store: storeAround(newStore(), { commit }) })
    const { reason, message } = await ask(under, 'Create', createRequest())
    assert.equal(reason, 'GeneralFailure')
    assert.match(message ?? '', /try again/)
    assert.doesNotMatch(message ?? '', /hunter2/)
  })

  test('when the store cannot write now, keys are served nevertheless, but for fresh members of groups', async () => {
    const store = newStore()
    const made = openDispatcher({ store })
    const single = await createKey(made)
    const member = await createKey(made, { 'Object Group': 'a group' })
    const commit = () => Promise.reject(new StoreUnavailable('the disk is full'))
    const full = openDispatcher({ store: storeAround(store, { commit }) })
    for (const operation of ['Get', 'Export'] as const) {
      assert.equal(await outcome(full, operation, { uniqueIdentifier: single }), 'Success')
      assert.equal(await outcome(full, operation, { uniqueIdentifier: member }), 'GeneralFailure')
    }
    assert.equal(await outcome(full, 'Activate', { uniqueIdentifier: single }), 'GeneralFailure')
    const both = [item('Get', { uniqueIdentifier: single }), item('Activate', { uniqueIdentifier: single })]
    assert.deepEqual(outcomesOf(await send(full, alice, 104, both, continueOnError)), [
      'GeneralFailure',
      'GeneralFailure',
    ])
    assert.equal(await outcome(made, 'Get', { uniqueIdentifier: member }), 'Success')
    assert.equal(await outcome(full, 'Get', { uniqueIdentifier: member }), 'Success', 'served before, and known to be')
  })
})

describe('access', () => {
  const operationsOn = (uniqueIdentifier: string): readonly RequestedItem[] => [
    item('Get', { uniqueIdentifier }),
    item('GetAttributes', { uniqueIdentifier }),
    item('GetAttributeList', { uniqueIdentifier }),
    item('Check', { uniqueIdentifier }),
    item('AddAttribute', { uniqueIdentifier, attribute: { attributeName: 'Comment', attributeValue: 'b' } }),
    item('ModifyAttribute', { uniqueIdentifier, attribute: { attributeName: 'Comment', attributeValue: 'b' } }),
    item('DeleteAttribute', { uniqueIdentifier, attributeName: 'Comment' }),
    item('Activate', { uniqueIdentifier }),
    item('Revoke', revocation(uniqueIdentifier, true)),
    item('Destroy', { uniqueIdentifier }),
  ]

  test('another user’s object is neither read nor changed, and stays as it is', async () => {
    const under = openDispatcher()
    const uniqueIdentifier = await createKey(under, { Comment: 'private', Name: name('mine') })
    const before = under.store.read(objectTable, uniqueIdentifier)
    const items = operationsOn(uniqueIdentifier)
    const answer = await send(under, bob, 104, items, continueOnError)
    assert.deepEqual(
      outcomesOf(answer),
      items.map(() => 'PermissionDenied'),
    )
    assert.ok(!answer.bytes.includes('private'))
    assert.deepEqual(under.store.read(objectTable, uniqueIdentifier), before)
  })

  test('another user’s objects are not located, by anything that is known of them', async () => {
    const under = openDispatcher()
    const uniqueIdentifier = await createKey(under, { Comment: 'private', Name: name('mine'), 'Activation Date': 0 })
    const filters: readonly Readonly<Record<string, unknown>>[] = [
      {},
      { Name: name('mine') },
      { 'Unique Identifier': uniqueIdentifier },
      { Comment: 'private' },
      { State: State.Active },
      { 'Cryptographic Usage Mask': 0 },
      { 'Initial Date': [0, Number.MAX_SAFE_INTEGER] },
    ]
    for (const filter of filters) {
      const found = await succeed(
        under,
        'Locate',
        { attribute: attributes(filter), storageStatusMask: 7 },
        { who: bob },
      )
      assert.deepEqual(found, { locatedItems: 0, uniqueIdentifier: [] }, JSON.stringify(Object.keys(filter)))
    }
  })

  test('the owner may do all of it', async () => {
    const under = openDispatcher()
    const uniqueIdentifier = await createKey(under)
    const answer = await send(under, alice, 104, operationsOn(uniqueIdentifier), continueOnError)
    assert.deepEqual(new Set(outcomesOf(answer)), new Set(['Success']))
  })

  test('an administrator has no rights on the keys of others', async () => {
    const under = openDispatcher()
    const uniqueIdentifier = await createKey(under)
    const administrator = { ...bob, administrator: true }
    assert.equal(await outcome(under, 'Get', { uniqueIdentifier }, { who: administrator }), 'PermissionDenied')
  })
})
