/**
 * The child processes of a measurement, started and ended. What it is: the generators for all jobs, an echo server for each
 * set of sizes, and the process that opens sessions. What it is not: what they do (generator.ts, echo.ts, connector.ts).
 */
import { type ChildProcess, fork, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { extname } from 'node:path'
import { type Distribution, latencyOf, mergeDistributions, percentileSeries } from './distribution.ts'
import { interruption } from './interruption.ts'
import type {
  ConnectorAnswer,
  ConnectorQuestion,
  EchoListening,
  EchoSettings,
  GeneratorAnswer,
  GeneratorQuestion,
  Handshakes,
  Job,
  Measured,
  ProcessCounted,
  StepMeasured,
  Target,
} from './job.ts'
import { processorMs, sleep } from './machine.ts'

/** @throws Error when it cannot be bound to the cores */
const start = (file: string, parameters: readonly string[], cores?: string): ChildProcess => {
  // TypeScript in the repository, JavaScript in a package.
  const program = new URL(file.replace(/\.ts$/, extname(import.meta.filename)), import.meta.url)
  // 'advanced': bytes travel as bytes.
  const child = fork(program, [...parameters], { serialization: 'advanced' })
  // A message to one that has ended is an error of nobody in particular: whoever asks it something is told of its end (answerOf).
  child.on('error', () => undefined)
  try {
    bindToCores(child.pid, cores)
  } catch (error) {
    child.kill()
    throw error
  }
  return child
}

/** The message of a child that settles a question. @throws Error when it ends instead, or the measurement is interrupted */
const answerOf = <T extends object>(child: ChildProcess, what: string, isLast: (answer: T) => boolean): Promise<T> =>
  new Promise((resolve, reject) => {
    const hear = (answer: T): void => {
      if (!isLast(answer)) return
      end()
      resolve(answer)
    }
    const exit = (code: number | null, signal: string | null): void => {
      end()
      reject(new Error(`${what} ended with ${signal ?? `exit code ${String(code)}`}`))
    }
    const fail = (cause: Error): void => {
      end()
      reject(new Error(`${what} cannot be reached`, { cause }))
    }
    const interrupt = (): void => {
      end()
      reject(interruption.reason)
    }
    const end = (): void => {
      child.off('message', hear)
      child.off('exit', exit)
      child.off('error', fail)
      interruption.removeEventListener('abort', interrupt)
    }
    if (interruption.aborted) return interrupt()
    if (child.exitCode !== null || child.signalCode !== null) return exit(child.exitCode, child.signalCode)
    child.on('message', hear)
    child.on('exit', exit)
    child.on('error', fail)
    interruption.addEventListener('abort', interrupt)
  })

const stop = async (child: ChildProcess): Promise<void> => {
  if (child.exitCode !== null || child.signalCode !== null || !child.connected) return
  const exited = once(child, 'exit')
  child.disconnect()
  await exited
}

/**
 * Binds a process to cores: all its threads, and those that it starts later.
 * @param firstThreadAlone only the thread that it began with, and those that this one starts later
 * @param cores as taskset writes them: `0` or `0,1` or `2-3`; undefined: nothing is bound
 * @throws Error where that cannot be done: there is no taskset (Linux has it), no such core, or the process is another user's
 */
export const bindToCores = (pid: number | undefined, cores: string | undefined, firstThreadAlone = false): void => {
  if (cores === undefined) return
  const whole = firstThreadAlone ? [] : ['--all-tasks']
  const { status, stderr, error } = spawnSync('taskset', [...whole, '--cpu-list', '--pid', cores, String(pid)])
  if (status === 0) return
  const words = error?.message ?? stderr.toString('utf8').trim()
  throw new Error(`process ${String(pid)} cannot be bound to the cores ${cores}: ${words}`)
}

/** How a measurement goes on: successes and failures so far. */
export type OnProgress = (completed: number, failed: number) => void

/** The load generator's processes. */
export class Generator {
  readonly #children: readonly ChildProcess[]
  /** Told about once a second while a job runs. */
  onProgress: OnProgress = () => undefined

  /**
   * @param threads of each process, which the sessions are shared among
   * @param cores that they may use; undefined: all
   */
  constructor(threads: number, processes = 1, cores?: string) {
    this.#children = Array.from({ length: processes }, () => start('./generator.ts', [String(threads)], cores))
  }

  /**
   * Does one job.
   * @param pid the process that answers, where its processor time is to be told
   * @throws Error when its sessions cannot be opened
   */
  async measure(job: Job, pid?: number): Promise<Measured> {
    const of = Math.min(this.#children.length, job.connections)
    const children = this.#children.slice(0, of)
    await Promise.all(children.map((child, first) => this.#ask(child, { job, first, of })))
    const seen = children.map(() => ({ completed: 0, failed: 0 }))
    const times = (): ProcessorTimes => ({
      server: pid === undefined ? undefined : processorMs(pid),
      generator: sumOf(children.map((child) => processorMs(child.pid ?? 0))),
    })
    const before = sleep(job.warmupMs).then(times)
    const answers = await Promise.all(
      children.map((child, index) =>
        this.#ask(child, 'go', (completed, failed) => {
          seen[index] = { completed, failed }
          if (index !== 0) return
          const sum = (name: 'completed' | 'failed'): number => seen.reduce((total, entry) => total + entry[name], 0)
          this.onProgress(sum('completed'), sum('failed'))
        }),
      ),
    )
    const after = times()
    const measured = measuredOf(
      job,
      answers.flatMap((answer) => (answer.kind === 'counted' ? [answer.counted] : [])),
    )
    return { ...measured, processorUs: perMessage(await before, after, measured) }
  }

  async #ask(child: ChildProcess, question: GeneratorQuestion, onProgress?: OnProgress): Promise<GeneratorAnswer> {
    const asked = answerOf<GeneratorAnswer>(child, 'the load generator', (heard) => {
      if (heard.kind !== 'progress') return true
      onProgress?.(heard.completed, heard.failed)
      return false
    })
    child.send(question)
    const answer = await asked
    if (answer.kind === 'failure') throw new Error(answer.text)
    return answer
  }

  async stop(): Promise<void> {
    await Promise.all(this.#children.map(stop))
  }
}

/** Milliseconds of processor time; undefined: not known. */
interface ProcessorTimes {
  readonly server: number | undefined
  readonly generator: number | undefined
}

const sumOf = (values: readonly (number | undefined)[]): number | undefined =>
  values.reduce((sum, value) => (sum === undefined || value === undefined ? undefined : sum + value), 0)

const perMessage = (
  before: ProcessorTimes,
  after: ProcessorTimes,
  { completed, errors }: Measured,
): NonNullable<Measured['processorUs']> => {
  const messages = Object.values(errors).reduce((sum, count) => sum + count, completed)
  const us = (name: keyof ProcessorTimes): number | undefined => {
    const [first, last] = [before[name], after[name]]
    return first === undefined || last === undefined || messages === 0 ? undefined : ((last - first) * 1000) / messages
  }
  const [server, generator] = [us('server'), us('generator')]
  return { ...(server === undefined ? {} : { server }), ...(generator === undefined ? {} : { generator }) }
}

const addedErrors = (all: readonly Readonly<Record<string, number>>[]): Record<string, number> => {
  const errors: Record<string, number> = {}
  for (const some of all) for (const [name, count] of Object.entries(some)) errors[name] = (errors[name] ?? 0) + count
  return errors
}

/** What processes counted, as one. */
const measuredOf = (job: Job, counted: readonly ProcessCounted[]): Measured => {
  const steps: Record<string, StepMeasured> = {}
  const distributions: Distribution[] = []
  let items = 0
  job.steps.forEach((step, index) => {
    const parts = counted.flatMap((entry) => entry.steps[index] ?? [])
    const distribution = mergeDistributions(parts.map((part) => part.distribution))
    distributions.push(distribution)
    items += distribution.count * step.items
    steps[step.name] = {
      completed: distribution.count,
      errors: addedErrors(parts.map(({ errors }) => errors)),
      latency: latencyOf(distribution),
    }
  })
  const all = mergeDistributions(distributions)
  const elapsedMs = Math.max(0, ...counted.map((entry) => entry.elapsedMs))
  // A piece that the end cut short would look like a standstill.
  const slices = Math.max(1, Math.floor(elapsedMs / job.sliceMs))
  return {
    completed: all.count,
    items,
    errors: addedErrors(Object.values(steps).map(({ errors }) => errors)),
    elapsedMs,
    latency: latencyOf(all),
    steps,
    percentiles: percentileSeries(all),
    sliceMs: job.sliceMs,
    timeline: Array.from({ length: slices }, (_, slice) => ({
      completed: counted.reduce((sum, entry) => sum + (entry.completedSlices[slice] ?? 0), 0),
      failed: counted.reduce((sum, entry) => sum + (entry.failedSlices[slice] ?? 0), 0),
    })),
  }
}

/** A bare TLS echo server's process. */
export class Echo {
  readonly target: Target
  readonly #child: ChildProcess

  private constructor(child: ChildProcess, target: Target) {
    this.#child = child
    this.target = target
  }

  /** Starts one and waits until it listens. */
  static async start(settings: EchoSettings, cores?: string): Promise<Echo> {
    const child = start('./echo.ts', [], cores)
    const listening = answerOf<EchoListening>(child, 'the echo server', () => true)
    child.send(settings)
    const { port, ca } = await listening
    return new Echo(child, { host: '127.0.0.1', port, ca, servername: 'localhost' })
  }

  /**
   * Starts one for the clients of a measured server: it asks for the same certificate, so that sessions of both cost the same.
   */
  static async startBeside(settings: EchoSettings, { ca, cert, key }: Target, cores?: string): Promise<Echo> {
    if (cert === undefined || key === undefined) return Echo.start(settings, cores)
    const echo = await Echo.start({ ...settings, clientAuthorities: [ca, cert] }, cores)
    return new Echo(echo.#child, { ...echo.target, cert, key })
  }

  /** Its process. */
  get pid(): number {
    return this.#child.pid ?? 0
  }

  stop(): Promise<void> {
    return stop(this.#child)
  }
}

/** The process that opens sessions. */
export class Connector {
  readonly #child = start('./connector.ts', [])

  async #ask(question: ConnectorQuestion): Promise<ConnectorAnswer> {
    const asked = answerOf<ConnectorAnswer>(this.#child, 'the process that opens sessions', () => true)
    this.#child.send(question)
    const answer = await asked
    if (answer.kind === 'failure') throw new Error(answer.text)
    return answer
  }

  /** Opens sessions as fast as they come, one request each. @throws Error when none can be opened */
  async handshakes(question: Omit<Extract<ConnectorQuestion, { kind: 'handshakes' }>, 'kind'>): Promise<Handshakes> {
    const answer = await this.#ask({ kind: 'handshakes', ...question })
    if (answer.kind !== 'handshakes') throw new TypeError('the answer is to another question')
    return answer.handshakes
  }

  /** Opens so many sessions and keeps them. Gives the milliseconds it took. @throws Error when one cannot be opened */
  async hold(question: Omit<Extract<ConnectorQuestion, { kind: 'hold' }>, 'kind'>): Promise<number> {
    const answer = await this.#ask({ kind: 'hold', ...question })
    if (answer.kind !== 'held') throw new TypeError('the answer is to another question')
    return answer.tookMs
  }

  /** Ends those sessions. */
  async release(): Promise<void> {
    await this.#ask({ kind: 'release' })
  }

  stop(): Promise<void> {
    return stop(this.#child)
  }
}
