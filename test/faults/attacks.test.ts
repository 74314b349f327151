/**
 * Attacks on a server with small limits: whatever peers do, another client is served, and nothing fails inside. What it is: a
 * moment of each. `npm run attacks` measures what others notice of them.
 */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { type RunningServer, startServerProcess } from '#test/running-server'
import { attacks } from './attackers.ts'
import { measure, measureUnder } from './victim.ts'

const forMs = 300
/** Far above what is promised: the machine has other tests to run. */
const longestMsMax = 5_000

describe('while others attack, a client is served', () => {
  let server: RunningServer
  before(async () => {
    // Times that a client of this busy process can keep to.
    const limits = ['--sessions-max', '120', '--sessions-per-address-max', '60', '--handshake-timeout-ms', '10000']
    server = await startServerProcess({ flags: [...limits, '--request-timeout-ms', '10000'] })
  })
  after(() => server?.kill())

  for (const [name, attack] of Object.entries(attacks)) {
    test(name, async () => {
      const { count, longestMs, attempts } = await measureUnder(server, attack, forMs)
      assert.ok(attempts > 0, 'the attack took place')
      assert.ok(count > 0 && longestMs < longestMsMax, `${count} answers, the slowest after ${longestMs} ms`)
      assert.ok(server.alive)
      assert.deepEqual(server.failures, [])
    })
  }

  test('and afterwards as before', async () => {
    assert.ok((await measure(server, forMs)).count > 5)
    const refused = server.log.filter((line) => /sessionsPerAddressMax allows/.test(String(line['msg'])))
    assert.ok(refused.length > 0, 'an address had its share and no more')
    assert.ok(refused.length < 30, `a storm is ${refused.length} lines in the log`)
    assert.equal(await server.stop(), 0)
  })
})
