/**
 * The bench tools as commands, for very short times: that they run, count what a server counted, and leave nothing behind.
 * What it is not: a measurement.
 */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { measuredCosts } from '#crypto/measured-costs'
import { ObjectType, Operation, ResultReason, ResultStatus } from '#kmip/enums'
import { makeCertificates } from '#test/client/certificates'
import { type Received, responseBytes, startServer, succeed } from '#test/client/tls-server'

const directory = mkdtempSync(join(tmpdir(), 'kmipd-bench-test-'))
const closers: (() => Promise<void>)[] = []
after(async () => {
  for (const close of closers) await close()
  rmSync(directory, { recursive: true })
})

const certificates = makeCertificates()
const pemFile = (name: string, text: string): string => {
  const path = join(directory, name)
  writeFileSync(path, text, { mode: 0o600 })
  return path
}
const access = Object.entries({
  ca: certificates.ca,
  cert: certificates.clientCert,
  key: certificates.clientKey,
}).flatMap(([name, text]) => [`--${name}`, pemFile(`${name}.pem`, text)])
const short = ['--connections', '1,3', '--seconds', '0.2', '--warmup', '0.05']

interface Ended {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

const run = (file: string, parameters: readonly string[]): Promise<Ended> =>
  new Promise((resolve) => {
    const path = join(import.meta.dirname, '..', '..', 'bench', file)
    execFile(process.execPath, [path, ...parameters], { timeout: 60_000 }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code ?? 1), stdout, stderr })
    })
  })

interface Report {
  readonly rows: readonly {
    readonly operation: string
    readonly connections: number
    readonly requestBytes: number
    readonly responseBytes: number
    readonly operationsPerSecond: number
    readonly ratio?: number
    readonly measured: {
      readonly completed: number
      readonly errors: Readonly<Record<string, number>>
      readonly latency: Readonly<Record<string, number>>
    }
  }[]
  readonly summaries: readonly unknown[]
}
const reportIn = (path: string): Report => JSON.parse(readFileSync(path, 'utf8')) as Report

/** Answers as a server with objects would; the keys that are there are counted. */
const startObjects = async (getFails: boolean) => {
  const present = new Set<string>()
  const asked = new Map<number, number>()
  let made = 0
  const answer = ({ request }: Received): Buffer => {
    const answers = request.batchItem.map(({ operation, requestPayload }) => {
      asked.set(operation, (asked.get(operation) ?? 0) + 1)
      if (operation === Operation.Create) present.add(`key-${made}`)
      const { uniqueIdentifier = `key-${made}` } = requestPayload as { uniqueIdentifier?: string }
      if (operation === Operation.Create) made += 1
      if (operation === Operation.Destroy) present.delete(uniqueIdentifier)
      if (operation === Operation.Locate) return { uniqueIdentifier: ['key-0'], locatedItems: 1 }
      if (operation === Operation.DiscoverVersions) return { protocolVersion: [] }
      return { objectType: ObjectType.SymmetricKey, uniqueIdentifier }
    })
    const operation = request.batchItem[0]?.operation ?? 0
    if (operation === Operation.Get && getFails) {
      return responseBytes(request, [
        { operation, resultStatus: ResultStatus.OperationFailed, resultReason: ResultReason.ItemNotFound },
      ])
    }
    return succeed(request, (index) => answers[index])
  }
  const server = await startServer(certificates, (received) => received.socket.write(answer(received)))
  closers.push(() => server.close())
  return { port: String(server.port), present, asked }
}

