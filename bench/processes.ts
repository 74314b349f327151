/**
 * The child processes of a measurement, started and ended. What it is: one generator for all jobs, and an echo server for
 * each pair of sizes. What it is not: what they do (generator.ts, echo.ts).
 */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import type { EchoListening, EchoSettings, GeneratorAnswer, Job, Measured, Target } from './job.ts'

const start = (file: string, parameters: readonly string[]): ChildProcess =>
  // 'advanced': bytes travel as bytes.
  fork(new URL(file, import.meta.url), [...parameters], { serialization: 'advanced' })

/** The next message of a child. @throws Error when it ends instead */
const answerOf = async <T>(child: ChildProcess, what: string): Promise<T> => {
  const ended = new AbortController()
  try {
    const message = once(child, 'message', ended)
    const exit = once(child, 'exit', ended).then(([code]: unknown[]): never => {
      throw new Error(`${what} ended with exit code ${String(code)}`)
    })
    const [answer] = (await Promise.race([message, exit])) as [T]
    return answer
  } finally {
    ended.abort()
  }
}

const stop = async (child: ChildProcess): Promise<void> => {
  if (child.exitCode !== null || !child.connected) return
  const exited = once(child, 'exit')
  child.disconnect()
  await exited
}

/** The load generator's process. */
export class Generator {
  readonly #child: ChildProcess

  /** @param threads that the sessions are shared among */
  constructor(threads: number) {
    this.#child = start('./generator.ts', [String(threads)])
  }

  /** Does one job. @throws Error when its sessions cannot be opened */
  async measure(job: Job): Promise<Measured> {
    this.#child.send(job)
    const answer = await answerOf<GeneratorAnswer>(this.#child, 'the load generator')
    if ('failure' in answer) throw new Error(answer.failure)
    return answer.measured
  }

  stop(): Promise<void> {
    return stop(this.#child)
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
  static async start(settings: EchoSettings): Promise<Echo> {
    const child = start('./echo.ts', [])
    child.send(settings)
    const { port, ca } = await answerOf<EchoListening>(child, 'the echo server')
    return new Echo(child, { host: '127.0.0.1', port, ca, servername: 'localhost' })
  }

  stop(): Promise<void> {
    return stop(this.#child)
  }
}
