/**
 * What cryptography through a server costs, and what it does to others. What it is: the two measurements, each on servers
 * of its own: operations beside the bare primitive and the bare echo; Get while others make key pairs. What it is not: the
 * command line (main.ts), or a judgement.
 */
import { createClient } from '#client/client'
import { bareLoop } from './bare-loop.ts'
import type { CryptoRow, InterferenceRow } from './crypto-report.ts'
import { jobOf, type MeasureOptions, newGenerator, warmUp, workOfRequest } from './load.ts'
import { startOwnServer } from './own-server.ts'
import { Echo } from './processes.ts'
import { operationsPerSecond } from './report.ts'
import {
  type CryptoScenarioName,
  cryptoScenarios,
  cryptoVersion,
  getRequest,
  rsaPairRequest,
} from './scenarios/crypto.ts'
import { sampleOf } from './work.ts'

export type Placement = 'auto' | 'pool'

/** What both measurements need. */
export interface CryptoOptions extends MeasureOptions {
  readonly placements: readonly Placement[]
  /** Crypto workers of the server, and threads of the bare loop. */
  readonly workers: number
  /** More flags of `serve`. */
  readonly serverFlags: readonly string[]
}

/** Runs `work` with a server of a placement, and ends the server. */
const withServer = async (
  options: CryptoOptions,
  placement: Placement,
  work: (target: Awaited<ReturnType<typeof startOwnServer>>['target']) => Promise<void>,
): Promise<void> => {
  const flags = ['--crypto-placement', placement, '--crypto-workers', String(options.workers)]
  const server = await startOwnServer([...flags, ...options.serverFlags])
  try {
    await work(server.target)
  } finally {
    await server.stop()
  }
}

/** Measures every case with every placement and number of sessions, run after run, and hands each row on as it is known. */
export const measureCrypto = async (
  options: CryptoOptions & { readonly operations: readonly CryptoScenarioName[] },
  onRow: (row: CryptoRow) => void,
): Promise<void> => {
  const generator = newGenerator(options)
  try {
    for (let run = 1; run <= options.runs; run += 1) {
      for (const name of options.operations) {
        const bare = await bareLoop(cryptoScenarios[name].primitive, options.workers, options.durationMs)
        for (const placement of options.placements) {
          await withServer(options, placement, async (target) => {
            const client = createClient({ ...target, version: cryptoVersion, timeoutMs: options.timeoutMs })
            const request = await cryptoScenarios[name].request(client).finally(() => client.transport.destroy())
            const work = workOfRequest(name, request)
            const sample = await sampleOf(target, options.timeoutMs, work, name, (text) => {
              throw new Error(text)
            })
            const echo = await Echo.startBeside(sample, target, options.cores?.echo)
            try {
              await warmUp(generator, options, work, target)
              for (const connections of options.connections) {
                const limit = await generator.measure({
                  ...jobOf(options, connections, sample.echoWork),
                  target: echo.target,
                })
                const measured = await generator.measure({ ...jobOf(options, connections, work), target })
                const echoPerSecond = operationsPerSecond(limit)
                onRow({ operation: name, placement, connections, run, measured, bare, echo: echoPerSecond })
              }
            } finally {
              await echo.stop()
            }
          })
        }
      }
    }
  } finally {
    await generator.stop()
  }
}

/** What is made meanwhile, and by how many sessions. */
export interface InterferenceOptions extends CryptoOptions {
  readonly pairBits: number
  readonly pairSessions: number
}

/** Measures Get on an idle server, then while other sessions make key pairs without pause. */
export const measureInterference = async (
  options: InterferenceOptions,
  onRow: (row: InterferenceRow) => void,
): Promise<void> => {
  const generator = newGenerator(options)
  const maker = newGenerator({ ...options, threads: 1, processes: 1 })
  try {
    for (const placement of options.placements) {
      await withServer(options, placement, async (target) => {
        const client = createClient({ ...target, version: cryptoVersion, timeoutMs: options.timeoutMs })
        const request = await getRequest(client).finally(() => client.transport.destroy())
        const work = workOfRequest('get', request)
        await warmUp(generator, options, work, target)
        for (let run = 1; run <= options.runs; run += 1) {
          for (const connections of options.connections) {
            const job = { ...jobOf(options, connections, work), target }
            const idle = await generator.measure(job)
            const pairs = maker.measure({
              ...jobOf(options, options.pairSessions, workOfRequest('pair', rsaPairRequest(options.pairBits))),
              target,
              // Busy from before the first Get that counts until after the last one.
              warmupMs: 0,
              durationMs: options.warmupMs + options.durationMs + pairsLongerMs,
            })
            // Should Get fail first, that is what is told.
            pairs.catch(() => undefined)
            const busy = await generator.measure(job)
            const { completed, elapsedMs, errors } = await pairs
            onRow({ placement, connections, run, idle, busy, pairs: { completed, elapsedMs, errors } })
          }
        }
      })
    }
  } finally {
    await generator.stop()
    await maker.stop()
  }
}

/** The sessions of both open at about the same time; those of Get are the quicker ones. */
const pairsLongerMs = 1000
