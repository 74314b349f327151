/**
 * The bench tools as commands, for very short times: that they run, count what a server counted, and leave nothing behind.
 * What it is not: a measurement.
 */
import assert from 'node:assert/strict'
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
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

/** The Name that a Create or a Locate carries. */
const nameIn = (payload: unknown): string => /"nameValue":"([^"]*)"/.exec(JSON.stringify(payload))?.[1] ?? 'nameless'

/** Answers as a server with objects would; the keys that are there are counted. */
const startObjects = async (getFails: boolean, createsMax = Number.POSITIVE_INFINITY) => {
  const present = new Map<string, string>()
  const asked = new Map<number, number>()
  let made = 0
  const answer = ({ request }: Received): Buffer => {
    const answers = request.batchItem.map(({ operation, requestPayload }) => {
      asked.set(operation, (asked.get(operation) ?? 0) + 1)
      const { uniqueIdentifier = `key-${made}` } = requestPayload as { uniqueIdentifier?: string }
      if (operation === Operation.Create) present.set(nameIn(requestPayload), `key-${made}`)
      if (operation === Operation.Create) made += 1
      if (operation === Operation.Destroy)
        for (const [name, id] of present) if (id === uniqueIdentifier) present.delete(name)
      if (operation === Operation.Locate) {
        const id = present.get(nameIn(requestPayload))
        return { uniqueIdentifier: id === undefined ? [] : [id], locatedItems: 1 }
      }
      if (operation === Operation.DiscoverVersions) return { protocolVersion: [] }
      return { objectType: ObjectType.SymmetricKey, uniqueIdentifier }
    })
    const operation = request.batchItem[0]?.operation ?? 0
    if (operation === Operation.Create && made > createsMax) {
      return responseBytes(request, [
        { operation, resultStatus: ResultStatus.OperationFailed, resultReason: ResultReason.PermissionDenied },
      ])
    }
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

  test('destroys what it had made when it can make no more, and tells why it could not', async () => {
    // Full after the first message; what it did with those that it then refuses is looked at by name.
    const server = await startObjects(false, 64)
    const operation = ['--operation', 'get', '--objects', '200', '--no-limit']
    const where = ['--host', '127.0.0.1', '--port', server.port]
    const ended = await run('main.ts', ['load', ...where, ...access, ...short, ...operation])
    assert.equal(ended.code, 1)
    assert.match(ended.stderr, /kmip-bench: PermissionDenied\n$/)
    assert.ok((server.asked.get(Operation.Destroy) ?? 0) > 0)
    assert.equal(server.present.size, 0)
  })

  test('counts what a server that has gone silent owes as errors, and keeps the rows before it', async () => {
    const greeted = new Set<number>()
    const server = await startServer(certificates, ({ request, socket, connectionIndex }) => {
      const isQuery = request.batchItem[0]?.operation === Operation.Query
      const answered = isQuery ? { operation: [] } : { protocolVersion: [] }
      if (!isQuery || !greeted.has(connectionIndex)) socket.write(succeed(request, () => answered))
      greeted.add(connectionIndex)
    })
    closers.push(() => server.close())
    const json = join(directory, 'silent.json')
    const where = ['--host', '127.0.0.1', '--port', String(server.port)]
    const times = ['--connections', '2', '--seconds', '0.2', '--warmup', '0.05', '--timeout', '0.4', '--no-limit']
    const operation = ['--operation', 'discover-versions,query', '--json', json]
    const ended = await run('main.ts', ['load', ...where, ...access, ...times, ...operation])
    assert.equal(ended.code, 0, ended.stderr)
    const [before, silent] = reportIn(json).rows
    assert.ok((before?.measured.completed ?? 0) > 0)
    assert.deepEqual([silent?.measured.completed, silent?.measured.errors], [0, { RequestTimeout: 2 }])
  })

  test('when it is interrupted destroys its objects, and writes the rows that it has', async () => {
    const server = await startObjects(false)
    const json = join(directory, 'interrupted.json')
    const where = ['--host', '127.0.0.1', '--port', server.port, '--connections', '1', '--no-limit']
    const times = ['--seconds', '0.2', '--warmup', '0.05', '--runs', '1000']
    const words = ['load', ...where, ...access, ...times, '--operation', 'get', '--objects', '70', '--json', json]
    const child = spawn(process.execPath, [join(import.meta.dirname, '..', '..', 'bench', 'main.ts'), ...words])
    const exited = once(child, 'exit')
    let told = ''
    child.stderr.setEncoding('utf8').on('data', (text: string) => (told += text))
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      if (/^get /m.test(text)) child.kill('SIGTERM')
    })
    const [code] = (await exited) as [number | null]
    assert.equal(code, 1, told)
    assert.match(told, /kmip-bench: interrupted by SIGTERM\n$/)
    assert.equal(server.present.size, 0)
    const report = JSON.parse(readFileSync(json, 'utf8')) as Report & { settings: { endedBy?: string } }
    assert.ok(report.rows.length > 0)
    assert.equal(report.settings.endedBy, 'interrupted by SIGTERM')
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
      [['limit', '--json', directory], /--json: .* is a folder/],
      [['limit', '--html'], /--html: .*no file is named/],
      [['limit', '--pace-ms', '1'], /--pace-ms needs --rate/],
      [['limit', '--repeats', '1'], /Unknown argument: repeats/],
      [['crypto', '--generator-cores', '9999'], /cannot be bound to the cores 9999/],
      [['load', '--operation', ...access], /there is nothing to measure/],
      [['load', '--profile', 'hypervisor', '--rate', '9', ...access], /hypervisor cannot be begun at a rate/],
      [['load', '--password', 'x', ...access], /--password needs --user/],
      [['load', '--server-flag=--audit', ...access], /--server-flag .* needs --own/],
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
      'later',
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
    [['--json', directory], /^npm run bench: --json: .* is a folder\n$/],
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
