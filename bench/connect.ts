/**
 * Sessions as such: how many handshakes a second, and what an idle session costs the server, each beside a bare TLS server
 * that asks for the same client certificates. What it is not: what is done on sessions (load.ts).
 */
import { v1_1 } from '#kmip/versions'
import type { Handshakes, Target } from './job.ts'
import { workOfRequest } from './load.ts'
import { residentBytes, sleep } from './machine.ts'
import { Connector, Echo } from './processes.ts'
import { type RequestFrame, requestsOf, type ScenarioName, scenarioOf } from './scenarios/index.ts'
import { type Sample, sampleOf } from './work.ts'

/** What is measured. */
export interface ConnectOptions {
  readonly target: Target
  readonly frame: RequestFrame
  readonly runs: number
  /** Handshakes at once. */
  readonly lanes: number
  readonly warmupMs: number
  readonly durationMs: number
  readonly timeoutMs: number
}

/** One run of one kind of handshake. */
export interface HandshakeRow {
  readonly kind: 'full' | 'resumed'
  /** Counts from 1. */
  readonly run: number
  readonly server: Handshakes
  /** The bare server's, before and behind. */
  readonly bare: readonly [Handshakes, Handshakes]
}

/** Handshakes a second. */
export const handshakesPerSecond = ({ completed, elapsedMs }: Handshakes): number => (completed / elapsedMs) * 1000

/** The bare server's rate around a row. */
export const bareRate = ({ bare: [before, after] }: HandshakeRow): number =>
  (handshakesPerSecond(before) + handshakesPerSecond(after)) / 2

/** How near the server comes to a bare one. */
export const handshakeRatio = (row: HandshakeRow): number => handshakesPerSecond(row.server) / bareRate(row)

/** A bare server that asks for client certificates as the measured one does, and a request for both. */
interface Bare {
  readonly echo: Echo
  readonly target: Target
  readonly request: Uint8Array
}

/** The smallest request that the version has. */
const smallest = ({ version }: RequestFrame): ScenarioName => (version < v1_1 ? 'query' : 'discover-versions')

const startBare = async ({ target, frame, timeoutMs }: Pick<ConnectOptions, 'target' | 'frame' | 'timeoutMs'>) => {
  const supplies = { objects: [], keys: {}, dataSize: 0 }
  const [request = new Uint8Array(0)] = requestsOf(scenarioOf(smallest(frame)), supplies, frame, 1)
  const sample: Sample = await sampleOf(target, timeoutMs, workOfRequest('connect', request), 'connect', (text) => {
    throw new Error(text)
  })
  const echo = await Echo.startBeside(sample, target)
  return { echo, target: echo.target, request } satisfies Bare
}

/**
 * Measures handshakes, full and resumed, run after run.
 * @throws Error when the server cannot be reached
 */
export const measureHandshakes = async (
  options: ConnectOptions,
  kinds: readonly HandshakeRow['kind'][],
  onRow: (row: HandshakeRow) => void,
): Promise<void> => {
  const bare = await startBare(options)
  const connector = new Connector()
  const { lanes, warmupMs, durationMs } = options
  const look = (target: Target, kind: HandshakeRow['kind']): Promise<Handshakes> =>
    connector.handshakes({
      target,
      lanes,
      warmupMs,
      durationMs,
      // The echo finds no answer that it could choose here, and gives the only one.
      request: bare.request,
      resumed: kind === 'resumed',
    })
  try {
    for (const kind of kinds) {
      let before = await look(bare.target, kind)
      for (let run = 1; run <= options.runs; run += 1) {
        const server = await look(options.target, kind)
        const after = await look(bare.target, kind)
        onRow({ kind, run, server, bare: [before, after] })
        before = after
      }
    }
  } finally {
    await connector.stop()
    await bare.echo.stop()
  }
}

/** Resident memory of a server without sessions, and with some that do nothing. */
export interface Held {
  readonly sessions: number
  readonly beforeBytes: number
  readonly heldBytes: number
  /** To open them. */
  readonly tookMs: number
}

/** Time for a server to come to rest before its memory is read. */
const restMs = 1500

/**
 * Holds idle sessions, and reads the memory of the server's process.
 * @throws Error when a session cannot be opened, or the memory cannot be read on this machine
 */
const holdOn = async (target: Target, pid: number, request: Uint8Array, sessions: number): Promise<Held> => {
  const connector = new Connector()
  const resident = (): number => {
    const bytes = residentBytes(pid)
    if (bytes === undefined) throw new Error(`the memory of process ${pid} cannot be read: is it on this machine?`)
    return bytes
  }
  try {
    // One session first: what the first costs, no other does.
    await connector.hold({ target, request, sessions: 1 })
    await connector.release()
    const beforeBytes = resident()
    const tookMs = await connector.hold({ target, request, sessions })
    await sleep(restMs)
    return { sessions, beforeBytes, heldBytes: resident(), tookMs }
  } finally {
    await connector.stop()
  }
}

/** The memory of both servers. */
export interface HeldRow {
  readonly server: Held
  readonly bare: Held
}

/** Bytes of a session. */
export const bytesPerSession = ({ sessions, beforeBytes, heldBytes }: Held): number =>
  (heldBytes - beforeBytes) / sessions

/** Holds so many idle sessions on a server, then on a bare one that was just started. */
export const measureHeld = async (
  options: Pick<ConnectOptions, 'target' | 'frame' | 'timeoutMs'>,
  pid: number,
  sessions: number,
): Promise<HeldRow> => {
  const bare = await startBare(options)
  try {
    const server = await holdOn(options.target, pid, bare.request, sessions)
    return { server, bare: await holdOn(bare.target, bare.echo.pid, bare.request, sessions) }
  } finally {
    await bare.echo.stop()
  }
}
