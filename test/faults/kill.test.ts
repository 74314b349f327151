/**
 * What is acknowledged survives SIGKILL: two short rounds for the suite. `node test/faults/kill.ts` does more of them.
 */
import assert from 'node:assert/strict'
import { appendFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { createClient } from '#client/client'
import { State } from '#kmip/enums'
import { startServerProcess } from '#test/running-server'
import { usageLimits, usageTotal } from './changes.ts'
import { points } from './death.ts'
import { type Attempt, type Facts, type Promised, promisedObject, somebody, verify, verifyAttempt } from './ledger.ts'
import { create, register } from './load.ts'
import { killRounds } from './rounds.ts'
import { TrailReader } from './trail-reader.ts'

test('nothing that was acknowledged is lost when the server is killed', async () => {
  const some = ['Create', 'Register', 'CreateKeyPair', 'Activate', 'Revoke', 'Destroy', 'ModifyAttribute', 'ReKey']
  const operations = [...some, 'users create']
  const rounds = await killRounds({
    rounds: 2,
    connections: 8,
    seed: 7,
    loadMs: [200, 500],
    operations,
    sampleMax: 1000,
  })
  assert.equal(rounds.length, 2)
  for (const round of rounds) {
    assert.ok(round.checked > 0)
    assert.deepEqual(round.wrong, [])
  }
  const kinds = new Set(rounds.flatMap(({ acknowledged }) => Object.keys(acknowledged)))
  for (const kind of operations) assert.ok(kinds.has(kind), `the load reached the server: ${kind}`)
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
  const { PreActive: state } = State
  const { uniqueIdentifier } = await register(client, material, 'kept', [usageLimits])
  const facts: Facts = { state, name: 'kept', left: usageTotal }
  const look = (promised: Partial<Promised>, changed: Partial<Facts> = {}): Promise<string | undefined> =>
    verify(client, {
      ...promisedObject(uniqueIdentifier, { ...facts, ...changed }, material),
      ...promised,
    })
  assert.equal(await look({}), undefined)
  assert.match(String(await look({ uniqueIdentifier: 'nowhere' })), /ItemNotFound/)
  assert.match(String(await look({ material: Buffer.alloc(32, 8) })), /another key/)
  for (const changed of [
    { state: State.Active },
    { state: State.Destroyed },
    { name: 'other' },
    { mark: 'lost' },
    { left: 1n },
    { replacedBy: somebody },
  ]) {
    assert.match(String(await look({}, changed)), /^it is .*"state":1,"name":"kept","left":"100".* and was /)
  }
  await client.destroy({ uniqueIdentifier })
  assert.match(String(await look({})), /^it is .*"state":5/)
  assert.equal(await look({ asked: { ...facts, state: State.Destroyed } }), undefined)
  assert.equal(await look({}, { state: State.Destroyed }), undefined)

  const attempt = async (kind: Attempt['kind'], names: readonly string[], replaces?: string): Promise<string> =>
    String(await verifyAttempt(client, { kind, names, ...(replaces === undefined ? {} : { replaces }) }))
  const { uniqueIdentifier: named } = await create(client, 'named')
  assert.equal(await attempt('pair', ['nowhere', 'neither']), 'undefined')
  assert.equal(await attempt('key', ['named']), 'undefined')
  assert.match(await attempt('pair', ['named', 'nowhere']), /1 of 2 objects/)
  assert.match(await attempt('active key', ['named']), /its state is 1/)
  assert.equal(await attempt('replacement', ['named'], named), 'undefined')
  const { uniqueIdentifier: another } = await create(client, 'another')
  assert.match(await attempt('pair', ['named', 'another']), /not linked/)
  assert.match(await attempt('replacement', ['named'], another), /is not its replacement/)
  assert.match(await attempt('replacement', ['nobody'], another), /0 keys have the name/)
  await client.reKey({ uniqueIdentifier: named })
  assert.equal(await attempt('replacement', ['named'], named), 'undefined')
})

test('the trail’s reader counts what is told, and what was withdrawn is not', () => {
  const directory = mkdtempSync(join(tmpdir(), 'kmipd-trail-'))
  try {
    mkdirSync(join(directory, 'audit'))
    const path = join(directory, 'audit', '00000001.jsonl')
    let sequence = 0
    const append = (told: Readonly<Record<string, unknown>>): void =>
      appendFileSync(path, `${JSON.stringify({ sequence: (sequence += 1), ...told })}\n`)
    const success = (request: string, operation: string, id: string): void =>
      append({ event: 'operation', request, operation, objects: [id], result: 'success' })
    append({ event: 'server started' })
    success('1', 'Create', 'a')
    success('2', 'Create', 'b')
    append({ event: 'withdrawn', request: '2' })
    append({ event: 'operation', request: '3', operation: 'Get', objects: ['a'], result: 'failed' })
    appendFileSync(path, '{"sequence":9,"event":"op\n')
    const reader = new TrailReader(directory)
    assert.deepEqual(Object.fromEntries([...reader.next()].filter(([, count]) => count > 0)), { 'Create a': 1 })
    append({ event: 'server started' })
    success('1', 'Destroy', 'a')
    append({ event: 'administration', operation: 'users create', objects: ['joe'], result: 'success' })
    assert.deepEqual(Object.fromEntries(reader.next()), { 'Destroy a': 1, 'users create joe': 1 })
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
})
