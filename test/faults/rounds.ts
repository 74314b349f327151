/**
 * Rounds of killing: load, SIGKILL in its midst, restart on the same data, and a look at everything that was acknowledged.
 * What it is: the harness. What it is not: a fault of the disk or the machine; what the system has taken from the process
 * survives a killed process.
 */
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '#actor/clock'
import { attribute } from '#client/attribute'
import { type Client, createClient } from '#client/client'
import { ConnectionLost } from '#client/errors'
import { CryptographicAlgorithm, CryptographicUsageMask, KeyFormatType, ObjectType, State } from '#kmip/enums'
import { type RunningServer, startServerProcess } from '#test/running-server'
import { type SeededRandom, seededRandom } from '#test/seeded-random'
import { type Promised, verify } from './ledger.ts'

export interface KillOptions {
  readonly rounds: number
  /** Clients that create objects, each on a connection of its own, one request after the other. */
  readonly connections: number
  readonly seed: number
  /** The server is killed at a random time between the two. */
  readonly loadMs: readonly [least: number, most: number]
  /** Objects of earlier rounds that each round looks at, beside its own; the last round looks at all. */
  readonly sampleMax: number
  readonly onRound?: (round: KillRound) => void
}

export interface KillRound {
  readonly round: number
  readonly loadMs: number
  /** Objects whose creation was acknowledged in this round. */
  readonly acknowledged: number
  /** Requests without an answer when the server was killed. */
  readonly inFlight: number
  /** From the restart to the first answer. */
  readonly restartMs: number
  readonly checked: number
  /** What is wrong with objects that were promised: lost, or not as they were. */
  readonly wrong: readonly string[]
}

/** @throws AssertionError when the server refuses what it should do, or does not start again */
export const killRounds = async (options: KillOptions): Promise<readonly KillRound[]> => {
  const directory = await mkdtemp(join(tmpdir(), 'kmipd-kill-'))
  const random = seededRandom(options.seed)
  const ledger: Promised[] = []
  const rounds: KillRound[] = []
  let server = await startServerProcess({ directory })
  try {
    for (let round = 1; round <= options.rounds; round += 1) {
      const earlier = ledger.length
      const { loadMs, inFlight } = await loadAndKill(server, options, random, ledger)
      const beganMs = performance.now()
      server = await startServerProcess({ directory })
      await firstAnswer(server)
      const restartMs = performance.now() - beganMs
      const own = ledger.slice(earlier)
      const others = round === options.rounds ? ledger.slice(0, earlier) : sample(ledger, earlier, options, random)
      const checked = [...own, ...others]
      const wrong = await verifyAll(server, checked)
      const result = { round, loadMs, acknowledged: own.length, inFlight, restartMs, checked: checked.length, wrong }
      options.onRound?.(result)
      rounds.push(result)
    }
    assert.equal(await server.stop(), 0, 'the server ends in good order after all that')
  } finally {
    await server.kill()
    await rm(directory, { recursive: true, force: true })
  }
  return rounds
}

interface Load {
  readonly server: RunningServer
  readonly ledger: Promised[]
  readonly random: SeededRandom
  /** Requests that are sent and not answered. */
  inFlight: number
  killed: boolean
}

const loadAndKill = async (
  server: RunningServer,
  { connections, loadMs: [least, most] }: KillOptions,
  random: SeededRandom,
  ledger: Promised[],
): Promise<{ readonly loadMs: number; readonly inFlight: number }> => {
  const load: Load = { server, ledger, random, inFlight: 0, killed: false }
  const loadMs = least + random.below(most - least)
  const workers = Array.from({ length: connections }, () => work(load))
  const working = Promise.all(workers)
  await Promise.race([new Promise<void>((resolve) => void systemClock.after(loadMs, resolve)), working])
  const { inFlight } = load
  load.killed = true
  await server.kill()
  await working
  return { loadMs, inFlight }
}

/** One client: creates objects, activates some, destroys some, until the server is gone. */
const work = async (load: Load): Promise<void> => {
  const client = createClient({ ...load.server.connection, pipelineMax: 1 })
  try {
    while (!load.killed) await oneObject(client, load)
  } catch (error) {
    // Only the kill may break a connection; whatever came before it is a finding.
    if (!load.killed || !(error instanceof ConnectionLost)) throw error
  } finally {
    client.transport.destroy()
  }
}

const oneObject = async (client: Client, load: Load): Promise<void> => {
  const material = load.random.below(2) === 0 ? load.random.bytes(32) : undefined
  const { uniqueIdentifier } = await counted(load, material === undefined ? create(client) : register(client, material))
  const promised: Promised = { uniqueIdentifier, material, state: State.PreActive, uncertain: false }
  load.ledger.push(promised)
  const fate = load.random.below(8)
  if (fate > 1 || load.killed) return
  promised.uncertain = true
  if (fate === 0) await counted(load, client.activate({ uniqueIdentifier }))
  else await counted(load, client.destroy({ uniqueIdentifier }))
  promised.state = fate === 0 ? State.Active : State.Destroyed
  promised.uncertain = false
}

const counted = async <T>(load: Load, request: Promise<T>): Promise<T> => {
  load.inFlight += 1
  try {
    return await request
  } finally {
    load.inFlight -= 1
  }
}

const keyAttributes = [
  attribute('Cryptographic Algorithm', CryptographicAlgorithm.AES),
  attribute('Cryptographic Length', 256),
  attribute('Cryptographic Usage Mask', CryptographicUsageMask.Encrypt | CryptographicUsageMask.Decrypt),
]

/** A key that the server makes. */
export const create = (client: Client): Promise<{ readonly uniqueIdentifier: string }> =>
  client.create({ objectType: ObjectType.SymmetricKey, templateAttribute: { attribute: keyAttributes } })

/** A key that the client brings. */
export const register = (client: Client, material: Buffer): Promise<{ readonly uniqueIdentifier: string }> =>
  client.register({
    objectType: ObjectType.SymmetricKey,
    templateAttribute: { attribute: keyAttributes },
    symmetricKey: {
      keyBlock: {
        keyFormatType: KeyFormatType.Raw,
        keyValue: { keyMaterial: material, attribute: [] },
        cryptographicAlgorithm: CryptographicAlgorithm.AES,
        cryptographicLength: 256,
      },
    },
  })

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
const verifyAll = async (server: RunningServer, objects: readonly Promised[]): Promise<readonly string[]> => {
  const wrong: string[] = []
  const waiting = objects.values()
  const clients = Array.from({ length: verifyingClients }, () => createClient(server.connection))
  const worker = async (client: Client): Promise<void> => {
    for (const promised of waiting) {
      const verdict = await verify(client, promised)
      if (verdict !== undefined) wrong.push(`${promised.uniqueIdentifier}: ${verdict}`)
    }
  }
  const perClient = verifyingAtOnce / verifyingClients
  await Promise.all(clients.flatMap((client) => Array.from({ length: perClient }, () => worker(client))))
  await Promise.all(clients.map((client) => client.close()))
  return wrong
}
