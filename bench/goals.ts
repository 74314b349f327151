/**
 * The project's goals of speed as rows: what is measured, against what, and what is aimed at. What it is: one function a row,
 * each on a server that it starts. What it is not: the measurements themselves, or their report (goals-report.ts).
 */
import { availableParallelism } from 'node:os'
import { v1_4 } from '#kmip/versions'
import { bareLoop } from './bare-loop.ts'
import {
  bareRate,
  bytesPerSession,
  handshakeRatio,
  handshakesPerSecond,
  measureHandshakes,
  measureHeld,
} from './connect.ts'
import type { Measured } from './job.ts'
import { clientOptionsOf, type LoadOptions, load, type MeasureOptions, type Progress } from './load.ts'
import { isFilled, nowMs, readText, residentBytes, uniquePrefix, writeText } from './machine.ts'
import { type OwnServer, type OwnServerOptions, startOwnServer } from './own-server.ts'
import { defaultLoader, preload, refind } from './preload.ts'
import {
  coresUsed,
  itemsPerSecond,
  latencyUs,
  limitPerSecond,
  operationsPerSecond,
  p99RatioOf,
  processorRatioOf,
  type Row,
  ratioOf,
} from './report.ts'
import type { RequestFrame, ScenarioName } from './scenarios/index.ts'
import { type Plan, planName } from './work.ts'

/** How the rows are measured. */
export interface GoalOptions extends MeasureOptions {
  /** More flags of `serve`. */
  readonly serverFlags: readonly string[]
  /** Objects that Get and the like ask for. */
  readonly objectCount: number
  /** Idle sessions. */
  readonly heldSessions: number
  /** Objects of the rows `million-*`. */
  readonly millionCount: number
  /** Where those are kept; measured again when it is filled. */
  readonly millionDirectory: string
}

/** What a row found: one value a run, and what it was made of. */
export interface Figures {
  readonly values: readonly number[]
  readonly details: Readonly<Record<string, readonly number[]>>
  /** What a reader must know. */
  readonly note?: string
  readonly errors: Readonly<Record<string, number>>
}

/** A goal. */
export interface Goal {
  readonly name: string
  readonly work: string
  readonly unit: string
  /** What is aimed at; undefined where there is no goal, only a figure. */
  readonly atLeast?: number
  readonly atMost?: number
  /** What does the same by hand. */
  readonly command: (options: GoalOptions) => string
  /** Why it cannot be measured here; undefined when it can. */
  readonly impossible?: () => string | undefined
  readonly measure: (options: GoalOptions, progress: Progress) => Promise<Figures>
}

const frame: RequestFrame = { version: v1_4 }

const withServer = async <T>(
  options: GoalOptions,
  more: OwnServerOptions & { readonly flags?: readonly string[] },
  work: (server: OwnServer) => Promise<T>,
): Promise<T> => {
  const server = await startOwnServer([...options.serverFlags, ...(more.flags ?? [])], more)
  try {
    return await work(server)
  } finally {
    await server.stop()
  }
}

const planOf = (operation: ScenarioName, batch = 1): Plan => ({ kind: 'operation', operation, dataSize: 64, batch })

const errorsOf = (measured: readonly Pick<Measured, 'errors'>[]): Record<string, number> => {
  const all: Record<string, number> = {}
  for (const { errors } of measured)
    for (const [name, count] of Object.entries(errors)) all[name] = (all[name] ?? 0) + count
  return all
}

/** Rows of one plan on a server. */
export const rowsOf = async (
  options: GoalOptions,
  server: Pick<OwnServer, 'target' | 'pid'>,
  plans: readonly Plan[],
  connections: number,
  progress: Progress,
  more: Partial<LoadOptions> = {},
): Promise<Row[]> => {
  const rows: Row[] = []
  const { objectCount } = options
  await load(
    {
      ...options,
      connections: [connections],
      target: server.target,
      pid: server.pid,
      frame,
      plans,
      objectCount,
      objectsUsed: objectCount,
      objectPrefix: uniquePrefix(),
      reuse: false,
      keep: true,
      withLimit: true,
      ...more,
    },
    (row) => rows.push(row),
    // That objects are made and stay is news only where they do not go with their server.
    { ...progress, say: () => undefined },
  )
  return rows
}

