/** The audit trail and the metrics of the real server: over SIGKILL, by kmipctl, on the port of those who watch. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { get } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { after, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { createClient } from '#client/client'
import { metricRows } from '#server/metrics'
import { create, register } from '#test/faults/load'
import { freePort, type RunningServer, startServerProcess } from '#test/running-server'
import { fileName, filesOf, linesOf } from './trail.ts'

interface Verified {
  readonly intact: boolean
  readonly mended: number
  readonly lines: number
  readonly breaks: readonly { readonly what: string }[]
}

const kmipctl = async ({ directory }: Pick<RunningServer, 'directory'>, ...words: string[]): Promise<string> => {
  const program = fileURLToPath(import.meta.resolve('#src/kmipctl'))
  const options = { env: { ...process.env, KMIPCTL_SOCKET: join(directory, 'admin.sock') } }
  return (await promisify(execFile)(process.execPath, [program, ...words], options)).stdout
}

const verified = async (server: RunningServer): Promise<Verified> =>
  JSON.parse(await kmipctl(server, 'audit', 'verify')) as Verified

const trailOf = (directory: string): string[] => {
  const folder = join(directory, 'audit')
  return filesOf(folder).flatMap((file) => linesOf(folder, file))
}

const newDirectory = async (): Promise<string> => {
  const directory = await mkdtemp(join(tmpdir(), 'kmipd-audited-'))
  after(() => rm(directory, { recursive: true, force: true }))
  return directory
}

const fetched = (port: number, path: string): Promise<{ readonly status: number | undefined; readonly body: string }> =>
  new Promise((resolve, reject) => {
    get({ host: '127.0.0.1', port, path, agent: false }, (response) => {
      text(response).then((body) => resolve({ status: response.statusCode, body }), reject)
    }).on('error', reject)
  })

describe('the trail of the real server', () => {
  test('has every answer that was given before a SIGKILL, and is mended and whole after it', async () => {
    const directory = await newDirectory()
    const answered = new Set<string>()
    for (let round = 0; round < 2; round += 1) {
      const server = await startServerProcess({ directory })
      const clients = Array.from({ length: 4 }, () => createClient(server.connection))
      const state = { killed: false }
      const load = clients.map(async (client) => {
        while (!state.killed) {
          const { uniqueIdentifier } = await create(client)
          answered.add(`Create ${uniqueIdentifier}`)
          await client.get({ uniqueIdentifier })
          answered.add(`Get ${uniqueIdentifier}`)
        }
      })
      const over = Promise.allSettled(load)
      while (answered.size < (round + 1) * 60) await new Promise((resolve) => setImmediate(resolve))
      state.killed = true
      await server.kill()
      await over
      await Promise.allSettled(clients.map((client) => client.close()))
    }
    // What a write that was cut off leaves, whether the deaths above have or not.
    const last = filesOf(join(directory, 'audit')).at(-1) ?? 1
    appendFileSync(join(directory, 'audit', fileName(last)), '{"sequence":7,"previous":"cut o')
    await using server = await startServerProcess({ directory })
    const found = await verified(server)
    assert.deepEqual(found.breaks, [])
    assert.ok(found.intact && found.mended >= 1)
    const told = new Set(
      trailOf(directory)
        .filter((line) => line.includes('"event":"operation"') && line.endsWith('}'))
        .map((line) => JSON.parse(line) as { operation: string; objects?: string[]; result: string })
        .map(({ operation, objects, result }) => (result === 'success' ? `${operation} ${objects?.[0]}` : '')),
    )
    for (const each of answered) assert.ok(told.has(each), each)
    await server.stop()
  })

  test('shows what somebody has changed while nobody served, and holds no key', async () => {
    const directory = await newDirectory()
    const material = Buffer.from('0123456789abcdef0123456789ABCDEF', 'latin1')
    {
      await using server = await startServerProcess({ directory })
      await using client = createClient(server.connection)
      const { uniqueIdentifier } = await register(client, material)
      await client.get({ uniqueIdentifier })
      await kmipctl(server, 'users', 'create', '--name', 'auditor', '--password', 'a long marker password')
      assert.equal((await verified(server)).intact, true)
      await server.stop()
    }
    const trail = trailOf(directory)
    const all = trail.join('\n')
    for (const secret of [
      'marker password',
      material.toString('latin1'),
      material.toString('hex'),
      material.toString('base64'),
    ]) {
      assert.ok(!all.includes(secret), secret)
    }
    assert.ok(
      trail.some((line) => line.includes('"event":"administration"') && line.includes('"operation":"users create"')),
    )
    assert.match(trail.at(-1) ?? '', /"event":"server stopped"/)
    const path = join(directory, 'audit', fileName(1))
    writeFileSync(path, readFileSync(path, 'utf8').replace('"operation":"Get"', '"operation":"Put"'))
    await using server = await startServerProcess({ directory })
    const found = await verified(server)
    assert.equal(found.intact, false)
    assert.ok(found.breaks.length > 0)
    await server.stop()
  })

  test('is not there when it is switched off', async () => {
    await using server = await startServerProcess({ flags: ['--audit', 'off'] })
    await using client = createClient(server.connection)
    await create(client)
    await assert.rejects(kmipctl(server, 'audit', 'verify'), /There is no audit trail/)
    assert.throws(() => filesOf(join(server.directory, 'audit')), { code: 'ENOENT' })
    await server.stop()
  })
})

test('the port of those who watch tells what the server does, in metrics that have a row each', async () => {
  const port = await freePort()
  await using server = await startServerProcess({ flags: ['--metrics-port', String(port)] })
  await using client = createClient(server.connection)
  const { uniqueIdentifier } = await create(client)
  await client.get({ uniqueIdentifier })
  await kmipctl(server, 'domains', 'list')
  assert.deepEqual(await fetched(port, '/healthz'), { status: 200, body: 'alive\n' })
  assert.deepEqual(await fetched(port, '/readyz'), { status: 200, body: 'ready\n' })
  assert.equal((await fetched(port, '/')).status, 404)
  const { status, body } = await fetched(port, '/metrics')
  assert.equal(status, 200)
  const numbers = new Map(
    body
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'))
      .map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ') + 1))]),
  )
  assert.equal(numbers.get('kmipd_operations_total{operation="Create",result="success"}'), 1)
  assert.equal(numbers.get('kmipd_operations_total{operation="Get",result="success"}'), 1)
  assert.equal(numbers.get('kmipd_request_duration_seconds_count{operation="Get",result="success"}'), 1)
  assert.equal(numbers.get('kmipd_sessions'), 1)
  assert.equal(numbers.get('kmipd_ready'), 1)
  for (const name of ['kmipd_failures_total', 'kmipd_handshakes_refused_total', 'kmipd_sessions_refused_total'])
    assert.equal(numbers.get(name), 0, `${name}: an alert sees no rise of what begins at 1`)
  assert.equal(numbers.get('kmipd_audit_failing'), 0)
  assert.equal(numbers.get('kmipd_store_records{table="object"}'), 1)
  assert.equal(numbers.get('kmipd_administration_total{outcome="done"}'), 1)
  assert.ok((numbers.get('kmipd_store_bytes') ?? 0) > 0)
  assert.ok((numbers.get('kmipd_store_transaction_commits_count') ?? 0) > 0)
  assert.ok(
    (numbers.get('kmipd_crypto_jobs_total{place="here"}') ?? 0) +
      (numbers.get('kmipd_crypto_jobs_total{place="pool"}') ?? 0) >
      0,
  )
  assert.ok(numbers.has('nodejs_eventloop_lag_p99_seconds'))
  assert.ok(numbers.has('process_resident_memory_bytes'))
  const typed = [...body.matchAll(/^# TYPE (kmipd_\w+) (\w+)$/gm)]
  for (const [, name = '', type] of typed) assert.equal(metricRows[name]?.type, type, name)
  await server.stop()
})
