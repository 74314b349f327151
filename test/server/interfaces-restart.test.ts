/** Interfaces of a real server over restarts: what was made listens again, and what was set goes before the settings. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { createClient } from '#client/client'
import { isAuthenticationRefused } from '#test/interfaces'
import { freePort, type RunningServer, startServerProcess } from '#test/running-server'

const kmipctl = fileURLToPath(import.meta.resolve('#src/kmipctl'))
const run = promisify(execFile)

let directory: string
before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'kmipd-interfaces-'))
})
after(() => rm(directory, { recursive: true, force: true }))

interface Answer {
  readonly name: string
  readonly mode: string
  readonly port: number
  readonly minimum_tls_version: string
}

const line = async (...words: readonly string[]): Promise<Answer> => {
  const environment = { ...process.env, KMIPCTL_SOCKET: join(directory, 'admin.sock') }
  const { stdout } = await run(process.execPath, [kmipctl, '--json', ...words], { env: environment })
  return JSON.parse(stdout) as Answer
}

const serves = async ({ connection }: RunningServer, port: number): Promise<void> => {
  await using client = createClient({ ...connection, port })
  await client.discoverVersions({})
}

test('an interface that was made and changed is there after a restart, under its own settings', async () => {
  const [made, moved] = [String(await freePort()), await freePort()]
  {
    await using server = await startServerProcess({ directory })
    const { name } = await line('interfaces', 'create', '-o', made, '-y', 'kmip', '-i', '127.0.0.1')
    assert.equal(name, `kmip_127.0.0.1_${made}`)
    await line('interfaces', 'modify', '-n', name, '-o', String(moved), '-e', 'tls_1_3')
    await serves(server, moved)
    await line('interfaces', 'modify', '-n', 'kmip', '-m', 'tls-pw-opt')
    assert.equal(await server.stop(), 0)
  }
  await using server = await startServerProcess({ directory, flags: ['--interface-mode', 'tls-pw-req'] })
  await serves(server, moved)
  const { port, minimum_tls_version: version } = await line('interfaces', 'get', '-n', `kmip_127.0.0.1_${made}`)
  assert.deepEqual([port, version], [moved, 'tls_1_3'])
  const first = await line('interfaces', 'get', '-n', 'kmip')
  assert.equal(first.mode, 'tls-pw-opt', 'what was set goes before the setting')
  assert.equal(first.port, server.port, 'and what was not set follows it')
  await serves(server, server.port)
  assert.equal(await server.stop(), 0)
  assert.deepEqual(server.failures, [])
})

test('the mode of the settings is that of the first interface', async () => {
  await using server = await startServerProcess({ flags: ['--interface-mode', 'tls-pw-req'] })
  await assert.rejects(serves(server, server.port), isAuthenticationRefused)
  assert.equal(await server.stop(), 0)
})

test('an interface whose port is taken is left out, the others serve, and the log says why', async () => {
  const port = await freePort()
  {
    await using server = await startServerProcess({ directory })
    await line('interfaces', 'create', '-o', String(port), '-n', 'squeezed', '-i', '127.0.0.1')
    assert.equal(await server.stop(), 0)
  }
  await using squatter = await startServerProcess({ flags: ['--port', String(port)] })
  await using server = await startServerProcess({ directory })
  await serves(server, server.port)
  const told = server.log.find(({ level, interface: about }) => level === 'ERR' && about !== undefined)
  assert.match(JSON.stringify(told), /squeezed.*in use already/)
  assert.ok(squatter.alive)
})
