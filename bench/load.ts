/**
 * A measurement from beginning to end: objects, one look at real answers, the bare echo with the same sizes, the server, the
 * echo again. What it is not: the command line (commands/) or the generator (generator.ts).
 */
import type { ClientOptions } from '#client/client'
import { ResultStatus } from '#kmip/enums'
import { Tag } from '#kmip/tags'
import { ItemType } from '#ttlv/item'
import type { Job, Measured, Target } from './job.ts'
import { uniquePrefix } from './machine.ts'
import { pack } from './packed.ts'
import {
  defaultLoader,
  fetchOnce,
  type Keys,
  type LoaderOptions,
  makeKeys,
  preload,
  refind,
  unload,
} from './preload.ts'
import { Echo, Generator } from './processes.ts'
import { isSteady, type Row } from './report.ts'
import type { Preloaded, RequestFrame } from './scenarios/index.ts'
import { changesAtFirst, keysOf, needsObjects, type Plan, type Sample, sampleOf, type Work, workOf } from './work.ts'

/** What every measurement needs. */
export interface MeasureOptions {
  readonly connections: readonly number[]
  readonly runs: number
  /** How often a run is measured anew, at most, whose echo was not as fast behind it as before it; none when left out. */
  readonly repeatsMax?: number
  readonly pipeline: number
  /** Of each process of the load generator. */
  readonly threads: number
  readonly processes: number
  readonly warmupMs: number
  readonly durationMs: number
  readonly timeoutMs: number
  /** Messages a second, answered or not; undefined: a closed loop. */
  readonly ratePerSecond?: number
  /** Of an open loop: messages are begun together, every so many milliseconds; 0 or undefined: each at its moment. */
  readonly paceMs?: number
  /** Cores that the processes are bound to, as taskset writes them; what is not named goes where the system puts it. */
  readonly cores?: { readonly server?: string; readonly echo?: string; readonly generator?: string }
}

/** Objects that get and locate ask for. */
export interface ObjectOptions {
  readonly objectCount: number
  /** Of their names; no other measurement has it, unless it is to use the same objects. */
  readonly objectPrefix: string
  /** How many of them are asked for in turn. */
  readonly objectsUsed: number
  /** They are there already. */
  readonly reuse: boolean
  /** They stay. */
  readonly keep: boolean
}

/** What a measurement of a server needs. */
export interface LoadOptions extends MeasureOptions, ObjectOptions {
  readonly target: Target
  /** The server's process, where it is on this machine and known. */
  readonly pid?: number
  readonly frame: RequestFrame
  readonly plans: readonly Plan[]
  /** Whether the bare echo is measured beside the server. */
  readonly withLimit: boolean
}

/** Where a measurement tells how it goes on. */
export interface Progress {
  readonly say: (text: string) => void
  /** One measurement that runs: successes and failures so far. */
  readonly tick: (what: string, completed: number, failed: number) => void
}

/** The client's settings of a measurement. */
export const clientOptionsOf = (target: Target, frame: RequestFrame, timeoutMs: number): ClientOptions => ({
  ...target,
  version: frame.version,
  timeoutMs,
  ...(frame.credentials === undefined ? {} : { credentials: frame.credentials }),
})

/**
 * Measures every plan with every number of sessions, run after run, and hands each row on as it is known.
 * @throws Error when the server cannot be reached, or refuses to make the objects
 */
