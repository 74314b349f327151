/**
 * The command that attacks a server and measures what another client notices.
 *
 *     npm run attacks -- --seconds 3 --rounds 5 --attack garbage
 *
 * What it is: the command line and the table. What a client waits for its answers is measured without an attack, under it, and
 * while the same attack goes to another server of the same machine: that one is what the machine itself takes from those who share
 * it, and no server can give back. What it is not: the attacks (attackers.ts). Exit code 1: a failure inside the server, or its end.
 */
import { readFileSync } from 'node:fs'
import { createClient } from '#client/client'
import { commandLine } from '#test/command-line'
import { type RunningServer, startServerProcess } from '#test/running-server'
import { attacks } from './attackers.ts'
import { create } from './load.ts'
import { attackFromProcess, measure } from './victim.ts'

const values = commandLine({
  command: 'npm run attacks',
  text: 'attacks a server and measures what another client notices',
  options: {
    seconds: { type: 'string', default: '3' },
    rounds: { type: 'string', default: '3' },
    objects: { type: 'string', default: '5000' },
    attack: { type: 'string', multiple: true },
    flag: { type: 'string', multiple: true, default: [] },
    'runtime-flag': { type: 'string', multiple: true, default: [] },
  },
  numbers: { seconds: 1, rounds: 1, objects: 1 },
  choices: { attack: Object.keys(attacks) },
})

const forMs = Number(values.seconds) * 1000
/** From the first attempt to an attack in full. */
const gatheringMs = 500

const filled = async (runtimeFlags: readonly string[]): Promise<RunningServer> => {
  const server = await startServerProcess({ flags: values.flag, runtimeFlags })
  await using client = createClient(server.connection)
  const left = Array.from({ length: Number(values.objects) }).values()
  const maker = async (): Promise<void> => {
    for (const _ of left) await create(client)
  }
  await Promise.all(Array.from({ length: 64 }, maker))
  return server
}

interface Round {
  readonly aloneMs: number
  readonly besideMs: number
  readonly underMs: number
  readonly medianMs: number
  readonly longestMs: number
  readonly served: number
  readonly attempts: number
  readonly mebibytes: number
}

const oneRound = async (name: string, server: RunningServer, neighbour: RunningServer): Promise<Round> => {
  const under = async (attacked: RunningServer) => {
    const end = await attackFromProcess(name, attacked)
    await new Promise((resolve) => setTimeout(resolve, gatheringMs))
    const latencies = await measure(server, forMs)
    const mebibytes = residentMebibytes(server)
    return { ...latencies, mebibytes, attempts: await end() }
  }
  const before = await measure(server, forMs)
  const beside = await under(neighbour)
  const attacked = await under(server)
  const after = await measure(server, forMs)
  return {
    aloneMs: (before.p99Ms + after.p99Ms) / 2,
    besideMs: beside.p99Ms,
    underMs: attacked.p99Ms,
    medianMs: attacked.medianMs,
    longestMs: attacked.longestMs,
    served: attacked.count,
    attempts: attacked.attempts,
    mebibytes: attacked.mebibytes,
  }
}

const residentMebibytes = (server: RunningServer): number =>
  Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${server.process.pid}/status`, 'utf8'))?.[1]) / 1024

const spread = (numbers: readonly number[], digits: number): string => {
  const sorted = numbers.toSorted((left, right) => left - right)
  const at = (place: number): string => (sorted[place] ?? Number.NaN).toFixed(digits)
  if (sorted.length === 1) return at(0)
  return `${at(Math.floor((sorted.length - 1) / 2))} (${at(0)}-${at(sorted.length - 1)})`
}

const cells = (...texts: readonly string[]): string =>
  texts.map((text, index) => (index === 0 ? text.padEnd(34) : text.padStart(20))).join('')

await using server = await filled(values['runtime-flag'])
await using neighbour = await filled([])
await measure(server, forMs)
await measure(neighbour, forMs)
console.log(cells('attack', 'attempts', 'served', 'p50 ms', 'p99 ms', 'longest ms', 'to alone', 'to beside', 'MiB'))
for (const name of Object.keys(attacks)) {
  if (values.attack !== undefined && !values.attack.includes(name)) continue
  const rounds: Round[] = []
  for (let round = 0; round < Number(values.rounds); round += 1) rounds.push(await oneRound(name, server, neighbour))
  const column = (valueOf: (round: Round) => number, digits: number): string => spread(rounds.map(valueOf), digits)
  console.log(
    cells(
      name,
      column(({ attempts }) => attempts, 0),
      column(({ served }) => served, 0),
      column(({ medianMs }) => medianMs, 2),
      column(({ underMs }) => underMs, 2),
      column(({ longestMs }) => longestMs, 1),
      column(({ underMs, aloneMs }) => underMs / aloneMs, 1),
      column(({ underMs, besideMs }) => underMs / besideMs, 1),
      column(({ mebibytes }) => mebibytes, 0),
    ),
  )
}
for (const line of server.failures) console.log(JSON.stringify(line))
if (server.failures.length > 0 || !server.alive) process.exitCode = 1
