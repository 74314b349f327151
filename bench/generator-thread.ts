/**
 * One thread of the load generator: opens its sessions, then keeps them busy for a while and counts. What it is not: the
 * choice of what to ask (scenarios/), or a report.
 *
 * Closed loop: a session asks again when it is answered, so a slow server is asked less, and the latencies are those of a
 * server that is as busy as its clients can make it. Open loop: messages begin at a rate, answered or not, and a latency
 * counts from the moment at which the message should have begun, so that a server that stalls cannot hide it.
 */
import type { RecordableHistogram } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { parentPort } from 'node:worker_threads'
import { encodeRequest } from '#client/client'
import { isSuccess } from './answer-status.ts'
import { latencyHistogram } from './distribution.ts'
import type { Job, Step } from './job.ts'
import { identifierIn, refusalIn } from './outcome.ts'
import { packedAt, packedCount } from './packed.ts'
import { filled } from './template.ts'
import { type Exchange, Wire, type WireSession } from './wire-session.ts'

/** A thread's share of a job. */
export interface ThreadJob {
  readonly job: Job
  /** Which one of how many threads of all processes: each starts elsewhere in the requests. */
  readonly index: number
  readonly of: number
}

/** What a thread reports: that its sessions are open, how it goes on, and what it counted. */
export type ThreadAnswer =
  | { readonly kind: 'ready' }
  | { readonly kind: 'progress'; readonly completed: number; readonly failed: number }
  | { readonly kind: 'failure'; readonly text: string }
  | {
      readonly kind: 'counted'
      readonly steps: readonly {
        readonly histogram: RecordableHistogram
        readonly errors: Readonly<Record<string, number>>
      }[]
      readonly elapsedMs: number
      readonly completedSlices: readonly number[]
      readonly failedSlices: readonly number[]
    }

/** The counters of one kind of message. */
class StepCounters {
  readonly histogram = latencyHistogram()
  readonly errors: Record<string, number> = {}
  /** The next request of the kind. */
  next: number

  constructor(next: number) {
    this.next = next
  }
}

/** The counters of one measurement: of a closed loop what ends between the two times, of an open one what was to begin. */
class Counters {
  readonly steps: readonly StepCounters[]
  readonly completedSlices: number[] = []
  readonly failedSlices: number[] = []
  readonly #sliceMs: number
  readonly #isOpen: boolean
  startMs = Number.POSITIVE_INFINITY
  endMs = Number.POSITIVE_INFINITY
  /** Of an open loop: when the newest message that counts was answered. */
  lastMs = 0
  stopped = false
  completed = 0
  failed = 0

  constructor({ job, index, of }: ThreadJob) {
    this.#sliceMs = job.sliceMs
    this.#isOpen = job.ratePerSecond !== undefined
    this.steps = job.steps.map(
      ({ requests }) => new StepCounters(Math.floor((packedCount(requests) * index) / Math.max(1, of))),
    )
  }

  /** @param refusal why it was no success; undefined when it was one */
  count(step: number, startedMs: number, endedMs: number, refusal: string | undefined): void {
    const moment = this.#isOpen ? startedMs : endedMs
    if (moment >= this.startMs && moment < this.endMs) this.#count(step, startedMs, endedMs, refusal)
  }

  /** Counts a message that was never answered; one that was under way when the time was over too: who is silent has errors. */
  countUnanswered(step: number, startedMs: number, endedMs: number, name: string): void {
    const wasUnderWay = !this.#isOpen && startedMs < this.endMs && endedMs >= this.endMs
    if (wasUnderWay) this.#count(step, startedMs, endedMs, name)
    else this.count(step, startedMs, endedMs, name)
  }

  #count(step: number, startedMs: number, endedMs: number, refusal: string | undefined): void {
    const counters = this.steps[step]
    if (counters === undefined) return
    if (this.#isOpen && endedMs > this.lastMs) this.lastMs = endedMs
    const slice = Math.floor((endedMs - this.startMs) / this.#sliceMs)
    if (refusal === undefined) {
      counters.histogram.record(Math.max(1, Math.round((endedMs - startedMs) * 1e6)))
      this.completed += 1
      this.completedSlices[slice] = (this.completedSlices[slice] ?? 0) + 1
    } else {
      counters.errors[refusal] = (counters.errors[refusal] ?? 0) + 1
      this.failed += 1
      this.failedSlices[slice] = (this.failedSlices[slice] ?? 0) + 1
    }
  }
}

/** What stands for `{id}` and `{name}` in a session's messages. */
interface Words {
  id: string
  name: string
}

/** The messages of a step, as sockets take them: made once, so that sending makes nothing. */
type Messages = readonly Buffer[]

const messagesOf = ({ requests }: Step): Messages =>
  Array.from({ length: packedCount(requests) }, (_, index) => {
    const bytes = packedAt(requests, index)
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  })

const bytesOf = (step: Step, messages: Messages, counters: StepCounters, words: Words): Buffer => {
  if (step.template !== undefined) return Buffer.from(encodeRequest(filled(step.template, words)))
  const bytes = messages[counters.next % messages.length]
  counters.next += 1
  if (bytes === undefined) throw new TypeError(`there is no request of ${step.name}`)
  return bytes
}

/** One request after the other on a session, until the counters say stop: its own exchange, over and over. */
class Lane implements Exchange {
  readonly #session: WireSession
  readonly #job: Job
  readonly #messages: readonly Messages[]
  readonly #counters: Counters
  readonly #number: string
  readonly #words: Words
  readonly #ended = Promise.withResolvers<void>()
  #at: number
  #turn = 0
  /** The step that is asked for, and since when. */
  #index = 0
  #startMs = 0

