/**
 * The real server as a process of its own, for tests that treat it as outsiders do. What it is: start, wait until it serves,
 * stop, kill, and what it wrote to its log. What it is not: a server inside the test's process; nothing is shared with it
 * but its data directory and its port.
 */
import assert from 'node:assert/strict'
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { systemClock } from '#actor/clock'
import { runtimeFlags } from '#src/runtime-flags'

const main = fileURLToPath(import.meta.resolve('#src/main'))
const host = '127.0.0.1'
const startTimeoutMs = 30_000
const stopTimeoutMs = 30_000
const logLinesMax = 500

export interface RunningServerOptions {
  /** The data directory, which stays; without it, a new one that `stop` and `kill` remove. */
  readonly directory?: string
  /** More flags of `serve`. */
  readonly flags?: readonly string[]
  /** Flags of the runtime, before the program's name. */
  readonly runtimeFlags?: readonly string[]
  /** More variables of the process's environment. */
  readonly environment?: Readonly<Record<string, string>>
  /** Whether it takes messages in HTTPS too, on a port that was free a moment ago. */
  readonly https?: boolean
}

/** One line of the server's log. */
export type LogLine = Readonly<Record<string, unknown>>

export interface RunningServer extends AsyncDisposable {
  readonly process: ChildProcess
  readonly host: string
  readonly port: number
  /** Where it takes messages in HTTPS; undefined when it was not asked to. */
  readonly httpsPort: number | undefined
  readonly directory: string
  /** Paths of PEM files: the authority, and the bootstrap client's certificate and key. */
  readonly caPath: string
  readonly certPath: string
  readonly keyPath: string
  /** The same with the files' contents, for `createClient` and `tls.connect`. */
  readonly connection: {
    readonly host: string
    readonly port: number
    readonly ca: string
    readonly cert: string
    readonly key: string
  }
  /** The newest lines of the log, and whatever else the process wrote. */
  readonly log: readonly LogLine[]
  /** Lines that tell of a failure inside the server, the first hundred. */
  readonly failures: readonly LogLine[]
  /** True until the process has ended. */
  readonly alive: boolean
  /** Resolves when the process has ended, whichever way. */
  readonly ended: Promise<unknown>
  /** SIGTERM, and waits for the end. Gives the exit code. @throws AssertionError when it does not end in time */
  stop(): Promise<number | null>
  /** SIGKILL, and waits for the end. */
  kill(): Promise<void>
}

/**
 * Starts `kmipd serve` on a free port and waits until it serves.
 * @throws Error with the process's last words when it ends, or does not serve in time
 */
export const startServerProcess = async (options: RunningServerOptions = {}): Promise<RunningServer> => {
  const directory = options.directory ?? (await mkdtemp(join(tmpdir(), 'kmipd-server-')))
  const httpsPort = options.https === true ? await freePort() : undefined
  const https = httpsPort === undefined ? [] : ['--https-port', String(httpsPort)]
  const flags = ['--data', directory, '--host', host, '--port', '0', ...https, ...(options.flags ?? [])]
  const child = spawn(process.execPath, [...runtimeFlags, ...(options.runtimeFlags ?? []), main, 'serve', ...flags], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...options.environment },
  })
  // A test that dies must not leave its server behind.
  const killAtExit = (): void => void child.kill('SIGKILL')
  process.once('exit', killAtExit)
  const ended = once(child, 'exit').then(() => process.off('exit', killAtExit))
  const { log, failures, listening } = watch(child)
  const port = await servingPort(child, listening, ended, log)

  const path = (name: string): string => join(directory, 'bootstrap', name)
  const [caPath, certPath, keyPath] = [path('ca.pem'), path('client.pem'), path('client.key')] as const
  const removed = async (): Promise<void> => {
    if (options.directory === undefined) await rm(directory, { recursive: true, force: true })
  }
  const alive = (): boolean => child.exitCode === null && child.signalCode === null
  const kill = async (): Promise<void> => {
    if (alive()) child.kill('SIGKILL')
    await ended
    await removed()
  }
  const stop = async (): Promise<number | null> => {
    if (alive()) child.kill('SIGTERM')
    const late = !(await within(stopTimeoutMs, ended))
    if (late) await kill()
    assert.ok(!late, `the server did not end within ${stopTimeoutMs} ms of SIGTERM: ${lastWords(log)}`)
    await removed()
    return child.exitCode
  }
  return {
    process: child,
    host,
    port,
    httpsPort,
    directory,
    caPath,
    certPath,
    keyPath,
    connection: {
      host,
      port,
      ca: await readFile(caPath, 'utf8'),
      cert: await readFile(certPath, 'utf8'),
      key: await readFile(keyPath, 'utf8'),
    },
    log,
    failures,
    get alive() {
      return alive()
    },
    ended,
    stop,
    kill,
    [Symbol.asyncDispose]: kill,
  }
}

