/**
 * A server that a measurement starts for itself: `kmipd serve` as a process of its own, on a data directory that goes with
 * it. What it is: start, where it is, stop. What it is not: any of the server's code; only its command line is known here.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { extname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { runtimeFlags } from '#src/runtime-flags'
import type { Target } from './job.ts'
import { nowMs, readText, removeDirectory, temporaryDirectory } from './machine.ts'

/** A server that serves. */
export interface OwnServer {
  readonly target: Target
  /** Its process. */
  readonly pid: number
  /** From the start of the process until it said that it serves. */
  readonly readyMs: number
  /** Ends it, and removes its data if they were made for it. */
  stop(): Promise<void>
}

/** Where and how it runs. */
export interface OwnServerOptions {
  /** The data directory, which stays; without it, a new one that `stop` removes. */
  readonly directory?: string
  /** Cores that it may use, as taskset writes them; Linux. */
  readonly cores?: string
  /** Where every thread leaves its profile when it ends. */
  readonly profileDirectory?: string
}

const host = '127.0.0.1'
/** The server's program, beside this tool's: TypeScript in the repository, JavaScript in a package. */
const main = join(import.meta.dirname, '..', 'src', `main${extname(import.meta.filename)}`)
/** Where `npm start` has the runtime keep what it compiled; a package has nothing to compile. */
const keptCode = extname(main) === '.ts' ? [`NODE_COMPILE_CACHE=${join(main, '../../node_modules/.cache/kmipd')}`] : []

/**
 * Starts one and waits until it serves.
 * @param flags more of `serve`
 * @throws Error with its last words when it ends instead
 */
export const startOwnServer = async (
  flags: readonly string[],
  { directory, cores, profileDirectory }: OwnServerOptions = {},
): Promise<OwnServer> => {
  const data = directory ?? temporaryDirectory()
  const serve = ['serve', '--data', data, '--host', host, '--port', '0', ...flags]
  const words = [process.execPath, ...runtimeFlags, main, ...serve]
  // In the environment, so that threads have it too whose own flags the server names.
  const profiled =
    profileDirectory === undefined ? [] : [`NODE_OPTIONS=--cpu-prof --cpu-prof-dir=${JSON.stringify(profileDirectory)}`]
  const bound = cores === undefined ? [] : ['taskset', '--cpu-list', cores]
  const parameters = [...keptCode, ...profiled, ...bound, ...words]
  const startMs = nowMs()
  const child = spawn('env', parameters, { stdio: ['ignore', 'pipe', 'pipe'] })
  const stop = ending(child, 'SIGTERM', () => {
    if (directory === undefined) removeDirectory(data)
  })
  try {
    const port = await servingPort(child)
    const readyMs = nowMs() - startMs
    const pem = (name: string): string => readText(join(data, 'bootstrap', name))
    const target = { host, port, ca: pem('ca.pem'), cert: pem('client.pem'), key: pem('client.key') }
    return { target, pid: child.pid ?? 0, readyMs, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

/**
 * How a child is ended: once it is told to, or when this process dies, so that no measurement leaves its server behind.
 * @param cleanUp what is done when it has ended
 * @param group whether it leads a group of processes, which all end with it
 */
export const ending = (
  child: ChildProcess,
  signal: NodeJS.Signals,
  cleanUp: () => void,
  group = false,
): (() => Promise<void>) => {
  const send = (which: NodeJS.Signals): void => {
    if (!group || child.pid === undefined) {
      child.kill(which)
      return
    }
    try {
      process.kill(-child.pid, which)
    } catch (error) {
      // All of them have ended already; anything else is to be heard of.
      if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error
    }
  }
  const kill = (): void => send('SIGKILL')
  process.once('exit', kill)
  const ended = new Promise<void>((resolve) => {
    const settle = (): void => {
      process.off('exit', kill)
      resolve()
    }
    child.once('exit', settle)
    child.once('error', settle)
  })
  return async () => {
    send(signal)
    await ended
    cleanUp()
  }
}

const lastLinesMax = 20

/** The port that the server's log names. @throws Error when the process ends before */
const servingPort = (child: ChildProcess): Promise<number> =>
  new Promise((resolve, reject) => {
    const lines: string[] = []
    for (const stream of [child.stdout, child.stderr]) {
      if (stream === null) continue
      createInterface({ input: stream }).on('line', (line) => {
        lines.push(line)
        if (lines.length > lastLinesMax) lines.shift()
        const port = portIn(line)
        if (port !== undefined) resolve(port)
      })
    }
    child.once('exit', () => reject(new Error(`the server does not serve:\n${lines.join('\n')}`)))
    child.once('error', (error) => reject(new Error('the server cannot be started', { cause: error })))
  })

const portIn = (line: string): number | undefined => {
  if (!line.startsWith('{')) return undefined
  const { listening } = JSON.parse(line) as {
    readonly listening?: { readonly interface: string; readonly port: number }
  }
  return listening?.interface === 'kmip' ? listening.port : undefined
}
