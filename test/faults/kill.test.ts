/**
 * What is acknowledged survives SIGKILL: two short rounds for the suite. `node test/faults/kill.ts` does more of them.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createClient } from '#client/client'
import { State } from '#kmip/enums'
import { startServerProcess } from '#test/running-server'
import { verify } from './ledger.ts'
import { create, killRounds, register } from './rounds.ts'

test('nothing that was acknowledged is lost when the server is killed', async () => {
  const rounds = await killRounds({ rounds: 2, connections: 8, seed: 7, loadMs: [200, 500], sampleMax: 1000 })
  assert.equal(rounds.length, 2)
  for (const { acknowledged, checked, wrong } of rounds) {
    assert.ok(acknowledged > 0, 'the load reached the server')
    assert.ok(checked >= acknowledged)
    assert.deepEqual(wrong, [])
  }
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
})
