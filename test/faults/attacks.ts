/**
 * The command that attacks a server and measures what another client notices.
 *
 *     npm run attacks -- --seconds 5 --objects 5000
 *
 * What it is: the command line and the table: latency without an attack before and after each, and under it. What it is not: the
 * attacks (attackers.ts). Exit code 1: a failure inside the server, or its end.
 */
import { parseArgs } from 'node:util'
import { createClient } from '#client/client'
import { startServerProcess } from '#test/running-server'
import { attacks } from './attackers.ts'
import { create } from './load.ts'
import { measure, measureUnder } from './victim.ts'

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '5' },
    objects: { type: 'string', default: '5000' },
    attack: { type: 'string', multiple: true },
    flag: { type: 'string', multiple: true, default: [] },
  },
})

const forMs = Number(values.seconds) * 1000
await using server = await startServerProcess({ flags: values.flag })
{
  await using client = createClient(server.connection)
  const left = Array.from({ length: Number(values.objects) }).values()
  const maker = async (): Promise<void> => {
    for (const _ of left) await create(client)
  }
  await Promise.all(Array.from({ length: 64 }, maker))
}
const cells = (...texts: readonly string[]): string =>
  texts.map((text, index) => (index === 0 ? text.padEnd(26) : text.padStart(12))).join('')
console.log(cells('attack', 'attempts', 'served', 'p50 ms', 'p99 ms', 'longest ms', 'p99 without', 'ratio'))
await measure(server, forMs)
for (const [name, attack] of Object.entries(attacks)) {
  if (values.attack !== undefined && !values.attack.includes(name)) continue
  const before = await measure(server, forMs)
  const under = await measureUnder(server, attack, forMs)
  const after = await measure(server, forMs)
  const without = (before.p99Ms + after.p99Ms) / 2
  const numbers = [under.medianMs, under.p99Ms, under.longestMs, without, under.p99Ms / without].map((n) =>
    n.toFixed(2),
  )
  console.log(cells(name, `${under.attempts}`, `${under.count}`, ...numbers))
}
for (const line of server.failures) console.log(JSON.stringify(line))
if (server.failures.length > 0 || !server.alive) process.exitCode = 1