interface Watched {
  readonly log: readonly LogLine[]
  readonly failures: readonly LogLine[]
  /** The port, once the server says that it listens. */
  readonly listening: Promise<number>
}

const watch = (child: ChildProcess): Watched => {
  const log: LogLine[] = []
  const failures: LogLine[] = []
  const { promise: listening, resolve } = Promise.withResolvers<number>()
  const take = (text: string): void => {
    const line = parsed(text)
    log.push(line)
    if (log.length > logLinesMax) log.shift()
    if ('correlation' in line && failures.length < 100) failures.push(line)
    // The last line of a start: all listeners are there.
    const serving = line['serving'] as { readonly port: number } | undefined
    if (serving !== undefined) resolve(serving.port)
  }
  for (const stream of [child.stdout, child.stderr]) {
    if (stream !== null) createInterface({ input: stream }).on('line', take)
  }
  return { log, failures, listening }
}

/** What is not JSON (the runtime's own words, say) is kept as a text. */
const parsed = (text: string): LogLine => {
  try {
    const line: unknown = JSON.parse(text)
    if (typeof line === 'object' && line !== null) return line as LogLine
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
  }
  return { text }
}

const servingPort = async (
  child: ChildProcess,
  listening: Promise<number>,
  ended: Promise<unknown>,
  log: readonly LogLine[],
): Promise<number> => {
  let port: number | undefined
  await within(startTimeoutMs, Promise.race([ended, listening.then((found) => void (port = found))]))
  if (port !== undefined) return port
  child.kill('SIGKILL')
  await ended
  throw new Error(`the server does not serve: ${lastWords(log)}`)
}

/** A port of this machine that nobody listens on now. */
export const freePort = async (): Promise<number> => {
  const server = createServer()
  server.listen(0, host)
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

/** Whether something came about in time. */
const within = async (limitMs: number, event: Promise<unknown>): Promise<boolean> => {
  const { promise: late, resolve } = Promise.withResolvers<false>()
  const cancel = systemClock.after(limitMs, () => resolve(false))
  const inTime = await Promise.race([event.then(() => true), late])
  cancel()
  return inTime
}

const lastWords = (log: readonly LogLine[]): string =>
  log
    .slice(-15)
    .map((line) => JSON.stringify(line))
    .join('\n')

/** How a start ended that was refused: its exit code, the signal that ended it, and what it wrote. */
export interface RefusedStart {
  readonly code: unknown
  readonly signal: unknown
  readonly stdout: string
}

/** Starts `kmipd serve` on data with which it cannot. @throws AssertionError when it serves and ends well */
export const startRefused = (directory: string): Promise<RefusedStart> =>
  promisify(execFile)(
    process.execPath,
    [...runtimeFlags, main, 'serve', '--data', directory, '--host', host, '--port', '0'],
    { timeout: 30_000 },
  ).then(
    () => assert.fail('it serves'),
    (error: RefusedStart) => error,
  )