const commandOf = (operation: string, connections: number, options: GoalOptions): string =>
  `${commandOn(operation, connections, options)} --own --objects ${options.objectCount}`

/** The same on a server that is there. */
const commandOn = (operation: string, connections: number, { runs, durationMs, warmupMs }: GoalOptions): string =>
  `kmip-bench load --operation ${operation} --connections ${connections} --runs ${runs} --seconds ${durationMs / 1000} --warmup ${warmupMs / 1000}`

const throughputFigures = (rows: readonly Row[]): Figures => ({
  values: rows.map((row) => ratioOf(row) ?? 0),
  details: {
    'ops/s': rows.map((row) => operationsPerSecond(row.measured)),
    'echo ops/s': rows.map((row) => limitPerSecond(row) ?? 0),
    'p50 us': rows.map((row) => row.measured.latency.p50 / 1000),
    'p99 us': rows.map((row) => row.measured.latency.p99 / 1000),
    'echo p99 us': rows.map((row) => (row.limit?.latency.p99 ?? 0) / 1000),
    'processor us': rows.map((row) => row.measured.processorUs?.server ?? 0),
    'echo processor us': rows.map((row) => row.limit?.processorUs?.server ?? 0),
    'generator processor us': rows.map((row) => row.measured.processorUs?.generator ?? 0),
    'processor ratio': rows.map((row) => processorRatioOf(row) ?? 0),
    'cores of server and generator': rows.map((row) => coresUsed(row.measured) ?? 0),
    'of echo and generator': rows.map((row) => (row.limit === undefined ? 0 : (coresUsed(row.limit) ?? 0))),
  },
  errors: errorsOf(rows.map(({ measured }) => measured)),
})

/** A goal that is the ratio to the echo of one operation. */
const ratioGoal = (name: string, work: string, operation: ScenarioName, atLeast: number, connections = 16): Goal => ({
  name,
  work,
  unit: 'of the echo',
  atLeast,
  command: (options) => commandOf(operation, connections, options),
  measure: (options, progress) =>
    withServer(options, {}, async (server) =>
      throughputFigures(await rowsOf(options, server, [planOf(operation)], connections, progress)),
    ),
})

const batchGoal: Goal = {
  name: 'batch',
  work: '64 Gets in one message',
  unit: 'times the items/s of single Gets',
  atLeast: 3,
  command: (options) => `${commandOf('get', 16, options)} --batch 1,64`,
  measure: (options, progress) =>
    withServer(options, {}, async (server) => {
      const rows = await rowsOf(options, server, [planOf('get'), planOf('get', 64)], 16, progress)
      const [single, batched] = [planName(planOf('get')), planName(planOf('get', 64))].map((name) =>
        rows.filter((row) => row.operation === name).map((row) => itemsPerSecond(row.measured)),
      )
      return {
        values: (batched ?? []).map((rate, run) => rate / (single?.[run] ?? Number.NaN)),
        details: { 'items/s in batches': batched ?? [], 'items/s single': single ?? [] },
        errors: errorsOf(rows.map(({ measured }) => measured)),
      }
    }),
}