export const load = async (options: LoadOptions, onRow: (row: Row) => void, progress: Progress): Promise<void> => {
  const client = clientOptionsOf(options.target, options.frame, options.timeoutMs)
  const wanted = options.plans.some(needsObjects)
  const { objectCount, objectPrefix, objectsUsed } = options
  const loader: LoaderOptions = defaultLoader
  if (wanted) progress.say(options.reuse ? `finding the objects ${objectPrefix}-…` : `making ${objectCount} objects`)
  let objects: Preloaded[] = []
  let keys: Keys | undefined
  let areThere = options.reuse
  const measure = async (): Promise<void> => {
    if (wanted)
      objects = options.reuse
        ? await refind(client, objectCount, objectPrefix, objectsUsed, loader)
        : await preload(
            client,
            objectCount,
            objectPrefix,
            objectsUsed,
            loader,
            (done) => progress.say(`${done} made`),
            () => void (areThere = true),
          )
    if (options.plans.some(changesAtFirst)) await fetchOnce(client, objects)
    keys = await makeKeys(client, options.plans.flatMap(keysOf))
    const supplies = { objects, keys: keys.identifiers }
    const works = options.plans.map((plan) => workOf(plan, supplies, options.frame))
    await measureAll(options, works, onRow, progress)
  }
  const removeObjects = async (): Promise<void> => {
    if (!wanted || !areThere) return
    if (options.keep) {
      progress.say(`${objectCount} objects stay: --reuse ${objectPrefix} --objects ${objectCount}`)
    } else if (!options.reuse) {
      progress.say(`destroying ${objectCount} objects`)
      await unload(client, objectCount, objectPrefix, objects, loader)
    }
  }
  await allOf([measure, async () => keys?.destroy(), removeObjects], (error) =>
    progress.say(`objects named ${objectPrefix}-… may be left on the server: ${String(error)}`),
  )
}

/**
 * Does all steps, whatever became of those before: what was made is removed even if the measurement failed.
 * @param onFurther told of errors behind the first one
 * @throws the first error
 */
const allOf = async (steps: readonly (() => Promise<void>)[], onFurther: (error: unknown) => void): Promise<void> => {
  const errors: unknown[] = []
  for (const step of steps) await step().catch((error: unknown) => errors.push(error))
  const [first, ...further] = errors
  for (const error of further) onFurther(error)
  if (errors.length > 0) throw first
}

/** Starts the processes of the load generator. */
export const newGenerator = ({ threads, processes, cores }: MeasureOptions): Generator =>
  new Generator(threads, processes, cores?.generator)

const measureAll = async (
  options: LoadOptions,
  works: readonly Work[],
  onRow: (row: Row) => void,
  progress: Progress,
): Promise<void> => {
  const generator = newGenerator(options)
  try {
    for (const work of works) {
      const { target, timeoutMs } = options
      const sample = await sampleOf(target, timeoutMs, work, options.objectPrefix, progress.say)
      const echo = options.withLimit ? await Echo.startBeside(sample, target, options.cores?.echo) : undefined
      try {
        await warmUp(generator, options, work, target)
        for (const connections of options.connections) {
          const beside = { work, sample, target, pid: options.pid, echo }
          await measureBeside(generator, options, connections, beside, onRow, progress)
        }
      } finally {
        await echo?.stop()
      }
    }
  } finally {
    await generator.stop()
  }
}

/** A case with its echo. */
export interface Beside {
  readonly work: Work
  readonly sample: Sample
  readonly target: Target
  readonly pid: number | undefined
  readonly echo: Echo | undefined
}

/**
 * Measures one case some times, and the echo before the first and after each, so that every run has an echo on both sides. A run
 * between two echoes that differ tells of the machine: it is measured anew, so often as the options allow for the case.
 */
export const measureBeside = async (
  generator: Generator,
  options: MeasureOptions,
  connections: number,
  { work, sample, target, pid, echo }: Beside,
  onRow: (row: Row) => void,
  progress: Progress,
): Promise<void> => {
  const look = (what: string, lookedAt: Work, at: Target, answerer: number | undefined): Promise<Measured> => {
    generator.onProgress = (completed, failed) => progress.tick(what, completed, failed)
    return generator.measure({ ...jobOf(options, connections, lookedAt), target: at }, answerer)
  }
  const lookAtEcho = async (): Promise<Measured | undefined> =>
    echo === undefined ? undefined : look('echo', sample.echoWork, echo.target, echo.pid)
  let limit = await lookAtEcho()
  let repeats = 0
  for (let run = 1; run <= options.runs; run += 1) {
    const measured = await look(work.name, work, target, pid)
    const limitAfter = await lookAtEcho()
    const { requestBytes, responseBytes, protocol, cipher } = sample
    const facts = { requestBytes, responseBytes, protocol, cipher }
    const row: Row = { operation: work.name, connections, run, ...facts, measured, limit, limitAfter }
    limit = limitAfter
    if (!isSteady(row) && repeats < (options.repeatsMax ?? 0)) {
      repeats += 1
      run -= 1
      continue
    }
    onRow(row)
  }
}

