/**
 * A server that a measurement starts for itself: `kmipd serve` as a process of its own, on a data directory that goes with
 * it. What it is: start, where it is, stop. What it is not: any of the server's code; only its command line is known here.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { extname, join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Target } from './job.ts'

/** A server that serves. */
export interface OwnServer {
  readonly target: Target
  /** Ends it and removes its data. */
  stop(): Promise<void>
}

const host = '127.0.0.1'
/** The server's program, beside this tool's: TypeScript in the repository, JavaScript in a package. */
const main = join(import.meta.dirname, '..', 'src', `main${extname(import.meta.filename)}`)

/**
 * Starts one and waits until it serves.
 * @param flags more of `serve`
 * @throws Error with its last words when it ends instead
 */
export const startOwnServer = async (flags: readonly string[]): Promise<OwnServer> => {
  const directory = mkdtempSync(join(tmpdir(), 'kmip-bench-'))
  const own = ['--data', directory, '--host', host, '--port', '0']
  const child = spawn(process.execPath, [main, 'serve', ...own, ...flags], { stdio: ['ignore', 'pipe', 'pipe'] })
  // A measurement that dies must not leave its server behind.
  const kill = (): void => void child.kill('SIGKILL')
  process.once('exit', kill)
  const ended = once(child, 'exit').then(() => process.off('exit', kill))
  const stop = async (): Promise<void> => {
    child.kill('SIGTERM')
    await ended
    rmSync(directory, { recursive: true, force: true })
  }
  try {
    const port = await servingPort(child, ended)
    const pem = (name: string): string => readFileSync(join(directory, 'bootstrap', name), 'utf8')
    return { target: { host, port, ca: pem('ca.pem'), cert: pem('client.pem'), key: pem('client.key') }, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

const lastLinesMax = 10

/** The port that the server's log names. @throws Error when the process ends before */
const servingPort = async (child: ChildProcess, ended: Promise<unknown>): Promise<number> => {
  const lines: string[] = []
  const { promise: listening, resolve } = Promise.withResolvers<number>()
  for (const stream of [child.stdout, child.stderr]) {
    if (stream === null) continue
    createInterface({ input: stream }).on('line', (line) => {
      lines.push(line)
      if (lines.length > lastLinesMax) lines.shift()
      const port = portIn(line)
      if (port !== undefined) resolve(port)
    })
  }
  const port = await Promise.race([listening, ended.then(() => undefined)])
  if (port === undefined) throw new Error(`the server does not serve:\n${lines.join('\n')}`)
  return port
}

const portIn = (line: string): number | undefined => {
  if (!line.startsWith('{')) return undefined
  const { listening } = JSON.parse(line) as {
    readonly listening?: { readonly interface: string; readonly port: number }
  }
  return listening?.interface === 'kmip' ? listening.port : undefined
}
