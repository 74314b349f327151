/**
 * The rest of the bench tool as commands, for very short times, with the real server: mixes, scripts, open loops, batches,
 * several processes, objects that are kept, reports and their comparison, connections, goals. What it is not: a measurement.
 */
import assert from 'node:assert/strict'
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import type { VersusRow } from '#bench/versus'
import { type RunningServer, startServerProcess } from '#test/running-server'

const directory = mkdtempSync(join(tmpdir(), 'kmipd-bench-tools-test-'))
let server: RunningServer
before(async () => {
  server = await startServerProcess()
})
after(async () => {
  await server.stop()
  rmSync(directory, { recursive: true })
})

interface Ended {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

const run = (parameters: readonly string[]): Promise<Ended> =>
  new Promise((resolve) => {
    const path = join(import.meta.dirname, '..', '..', 'bench', 'main.ts')
    execFile(process.execPath, [path, ...parameters], { timeout: 100_000 }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code ?? 1), stdout, stderr })
    })
  })

const short = ['--seconds', '0.2', '--warmup', '0.05']
const load = (...more: readonly string[]): Promise<Ended> => {
  const where = ['--host', server.host, '--port', String(server.port), '--data', server.directory]
  return run(['load', ...where, ...(more.includes('--seconds') ? short.slice(2) : short), ...more])
}
const file = (name: string): string => join(directory, name)
const jsonIn = <T>(name: string): T => JSON.parse(readFileSync(file(name), 'utf8')) as T

/** What a page has for its script. */
const dataOf = <T>(page: string): T => JSON.parse(/<script>const report = (.*)$/m.exec(page)?.[1] ?? '') as T

interface Counted {
  readonly completed: number
  readonly errors: Readonly<Record<string, number>>
}
interface Report {
  readonly rows: readonly {
    readonly operation: string
    readonly connections: number
    readonly itemsPerSecond: number
    readonly operationsPerSecond: number
    readonly ratio?: number
    readonly p99Ratio?: number
    readonly processorRatio?: number
    readonly coresUsed?: number
    readonly measured: Counted & {
      readonly processorUs?: { readonly server?: number; readonly generator?: number }
      readonly items: number
      readonly elapsedMs: number
      readonly steps: Readonly<Record<string, Counted>>
      readonly percentiles: readonly (readonly [number, number])[]
      readonly timeline: readonly { readonly completed: number }[]
    }
    readonly limitAfter?: Counted
  }[]
}