  constructor(
    session: WireSession,
    number: string,
    start: number,
    job: Job,
    messages: readonly Messages[],
    counters: Counters,
  ) {
    this.#session = session
    this.#number = number
    this.#at = start
    this.#job = job
    this.#messages = messages
    this.#counters = counters
    this.#words = { id: '', name: `${job.namePrefix}-${number}-0` }
  }

  /** Begins. Resolves when the counters said stop and the last answer has come. */
  run(): Promise<void> {
    this.#next(performance.now())
    return this.#ended.promise
  }

  answered(bytes: Buffer, from: number, to: number): void {
    const nowMs = performance.now()
    const refusal = isSuccess(bytes, from, to) ? undefined : (refusalIn(bytes.subarray(from, to)) ?? 'no items')
    this.#counters.count(this.#index, this.#startMs, nowMs, refusal)
    if (this.#job.scripted) {
      if (refusal === undefined) this.#words.id = identifierIn(bytes.subarray(from, to)) ?? this.#words.id
      else this.#skip()
    }
    this.#at += 1
    this.#next(nowMs)
  }

  failed(name: string): void {
    const nowMs = performance.now()
    this.#counters.countUnanswered(this.#index, this.#startMs, nowMs, name)
    if (this.#job.scripted) this.#skip()
    this.#at += 1
    this.#next(nowMs)
  }

  /** What comes behind a step that failed would ask for what is not there: the script starts anew. */
  #skip(): void {
    const { length } = this.#job.cycle
    this.#at = length * Math.ceil((this.#at + 1) / length) - 1
  }