/** Measures the bare echo alone, with messages of these sizes. */
export const limit = async (
  options: MeasureOptions & { readonly requestBytes: number; readonly responseBytes: number },
  onRow: (row: Row) => void,
  progress: Progress,
): Promise<void> => {
  const request = blankMessage(Tag.RequestMessage, options.requestBytes)
  const response = blankMessage(Tag.ResponseMessage, options.responseBytes)
  const work = workOfRequest('bare echo', request)
  const facts = { protocol: 'TLSv1.3', cipher: 'TLS_AES_256_GCM_SHA384' } as const
  const generator = newGenerator(options)
  const echo = await Echo.start({ responses: [response], ...facts }, options.cores?.echo)
  generator.onProgress = (completed, failed) => progress.tick('echo', completed, failed)
  try {
    await warmUp(generator, options, work, echo.target)
    for (let run = 1; run <= options.runs; run += 1) {
      for (const connections of options.connections) {
        const measured = await generator.measure(
          { ...jobOf(options, connections, work), target: echo.target },
          echo.pid,
        )
        const sizes = { requestBytes: request.length, responseBytes: response.length }
        onRow({ operation: work.name, connections, run, ...sizes, ...facts, measured, limit: undefined })
      }
    }
  } finally {
    await echo.stop()
    await generator.stop()
  }
}

/** One request, over and over. */
export const workOfRequest = (name: string, request: Uint8Array): Work => ({
  name,
  steps: [{ name, items: 1, requests: pack([request]) }],
  cycle: [0],
  scripted: false,
})

/** A job whose result is dropped: the first case would otherwise pay for code that is not compiled yet. */
export const warmUp = async (
  generator: Generator,
  options: MeasureOptions,
  work: Work,
  target: Target,
): Promise<void> => {
  const { ratePerSecond: _, ...closed } = options
  await generator.measure({
    ...jobOf(closed, Math.max(...options.connections), work),
    target,
    durationMs: options.warmupMs,
  })
}

const slicesMax = 600
const sliceMsMin = 100

/** The job of a case, for any target. */
export const jobOf = (options: MeasureOptions, connections: number, work: Work): Omit<Job, 'target'> => ({
  connections,
  pipeline: options.pipeline,
  warmupMs: options.warmupMs,
  durationMs: options.durationMs,
  timeoutMs: options.timeoutMs,
  ...(options.ratePerSecond === undefined ? {} : { ratePerSecond: options.ratePerSecond }),
  ...(options.paceMs === undefined ? {} : { paceMs: options.paceMs }),
  sliceMs: Math.max(sliceMsMin, Math.ceil(options.durationMs / slicesMax)),
  namePrefix: uniquePrefix(),
  steps: work.steps,
  cycle: work.cycle,
  scripted: work.scripted,
})

/** A message of about a size: one item, which succeeds and has a payload that no version knows. */
const blankMessage = (tag: number, size: number): Uint8Array => {
  const padded = Math.max(blankSizeMin, Math.ceil(size / 8) * 8)
  const message = Buffer.alloc(padded)
  const start = (at: number, itemTag: number, type: number, length: number): void => {
    message.writeUInt32BE(itemTag * 256 + type, at)
    message.writeUInt32BE(length, at + 4)
  }
  start(0, tag, ItemType.Structure, padded - 8)
  start(8, Tag.BatchItem, ItemType.Structure, padded - 16)
  start(16, Tag.ResultStatus, ItemType.Enumeration, 4)
  message.writeUInt32BE(ResultStatus.Success, 24)
  if (padded > blankSizeMin) start(blankSizeMin, Tag.ResponsePayload, ItemType.Structure, padded - blankSizeMin - 8)
  return message
}

const blankSizeMin = 32