describe('kmip-bench load', () => {
  test('a mix has its shares, over several processes, with an echo on both sides', async () => {
    const mix = ['--mix', 'get=80,create=15,locate=5', '--processes', '2', '--connections', '4', '--objects', '30']
    const ended = await load(...mix, '--pipeline', '2', '--json', file('mix.json'))
    assert.equal(ended.code, 0, ended.stderr)
    const [row, ...others] = jsonIn<Report>('mix.json').rows
    assert.ok(row !== undefined && others.length === 0)
    assert.equal(row.operation, 'get=80,create=15,locate=5')
    const { steps, completed, errors, percentiles } = row.measured
    assert.deepEqual(errors, {})
    const count = (name: string): number => steps[name]?.completed ?? 0
    assert.equal(count('get') + count('create') + count('locate'), completed)
    assert.ok(count('get') > count('create') && count('create') > count('locate'), JSON.stringify(steps))
    assert.ok((row.limitAfter?.completed ?? 0) > 0)
    assert.ok((row.ratio ?? 0) > 0)
    percentiles.reduce(
      (last, [percentile, ns]) => {
        assert.ok(percentile > last[0] && ns >= last[1])
        return [percentile, ns] as const
      },
      [0, 0] as readonly [number, number],
    )
  })

  test('scripts of clients go through without a refusal', async () => {
    const profiles = ['storage-array', 'tape-library', 'boot-storm', 'hypervisor']
    const ended = await load(
      '--profile',
      profiles.join(','),
      '--connections',
      '2',
      '--objects',
      '5',
      '--json',
      file('profile.json'),
    )
    assert.equal(ended.code, 0, ended.stderr)
    assert.doesNotMatch(ended.stderr, /refused/)
    const { rows } = jsonIn<Report>('profile.json')
    assert.deepEqual(
      rows.map(({ operation }) => operation),
      profiles,
    )
    for (const { measured } of rows) {
      assert.deepEqual(measured.errors, {})
      for (const [name, { completed }] of Object.entries(measured.steps)) assert.ok(completed > 0, name)
    }
  })

  test('operations that compute, with each size of data; batches count their items', async () => {
    const operations = ['--operation', 'encrypt-cbc,encrypt-gcm,mac,sign,hash,get-attributes', '--data-size', '64,256']
    const more = ['--connections', '2', '--objects', '8', '--no-limit', '--batch', '4', '--json', file('sizes.json')]
    const ended = await load(...operations, ...more)
    assert.equal(ended.code, 0, ended.stderr)
    const { rows } = jsonIn<Report>('sizes.json')
    assert.deepEqual(
      rows.map(({ operation }) => operation),
      [
        ...['encrypt-cbc', 'encrypt-gcm', 'mac', 'sign', 'hash'].flatMap((name) => [`${name}-64x4`, `${name}-256x4`]),
        'get-attributesx4',
      ],
    )
    for (const { operation, measured } of rows) {
      assert.deepEqual(measured.errors, {}, operation)
      assert.ok(measured.completed > 0)
      assert.equal(measured.items, measured.completed * 4)
    }
  })

  test('an open loop begins what its rate says', async () => {
    const rate = ['--rate', '200', '--seconds', '1', '--connections', '3', '--operation', 'discover-versions']
    const ended = await load(...rate, '--json', file('open.json'))
    assert.equal(ended.code, 0, ended.stderr)
    const [row] = jsonIn<Report>('open.json').rows
    assert.ok(row !== undefined)
    // All that was to begin in the time is answered and counted; on a busy machine the time is longer than was asked for.
    const { completed, elapsedMs } = row.measured
    assert.ok(completed >= 195 && completed <= elapsedMs / 5 + 5, `${completed} in ${elapsedMs} ms`)
    assert.ok((row.p99Ratio ?? 0) > 0)
  })

  test('an open loop with a pace begins as many, together', async () => {
    const rate = ['--rate', '200', '--pace-ms', '50', '--seconds', '1', '--connections', '3', '--no-limit']
    const ended = await load(...rate, '--operation', 'discover-versions', '--json', file('paced.json'))
    assert.equal(ended.code, 0, ended.stderr)
    const [row] = jsonIn<Report>('paced.json').rows
    assert.ok(row !== undefined)
    const { completed, elapsedMs } = row.measured
    assert.ok(completed >= 180 && completed <= elapsedMs / 5 + 15, `${completed} in ${elapsedMs} ms`)
  })

  test('objects that are kept are found again; a name that nobody kept is not', async () => {
    const get = ['--operation', 'get', '--connections', '1', '--no-limit', '--objects', '40']
    const kept = await load(...get, '--keep')
    assert.equal(kept.code, 0, kept.stderr)
    const prefix = /--reuse (\S+)/.exec(kept.stderr)?.[1] ?? ''
    const again = await load(...get, '--reuse', prefix, '--used', '10', '--json', file('again.json'))
    assert.equal(again.code, 0, again.stderr)
    assert.ok((jsonIn<Report>('again.json').rows[0]?.measured.completed ?? 0) > 0)
    const none = await load(...get, '--reuse', 'nobody-kept-it')
    assert.equal(none.code, 1)
    assert.match(none.stderr, /no object named nobody-kept-it-0/)
  })

  test('writes a line for each row, and a page that needs nothing else; two reports are compared', async () => {
    const outputs = ['--csv', file('a.csv'), '--html', file('a.html'), '--json', file('a.json')]
    const ended = await load('--operation', 'query', '--connections', '1,2', ...outputs)
    assert.equal(ended.code, 0, ended.stderr)
    const [names, ...lines] = readFileSync(file('a.csv'), 'utf8').trimEnd().split('\n')
    assert.equal(lines.length, 2)
    assert.match(lines[0] ?? '', /^query,1,1,[\d.]+,/)
    assert.equal(names?.split(',').length, lines[0]?.split(',').length)
    const page = readFileSync(file('a.html'), 'utf8')
    assert.match(page, /uPlot/)
    assert.doesNotMatch(page, /\bsrc=|\bhref=/)
    // Every chart has its place, and the data that it draws.
    for (const id of ['rates', 'slow', 'operation-0']) assert.match(page, new RegExp(`<div[^>]* id="${id}"`))
    const drawn = dataOf<{
      operations: {
        name: string
        cases: { timeline: number[]; percentiles: number[][]; echoPercentiles: number[][] }[]
      }[]
      bars: { name: string; rate: number; echo: number; p99Us: number; echoP99Us: number }[]
    }>(page)
    assert.deepEqual(
      drawn.bars.map(({ name }) => name),
      ['query (1)', 'query (2)'],
    )
    for (const { rate, echo, p99Us, echoP99Us } of drawn.bars)
      assert.ok(rate > 0 && echo > 0 && p99Us > 0 && echoP99Us > 0)
    const [query] = drawn.operations
    assert.deepEqual([drawn.operations.length, query?.name, query?.cases.length], [1, 'query', 2])
    for (const { timeline, percentiles, echoPercentiles } of query?.cases ?? [])
      assert.ok(timeline.some((rate) => rate > 0) && percentiles.length > 10 && echoPercentiles.length > 10)
    const compared = await run(['compare', file('a.json'), file('a.json'), '--html', file('compared.html')])
    assert.equal(compared.code, 0, compared.stderr)
    assert.match(compared.stdout, /query +2 +\d+ +\d+ +\+0\.0%/)
    const pairs = dataOf<{ pairs: { before: { operationsPerSecond: number }; after: unknown }[] }>(
      readFileSync(file('compared.html'), 'utf8'),
    )
    assert.deepEqual(pairs.pairs[1]?.after, pairs.pairs[1]?.before)
    const other = await run(['compare', file('a.json'), file('a.csv')])
    assert.equal(other.code, 1)
  })

  test('servers with different flags are loaded in turn, and told as ratios to the first', async () => {
    const flags = ['--flags=--audit off', '--flags=']
    const turns = ['--starts', '1', '--turns', '2', '--turn-ms', '60', '--warmup', '0.1']
    const asked = ['--mix', 'get=3,mac=1', '--connections', '2', '--objects', '4']
    const ended = await run(['versus', ...flags, ...asked, ...turns, '--json', file('versus.json')])
    assert.equal(ended.code, 0, ended.stderr)
    const { rows } = jsonIn<{ rows: VersusRow[] }>('versus.json')
    assert.deepEqual(
      rows.map(({ start, variant, failed }) => [start, variant, failed]),
      [
        [1, 0, 0],
        [1, 1, 0],
      ],
    )
    for (const { ratePerSecond } of rows) assert.ok(ratePerSecond > 0)
    assert.match(ended.stdout, /: rate [\d.]+ \([\d.]+-[\d.]+\), processor time .* of --audit off\n$/)
  })

  test('a server of its own, with cores to bind to, processor times, a version, and runs measured anew', async () => {
    const cores = ['--server-cores', '0', '--echo-cores', '0', '--generator-cores', '0']
    const own = ['--own', '--server-flag=--audit', '--server-flag=off', '--protocol', '1.2', '--repeats', '1', ...cores]
    const asked = ['--operation', 'get', '--objects', '3', '--connections', '2', '--seconds', '0.4', '--warmup', '0.1']
    const ended = await run(['load', ...own, ...asked, '--json', file('own.json')])
    assert.equal(ended.code, 0, ended.stderr)
    const [row, ...others] = jsonIn<Report>('own.json').rows
    assert.ok(row !== undefined && others.length === 0)
    assert.deepEqual(row.measured.errors, {})
    // Linux tells the time of processes; elsewhere there is no figure.
    if (process.platform === 'linux') {
      const { server: served, generator } = row.measured.processorUs ?? {}
      assert.ok((served ?? 0) > 0 && (generator ?? 0) > 0)
      assert.ok((row.processorRatio ?? 0) > 0)
      // All on one core: no more than that was used, but for the hundredths in which times are told.
      assert.ok((row.coresUsed ?? 9) < 1.3, `${row.coresUsed}`)
    }
  })

  test('a server of its own and its data go when the measurement is interrupted', async () => {
    const place = mkdtempSync(join(directory, 'interrupted-'))
    const words = ['load', '--own', '--operation', 'query', '--connections', '1', '--no-limit', '--seconds', '0.1']
    const main = join(import.meta.dirname, '..', '..', 'bench', 'main.ts')
    const child = spawn(process.execPath, [main, ...words, '--warmup', '0', '--runs', '1000'], {
      env: { ...process.env, TMPDIR: place },
    })
    const exited = once(child, 'exit')
    let data: string[] = []
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      if (data.length > 0 || !/^query /m.test(text)) return
      data = readdirSync(place)
      child.kill('SIGTERM')
    })
    assert.deepEqual(await exited, [1, null])
    assert.equal(data.length, 1)
    assert.deepEqual(readdirSync(place), [])
  })

  test('progress is told in lines where there is no terminal', async () => {
    const ended = await load('--operation', 'get', '--objects', '2', '--connections', '1', '--no-limit')
    assert.equal(ended.code, 0, ended.stderr)
    assert.equal(ended.stderr, 'making 2 objects\ndestroying 2 objects\n')
    assert.ok(!ended.stdout.includes('\u001b'))
  })

  test('says in one line what is wrong', async () => {
    for (const [parameters, text] of [
      [['--mix', 'get=none'], /get=none is no share of a mix/],
      [['--profile', 'nothing'], /no profile is named nothing/],
      [['--runs', '1', '--runs', '2'], /--runs is given twice/],
      [['--server-cores', '0'], /--server-cores needs --own or --pid/],
      [['--operation', 'query', '--generator-cores', '9999'], /cannot be bound to the cores 9999/],
      [['--user', 'kmip', '--password', 'wrong', '--operation', 'get'], /The client or its credential is not known/],
    ] as const) {
      const ended = await load(...parameters)
      assert.equal(ended.code, 1)
      assert.match(ended.stderr, text)
    }
  })
})