const signGoal: Goal = {
  name: 'sign',
  work: 'Sign RSA-2048',
  unit: 'of as many bare threads',
  atLeast: 0.9,
  command: ({ runs, durationMs }) =>
    `kmip-bench crypto --operation sign-rsa --connections 16 --runs ${runs} --seconds ${durationMs / 1000}`,
  async measure(options, progress) {
    const workers = Math.max(1, availableParallelism() - 1)
    return withServer(options, { flags: ['--crypto-workers', String(workers)] }, async (server) => {
      const bare: number[] = []
      const rows: Row[] = []
      const once = { ...options, runs: 1 }
      for (let run = 1; run <= options.runs; run += 1) {
        const before = await bareLoop({ name: 'sign rsa', size: 64 }, workers, options.durationMs)
        rows.push(...(await rowsOf(once, server, [planOf('sign')], 16, progress, { withLimit: false })))
        const after = await bareLoop({ name: 'sign rsa', size: 64 }, workers, options.durationMs)
        bare.push((before + after) / 2)
      }
      const rates = rows.map((row) => operationsPerSecond(row.measured))
      return {
        values: rates.map((rate, run) => rate / (bare[run] ?? Number.NaN)),
        details: { 'ops/s': rates, 'bare ops/s': bare },
        note: `${workers} crypto worker${workers === 1 ? '' : 's'}, as many bare threads`,
        errors: errorsOf(rows.map(({ measured }) => measured)),
      }
    })
  },
}

const handshakeGoal = (name: string, kind: 'full' | 'resumed', atLeast: number | undefined): Goal => ({
  name,
  work: `${kind} handshakes with client certificate`,
  unit: "of a bare node:tls server's",
  ...(atLeast === undefined ? {} : { atLeast }),
  command: ({ runs, durationMs }) => `kmip-bench connect --own --runs ${runs} --seconds ${durationMs / 1000}`,
  measure: (options) =>
    withServer(options, {}, async ({ target }) => {
      const values: number[] = []
      const rates: number[] = []
      const bare: number[] = []
      const errors: Readonly<Record<string, number>>[] = []
      let resumed = 0
      let completed = 0
      await measureHandshakes({ ...options, target, frame, lanes: 8 }, [kind], (row) => {
        values.push(handshakeRatio(row))
        rates.push(handshakesPerSecond(row.server))
        bare.push(bareRate(row))
        errors.push(row.server.errors)
        resumed += row.server.resumed
        completed += row.server.completed
      })
      return {
        values,
        details: { 'handshakes/s': rates, 'bare/s': bare },
        note: `each with one Discover Versions; ${completed === 0 ? 0 : Math.round((resumed / completed) * 100)} % resumed`,
        errors: errorsOf(errors.map((entry) => ({ errors: entry }))),
      }
    }),
})

const halfRateGoal: Goal = {
  name: 'p99-half',
  work: 'p99 of Get at half of the maximal rate',
  unit: "times the echo's at the same rate",
  atMost: 2,
  command: (options) => `${commandOf('get', 16, options)} --rate <half of the ops/s>`,
  measure: (options, progress) =>
    withServer(options, {}, async (server) => {
      const [row] = await rowsOf({ ...options, runs: 1 }, server, [planOf('get')], 16, progress, { withLimit: false })
      if (row === undefined) throw new Error('Get was not measured')
      const ratePerSecond = Math.max(1, Math.round(operationsPerSecond(row.measured) / 2))
      const rows = await rowsOf({ ...options, ratePerSecond }, server, [planOf('get')], 16, progress)
      return {
        values: rows.map((entry) => p99RatioOf(entry) ?? Number.NaN),
        details: {
          'p99 us': rows.map((entry) => entry.measured.latency.p99 / 1000),
          'echo p99 us': rows.map((entry) => (entry.limit?.latency.p99 ?? 0) / 1000),
          'p50 us': rows.map((entry) => entry.measured.latency.p50 / 1000),
          'echo p50 us': rows.map((entry) => (entry.limit?.latency.p50 ?? 0) / 1000),
          'ops/s': rows.map((entry) => operationsPerSecond(entry.measured)),
        },
        note: `open loop at ${ratePerSecond} a second, latency from the intended start`,
        errors: errorsOf(rows.map(({ measured }) => measured)),
      }
    }),
}

