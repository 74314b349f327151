/**
 * The same load on servers that differ in their flags, a fraction of a second each, in turn. What it is: ratios for what a setting
 * costs, on a machine whose speed changes from minute to minute and with servers that differ from start to start: so they are all
 * loaded within seconds, and all are started anew a few times. What it is not: how fast a server is (load.ts).
 */
import { isSuccess } from './answer-status.ts'
import { interruption } from './interruption.ts'
import { clientOptionsOf } from './load.ts'
import { nowMs, processorMs, sleep, uniquePrefix } from './machine.ts'
import { type OwnServer, startOwnServer } from './own-server.ts'
import { packedAt, packedCount } from './packed.ts'
import { defaultLoader, fetchOnce, makeKeys, preload } from './preload.ts'
import { median } from './report.ts'
import type { RequestFrame } from './scenarios/index.ts'
import { type Exchange, Wire, type WireSession } from './wire-session.ts'
import { changesAtFirst, keysOf, needsObjects, type Plan, type Work, workOf } from './work.ts'

export interface VersusOptions {
  /** Flags of each server; the others are told as ratios to the first. */
  readonly variants: readonly (readonly string[])[]
  readonly plan: Plan
  readonly frame: RequestFrame
  /** Sessions with each server. */
  readonly connections: number
  readonly objectCount: number
  /** How often all servers are started anew. */
  readonly starts: number
  /** How often each of them has its turn, of those. */
  readonly turns: number
  readonly turnMs: number
  /** Of each server, in two halves, before any turn counts. */
  readonly warmupMs: number
  readonly timeoutMs: number
}

/** A server, as it did after one start. */
export interface VersusRow {
  /** Counts from 1. */
  readonly start: number
  /** Place of its flags in the options. */
  readonly variant: number
  /** Messages answered with success a second: the median of its turns. */
  readonly ratePerSecond: number
  /** Processor time of its process for such a message, over all turns; undefined where the system does not tell. */
  readonly processorUs: number | undefined
  /** Messages that were no success, in its turns. */
  readonly failed: number
}

/** Behind the end of a turn, what is under way comes to its end; behind the beginning of the next, all sessions are busy again. */
const restMs = 60
const settleMs = 80

/** Loads all variants, start after start, and hands each row on as it is known. @throws Error when one cannot be started or reached */
export const measureVersus = async (options: VersusOptions, onRow: (row: VersusRow) => void): Promise<void> => {
  for (let start = 1; start <= options.starts; start += 1) {
    const sides: Side[] = []
    try {
      for (const flags of options.variants) sides.push(await Side.start(flags, options))
      for (const side of [...sides, ...sides]) await side.turn(0, options.warmupMs / 2)
      for (const side of sides) side.forget()
      for (let turn = 0; turn < options.turns; turn += 1) {
        // Each comes behind each of the others as often.
        for (let place = 0; place < sides.length; place += 1) {
          interruption.throwIfAborted()
          await sides[(place + turn) % sides.length]?.turn(settleMs, options.turnMs)
        }
      }
      for (const [variant, side] of sides.entries()) onRow({ start, variant, ...side.counted() })
    } finally {
      for (const side of sides) await side.stop()
    }
  }
}

/** Of a variant over all starts: the median, lowest and highest of its ratio to the first one in the same start. */
export const ratiosOf = (
  rows: readonly VersusRow[],
  variant: number,
  of: (row: VersusRow) => number | undefined,
): { readonly median: number; readonly lowest: number; readonly highest: number } | undefined => {
  const ratios = rows
    .filter((row) => row.variant === variant)
    .map((row) => {
      const first = rows.find((other) => other.start === row.start && other.variant === 0)
      const [value, base] = [of(row), first && of(first)]
      return value === undefined || base === undefined || base === 0 ? Number.NaN : value / base
    })
  if (ratios.length === 0 || ratios.some(Number.isNaN)) return undefined
  return { median: median(ratios), lowest: Math.min(...ratios), highest: Math.max(...ratios) }
}

/** One server with its sessions, which ask while it has its turn. */
class Side {
  readonly #server: OwnServer
  readonly #wire: Wire
  readonly #work: Work
  readonly #messages: readonly (readonly Buffer[])[]
  readonly #next: number[]
  readonly #rates: number[] = []
  #parked: Lane[] = []
  #hasTurn = false
  #answered = 0
  #failed = 0
  #countedMs = 0
  #counted = 0
  #isKnown = true

