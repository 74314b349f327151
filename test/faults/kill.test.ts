/**
 * What is acknowledged survives SIGKILL: two short rounds for the suite. `node test/faults/kill.ts` does more of them.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createClient } from '#client/client'
import { State } from '#kmip/enums'
import { startServerProcess } from '#test/running-server'
import { points } from './death.ts'
import { verify, verifyAttempt } from './ledger.ts'
import { create, register } from './load.ts'
import { killRounds } from './rounds.ts'

test('nothing that was acknowledged is lost when the server is killed', async () => {
  const rounds = await killRounds({ rounds: 2, connections: 8, seed: 7, loadMs: [200, 500], sampleMax: 1000 })
  assert.equal(rounds.length, 2)
  for (const { acknowledged, checked, wrong } of rounds) {
    assert.ok(acknowledged > 0, 'the load reached the server')
    assert.ok(checked >= acknowledged)
    assert.deepEqual(wrong, [])
  }
})

test('nothing is lost, and nothing is half there, wherever in the way of a commit the server dies', async () => {
  const rounds = await killRounds({
    rounds: points.length,
    connections: 8,
    seed: 11,
    loadMs: [0, 1],
    deaths(round, random) {
      const point = points[round - 1]
      assert.ok(point !== undefined)
      return { point, transaction: 12 + random.below(20), microseconds: random.below(400) }
    },
    sampleMax: 200,
  })
  assert.deepEqual(
    rounds.map(({ point }) => point),
    points,
  )
  for (const { wrong } of rounds) assert.deepEqual(wrong, [])
  assert.ok(
    rounds.some(({ inFlight }) => inFlight > 0),
    'the deaths came in the midst of work',
  )
})

test('the ledger notices what is not as it was promised', async () => {
  await using server = await startServerProcess()
  await using client = createClient(server.connection)
  const material = Buffer.alloc(32, 7)
  const { uniqueIdentifier } = await register(client, material)
  const kept = { uniqueIdentifier, material, state: State.PreActive, uncertain: false }
  assert.equal(await verify(client, kept), undefined)
  assert.match(String(await verify(client, { ...kept, uniqueIdentifier: 'nowhere' })), /ItemNotFound/)
  assert.match(String(await verify(client, { ...kept, material: Buffer.alloc(32, 8) })), /another key/)
  assert.match(String(await verify(client, { ...kept, state: State.Active })), /its state is 1 and was 2/)
  assert.match(String(await verify(client, { ...kept, state: State.Destroyed })), /its key is there again/)
  const made = { ...kept, ...(await create(client)), material: undefined }
  assert.equal(await verify(client, made), undefined)
  await client.destroy({ uniqueIdentifier: made.uniqueIdentifier })
  assert.match(String(await verify(client, made)), /IllegalOperation/)
  assert.equal(await verify(client, { ...made, uncertain: true }), undefined)
  assert.equal(await verify(client, { ...made, state: State.Destroyed }), undefined)
  const { uniqueIdentifier: namedId } = await create(client, 'named')
  const named = {
    uniqueIdentifier: namedId,
    name: 'named',
    material: undefined,
    state: State.PreActive,
    uncertain: false,
  }
  assert.equal(await verify(client, named), undefined)
  assert.match(String(await verify(client, { ...named, name: 'other' })), /its name finds nothing/)
  assert.equal(await verifyAttempt(client, { kind: 'pair', names: ['nowhere', 'neither'] }), undefined)
  assert.equal(await verifyAttempt(client, { kind: 'key', names: ['named'] }), undefined)
  assert.match(String(await verifyAttempt(client, { kind: 'pair', names: ['named', 'nowhere'] })), /1 of 2 objects/)
  assert.match(String(await verifyAttempt(client, { kind: 'active key', names: ['named'] })), /its state is 1/)
  await create(client, 'another')
  assert.match(String(await verifyAttempt(client, { kind: 'pair', names: ['named', 'another'] })), /not linked/)
})