const idleGoal: Goal = {
  name: 'idle-sessions',
  work: 'idle sessions, resident memory',
  unit: "times a bare node:tls server's",
  atMost: 1.3,
  command: ({ heldSessions }) =>
    `kmip-bench connect --own --no-handshakes --held ${heldSessions} --server-flag=--sessions-max --server-flag=${heldSessions + 1000} --server-flag=--sessions-per-address-max --server-flag=${heldSessions + 1000}`,
  async measure(options, progress) {
    const found = {
      total: [] as number[],
      server: [] as number[],
      bare: [] as number[],
      each: [] as number[],
      bareEach: [] as number[],
    }
    const room = String(options.heldSessions + 1000)
    // All of them come from one address.
    const flags = ['--sessions-max', room, '--sessions-per-address-max', room]
    for (let run = 1; run <= options.runs; run += 1) {
      progress.say(`${options.heldSessions} idle sessions, run ${run}`)
      const row = await withServer(options, { flags }, ({ target, pid }) =>
        measureHeld({ target, frame, timeoutMs: options.timeoutMs }, pid, options.heldSessions),
      )
      found.total.push(row.server.heldBytes / row.bare.heldBytes)
      found.server.push(row.server.heldBytes / mebibyte)
      found.bare.push(row.bare.heldBytes / mebibyte)
      found.each.push(bytesPerSession(row.server) / 1024)
      found.bareEach.push(bytesPerSession(row.bare) / 1024)
    }
    return {
      values: found.total,
      details: {
        'MiB in all': found.server,
        'bare MiB in all': found.bare,
        'KiB a session': found.each,
        'bare KiB a session': found.bareEach,
      },
      note: `${options.heldSessions} sessions, one request each before they rest`,
      errors: {},
    }
  },
}

const mebibyte = 1024 * 1024

/** Cores of a list such as taskset takes it. */
const coreList = (first: number, count: number): string =>
  Array.from({ length: count }, (_, index) => first + index).join(',')

/**
 * Where the generator leaves two cores free, single Gets. Where it does not, 64 Gets in one message that are decided anew each
 * time: the generator then needs a small part of what the server does, and takes it from one of the server's two cores.
 */
const coresCase = () => {
  const cores = availableParallelism()
  const isFree = cores >= 4
  return {
    batch: isFree ? 1 : 64,
    // Enough for all objects in each front: fronts share the setting out among them.
    flags: ['--store-cache-bytes-max', String(256 * mebibyte), ...(isFree ? [] : ['--answer-cache-bytes-max', '0'])],
    generatorCores: isFree ? coreList(2, cores - 2) : '1',
    generatorThreads: isFree ? cores - 2 : 1,
    note: isFree
      ? `the load generator on the cores ${coreList(2, cores - 2)}`
      : `${cores} cores: the load generator leaves no two of them free, so 64 Gets a message, none from kept answers, and the generator shares core 1`,
  }
}

const coresGoal: Goal = {
  name: 'two-cores',
  work: '2 cores against 1',
  unit: 'times the Gets',
  atLeast: 1.7,
  command: (options) => {
    const { batch, flags, generatorCores } = coresCase()
    const serverFlags = ['--fronts', '1 (then 2)', ...flags].map((flag) => `--server-flag=${flag}`).join(' ')
    return `${commandOf('get', 16, options)} --batch ${batch} --server-cores 0 (then 0,1) --generator-cores ${generatorCores} ${serverFlags}`
  },
  impossible: () => (availableParallelism() < 2 ? 'there is one core' : undefined),
  async measure(options, progress) {
    const { batch, flags, generatorCores, generatorThreads, note } = coresCase()
    const more = { withLimit: false, threads: generatorThreads, cores: { generator: generatorCores } }
    const rates: number[][] = [[], []]
    const used: number[][] = [[], []]
    const errors: Record<string, number>[] = []
    // One after the other and again, so that both see the machine as it is now.
    for (let run = 1; run <= options.runs; run += 1) {
      for (const [index, cores] of ['0', '0,1'].entries()) {
        const fronts = String(index + 1)
        await withServer(options, { cores, flags: ['--fronts', fronts, ...flags] }, async (server) => {
          const rows = await rowsOf({ ...options, runs: 1 }, server, [planOf('get', batch)], 16, progress, more)
          rates[index]?.push(...rows.map((row) => itemsPerSecond(row.measured)))
          used[index]?.push(...rows.map((row) => coresUsed(row.measured) ?? 0))
          errors.push(errorsOf(rows.map(({ measured }) => measured)))
        })
      }
    }
    const [one = [], two = []] = rates
    return {
      values: two.map((rate, run) => rate / (one[run] ?? Number.NaN)),
      details: {
        'items/s on 2 cores': two,
        'cores that server and generator had': used[1] ?? [],
        'items/s on 1 core': one,
        'cores then': used[0] ?? [],
      },
      note,
      errors: errorsOf(errors.map((each) => ({ errors: each }))),
    }
  },
}

