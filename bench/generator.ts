/**
 * The load generator's process: shares a job among its threads and adds up what they counted. What it is not: part of the
 * process that reports, whose work would show in the latencies.
 */
import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import type { ThreadAnswer, ThreadJob } from './generator-thread.ts'
import type { GeneratorAnswer, Job, Measured } from './job.ts'

type Counted = Extract<ThreadAnswer, { kind: 'counted' }>

const ask = async (worker: Worker, message: ThreadJob | 'go'): Promise<ThreadAnswer> => {
  worker.postMessage(message, [])
  const [answer] = (await once(worker, 'message')) as [ThreadAnswer]
  if (answer.kind === 'failure') throw new Error(answer.text)
  return answer
}

/** As even as it goes, none left out. */
const shares = (total: number, count: number): number[] =>
  Array.from({ length: count }, (_, index) => Math.floor(total / count) + (index < total % count ? 1 : 0))

const measure = async (job: Job, workers: readonly Worker[]): Promise<Measured> => {
  const busy = workers.slice(0, job.connections)
  const connections = shares(job.connections, busy.length)
  const first = connections.map(
    (_, index) => connections.slice(0, index).reduce((sum, count) => sum + count, 0) * job.pipeline,
  )
  await Promise.all(
    busy.map((worker, index) =>
      ask(worker, { job: { ...job, connections: connections[index] ?? 0 }, firstRequest: first[index] ?? 0 }),
    ),
  )
  const answers = await Promise.all(busy.map((worker) => ask(worker, 'go')))
  return merge(answers.filter((answer): answer is Counted => answer.kind === 'counted'))
}

const merge = (counted: readonly Counted[]): Measured => {
  const [first, ...others] = counted
  if (first === undefined) throw new Error('no thread counted')
  const { histogram } = first
  for (const other of others) histogram.add(other.histogram)
  const errors: Record<string, number> = {}
  for (const entry of counted) for (const [name, count] of entry.errors) errors[name] = (errors[name] ?? 0) + count
  return {
    completed: histogram.count,
    errors,
    elapsedMs: Math.max(...counted.map((entry) => entry.elapsedMs)),
    latency: {
      mean: histogram.count === 0 ? 0 : histogram.mean,
      p50: histogram.percentile(50),
      p90: histogram.percentile(90),
      p99: histogram.percentile(99),
      p999: histogram.percentile(99.9),
      max: histogram.max,
    },
  }
}

const threads = Math.max(1, Number(process.argv[2] ?? '1'))
const workers = Array.from({ length: threads }, () => new Worker(new URL('./generator-thread.ts', import.meta.url)))

process.on('message', (job: Job) => {
  measure(job, workers).then(
    (measured) => process.send?.({ measured } satisfies GeneratorAnswer),
    (error: unknown) =>
      process.send?.({ failure: error instanceof Error ? error.message : String(error) } satisfies GeneratorAnswer),
  )
})
// The process lives as long as the one that started it.
process.on('disconnect', () => process.exit())