test('kmip-bench connect counts handshakes beside a bare server, and holds sessions', async () => {
  const where = ['--host', server.host, '--port', String(server.port), '--data', server.directory]
  const held = ['--held', '20', '--pid', String(server.process.pid), '--lanes', '2']
  const ended = await run(['connect', ...where, ...short, ...held, '--json', file('connect.json')])
  assert.equal(ended.code, 0, ended.stderr)
  const report = jsonIn<{
    rows: { kind: string; server: Counted & { resumed: number }; bare: Counted[] }[]
    held: { server: { sessions: number; heldBytes: number }; bare: { heldBytes: number } }
  }>('connect.json')
  assert.deepEqual(
    report.rows.map(({ kind }) => kind),
    ['full', 'resumed'],
  )
  for (const { kind, server: measured, bare } of report.rows) {
    assert.ok(measured.completed > 0)
    assert.deepEqual(measured.errors, {})
    assert.equal(measured.resumed > 0, kind === 'resumed')
    assert.equal(bare.length, 2)
    for (const each of bare) assert.deepEqual(each.errors, {})
  }
  assert.ok(report.held.server.heldBytes > 0 && report.held.bare.heldBytes > 0)
})

test('kmip-bench connect measures servers of KMIP 1.0 too, which has no Discover Versions', async () => {
  const where = ['--host', server.host, '--port', String(server.port), '--data', server.directory]
  const ended = await run([
    'connect',
    ...where,
    ...short,
    '--lanes',
    '1',
    '--protocol',
    '1.0',
    '--json',
    file('old.json'),
  ])
  assert.equal(ended.code, 0, ended.stderr)
  for (const row of jsonIn<{ rows: { server: Counted }[] }>('old.json').rows) {
    assert.ok(row.server.completed > 0)
    assert.deepEqual(row.server.errors, {})
  }
})

