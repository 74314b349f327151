/** The keeper of groups: so many fresh keys, made anew as clients take them, no faster than allowed. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { SettableClock, systemClock } from '#actor/clock'
import { createClient } from '#client/client'
import { CryptographicAlgorithm, ObjectGroupMember, ObjectType, Operation, ResultStatus, State } from '#kmip/enums'
import { writeResponse } from '#kmip/message'
import { v1_4 } from '#kmip/versions'
import type { ManagedObject } from '#objects/managed-object'
import { objectTable } from '#operations/object-table'
import { FilledGroupRefused, filledGroupOf, GroupKeeper } from '#server/group-keeper'
import { MemoryStore } from '#store/memory'
import { startServerProcess } from '#test/running-server'
import { attributes } from '#test/sample-objects'
import { BinaryWriter } from '#ttlv/binary'

const answered = (good: boolean): Buffer => {
  const writer = new BinaryWriter(v1_4)
  writeResponse(writer, {
    responseHeader: {
      protocolVersion: { protocolVersionMajor: 1, protocolVersionMinor: 4 },
      timeStamp: 0,
      attestationType: [],
      batchCount: 1,
    },
    batchItem: [
      good
        ? { operation: Operation.Create, resultStatus: ResultStatus.Success }
        : {
            operation: Operation.Create,
            resultStatus: ResultStatus.OperationFailed,
            resultReason: 1,
            resultMessage: 'no',
          },
    ],
  })
  return writer.bytes()
}

const key = (uniqueIdentifier: string, fresh = true, owner = 'global', bits = 256): ManagedObject => ({
  uniqueIdentifier,
  objectType: ObjectType.SymmetricKey,
  owner,
  attributes: {
    Fresh: [{ index: 0, value: fresh }],
    State: [{ index: 0, value: State.PreActive }],
    'Object Group': [{ index: 0, value: 'default' }],
    'Cryptographic Algorithm': [{ index: 0, value: CryptographicAlgorithm.AES }],
    'Cryptographic Length': [{ index: 0, value: bits }],
  },
  value: {},
})

/** A keeper whose keys are made by the test. */
const open = (freshCount: number, keysPerSecondMax: number, store = new MemoryStore([objectTable])) => {
  const clock = new SettableClock()
  const state = { made: [] as string[], good: true, told: [] as string[] }
  const keeper = new GroupKeeper({
    groups: [filledGroupOf(`default=AES:256:${freshCount}`)],
    owner: 'global',
    store,
    table: objectTable,
    clock,
    answer: (request) => {
      assert.ok(request.includes('Object Group'))
      if (state.good) {
        const identifier = `key-${state.made.length}`
        state.made.push(identifier)
        keeper.changed([{ previous: undefined, value: key(identifier) }])
      }
      return Promise.resolve(answered(state.good))
    },
    keysPerSecondMax,
    log: { groupNotFilled: (group, reason) => void state.told.push(`${group}: ${reason}`) },
  })
  /** Lets a round come and end. */
  const pass = async (ms: number): Promise<void> => {
    clock.advance(ms)
    await new Promise((resolve) => systemClock.after(5, () => resolve(undefined)))
  }
  return { clock, keeper, state, pass }
}

describe('the keeper of groups', () => {
  test('makes one key at the start, then as many a second as allowed, and no more than are lacking', async () => {
    const { keeper, state, pass } = open(8, 3)
    await keeper.start()
    assert.equal(state.made.length, 1)
    for (const count of [4, 7, 8, 8]) {
      await pass(1_000)
      assert.equal(state.made.length, count)
    }
    await keeper.stop()
  })

  test('what was taken, destroyed or is of another owner is not counted; what is taken is made anew', async () => {
    const { keeper, state, pass } = open(3, 9)
    await keeper.start()
    await pass(1_000)
    assert.equal(state.made.length, 3)
    keeper.changed([{ previous: undefined, value: key('own', true, 'local|kmip') }])
    keeper.changed([{ previous: key('key-0'), value: key('key-0', false) }])
    keeper.changed([{ previous: key('key-1'), value: undefined }])
    await pass(1_000)
    assert.equal(state.made.length, 5)
    await keeper.stop()
  })

  test('what is there at the start is counted, and what came by another way after a while', async () => {
    const store = new MemoryStore([objectTable])
    const place = async (value: ManagedObject): Promise<void> => {
      const change = { table: objectTable.name, key: value.uniqueIdentifier, revision: 0, previous: undefined, value }
      assert.ok((await store.commit([change])).done)
    }
    await place(key('there'))
    await place(key('taken', false))
    await place(key('own', true, 'local|kmip'))
    await place(key('short', true, 'global', 128))
    const { keeper, state, pass } = open(2, 9, store)
    await keeper.start()
    assert.equal(state.made.length, 1)
    await place(key('key-0', false))
    await pass(600_000)
    await pass(1_000)
    assert.equal(state.made.length, 2)
    await keeper.stop()
  })

  test('a failure is told once a minute, and mended after it', async () => {
    const { clock, keeper, state, pass } = open(2, 9)
    await keeper.start()
    state.good = false
    for (let second = 0; second < 50; second += 1) await pass(1_000)
    assert.deepEqual(state.told, ['default: no'])
    state.good = true
    await pass(60_000)
    assert.equal(state.made.length, 2)
    await keeper.stop()
    assert.equal(clock.timers, 0)
  })

  test('a group that cannot be filled stops the start', async () => {
    const { keeper, state } = open(2, 9)
    state.good = false
    await assert.rejects(
      keeper.start(),
      (error) => error instanceof FilledGroupRefused && /default cannot be/.test(error.message),
    )
    assert.throws(() => filledGroupOf('default=Enigma:256:2'), FilledGroupRefused)
    assert.equal(filledGroupOf('a b=AES:128:7').cryptographicAlgorithm, CryptographicAlgorithm.AES)
  })

  test('clients find fresh keys in the group, take them, and find others', async () => {
    await using server = await startServerProcess({ flags: ['--filled-groups', 'default=AES:256:3'] })
    const client = createClient({ ...server.connection })
    const fresh = async () => {
      const request = { attribute: attributes({ 'Object Group': 'default' }) }
      return (await client.locate({ ...request, objectGroupMember: ObjectGroupMember.GroupMemberFresh }))
        .uniqueIdentifier
    }
    const filled = async (): Promise<readonly string[]> => {
      for (;;) {
        const found = await fresh()
        if (found.length >= 3) return found
        await new Promise((resolve) => systemClock.after(20, () => resolve(undefined)))
      }
    }
    const before = await filled()
    assert.equal(before.length, 3)
    const [taken] = before
    assert.ok(taken)
    assert.equal((await client.get({ uniqueIdentifier: taken })).objectType, ObjectType.SymmetricKey)
    const after = await filled()
    assert.equal(after.length, 3)
    assert.ok(!after.includes(taken))
    await client.destroy({ uniqueIdentifier: taken })
    await client.close()
    assert.equal(await server.stop(), 0)
  })
})
