/**
 * Rounds of killing: load, SIGKILL in its midst, restart on the same data, and a look at everything that was acknowledged,
 * and at what was not. What it is: the harness. What it is not: a fault of the disk or the machine; what the system has taken
 * from the process survives a killed process.
 */
import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '#actor/clock'
import { type Client, createClient } from '#client/client'
import { type RunningServer, startServerProcess } from '#test/running-server'
import { type SeededRandom, seededRandom } from '#test/seeded-random'
import { type Death, deathEnvironment, type Point } from './death.ts'
import { type Attempt, type Promised, type Verdict, verify, verifyAttempt } from './ledger.ts'
import { type Load, work } from './load.ts'

export interface KillOptions {
  readonly rounds: number
  /** Clients that create objects, each on a connection of its own, one request after the other. */
  readonly connections: number
  readonly seed: number
  /** The server is killed at a random time between the two. */
  readonly loadMs: readonly [least: number, most: number]
  /** How the server dies by itself in a round, where it is not to be killed at a random time. */
  readonly deaths?: (round: number, random: SeededRandom) => Death | undefined
  /** Objects of earlier rounds that each round looks at, beside its own; the last round looks at all. */
  readonly sampleMax: number
  readonly flags?: readonly string[]
  readonly onRound?: (round: KillRound) => void
}

export interface KillRound {
  readonly round: number
  /** Where the server died; `any`: at a random time. */
  readonly point: Point | 'any'
  readonly loadMs: number
  /** Objects whose creation was acknowledged in this round. */
  readonly acknowledged: number
  /** Requests without an answer when the server died. */
  readonly inFlight: number
  /** From the restart to the first answer. */
  readonly restartMs: number
  readonly checked: number
  /** What is wrong with objects that were promised (lost, or not as they were), or half there. */
  readonly wrong: readonly string[]
}

/** @throws AssertionError when the server refuses what it should do, or does not start again */
export const killRounds = async (options: KillOptions): Promise<readonly KillRound[]> => {
  const directory = await mkdtemp(join(tmpdir(), 'kmipd-kill-'))
  const armedBy = `${directory}.armed`
  const random = seededRandom(options.seed)
  const ledger: Promised[] = []
  const rounds: KillRound[] = []
  let names = 0
  const newName = (): string => `object ${(names += 1)}`
  const start = (death: Death | undefined): Promise<RunningServer> =>
    startServerProcess({
      directory,
      ...(options.flags === undefined ? {} : { flags: options.flags }),
      ...(death === undefined ? {} : { environment: deathEnvironment({ ...death, armedBy }) }),
    })
  let death = options.deaths?.(1, random)
  let server = await start(death)
  try {
    for (let round = 1; round <= options.rounds; round += 1) {
      const earlier = ledger.length
      const load: Load = {
        server,
        ledger,
        attempts: new Set(),
        random,
        newName,
        inFlight: 0,
        dying: death !== undefined,
      }
      await writeFile(armedBy, '')
      const { loadMs, inFlight } = await dieUnder(load, options, death)
      const point: KillRound['point'] = death?.point ?? 'any'
      death = round < options.rounds ? options.deaths?.(round + 1, random) : undefined
      await rm(armedBy)
      const beganMs = performance.now()
      server = await start(death)
      await firstAnswer(server)
      const restartMs = performance.now() - beganMs
      const own = ledger.slice(earlier)
      const others = round === options.rounds ? ledger.slice(0, earlier) : sample(ledger, earlier, options, random)
      const checked = [...own, ...others]
      const wrong = await verifyAll(server, checked, [...load.attempts])
      const result = {
        round,
        point,
        loadMs,
        acknowledged: own.length,
        inFlight,
        restartMs,
        checked: checked.length,
        wrong,
      }
      options.onRound?.(result)
      rounds.push(result)
    }
    assert.equal(await server.stop(), 0, 'the server ends in good order after all that')
  } finally {
    await server.kill()
    for (const path of [directory, armedBy]) await rm(path, { recursive: true, force: true })
  }
  return rounds
}

/** A death that does not come in this time will not come. */
const deathMs = 30_000

/** Loads the server until it is dead. Gives how long that was, and how many requests had no answer then. */
const dieUnder = async (
  load: Load,
  { connections, loadMs: [least, most] }: KillOptions,
  death: Death | undefined,
): Promise<{ readonly loadMs: number; readonly inFlight: number }> => {
  const { server, random } = load
  const beganMs = performance.now()
  const waitMs = death === undefined ? least + random.below(most - least) : deathMs
  const working = Promise.all(Array.from({ length: connections }, () => work(load)))
  const { promise: late, resolve } = Promise.withResolvers<'late'>()
  const cancel = systemClock.after(waitMs, () => resolve('late'))
  const first = await Promise.race([late, working.then(() => 'dead' as const)]).finally(cancel)
  if (first === 'dead') {
    await server.ended
    assert.equal(server.process.signalCode, 'SIGKILL', 'the server died, and of nothing else')
    return { loadMs: Math.round(performance.now() - beganMs), inFlight: load.attempts.size }
  }
  assert.equal(death, undefined, `the server lives on behind ${JSON.stringify(death)}`)
  const { inFlight } = load
  load.dying = true
  await server.kill()
  await working
  return { loadMs: waitMs, inFlight }
}

const firstAnswer = async (server: RunningServer): Promise<void> => {
  await using client = createClient(server.connection)
  await client.discoverVersions()
}

const sample = (
  ledger: readonly Promised[],
  count: number,
  { sampleMax }: KillOptions,
  random: SeededRandom,
): readonly Promised[] => {
  if (count <= sampleMax) return ledger.slice(0, count)
  const earlier = ledger.slice(0, count)
  return Array.from({ length: sampleMax }, () => random.pick(earlier))
}

const verifyingClients = 4
const verifyingAtOnce = 128

/** Looks at all of them, many at once. Gives what is wrong. */
const verifyAll = async (
  server: RunningServer,
  objects: readonly Promised[],
  attempts: readonly Attempt[],
): Promise<readonly string[]> => {
  const wrong: string[] = []
  const looks: ((client: Client) => Promise<void>)[] = []
  const look = (what: string, at: (client: Client) => Promise<Verdict>): void =>
    void looks.push(async (client) => {
      const verdict = await at(client)
      if (verdict !== undefined) wrong.push(`${what}: ${verdict}`)
    })
  for (const promised of objects) look(promised.uniqueIdentifier, (client) => verify(client, promised))
  for (const attempt of attempts) look(attempt.names.join(' and '), (client) => verifyAttempt(client, attempt))
  const waiting = looks.values()
  const clients = Array.from({ length: verifyingClients }, () => createClient(server.connection))
  const worker = async (client: Client): Promise<void> => {
    for (const one of waiting) await one(client)
  }
  const perClient = verifyingAtOnce / verifyingClients
  await Promise.all(clients.flatMap((client) => Array.from({ length: perClient }, () => worker(client))))
  await Promise.all(clients.map((client) => client.close()))
  return wrong
}
