/**
 * A client that goes on as before while others attack: how long its answers take. What it is: gets, one after the other, from an
 * address of its own. What it is not: a benchmark.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createClient } from '#client/client'
import type { AttackOrder } from './attacker.ts'
import { type Attack, type AttackTarget, attacks } from './attackers.ts'
import { create } from './load.ts'

export interface Latencies {
  readonly count: number
  readonly medianMs: number
  readonly p99Ms: number
  readonly longestMs: number
}

/** Measures for so long. @throws what a client throws when it is not served */
export const measure = async (server: AttackTarget, forMs: number): Promise<Latencies> => {
  await using client = createClient(server.connection)
  const { uniqueIdentifier } = await create(client)
  const tookMs: number[] = []
  const untilMs = performance.now() + forMs
  for (let beganMs = performance.now(); beganMs < untilMs; beganMs = performance.now()) {
    await client.get({ uniqueIdentifier })
    tookMs.push(performance.now() - beganMs)
  }
  tookMs.sort((left, right) => left - right)
  const quantile = (part: number): number => tookMs[Math.floor((tookMs.length - 1) * part)] ?? Number.NaN
  return { count: tookMs.length, medianMs: quantile(0.5), p99Ms: quantile(0.99), longestMs: quantile(1) }
}

/** Measures while an attack goes on. Gives how often it did what it does, too. */
export const measureUnder = async (
  server: AttackTarget,
  attack: Attack,
  forMs: number,
): Promise<Latencies & { readonly attempts: number }> => {
  const over = new AbortController()
  const attacking = attack(server, over.signal)
  try {
    const latencies = await measure(server, forMs)
    over.abort()
    return { ...latencies, attempts: await attacking }
  } finally {
    over.abort()
  }
}

const addressesMax = 250
let addresses = 0
const nextAddress = (): number => 1 + (addresses++ % addressesMax)

/**
 * Begins an attack in a process of its own, which has the machine only where nobody else wants it: attackers have machines of
 * their own. Resolves when it is under way; what it gives ends it, and tells how often it did what it does.
 */
export const attackFromProcess = async (name: string, target: AttackTarget): Promise<() => Promise<number>> => {
  const entry = new URL('attacker.ts', import.meta.url).pathname
  const attacker = spawn('nice', ['-n', '19', process.execPath, entry], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  const { host, port, connection } = target
  // What one attack has done to its address is nothing to the next.
  const address = `127.0.${1 + Object.keys(attacks).indexOf(name)}.${nextAddress()}`
  attacker.send({ attack: name, target: { host, port, connection, attacker: address } } satisfies AttackOrder)
  await once(attacker, 'message')
  return async () => {
    const last = once(attacker, 'message')
    const ended = once(attacker, 'exit')
    attacker.send('over')
    const [{ attempts }] = (await last) as [{ readonly attempts: number }]
    await ended
    return attempts
  }
}
