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
import { Transport } from '#client/transport'
import { latencyHistogram } from './distribution.ts'
import type { Job, Step } from './job.ts'
import { identifierIn, refusalIn } from './outcome.ts'
import { packedAt, packedCount } from './packed.ts'
import { filled } from './template.ts'

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
  /** When the newest message that counts was answered. */
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
    if (moment < this.startMs || moment >= this.endMs) return
    const counters = this.steps[step]
    if (counters === undefined) return
    if (endedMs > this.lastMs) this.lastMs = endedMs
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

const bytesOf = (step: Step, counters: StepCounters, words: Words): Uint8Array => {
  if (step.template !== undefined) return encodeRequest(filled(step.template, words))
  counters.next += 1
  return packedAt(step.requests, counters.next - 1)
}

const nameOf = (error: unknown): string => (error instanceof Error ? error.name : 'unknown')

/** One request after the other, until the counters say stop. */
const lane = async (transport: Transport, number: string, start: number, job: Job, counters: Counters) => {
  const { steps, cycle, scripted } = job
  const words: Words = { id: '', name: `${job.namePrefix}-${number}-0` }
  let turn = 0
  for (let at = start; !counters.stopped; at += 1) {
    const index = cycle[at % cycle.length] ?? 0
    const step = steps[index]
    const stepCounters = counters.steps[index]
    if (step === undefined || stepCounters === undefined) return
    if (scripted && at % cycle.length === 0) {
      turn += 1
      words.name = `${job.namePrefix}-${number}-${turn}`
    }
    const bytes = bytesOf(step, stepCounters, words)
    const startMs = performance.now()
    let refusal: string | undefined
    try {
      const response = await transport.send(bytes)
      refusal = refusalIn(response)
      counters.count(index, startMs, performance.now(), refusal)
      if (scripted && refusal === undefined) words.id = identifierIn(response) ?? words.id
    } catch (error) {
      refusal = nameOf(error)
      counters.count(index, startMs, performance.now(), refusal)
    }
    // What comes behind a step that failed would ask for what is not there.
    if (scripted && refusal !== undefined) at = cycle.length * Math.ceil((at + 1) / cycle.length) - 1
  }
}

/** Begins messages at the job's rate, each on the next session, until the counters say stop; then waits for the answers. */
const openLoop = async (
  threadJob: ThreadJob,
  transports: readonly Transport[],
  ratePerSecond: number,
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
    const transport = transports[number % transports.length]
    number += 1
    if (step === undefined || stepCounters === undefined || transport === undefined) return
    unanswered += 1
    transport.send(bytesOf(step, stepCounters, words)).then(
      (response) => {
        counters.count(index, intendedMs, performance.now(), refusalIn(response))
        ended()
      },
      (error: unknown) => {
        counters.count(index, intendedMs, performance.now(), nameOf(error))
        ended()
      },
    )
  }
  // Threads of all processes take turns within an interval.
  let dueMs = performance.now() + (intervalMs * thread) / Math.max(1, of)
  const turn = (): void => {
    if (counters.stopped) {
      if (unanswered === 0) allAnswered.resolve()
      return
    }
    for (const now = performance.now(); dueMs <= now; dueMs += intervalMs) begin(dueMs)
    // A timer is a millisecond late at best: near the time, the thread looks at the clock instead.
    if (dueMs - performance.now() > 3) setTimeout(turn, 1)
    else setImmediate(turn)
  }
  turn()
  await allAnswered.promise
}

const progressMs = 1000

const run = async (threadJob: ThreadJob, transports: readonly Transport[]): Promise<ThreadAnswer> => {
  const { job, index, of } = threadJob
  const counters = new Counters(threadJob)
  const rate = job.ratePerSecond
  const work =
    rate === undefined
      ? transports.flatMap((transport, session) =>
          Array.from({ length: job.pipeline }, (_, depth) => {
            const number = session * job.pipeline + depth
            // Sessions of a mix start all over the cycle, with a stride that has no part in its length.
            const start = job.scripted ? 0 : (number * of + index) * 37
            return lane(transport, `${index}-${number}`, start, job, counters)
          }),
        )
      : [openLoop(threadJob, transports, rate, counters)]
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

/** Opens the sessions with one request each, a few at a time, so that no handshake falls into the measurement. */
const open = async ({ job }: ThreadJob): Promise<Transport[]> => {
  const first = job.steps[0]
  const request =
    first === undefined || first.template === undefined
      ? packedAt(first?.requests ?? { bytes: new Uint8Array(0), ends: new Uint32Array(0) }, 0)
      : encodeRequest(filled(first.template, { id: '', name: `${job.namePrefix}-first` }))
  const transports: Transport[] = []
  while (transports.length < job.connections) {
    const some = Array.from({ length: Math.min(16, job.connections - transports.length) }, () => {
      const { target, pipeline, timeoutMs } = job
      return new Transport({ ...target, timeoutMs, pipelineMax: pipeline, queueMax: 100_000 })
    })
    transports.push(...some)
    await Promise.all(some.map((transport) => transport.send(request)))
  }
  return transports
}

const parent = parentPort
if (parent === null) throw new Error('this is a thread of the load generator; run bench/main.ts')
const port = parent

let opened: { readonly threadJob: ThreadJob; readonly transports: readonly Transport[] } | undefined

/** A job is told in two steps, so that all threads start counting together: the job itself, then `go`. */
const handle = async (message: ThreadJob | 'go'): Promise<ThreadAnswer> => {
  if (message !== 'go') {
    opened = { threadJob: message, transports: await open(message) }
    return { kind: 'ready' }
  }
  if (opened === undefined) throw new Error('go came before the job')
  const { threadJob, transports } = opened
  const answer = await run(threadJob, transports)
  for (const transport of transports) transport.destroy()
  return answer
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
