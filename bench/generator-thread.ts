/**
 * One thread of the load generator: opens its sessions, then keeps each of them busy for a while and counts. What it is
 * not: the choice of what to ask (scenarios/), or a report.
 *
 * Closed loop: a session asks again when it is answered, so a slow server is asked less, and the latencies are those of a
 * server that is as busy as its clients can make it.
 */
import { createHistogram, type RecordableHistogram } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { parentPort } from 'node:worker_threads'
import { Transport } from '#client/transport'
import type { Job } from './job.ts'
import { refusalIn } from './outcome.ts'

/** A thread's share of a job, and where in the requests it starts. */
export interface ThreadJob {
  readonly job: Job
  readonly firstRequest: number
}

/** What a thread reports: first that its sessions are open, then what it counted. */
export type ThreadAnswer =
  | { readonly kind: 'ready' }
  | { readonly kind: 'failure'; readonly text: string }
  | {
      readonly kind: 'counted'
      readonly histogram: RecordableHistogram
      readonly errors: Map<string, number>
      readonly elapsedMs: number
    }

/** Latencies up to ten minutes, to three digits. */
export const latencyHistogram = (): RecordableHistogram =>
  createHistogram({ lowest: 1, highest: 600_000_000_000, figures: 3 })

const nothing = new Uint8Array(0)

/** The counters of one measurement; recording starts after the warm-up and ends before the last answers are in. */
class Counters {
  recording = false
  stopped = false
  readonly histogram = latencyHistogram()
  readonly errors = new Map<string, number>()

  error(name: string): void {
    if (this.recording) this.errors.set(name, (this.errors.get(name) ?? 0) + 1)
  }
}

/** One request after the other, until the counters say stop. */
const lane = async (
  transport: Transport,
  requests: readonly Uint8Array[],
  first: number,
  stride: number,
  counters: Counters,
): Promise<void> => {
  for (let at = first; !counters.stopped; at += stride) {
    const startMs = performance.now()
    try {
      const response = await transport.send(requests[at % requests.length] ?? nothing)
      const tookMs = performance.now() - startMs
      const refusal = refusalIn(response)
      if (refusal !== undefined) counters.error(refusal)
      else if (counters.recording) counters.histogram.record(Math.max(1, Math.round(tookMs * 1e6)))
    } catch (error) {
      counters.error(error instanceof Error ? error.name : 'unknown')
    }
  }
}

const run = async ({ job, firstRequest }: ThreadJob, transports: readonly Transport[]): Promise<ThreadAnswer> => {
  const counters = new Counters()
  const { pipeline, requests } = job
  const lanes = transports.flatMap((transport, index) =>
    Array.from({ length: pipeline }, (_, depth) => {
      const number = index * pipeline + depth
      return lane(transport, requests, firstRequest + number, transports.length * pipeline, counters)
    }),
  )
  await sleep(job.warmupMs)
  counters.recording = true
  const startMs = performance.now()
  await sleep(job.durationMs)
  counters.recording = false
  const elapsedMs = performance.now() - startMs
  counters.stopped = true
  await Promise.all(lanes)
  return { kind: 'counted', histogram: counters.histogram, errors: counters.errors, elapsedMs }
}

/** Opens the sessions with one request each, a few at a time, so that no handshake falls into the measurement. */
const open = async ({ job }: ThreadJob): Promise<Transport[]> => {
  const transports: Transport[] = []
  while (transports.length < job.connections) {
    const some = Array.from({ length: Math.min(16, job.connections - transports.length) }, () => {
      const { target, pipeline, timeoutMs } = job
      return new Transport({ ...target, timeoutMs, pipelineMax: pipeline })
    })
    transports.push(...some)
    await Promise.all(some.map((transport) => transport.send(job.requests[0] ?? nothing)))
  }
  return transports
}

const port = parentPort
if (port === null) throw new Error('this is a thread of the load generator; run bench/main.ts')

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