  #next(nowMs: number): void {
    if (this.#counters.stopped) return this.#ended.resolve()
    const { steps, cycle, scripted, namePrefix } = this.#job
    const turnsAt = this.#at % cycle.length
    this.#index = cycle[turnsAt] ?? 0
    if (scripted && turnsAt === 0) {
      this.#turn += 1
      this.#words.name = `${namePrefix}-${this.#number}-${this.#turn}`
    }
    const step = steps[this.#index]
    const counters = this.#counters.steps[this.#index]
    const messages = this.#messages[this.#index]
    if (step === undefined || counters === undefined || messages === undefined) return this.#ended.resolve()
    const bytes = bytesOf(step, messages, counters, this.#words)
    this.#startMs = nowMs
    this.#session.send(bytes, this, nowMs)
  }
}

/** Begins messages at the job's rate, each on the next session, until the counters say stop; then waits for the answers. */
const openLoop = async (
  threadJob: ThreadJob,
  sessions: readonly WireSession[],
  ratePerSecond: number,
  allMessages: readonly Messages[],
  counters: Counters,
): Promise<void> => {
  const { job, index: thread, of } = threadJob
  const { steps, cycle } = job
  const intervalMs = 1000 / ratePerSecond
  const words: Words = { id: '', name: '' }
  let number = thread
  let unanswered = 0
  const allAnswered = Promise.withResolvers<void>()
  const ended = (): void => {
    unanswered -= 1
    if (counters.stopped && unanswered === 0) allAnswered.resolve()
  }
  const begin = (intendedMs: number): void => {
    const index = cycle[number % cycle.length] ?? 0
    const step = steps[index]
    const stepCounters = counters.steps[index]
    const messages = allMessages[index]
    const session = sessions[number % sessions.length]
    number += 1
    if (step === undefined || stepCounters === undefined || messages === undefined || session === undefined) return
    unanswered += 1
    const exchange: Exchange = {
      answered(bytes, from, to) {
        const refusal = isSuccess(bytes, from, to) ? undefined : (refusalIn(bytes.subarray(from, to)) ?? 'no items')
        counters.count(index, intendedMs, performance.now(), refusal)
        ended()
      },
      failed(name) {
        counters.countUnanswered(index, intendedMs, performance.now(), name)
        ended()
      },
    }
    session.send(bytesOf(step, messages, stepCounters, words), exchange, performance.now())
  }
  // Threads of all processes take turns within an interval.
  const originMs = performance.now()
  let dueMs = originMs + (intervalMs * thread) / Math.max(1, of)
  const paceMs = job.paceMs ?? 0
  const momentOf = (atMs: number): number =>
    paceMs === 0 ? atMs : originMs + Math.ceil((atMs - originMs) / paceMs) * paceMs
  const turn = (): void => {
    if (counters.stopped) {
      if (unanswered === 0) allAnswered.resolve()
      return
    }
    const nowMs = performance.now()
    for (let moment = momentOf(dueMs); moment <= nowMs; moment = momentOf(dueMs)) {
      begin(moment)
      dueMs += intervalMs
    }
    // A timer is a millisecond late at best: near the time, the thread looks at the clock instead, unless it is to leave the core.
    const leftMs = momentOf(dueMs) - performance.now()
    if (paceMs > 0) setTimeout(turn, Math.max(1, leftMs))
    else if (leftMs > 3) setTimeout(turn, 1)
    else setImmediate(turn)
  }
  turn()
  await allAnswered.promise
}

const progressMs = 1000

const run = async (threadJob: ThreadJob, sessions: readonly WireSession[]): Promise<ThreadAnswer> => {
  const { job, index, of } = threadJob
  const counters = new Counters(threadJob)
  const rate = job.ratePerSecond
  const messages = job.steps.map(messagesOf)
  const work =
    rate === undefined
      ? sessions.flatMap((session, at) =>
          Array.from({ length: job.pipeline }, (_, depth) => {
            const number = at * job.pipeline + depth
            // Sessions of a mix start all over the cycle, with a stride that has no part in its length.
            const start = job.scripted ? 0 : (number * of + index) * 37
            return new Lane(session, `${index}-${number}`, start, job, messages, counters).run()
          }),
        )
      : [openLoop(threadJob, sessions, rate, messages, counters)]
  await sleep(job.warmupMs)
  counters.startMs = performance.now()
  const progress = setInterval(() => {
    const { completed, failed } = counters
    port.postMessage({ kind: 'progress', completed, failed } satisfies ThreadAnswer)
  }, progressMs)
  await sleep(job.durationMs)
  clearInterval(progress)
  counters.endMs = performance.now()
  counters.stopped = true
  await Promise.all(work)
  const { startMs, endMs, lastMs } = counters
  return {
    kind: 'counted',
    steps: counters.steps.map(({ histogram, errors }) => ({ histogram, errors })),
    // What an open loop began is all answered, which may have taken longer.
    elapsedMs: Math.max(endMs, lastMs) - startMs,
    completedSlices: dense(counters.completedSlices),
    failedSlices: dense(counters.failedSlices),
  }
}

const dense = (counts: readonly number[]): number[] => Array.from(counts, (count) => count ?? 0)

/** How many sessions are opened at once. */
const openingMax = 16

/** Has one request answered on a session, whatever the answer is. @throws Error when there is none */
const greet = (session: WireSession, request: Buffer): Promise<void> =>
  new Promise((resolve, reject) => {
    const failed = (name: string, cause?: Error): void =>
      reject(new Error(`a session cannot be opened: ${name}`, cause === undefined ? undefined : { cause }))
    session.send(request, { answered: () => resolve(), failed }, performance.now())
  })

/** Opens the sessions with one request each, a few at a time, so that no handshake falls into the measurement. */
const open = async ({ job }: ThreadJob): Promise<Wire> => {
  const { target, pipeline, timeoutMs, namePrefix, connections } = job
  const first = job.steps[0]
  if (first === undefined) throw new TypeError('a job without a step')
  const request =
    first.template === undefined
      ? Buffer.from(packedAt(first.requests, 0))
      : Buffer.from(encodeRequest(filled(first.template, { id: '', name: `${namePrefix}-first` })))
  const wire = new Wire({ target, pipelineMax: pipeline, timeoutMs, nowMs: () => performance.now() })
  try {
    while (wire.sessions.length < connections) {
      const some = Array.from({ length: Math.min(openingMax, connections - wire.sessions.length) }, () =>
        wire.session(),
      )
      await Promise.all(some.map((session) => greet(session, request)))
    }
  } catch (error) {
    wire.close()
    throw error
  }
  return wire
}

const parent = parentPort
if (parent === null) throw new Error('this is a thread of the load generator; run bench/main.ts')
const port = parent

let opened: { readonly threadJob: ThreadJob; readonly wire: Wire } | undefined

/** A job is told in two steps, so that all threads start counting together: the job itself, then `go`. */
const handle = async (message: ThreadJob | 'go'): Promise<ThreadAnswer> => {
  if (message !== 'go') {
    opened = { threadJob: message, wire: await open(message) }
    return { kind: 'ready' }
  }
  if (opened === undefined) throw new Error('go came before the job')
  const { threadJob, wire } = opened
  try {
    return await run(threadJob, wire.sessions)
  } finally {
    wire.close()
  }
}

port.on('message', (message: ThreadJob | 'go') => {
  handle(message).then(
    (answer) => port.postMessage(answer),
    (error: unknown) => port.postMessage({ kind: 'failure', text: describe(error) } satisfies ThreadAnswer),
  )
})

/** An error and what caused it, in one line. */
const describe = (error: unknown): string => {
  if (!(error instanceof Error)) return String(error)
  return error.cause === undefined ? error.message : `${error.message}: ${describe(error.cause)}`
}
