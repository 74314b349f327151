/**
 * A clock that is set forward and back under a server that serves: dates are those of the new time, what lasts so long lasts so
 * long, and nothing that was made loses its order. What it is: the real server, whose date the test moves. What it is not: timers
 * (identity/attempts.test.ts and others try each with a clock of its own), or a look of OpenSSL at the date.
 */
import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { attribute, customAttribute } from '#client/attribute'
import { type Client, createClient } from '#client/client'
import { ConnectionLost, KmipResponseError } from '#client/errors'
import { ResultReason, State } from '#kmip/enums'
import { linesOf } from '#test/audit/trail'
import { type RunningServer, startServerProcess } from '#test/running-server'
import { brokenIn } from './administrator.ts'
import { faultyEnvironment } from './death.ts'
import { create } from './load.ts'

const minuteMs = 60_000
const hourMs = 60 * minuteMs
const dayMs = 24 * hourMs

describe('a clock that is set', () => {
  let directory = ''
  let clock = ''
  let server: RunningServer
  let client: Client
  const made: string[] = []

  const start = async (): Promise<RunningServer> => {
    const environment = { ...faultyEnvironment, FAULT_CLOCK: clock }
    const flags = ['--idle-timeout-ms', String(10 * minuteMs)]
    return startServerProcess({ directory: join(directory, 'data'), environment, flags })
  }
  /** Sets it, and waits until every thread has looked at it. */
  const set = async (aheadMs: number): Promise<void> => {
    await writeFile(clock, String(aheadMs))
    await pause(20)
  }
  const make = async (): Promise<string> => {
    const { uniqueIdentifier } = await create(client)
    made.push(uniqueIdentifier)
    return uniqueIdentifier
  }
  const stateOf = async (uniqueIdentifier: string): Promise<unknown> =>
    (await client.getAttributes({ uniqueIdentifier, attributeName: ['State'] })).attribute[0]?.attributeValue
  /** A line of the log is on its way for a moment. */
  const told = async (what: string): Promise<void> => {
    for (let wait = 0; wait < 500; wait += 1) {
      if (server.log.some((line) => JSON.stringify(line).includes(what))) return
      await pause(10)
    }
    assert.fail(`the log does not tell: ${what}`)
  }
  const timesOfTrail = (): number[] =>
    linesOf(join(directory, 'data', 'audit'), 1).map((line) => Date.parse((JSON.parse(line) as { time: string }).time))

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'kmipd-clock-'))
    clock = join(directory, 'ahead')
    await writeFile(clock, '0')
    server = await start()
    client = createClient(server.connection)
  })
  after(async () => {
    await client.close()
    await server.kill()
    await rm(directory, { recursive: true, force: true })
  })

  test('forward: dates that are reached take effect, and the session goes on', async () => {
    const seconds = Math.floor(Date.now() / 1000)
    const id = await make()
    await client.addAttribute({ uniqueIdentifier: id, attribute: attribute('Activation Date', seconds + 1_800) })
    await client.addAttribute({ uniqueIdentifier: id, attribute: attribute('Deactivation Date', seconds + 5_400) })
    assert.equal(await stateOf(id), State.PreActive)
    await set(hourMs)
    assert.equal(await stateOf(id), State.Active)
    await set(2 * hourMs)
    assert.equal(await stateOf(id), State.Deactivated)
    await make()
    assert.ok((timesOfTrail().at(-1) ?? 0) > Date.now() + hourMs, 'the trail has the time of now')
    // Once it is written down, by the sweeper or with another change, no clock takes it back.
    await client.addAttribute({ uniqueIdentifier: id, attribute: customAttribute('x-note', 'late') })
    await set(0)
    assert.equal(await stateOf(id), State.Deactivated)
  })

  test('back: identifiers ascend still, and what was made is found and used', async () => {
    await set(-20 * minuteMs)
    for (let count = 0; count < 5; count += 1) await make()
    await set(20 * minuteMs)
    await make()
    await set(-30 * minuteMs)
    const id = await make()
    await client.activate({ uniqueIdentifier: id })
    assert.equal(await stateOf(id), State.Active)
    assert.deepEqual(made, made.toSorted())
    assert.equal(new Set(made).size, made.length)
    for (const uniqueIdentifier of made) await client.get({ uniqueIdentifier })
  })

  test('beyond the dates of a client’s certificate: it has no service, the log says why, and it has again afterwards', async () => {
    for (const [aheadMs, why] of [
      [-2 * dayMs, 'certificate not yet valid'],
      [9_000 * dayMs, 'certificate expired'],
    ] as const) {
      await set(aheadMs)
      await using refused = createClient(server.connection)
      await assert.rejects(refused.discoverVersions(), (error: unknown) => {
        if (error instanceof ConnectionLost) return true
        assert.ok(error instanceof KmipResponseError)
        assert.equal(error.reason, ResultReason.AuthenticationNotSuccessful)
        return true
      })
      await told(why)
      await set(0)
      await using again = createClient(server.connection)
      await again.discoverVersions()
    }
    await client.close()
    client = createClient(server.connection)
    assert.ok(made.length > 0)
    for (const uniqueIdentifier of made) await client.get({ uniqueIdentifier })
  })

  test('over a restart: what was acknowledged is there, and the trail is one chain, whatever its times', async () => {
    await set(hourMs)
    const late = await make()
    await client.close()
    await server.kill()
    await set(-30 * minuteMs)
    server = await start()
    client = createClient(server.connection)
    const early = await make()
    for (const uniqueIdentifier of [late, early]) await client.get({ uniqueIdentifier })
    assert.notEqual(late, early)
    assert.deepEqual(await brokenIn(server), [])
    const times = timesOfTrail()
    assert.ok(
      times.some((time, place) => time < (times[place - 1] ?? 0)),
      'the clock was set back in it',
    )
    assert.deepEqual(server.failures, [])
    assert.equal(await server.stop(), 0)
  })
})
