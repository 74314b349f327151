/**
 * Rounds of killing: load, SIGKILL in its midst, restart on the same data, and a look at everything that was acknowledged,
 * and at what was not. What it is: the harness. What it is not: a fault of the disk or the machine; what the system has taken
 * from the process survives a killed process.
 */
import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Cancel, systemClock } from '#actor/clock'
import { type Client, createClient } from '#client/client'
import { type RunningServer, startServerProcess } from '#test/running-server'
import { type SeededRandom, seededRandom } from '#test/seeded-random'
import { Administrator, brokenIn } from './administrator.ts'
import { type Death, deathEnvironment, type Point } from './death.ts'
import { type Attempt, type Promised, type Verdict, verify, verifyAttempt } from './ledger.ts'
import { type Load, work } from './load.ts'
import { TrailReader } from './trail-reader.ts'

export interface KillOptions {
  readonly rounds: number
  /** Clients that make and change objects, each on a connection of its own, one request after the other. */
  readonly connections: number
  readonly seed: number
  /** The server is killed at a random time between the two, from the first thing that it does on. */
  readonly loadMs: readonly [least: number, most: number]
  /** Operations and commands of which each must have been acknowledged in a round before the server is killed, however slow the machine is. */
  readonly operations?: readonly string[]
  /** How the server dies by itself in a round, where it is not to be killed at a random time. */
  readonly deaths?: (round: number, random: SeededRandom) => Death | undefined
  /** Objects of earlier rounds that each round looks at, beside its own; the last round looks at all. */
  readonly sampleMax: number
  readonly flags?: readonly string[]
  /** Whether the flags leave it at an audit trail that answers wait for; true unless said. */
  readonly isAudited?: boolean
  readonly onRound?: (round: KillRound) => void
}

export interface KillRound {
  readonly round: number
  /** Where the server died; `any`: at a random time. */
  readonly point: Point | 'any'
  readonly loadMs: number
  /** Changes that were acknowledged in this round, by operation or command. */
  readonly acknowledged: Readonly<Record<string, number>>
  /** Requests without an answer when the server died. */
  readonly inFlight: number
  /** From the restart to the first answer. */
  readonly restartMs: number
  /** Objects that were compared with what was promised. */
  readonly checked: number
  /** What is wrong with objects that were promised (lost, or not as they were), or half there; what no line of the trail tells. */
  readonly wrong: readonly string[]
}

/** The number of changes that were acknowledged. */
export const acknowledgedIn = ({ acknowledged }: KillRound): number =>
  Object.values(acknowledged).reduce((sum, count) => sum + count, 0)

/** @throws AssertionError when the server refuses what it should do, or does not start again */
export const killRounds = async (options: KillOptions): Promise<readonly KillRound[]> => {
  const directory = await mkdtemp(join(tmpdir(), 'kmipd-kill-'))
  const harness = new Harness(options, directory)
  try {
    return await harness.run()
  } finally {
    await harness.end()
    await rm(directory, { recursive: true, force: true })
  }
}

/** After so many rounds every line of the trail is looked at by the server's own check. */
const trailCheckedEvery = 10

class Harness {
  readonly #options: KillOptions
  readonly #directory: string
  readonly #armedBy: string
  readonly #random: SeededRandom
  readonly #administrator: Administrator
  readonly #trail: TrailReader
  readonly #ledger: Promised[] = []
  #names = 0
  #server: RunningServer | undefined

  constructor(options: KillOptions, directory: string) {
    this.#options = options
    this.#directory = directory
    this.#armedBy = `${directory}.armed`
    this.#random = seededRandom(options.seed)
    this.#administrator = new Administrator(this.#random)
    this.#trail = new TrailReader(directory)
  }

