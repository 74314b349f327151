/**
 * Answers that are given again: that they are those which would be made anew, and that they end when what they tell of changes.
 */
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { awaitable } from '#actor/later'
import { certificateTable } from '#identity/bootstrap'
import { RevocationReasonCode } from '#kmip/enums'
import { supportedVersions } from '#kmip/versions'
import { objectTable } from '#operations/object-table'
import { type LmdbStore, openStore, storeLimits } from '#store/lmdb/open'
import { countingStore } from '#test/counting-store'
import {
  alice,
  bob,
  callerOf,
  type DispatcherUnderTest,
  item,
  openDispatcher,
  payloadOf,
  type RequestedItem,
  requestBytes,
  send,
  sendBytes,
  succeed,
} from '#test/dispatcher'
import { createRequest, name } from '#test/sample-objects'
import { seededRandom } from '#test/seeded-random'
import { openSealer } from '#test/store/lmdb/sealer'

describe('answers that are given again', () => {
  let directory = ''
  let store: LmdbStore

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'kmipd-known-'))
    store = await openStore({
      directory,
      sealer: openSealer(directory),
      tables: [objectTable, certificateTable],
      limits: { ...storeLimits, cacheBytesMax: 0 },
      onFault(fault) {
        throw fault
      },
    })
  })

  after(async () => {
    await store.close()
    await rm(directory, { recursive: true, force: true })
  })

  const counting = () => countingStore(store)

  const asked = (under: DispatcherUnderTest, bytes: Buffer, who = alice) => sendBytes(under, who, bytes)

  const requests: readonly (readonly [string, (id: string) => RequestedItem])[] = [
    ['Get', (uniqueIdentifier) => item('Get', { uniqueIdentifier })],
    ['Get Attributes', (uniqueIdentifier) => item('GetAttributes', { uniqueIdentifier, attributeName: [] })],
    ['Get Attribute List', (uniqueIdentifier) => item('GetAttributeList', { uniqueIdentifier })],
    ['Query', () => item('Query', { queryFunction: [1, 2, 3] })],
    ['Discover Versions', () => item('DiscoverVersions', { protocolVersion: [] })],
  ]

  for (const [title, requestOf] of requests) {
    test(`${title}: from the second on, nothing is looked at`, async () => {
      const { store: counted, looks } = counting()
      const under = openDispatcher({ store: counted })
      const { uniqueIdentifier } = await succeed(under, 'Create', createRequest())
      await succeed(under, 'Get', { uniqueIdentifier })
      const bytes = requestBytes(104, [requestOf(uniqueIdentifier)])
      const first = await asked(under, bytes)
      await asked(under, bytes)
      const before = looks()
      under.clock.advance(5_000)
      const again = await asked(under, bytes)
      assert.equal(looks(), before)
      assert.deepEqual(again.items, first.items)
      assert.notDeepEqual(again.bytes, first.bytes, 'the Time Stamp is that of now')
    })
  }

  test('when others have changed, a look at the revision is enough', async () => {
    const { store: counted, looks, opened } = counting()
    const under = openDispatcher({ store: counted })
    const { uniqueIdentifier } = await succeed(under, 'Create', createRequest())
    await succeed(under, 'Get', { uniqueIdentifier })
    const bytes = requestBytes(104, [item('Get', { uniqueIdentifier })])
    await asked(under, bytes)
    const { items } = await asked(under, bytes)
    await succeed(openDispatcher({ store }), 'Create', createRequest())
    const before = { looks: looks(), opened: opened() }
    assert.deepEqual((await asked(under, bytes)).items, items)
    assert.deepEqual({ looks: looks(), opened: opened() }, { looks: before.looks + 1, opened: before.opened })
  })

  test('a key that is revoked and destroyed is given no more; others still are', async () => {
    const under = openDispatcher({ store })
    const ids: string[] = []
    for (let made = 0; made < 2; made += 1) {
      const { uniqueIdentifier } = await succeed(under, 'Create', createRequest())
      ids.push(uniqueIdentifier)
      for (let time = 0; time < 4; time += 1) await succeed(under, 'Get', { uniqueIdentifier })
    }
    const [gone = '', stays = ''] = ids
    await succeed(under, 'Destroy', { uniqueIdentifier: gone })
    const [answered] = (await send(under, alice, 104, [item('Get', { uniqueIdentifier: gone })])).items
    assert.equal(answered?.status, 'OperationFailed')
    await succeed(under, 'Get', { uniqueIdentifier: stays })
  })

  test('another user gets an answer of its own', async () => {
    const under = openDispatcher({ store })
    const { uniqueIdentifier } = await succeed(under, 'Create', createRequest())
    const bytes = requestBytes(104, [item('Get', { uniqueIdentifier })])
    for (let time = 0; time < 4; time += 1) assert.equal((await asked(under, bytes)).items[0]?.status, 'Success')
    for (let time = 0; time < 4; time += 1) {
      assert.equal((await asked(under, bytes, bob)).items[0]?.reason, 'PermissionDenied')
    }
  })

  test('an interface that destroys otherwise says so in Query', async () => {
    const under = openDispatcher({ store })
    const bytes = requestBytes(104, [item('Query', { queryFunction: [11] })])
    const answers: Buffer[] = []
    for (const hardDelete of [true, false, true, false, true, false]) {
      answers.push(await awaitable(under.dispatcher.answer(bytes, { ...callerOf(under, alice), hardDelete })))
    }
    assert.notDeepEqual(answers[4], answers[5])
    assert.deepEqual(answers[4], answers[0])
    assert.deepEqual(answers[5], answers[1])
  })

  test('a date that comes ends them, and so does a clock that is set back', async () => {
    const under = openDispatcher({ store })
    const now = under.clock.nowSeconds()
    const request = createRequest({ 'Activation Date': now + 60 })
    const { uniqueIdentifier } = await succeed(under, 'Create', request)
    const bytes = requestBytes(104, [item('GetAttributes', { uniqueIdentifier, attributeName: ['State'] })])
    const state = async (): Promise<unknown> => {
      const {
        attribute: [told],
      } = payloadOf(await asked(under, bytes), 0, 'GetAttributes')
      return told?.attributeValue
    }
    const before = await state()
    for (let time = 0; time < 3; time += 1) assert.equal(await state(), before)
    under.clock.advance(61_000)
    const since = await state()
    assert.notEqual(since, before)
    for (let time = 0; time < 3; time += 1) assert.equal(await state(), since)
    under.clock.set(now * 1_000)
    assert.equal(await state(), before)
  })

  test('a request with a credential or a Time Stamp is answered anew', async () => {
    const { store: counted, looks } = counting()
    const under = openDispatcher({ store: counted })
    const { uniqueIdentifier } = await succeed(under, 'Create', createRequest())
    await succeed(under, 'Get', { uniqueIdentifier })
    const bytes = requestBytes(104, [item('Get', { uniqueIdentifier })], { timeStamp: under.clock.nowSeconds() })
    for (let time = 0; time < 4; time += 1) await asked(under, bytes)
    const before = looks()
    await asked(under, bytes)
    assert.ok(looks() > before)
  })

  for (const seed of [1, 2, 3]) {
    test(`whatever happens, they are those that are made anew (seed ${seed})`, async () => {
      const random = seededRandom(seed)
      const keeps = openDispatcher({ store })
      const anew = openDispatcher({ store, clock: keeps.clock, answerCacheBytesMax: 0 })
      const ids: string[] = []
      const names = Array.from({ length: 4 }, (_, index) => `known-${seed}-${index}`)
      const make = async (): Promise<void> => {
        const values = random.below(2) === 0 ? { 'Activation Date': keeps.clock.nowSeconds() + random.below(20) } : {}
        const named = random.below(2) === 0 ? { Name: name(random.pick(names)) } : {}
        const { items } = await send(anew, alice, 104, [item('Create', createRequest({ ...values, ...named }))])
        const made = items[0]?.payload as { readonly uniqueIdentifier: string } | undefined
        if (made === undefined) return
        ids.push(made.uniqueIdentifier)
        // The first Get changes the object: it is fresh no longer.
        await succeed(anew, 'Get', { uniqueIdentifier: made.uniqueIdentifier })
      }
      for (let made = 0; made < 3; made += 1) await make()
      const changes: readonly (() => Promise<unknown>)[] = [
        make,
        () => send(anew, alice, 104, [item('Activate', { uniqueIdentifier: random.pick(ids) })]),
        () => send(keeps, alice, 104, [item('Destroy', { uniqueIdentifier: random.pick(ids) })]),
        () =>
          send(keeps, alice, 104, [
            item('Revoke', {
              uniqueIdentifier: random.pick(ids),
              revocationReason: { revocationReasonCode: RevocationReasonCode.CessationOfOperation },
            }),
          ]),
        async () => keeps.clock.advance(random.below(3_000)),
      ]
      const reads: readonly (() => RequestedItem)[] = [
        () => item('Get', { uniqueIdentifier: random.pick(ids) }),
        () => item('GetAttributes', { uniqueIdentifier: random.pick(ids), attributeName: [] }),
        () => item('GetAttributeList', { uniqueIdentifier: random.pick(ids) }),
        () => item('Locate', { attribute: [{ attributeName: 'Name', attributeValue: name(random.pick(names)) }] }),
      ]
      let kept = 0
      for (let step = 0; step < 400; step += 1) {
        if (random.below(6) === 0) await random.pick(changes)()
        const version = random.pick(supportedVersions.slice(0, 2))
        const items = Array.from({ length: 1 + random.below(2) }, () => random.pick(reads)())
        const bytes = requestBytes(version, items)
        const who = random.below(8) === 0 ? bob : alice
        const expected = await sendBytes(anew, who, bytes)
        const given = await sendBytes(keeps, who, bytes)
        assert.deepEqual(given.message.batchItem, expected.message.batchItem)
        kept += given.items.every(({ status }) => status === 'Success') ? 1 : 0
      }
      assert.ok(kept > 50, 'the comparison is of answers that can be given again')
    })
  }
})