/** What a filled directory holds, beside it. */
interface Filling {
  readonly prefix: string
  readonly count: number
  readonly tookMs: number
}

const fillingFile = (options: GoalOptions): string => `${options.millionDirectory}.bench.json`

/** The filled directory; fills it when it is empty. @throws Error when it is filled with something else */
const fill = async (options: GoalOptions, progress: Progress): Promise<Filling> => {
  const { millionDirectory, millionCount } = options
  if (isFilled(millionDirectory)) {
    const filling = JSON.parse(readText(fillingFile(options))) as Filling
    if (filling.count !== millionCount)
      throw new Error(`${millionDirectory} holds ${filling.count} objects, not ${millionCount}`)
    return filling
  }
  const prefix = uniquePrefix()
  const startMs = nowMs()
  await withServer(options, { directory: millionDirectory }, async ({ target }) => {
    const client = clientOptionsOf(target, frame, 120_000)
    const loader = { ...defaultLoader, clients: 8, batch: 128 }
    await preload(client, millionCount, prefix, 1, loader, (done) => progress.say(`${done} objects made`))
  })
  const filling = { prefix, count: millionCount, tookMs: nowMs() - startMs }
  writeText(fillingFile(options), `${JSON.stringify(filling)}\n`)
  progress.say(`${millionCount} objects made in ${(filling.tookMs / 1000).toFixed(0)} s`)
  return filling
}

const millionCommand = (operation: string) => (options: GoalOptions) =>
  `${commandOn(operation, 16, options)} --objects ${options.millionCount} --reuse <prefix>`

/** Rows of an operation on the filled store. */
const millionRows = async (
  options: GoalOptions,
  operation: ScenarioName,
  progress: Progress,
): Promise<{ readonly rows: Row[]; readonly filling: Filling }> => {
  const filling = await fill(options, progress)
  const rows = await withServer(options, { directory: options.millionDirectory }, (server) =>
    rowsOf(options, server, [planOf(operation)], 16, progress, {
      objectCount: filling.count,
      objectsUsed: Math.min(filling.count, 100_000),
      objectPrefix: filling.prefix,
      reuse: true,
    }),
  )
  return { rows, filling }
}

const millionGoal = (name: string, work: string, operation: ScenarioName, atLeast: number | undefined): Goal => ({
  name,
  work,
  unit: 'of the echo',
  ...(atLeast === undefined ? {} : { atLeast }),
  command: millionCommand(operation),
  async measure(options, progress) {
    const { rows, filling } = await millionRows(options, operation, progress)
    return { ...throughputFigures(rows), note: `${filling.count} objects, asked for all over` }
  },
})

const millionStart = (name: string, work: string, unit: string, atMost: number, isMemory: boolean): Goal => ({
  name,
  work,
  unit,
  atMost,
  command: () => 'kmipd serve --data <filled>; time until it says that it serves, VmRSS of /proc/<pid>/status',
  async measure(options, progress) {
    const filling = await fill(options, progress)
    const seconds: number[] = []
    const memory: number[] = []
    for (let run = 1; run <= options.runs; run += 1) {
      await withServer(options, { directory: options.millionDirectory }, ({ pid, readyMs }) => {
        seconds.push(readyMs / 1000)
        const bytes = residentBytes(pid)
        if (bytes === undefined) throw new Error('the memory of the server cannot be read here')
        memory.push(bytes / mebibyte)
        return Promise.resolve()
      })
    }
    return {
      values: isMemory ? memory : seconds,
      details: { 's until it serves': seconds, 'MiB resident': memory },
      note: `${filling.count} objects; the start of the process is included`,
      errors: {},
    }
  },
})

