/**
 * A process of the load generator: shares its part of a job among its threads and adds up what they counted. What it is not:
 * part of the process that reports, whose work would show in the latencies.
 */
import { extname } from 'node:path'
import { Worker } from 'node:worker_threads'
import { distributionOf } from './distribution.ts'
import type { ThreadAnswer, ThreadJob } from './generator-thread.ts'
import type { GeneratorAnswer, GeneratorQuestion, Job, ProcessCounted } from './job.ts'

type Counted = Extract<ThreadAnswer, { kind: 'counted' }>

const tell = (answer: GeneratorAnswer): void => void process.send?.(answer)

const ask = (
  worker: Worker,
  message: ThreadJob | 'go',
  onProgress: (completed: number, failed: number) => void,
): Promise<ThreadAnswer> =>
  new Promise((resolve, reject) => {
    const hear = (answer: ThreadAnswer): void => {
      if (answer.kind === 'progress') return onProgress(answer.completed, answer.failed)
      worker.off('message', hear)
      if (answer.kind === 'failure') reject(new Error(answer.text))
      else resolve(answer)
    }
    worker.on('message', hear)
    worker.postMessage(message, [])
  })

/** As even as it goes. */
const share = (total: number, index: number, of: number): number =>
  Math.floor(total / of) + (index < total % of ? 1 : 0)

const noProgress = (): void => undefined

/** Opens the sessions of this process's part. Gives the threads that have some. */
const prepare = async (job: Job, first: number, of: number): Promise<Worker[]> => {
  const threads = of * workers.length
  const parts = workers.flatMap((worker, index) => {
    const number = first * workers.length + index
    const connections = share(job.connections, number, threads)
    if (connections === 0) return []
    const rate = job.ratePerSecond
    const busy = Math.min(threads, job.connections)
    const part: Job = {
      ...job,
      connections,
      ...(rate === undefined ? {} : { ratePerSecond: (rate * connections) / job.connections }),
    }
    return [{ worker, threadJob: { job: part, index: number, of: busy } satisfies ThreadJob }]
  })
  await Promise.all(parts.map(({ worker, threadJob }) => ask(worker, threadJob, noProgress)))
  return parts.map(({ worker }) => worker)
}

const measure = async (busy: readonly Worker[]): Promise<ProcessCounted> => {
  const seen = busy.map(() => ({ completed: 0, failed: 0 }))
  const answers = await Promise.all(
    busy.map((worker, index) =>
      ask(worker, 'go', (completed, failed) => {
        seen[index] = { completed, failed }
        // One line for all threads: the first of them says when.
        if (index !== 0) return
        const sum = (name: 'completed' | 'failed'): number => seen.reduce((total, entry) => total + entry[name], 0)
        tell({ kind: 'progress', completed: sum('completed'), failed: sum('failed') })
      }),
    ),
  )
  return merge(answers.filter((answer): answer is Counted => answer.kind === 'counted'))
}

/** Adds lists of counts up, place by place. */
const sums = (lists: readonly (readonly number[])[]): number[] => {
  const length = Math.max(0, ...lists.map((list) => list.length))
  return Array.from({ length }, (_, index) => lists.reduce((sum, list) => sum + (list[index] ?? 0), 0))
}

const merge = (counted: readonly Counted[]): ProcessCounted => {
  const [first, ...others] = counted
  if (first === undefined) return { steps: [], elapsedMs: 0, completedSlices: [], failedSlices: [] }
  const steps = first.steps.map(({ histogram, errors }, step) => {
    const all = { ...errors }
    for (const other of others) {
      const part = other.steps[step]
      if (part === undefined) continue
      histogram.add(part.histogram)
      for (const [name, count] of Object.entries(part.errors)) all[name] = (all[name] ?? 0) + count
    }
    return { distribution: distributionOf(histogram), errors: all }
  })
  return {
    steps,
    elapsedMs: Math.max(...counted.map((entry) => entry.elapsedMs)),
    completedSlices: sums(counted.map((entry) => entry.completedSlices)),
    failedSlices: sums(counted.map((entry) => entry.failedSlices)),
  }
}

const threads = Math.max(1, Number(process.argv[2] ?? '1'))
// TypeScript in the repository, JavaScript in a package.
const threadFile = './generator-thread.ts'.replace(/\.ts$/, extname(import.meta.filename))
const workers = Array.from({ length: threads }, () => new Worker(new URL(threadFile, import.meta.url)))
let busy: readonly Worker[] = []

const handle = async (question: GeneratorQuestion): Promise<GeneratorAnswer> => {
  if (question === 'go') return { kind: 'counted', counted: await measure(busy) }
  busy = await prepare(question.job, question.first, question.of)
  return { kind: 'ready' }
}

process.on('message', (question: GeneratorQuestion) => {
  handle(question).then(tell, (error: unknown) =>
    tell({ kind: 'failure', text: error instanceof Error ? error.message : String(error) }),
  )
})
// The process lives as long as the one that started it.
process.on('disconnect', () => process.exit())