describe('kmip-bench load', () => {
  test('measures each case beside the echo, and destroys the objects that it made', async () => {
    const server = await startObjects(false)
    const json = join(directory, 'load.json')
    const operation = ['--operation', 'discover-versions,locate', '--objects', '20']
    const ended = await run('main.ts', [
      'load',
      '--host',
      '127.0.0.1',
      '--port',
      server.port,
      ...access,
      ...short,
      ...operation,
      '--json',
      json,
    ])
    assert.equal(ended.code, 0, ended.stderr)
    const report = reportIn(json)
    assert.deepEqual(
      report.rows.map((row) => [row.operation, row.connections]),
      [
        ['discover-versions', 1],
        ['discover-versions', 3],
        ['locate', 1],
        ['locate', 3],
      ],
    )
    for (const row of report.rows) {
      assert.ok(row.measured.completed > 0)
      assert.deepEqual(row.measured.errors, {})
      assert.ok((row.ratio ?? 0) > 0)
      assert.ok((row.measured.latency['p50'] ?? 0) <= (row.measured.latency['p99'] ?? 0))
      assert.equal(row.requestBytes % 8, 0)
    }
    // What was counted as done was asked for: the server saw at least as much, warm-up and handshakes being more.
    for (const [name, code] of [
      ['discover-versions', Operation.DiscoverVersions],
      ['locate', Operation.Locate],
    ] as const) {
      const counted = report.rows
        .filter((row) => row.operation === name)
        .reduce((sum, row) => sum + row.measured.completed, 0)
      assert.ok(counted <= (server.asked.get(code) ?? 0))
    }
    assert.equal(server.asked.get(Operation.Create), 20)
    assert.equal(server.asked.get(Operation.Destroy), 20)
    assert.equal(server.present.size, 0)
  })

  test('counts refusals by Result Reason and none of them as done', async () => {
    const server = await startObjects(true)
    const json = join(directory, 'refused.json')
    const operation = ['--operation', 'get', '--objects', '5', '--no-limit']
    const ended = await run('main.ts', [
      'load',
      '--host',
      '127.0.0.1',
      '--port',
      server.port,
      ...access,
      ...short,
      ...operation,
      '--json',
      json,
    ])
    assert.equal(ended.code, 0, ended.stderr)
    for (const row of reportIn(json).rows) {
      assert.equal(row.measured.completed, 0)
      assert.equal(row.operationsPerSecond, 0)
      assert.deepEqual(Object.keys(row.measured.errors), ['ItemNotFound'])
      assert.equal(row.ratio, undefined)
    }
    assert.match(ended.stdout, /ItemNotFound \d+/)
  })

  test('says in one line what is wrong, and ends with 1', async () => {
    for (const [parameters, text] of [
      [['load', '--operation', 'nothing', ...access], /no scenario is named nothing/],
      [['load', '--connections', '0', ...access], /0 is not a number of 1 or more/],
      [['load', '--protocol', '9.9', ...access], /version 9\.9 is not known/],
      [['load', '--data', join(directory, 'none')], /ENOENT/],
      [['load', '--seconds', '-1', ...access], /--seconds: -1 is no number above 0/],
      [['load', '--rate', '0', ...access], /--rate: 0 is no number above 0/],
      [['load', '--runs', 'many', ...access], /--runs: NaN is no whole number of 1 or more/],
      [['load', '--pipeline', '0', ...access], /--pipeline: 0 is no whole number of 1 or more/],
      [['load', '--repeats', '-1', ...access], /--repeats: -1 is no whole number of 0 or more/],
      [['goals', '--row', 'get', '--warmup', '-1'], /--warmup: -1 is no number of 0 or more/],
      [['limit', '--json', join(directory, 'none', 'a.json')], /--json: .*ENOENT/],
      [['compare', import.meta.filename, import.meta.filename], /bench\.test\.ts is no report of kmip-bench/],
      [[], /say what to measure/],
    ] as const) {
      const ended = await run('main.ts', parameters)
      assert.equal(ended.code, 1)
      assert.match(ended.stderr, text)
      assert.doesNotMatch(ended.stderr, /\n\s+at /)
    }
  })
})

test('kmip-bench limit measures the echo with the sizes that it is given', async () => {
  const json = join(directory, 'limit.json')
  const ended = await run('main.ts', [
    'limit',
    ...short,
    '--runs',
    '2',
    '--request-size',
    '200',
    '--response-size',
    '1024',
    '--json',
    json,
  ])
  assert.equal(ended.code, 0, ended.stderr)
  const report = reportIn(json)
  assert.equal(report.rows.length, 4)
  assert.equal(report.summaries.length, 2)
  for (const row of report.rows) {
    assert.deepEqual([row.requestBytes, row.responseBytes], [200, 1024])
    assert.deepEqual(row.measured.errors, {})
    assert.ok(row.measured.completed > 0)
  }
})

test('the micro-benchmarks run, every one of them', async () => {
  const json = join(directory, 'micro.json')
  const ended = await run('micro/main.ts', ['--time', '1', '--objects', '128', '--json', json])
  assert.equal(ended.code, 0, ended.stderr)
  interface Row {
    readonly suite: string
    readonly name: string
    readonly p50Us: number
  }
  const { rows } = JSON.parse(readFileSync(json, 'utf8')) as { rows: Row[] }
  assert.deepEqual(
    [...new Set(rows.map(({ suite }) => suite))],
    [
      'binary',
      'framer',
      'chain',
      'gathered',
      'hmac',
      'keys',
      'unpack',
      'front',
      'find',
      'run',
      'dispatch',
      'known-answers',
    ],
  )
  assert.ok(rows.length > 70)
  assert.ok(rows.every((row) => row.p50Us > 0))
})

test('one micro-benchmark runs alone, for a profile, and tells its processor time', async () => {
  const ended = await run('micro/main.ts', ['--suite', 'framer', '--task', 'framer a whole request', '--time', '5'])
  assert.equal(ended.code, 0, ended.stderr)
  assert.match(ended.stdout, /^framer a whole request: \d+ operations, each [\d.]+ us, [\d.]+ us of this thread/)
  for (const [parameters, text] of [
    [['--suite', 'nothing'], /no suite is named nothing; there are binary, /],
    [['--suite', 'framer', '--task', 'nothing'], /no task has that name/],
    [['--time', 'long'], /^npm run bench: --time: NaN is no number above 0\n$/],
    [['--nothing'], /^npm run bench: Unknown argument: nothing\n$/],
  ] as const) {
    const refused = await run('micro/main.ts', parameters)
    assert.notEqual(refused.code, 0)
    assert.match(refused.stderr, text)
  }
})

test('the measurement behind the placement of cryptography runs, and leaves the table alone when not told to write', async () => {
  const json = join(directory, 'placement.json')
  const ended = await run('micro/placement.ts', ['--time', '0.2', '--json', json])
  assert.equal(ended.code, 0, ended.stderr)
  const { hop, rows } = JSON.parse(readFileSync(json, 'utf8')) as {
    hop: { fixedUs: number }
    rows: { name: string; fixedUs: number; perKibUs: number; inPlaceBytesMax: number }[]
  }
  assert.ok(hop.fixedUs >= 0)
  // A row for each row of the table that the server reads, by the same names.
  assert.deepEqual(
    rows.map(({ name }) => name),
    Object.keys(measuredCosts),
  )
  for (const row of rows) assert.ok(row.fixedUs > 0 && row.perKibUs >= 0 && row.inPlaceBytesMax >= -1)
})