const millionP99: Goal = {
  name: 'million-locate-p99',
  work: 'Locate by name in a filled store: p99 at half of the maximal rate',
  unit: 'ms',
  atMost: 2,
  command: (options) => `${millionCommand('locate')(options)} --rate <half of the ops/s>`,
  async measure(options, progress) {
    const closed = await millionRows({ ...options, runs: 1 }, 'locate', progress)
    const most = Math.max(...closed.rows.map((row) => operationsPerSecond(row.measured)))
    const ratePerSecond = Math.max(1, Math.round(most / 2))
    const { rows } = await millionRows({ ...options, ratePerSecond }, 'locate', progress)
    return {
      // Where nothing was answered no goal is reached.
      values: rows.map((row) => (latencyUs(row.measured, 'p99') ?? Number.NaN) / 1000),
      details: {
        'closed loop p99 ms': closed.rows.map((row) => row.measured.latency.p99 / 1e6),
        'p50 ms': rows.map((row) => row.measured.latency.p50 / 1e6),
      },
      note: `open loop at ${ratePerSecond} a second`,
      errors: errorsOf(rows.map(({ measured }) => measured)),
    }
  },
}

const millionFound: Goal = {
  name: 'million-find-again',
  work: 'all names of a sample found again in batches of 64',
  unit: 'names/s',
  command: ({ millionCount }) => `kmip-bench load --objects ${millionCount} --reuse <prefix>`,
  async measure(options, progress) {
    const filling = await fill(options, progress)
    const rates: number[] = []
    await withServer(options, { directory: options.millionDirectory }, async ({ target }) => {
      const client = clientOptionsOf(target, frame, options.timeoutMs)
      for (let run = 1; run <= options.runs; run += 1) {
        const startMs = nowMs()
        const objects = await refind(client, filling.count, filling.prefix, 10_000, defaultLoader)
        rates.push((objects.length / (nowMs() - startMs)) * 1000)
      }
    })
    return { values: rates, details: {}, errors: {} }
  },
}

/** Every goal, in the order in which they are measured. */
export const goals: readonly Goal[] = [
  ratioGoal('discover-versions', 'Discover Versions', 'discover-versions', 0.85),
  ratioGoal('get', 'Get, 256-bit key, many objects in turn', 'get', 0.75),
  ratioGoal('get-attributes', 'Get Attributes (all)', 'get-attributes', 0.6),
  ratioGoal('encrypt-cbc', 'Encrypt AES-CBC, 64 B', 'encrypt-cbc', 0.55),
  ratioGoal('encrypt-gcm', 'Encrypt AES-GCM, 64 B', 'encrypt-gcm', 0.55),
  ratioGoal('mac', 'MAC HMAC-SHA-256, 64 B', 'mac', 0.6),
  ratioGoal('locate', 'Locate by name, as many objects as Get has', 'locate', 0.6),
  ratioGoal('create', 'Create, durable, 64 sessions', 'create', 0.35, 64),
  batchGoal,
  signGoal,
  handshakeGoal('handshakes', 'full', 0.8),
  handshakeGoal('handshakes-resumed', 'resumed', undefined),
  halfRateGoal,
  idleGoal,
  coresGoal,
  millionStart('million-start', 'a filled store: ready to serve', 's', 1, false),
  millionStart('million-memory', 'a filled store: resident before traffic', 'MiB', 300, true),
  millionGoal('million-locate', 'Locate by name in a filled store', 'locate', 0.6),
  millionP99,
  millionGoal('million-get', 'Get in a filled store', 'get', undefined),
  millionFound,
]