describe('kmip-bench goals', () => {
  interface Goals {
    readonly goals: readonly {
      readonly name: string
      readonly median?: number
      readonly runs: number
      readonly note?: string
    }[]
  }
  const tiny = ['--runs', '1', '--seconds', '0.1', '--warmup', '0.05', '--objects', '70', '--held', '10']

  test('measures rows on servers of its own, and writes table and figures', async () => {
    const rows = ['batch', 'sign', 'handshakes', 'p99-half', 'idle-sessions', 'two-cores']
    const ended = await run(['goals', ...tiny, ...rows.flatMap((row) => ['--row', row]), '--json', file('goals.json')])
    assert.equal(ended.code, 0, ended.stdout + ended.stderr)
    const { goals } = jsonIn<Goals>('goals.json')
    assert.deepEqual(
      goals.map(({ name }) => name),
      rows,
    )
    for (const { name, median, note } of goals)
      assert.ok((median ?? 0) > 0 || note?.startsWith('not measured') === true, name)
    assert.match(ended.stdout, /\| batch \| 64 Gets /)
  })

  test('a filled store is filled once', async () => {
    const rows = ['million-memory,million-locate-p99']
    const filled = ['--million-objects', '300', '--row', ...rows]
    const ended = await run(['goals', ...tiny, ...filled, '--json', file('million.json')])
    assert.equal(ended.code, 0, ended.stdout + ended.stderr)
    for (const { name, median } of jsonIn<Goals>('million.json').goals) assert.ok((median ?? 0) > 0, name)
    assert.equal(ended.stderr.match(/300 objects made/g)?.length, 1)
  })

  test("PyKMIP's server is measured beside", async () => {
    const ended = await run(['goals', ...tiny, '--row', 'pykmip-get', '--json', file('pykmip.json')])
    assert.equal(ended.code, 0, ended.stdout + ended.stderr)
    assert.ok((jsonIn<Goals>('pykmip.json').goals[0]?.median ?? 0) > 0)
  })

  test('a row that fails does not cost the others', async () => {
    const flags = ['--server-flag=--no-such-setting', '--server-flag=1']
    const ended = await run(['goals', ...tiny, ...flags, '--row', 'get', '--json', file('failed.json')])
    assert.equal(ended.code, 1)
    const [goal] = jsonIn<Goals>('failed.json').goals
    assert.match(goal?.note ?? '', /^failed: the server does not serve/)
    const unknown = await run(['goals', '--row', 'nothing'])
    assert.match(unknown.stderr, /no row is named nothing/)
  })
})