  async run(): Promise<readonly KillRound[]> {
    const { rounds: count, deaths, onRound } = this.#options
    const rounds: KillRound[] = []
    let death = deaths?.(1, this.#random)
    let server = await this.#start(death)
    await this.#administrator.prepare(server)
    for (let round = 1; round <= count; round += 1) {
      const earlier = this.#ledger.length
      const acknowledged = new Acknowledged(this.#options.operations ?? [])
      const load = this.#newLoad(server, death, acknowledged)
      const { loadMs, inFlight } = await this.#die(load, death, acknowledged)
      const point: KillRound['point'] = death?.point ?? 'any'
      death = round < count ? deaths?.(round + 1, this.#random) : undefined
      const beganMs = performance.now()
      server = await this.#start(death)
      await firstAnswer(server)
      const restartMs = performance.now() - beganMs
      const isLast = round === count
      const checked = this.#toCheck(load, earlier, isLast)
      const wrong = [
        ...(await verifyAll(server, checked, [...load.attempts])),
        ...(await this.#administrator.verify(server)),
        ...(await this.#verifyTrail(acknowledged, isLast || round % trailCheckedEvery === 0)),
      ]
      rounds.push({
        round,
        point,
        loadMs,
        acknowledged: acknowledged.byOperation(),
        inFlight,
        restartMs,
        checked: checked.length,
        wrong,
      })
      onRound?.(rounds.at(-1) as KillRound)
    }
    assert.equal(await server.stop(), 0, 'the server ends in good order after all that')
    return rounds
  }

  async end(): Promise<void> {
    await this.#server?.kill()
    await rm(this.#armedBy, { force: true })
  }

  async #start(death: Death | undefined): Promise<RunningServer> {
    const { flags } = this.#options
    this.#server = await startServerProcess({
      directory: this.#directory,
      ...(flags === undefined ? {} : { flags }),
      ...(death === undefined ? {} : { environment: deathEnvironment({ ...death, armedBy: this.#armedBy }) }),
    })
    return this.#server
  }

  #newLoad(server: RunningServer, death: Death | undefined, acknowledged: Acknowledged): Load {
    return {
      server,
      ledger: this.#ledger,
      touched: new Set(),
      attempts: new Set(),
      acknowledge: (what) => acknowledged.add(what),
      random: this.#random,
      newName: () => `object ${(this.#names += 1)}`,
      inFlight: 0,
      dying: death !== undefined,
    }
  }

  /** Arms the death, and loads the server until it is dead. */
  async #die(load: Load, death: Death | undefined, acknowledged: Acknowledged): Promise<Died> {
    const { connections } = this.#options
    await writeFile(this.#armedBy, '')
    const given = this.#given()
    const clients = Array.from({ length: connections }, (_, number) => work(load, given[number] ?? []))
    const administrator = this.#administrator.work(load.server, load.acknowledge, () => load.dying)
    const working = Promise.all([...clients, administrator])
    const died = await dieUnder(load, this.#options, death, working, acknowledged)
    await rm(this.#armedBy)
    return died
  }

  /** Some of the older objects for each client to change; those of whom something is not known yet belong to nobody. */
  #given(): readonly (readonly Promised[])[] {
    const { connections } = this.#options
    const given = Array.from({ length: connections }, (): Promised[] => [])
    const count = Math.min(this.#ledger.length, connections * givenMax)
    const chosen = new Set(Array.from({ length: count }, () => this.#random.pick(this.#ledger)))
    for (const [place, promised] of [...chosen].entries()) {
      if (promised.asked === undefined) given[place % connections]?.push(promised)
    }
    return given
  }

  /** All that is new or was changed, and some of the rest; in the end everything. */
  #toCheck({ touched }: Load, earlier: number, isLast: boolean): readonly Promised[] {
    if (isLast) return this.#ledger
    const { sampleMax } = this.#options
    const older = this.#ledger.slice(0, earlier)
    const sample = older.length <= sampleMax ? older : Array.from({ length: sampleMax }, () => this.#random.pick(older))
    return [...new Set([...this.#ledger.slice(earlier), ...touched, ...sample])]
  }

  /** What was acknowledged and is not told in the trail, and what is wrong with the trail itself. */
  async #verifyTrail(acknowledged: Acknowledged, wholly: boolean): Promise<readonly string[]> {
    if (this.#options.isAudited === false) return []
    const wrong = acknowledged.missingIn(this.#trail.next())
    return wholly && this.#server !== undefined ? [...wrong, ...(await brokenIn(this.#server))] : wrong
  }
}

/** Older objects that each client has to change. */
const givenMax = 16

/** What was acknowledged in a round, and how often. */
class Acknowledged {
  readonly #counts = new Map<string, number>()
  readonly #first = Promise.withResolvers<void>()
  readonly #all = Promise.withResolvers<void>()
  readonly #awaited: Set<string>

  /** @param awaited operations, and commands */
  constructor(awaited: readonly string[]) {
    this.#awaited = new Set(awaited)
    if (awaited.length === 0) this.#all.resolve()
  }

  /** Resolves with the first of them. */
  get begun(): Promise<void> {
    return this.#first.promise
  }

  /** Resolves when there was one of each that is awaited. */
  get hadAll(): Promise<void> {
    return this.#all.promise
  }

  add(what: string): void {
    this.#counts.set(what, (this.#counts.get(what) ?? 0) + 1)
    this.#first.resolve()
    this.#awaited.delete(operationOf(what))
    if (this.#awaited.size === 0) this.#all.resolve()
  }

  byOperation(): Readonly<Record<string, number>> {
    const sums: Record<string, number> = {}
    for (const [what, count] of this.#counts) {
      const operation = operationOf(what)
      sums[operation] = (sums[operation] ?? 0) + count
    }
    return sums
  }

  /** What a trail tells less often. */
  missingIn(told: ReadonlyMap<string, number>): readonly string[] {
    const missing = [...this.#counts].filter(([what, count]) => (told.get(what) ?? 0) < count)
    return missing.map(([what, count]) => `the trail tells ${told.get(what) ?? 0} of ${count}: ${what}`)
  }
}

/** Operations are a word, commands are two; behind them is what they were about. */
const operationOf = (what: string): string => what.slice(0, what.lastIndexOf(' '))

/** A death that does not come in this time will not come, and neither will an operation. */
const deathMs = 30_000

interface Died {
  readonly loadMs: number
  readonly inFlight: number
}

/** Waits until the server is dead under its work. Gives how long that was, and how many requests had no answer then. */
const dieUnder = async (
  load: Load,
  { loadMs: [least, most] }: KillOptions,
  death: Death | undefined,
  working: Promise<unknown>,
  { begun, hadAll }: Acknowledged,
): Promise<Died> => {
  const { server, random } = load
  // Connections take their time; an end of all work before anything was done is told by it.
  await Promise.race([begun, working])
  const beganMs = performance.now()
  const waitMs = death === undefined ? least + random.below(most - least) : deathMs
  const cancels: Cancel[] = []
  const after = (ms: number): Promise<void> =>
    new Promise((resolve) => void cancels.push(systemClock.after(ms, resolve)))
  const late = Promise.race([Promise.all([after(waitMs), hadAll]), after(deathMs)]).then(() => 'late' as const)
  const first = await Promise.race([late, working.then(() => 'dead' as const)])
  for (const cancel of cancels) cancel()
  if (first === 'dead') {
    await server.ended
    assert.equal(server.process.signalCode, 'SIGKILL', 'the server died, and of nothing else')
    return { loadMs: Math.round(performance.now() - beganMs), inFlight: load.attempts.size }
  }
  assert.equal(death, undefined, `the server lives on behind ${JSON.stringify(death)}`)
  const { inFlight } = load
  const loadMs = Math.round(performance.now() - beganMs)
  load.dying = true
  await server.kill()
  await working
  return { loadMs, inFlight }
}

const firstAnswer = async (server: RunningServer): Promise<void> => {
  await using client = createClient(server.connection)
  await client.discoverVersions()
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