  private constructor(server: OwnServer, work: Work, { connections, timeoutMs }: VersusOptions) {
    this.#server = server
    this.#work = work
    this.#messages = work.steps.map(({ requests }) =>
      Array.from({ length: packedCount(requests) }, (_, index) => Buffer.from(packedAt(requests, index))),
    )
    this.#next = work.steps.map(() => 0)
    this.#wire = new Wire({ target: server.target, pipelineMax: 1, timeoutMs, nowMs })
    // Sessions of a mix start all over the cycle, with a stride that has no part in its length.
    for (let number = 0; number < connections; number += 1) {
      this.#parked.push(new Lane(this, this.#wire.session(), number * 37))
    }
  }

  static async start(flags: readonly string[], options: VersusOptions): Promise<Side> {
    const { plan, frame, objectCount, timeoutMs } = options
    const server = await startOwnServer(flags)
    try {
      const client = clientOptionsOf(server.target, frame, timeoutMs)
      const objects = needsObjects(plan)
        ? await preload(client, objectCount, uniquePrefix(), objectCount, defaultLoader, () => undefined)
        : []
      if (changesAtFirst(plan)) await fetchOnce(client, objects)
      const keys = await makeKeys(client, keysOf(plan))
      return new Side(server, workOf(plan, { objects, keys: keys.identifiers }, frame), options)
    } catch (error) {
      await server.stop()
      throw error
    }
  }

  /** Is loaded for so long, of which the first part does not count. */
  async turn(beforeMs: number, turnMs: number): Promise<void> {
    this.#hasTurn = true
    const parked = this.#parked
    this.#parked = []
    for (const lane of parked) lane.ask()
    await sleep(beforeMs)
    const [answered, beganMs, processorBeganMs] = [this.#answered, nowMs(), processorMs(this.#server.pid)]
    await sleep(turnMs)
    const done = this.#answered - answered
    const processorEndedMs = processorMs(this.#server.pid)
    this.#rates.push((done * 1000) / (nowMs() - beganMs))
    this.#hasTurn = false
    await sleep(restMs)
    this.#counted += done
    if (processorBeganMs === undefined || processorEndedMs === undefined) this.#isKnown = false
    else this.#countedMs += processorEndedMs - processorBeganMs
  }

  /** What was counted so far counts no more. */
  forget(): void {
    this.#rates.length = 0
    this.#counted = 0
    this.#countedMs = 0
    this.#failed = 0
  }

  counted(): Pick<VersusRow, 'ratePerSecond' | 'processorUs' | 'failed'> {
    const processorUs = this.#isKnown && this.#counted > 0 ? (this.#countedMs * 1000) / this.#counted : undefined
    return { ratePerSecond: median(this.#rates), processorUs, failed: this.#failed }
  }

  async stop(): Promise<void> {
    this.#wire.close()
    await this.#server.stop()
  }

  /** For a lane: the next message, by its place in the cycle; undefined: it is not this server's turn, and the lane waits. */
  nextFor(lane: Lane, at: number): Buffer | undefined {
    if (!this.#hasTurn) {
      this.#parked.push(lane)
      return undefined
    }
    const step = this.#work.cycle[at % this.#work.cycle.length] ?? 0
    const messages = this.#messages[step] ?? []
    const next = this.#next[step] ?? 0
    this.#next[step] = next + 1
    return messages[next % messages.length]
  }

  count(isSuccessful: boolean): void {
    if (isSuccessful) this.#answered += 1
    else this.#failed += 1
  }
}

/** One request after the other on a session, while its server has its turn. */
class Lane implements Exchange {
  readonly #side: Side
  readonly #session: WireSession
  #at: number

  constructor(side: Side, session: WireSession, at: number) {
    this.#side = side
    this.#session = session
    this.#at = at
  }

  ask(): void {
    const bytes = this.#side.nextFor(this, this.#at)
    if (bytes === undefined) return
    this.#at += 1
    this.#session.send(bytes, this, nowMs())
  }

  answered(bytes: Buffer, from: number, to: number): void {
    this.#side.count(isSuccess(bytes, from, to))
    this.ask()
  }

  failed(): void {
    this.#side.count(false)
    this.ask()
  }
}
