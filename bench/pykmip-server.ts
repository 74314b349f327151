/**
 * PyKMIP's server, started to be measured: Debian's package python3-pykmip has it. What it is: start with certificates of its
 * own, wait until it answers, stop. What it is not: PyKMIP's client (test/interop).
 */
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { createClient } from '#client/client'
import { v1_2 } from '#kmip/versions'
import { makeIdentities } from './identities.ts'
import type { Target } from './job.ts'
import { nowMs, removeDirectory, sleep, temporaryDirectory, writeText } from './machine.ts'
import { ending, type OwnServer } from './own-server.ts'
import { Echo } from './processes.ts'

const program = '/usr/bin/pykmip-server'
const startTimeoutMs = 30_000
const askAgainMs = 200

/** A port that was free a moment ago: PyKMIP does not tell which one it was given. */
const freePort = async (): Promise<number> => {
  const facts = { protocol: 'TLSv1.3', cipher: 'TLS_AES_256_GCM_SHA384' } as const
  const echo = await Echo.start({ responses: [], ...facts })
  await echo.stop()
  return echo.target.port
}

const isServing = async (target: Target): Promise<boolean> => {
  const client = createClient({ ...target, version: v1_2, timeoutMs: 5000 })
  try {
    await client.discoverVersions()
    return true
  } catch {
    // Not yet, or never: its last words are told when the time is over.
    return false
  } finally {
    client.transport.destroy()
  }
}

/**
 * Starts it and waits until it answers.
 * @throws Error when it is not installed, or does not answer in time
 */
export const startPykmipServer = async (): Promise<OwnServer> => {
  const directory = temporaryDirectory()
  const file = (name: string, text: string): string => {
    const path = join(directory, name)
    writeText(path, text, 0o600)
    return path
  }
  const { ca, server, client } = await makeIdentities()
  const port = await freePort()
  const settings = {
    hostname: '127.0.0.1',
    port: String(port),
    certificate_path: file('server.pem', server.cert),
    key_path: file('server.key', server.key),
    ca_path: file('ca.pem', ca),
    auth_suite: 'TLS1.2',
    policy_path: directory,
    enable_tls_client_auth: 'True',
    logging_level: 'ERROR',
    database_path: join(directory, 'pykmip.db'),
  }
  const lines = Object.entries(settings).map(([name, value]) => `${name}=${value}\n`)
  const configuration = file('server.conf', `[server]\n${lines.join('')}`)
  const startMs = nowMs()
  const child = spawn(program, ['-f', configuration, '-l', join(directory, 'server.log')], {
    stdio: ['ignore', 'pipe', 'pipe'],
    // It has processes of its own, which would outlive it.
    detached: true,
  })
  const words: string[] = []
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => words.push(text))
  }
  let failure: string | undefined
  child.once('error', (error) => (failure = `${program}: ${error.message}; Debian's package is python3-pykmip`))
  child.once('exit', (code) => (failure ??= `${program} ended with exit code ${String(code)}`))
  // Nothing of it is to be kept.
  const stop = ending(child, 'SIGKILL', () => removeDirectory(directory), true)
  const target: Target = { host: '127.0.0.1', port, ca, cert: client.cert, key: client.key }
  while (!(await isServing(target))) {
    if (failure === undefined && nowMs() - startMs < startTimeoutMs) {
      await sleep(askAgainMs)
      continue
    }
    await stop()
    throw new Error(`PyKMIP does not serve: ${failure ?? 'no answer in time'}\n${words.join('').slice(-2000)}`)
  }
  return { target, pid: child.pid ?? 0, readyMs: nowMs() - startMs, stop }
}
