/**
 * Options that several commands have, and how their texts are read. What it is not: a command (commands/).
 */
import { join } from 'node:path'
import type { Credential } from '#kmip/credential'
import { CredentialType } from '#kmip/enums'
import { supportedVersions, type Version, versionText } from '#kmip/versions'
import type { Target } from './job.ts'
import type { MeasureOptions, Progress } from './load.ts'
import { nowMs, readText } from './machine.ts'
import { startOwnServer } from './own-server.ts'
import { bindToCores } from './processes.ts'
import type { RequestFrame } from './scenarios/index.ts'

/** `1,16,64`, or the option given several times. @throws Error for what is no number of 1 or more */
export const numbers = (values: readonly (string | number)[]): number[] =>
  values
    .flatMap((value) => String(value).split(','))
    .map((text) => {
      const number = Number(text)
      if (!Number.isInteger(number) || number < 1) throw new Error(`${text} is not a number of 1 or more`)
      return number
    })

/** How to measure. */
export const measureOptions = {
  connections: {
    type: 'string',
    array: true,
    default: ['1', '16', '64'],
    describe: 'TLS sessions at once, one case each: 1,16,64',
  },
  seconds: { type: 'number', default: 5, describe: 'time to measure each case' },
  warmup: { type: 'number', default: 1, describe: 'seconds before it that do not count' },
  runs: { type: 'number', default: 1, describe: 'how often all cases are measured; the report ends with medians' },
  pipeline: { type: 'number', default: 1, describe: 'requests in flight on each session' },
  threads: { type: 'number', default: 1, describe: 'threads of each process of the load generator' },
  processes: { type: 'number', default: 1, describe: 'processes of the load generator' },
  rate: {
    type: 'number',
    describe: 'requests a second, answered or not: an open loop, its latency from the intended start',
  },
  'pace-ms': {
    type: 'number',
    describe:
      'with --rate, begin them together every so many milliseconds; without it each at its moment, for which a core looks at the clock',
  },
  timeout: { type: 'number', default: 30, describe: 'seconds until a request without an answer is an error' },
  'generator-cores': {
    type: 'string',
    describe: 'cores that the load generator is bound to, as taskset writes them: 0 or 2-3',
  },
  json: { type: 'string', describe: 'write the whole report into this file' },
} as const

/** How to measure where a bare echo is measured beside, or alone. */
export const echoOptions = {
  'echo-cores': { type: 'string', describe: 'cores that the bare echo is bound to' },
} as const

/** What yargs makes of them. */
export interface MeasureArguments {
  readonly connections: readonly string[]
  readonly seconds: number
  readonly warmup: number
  readonly runs: number
  readonly repeats?: number
  readonly pipeline: number
  readonly threads: number
  readonly processes: number
  readonly rate?: number | undefined
  readonly 'pace-ms'?: number | undefined
  readonly timeout: number
  readonly 'echo-cores'?: string | undefined
  readonly 'generator-cores'?: string | undefined
  readonly 'server-cores'?: string | undefined
}

const coresOf = (values: MeasureArguments): NonNullable<MeasureOptions['cores']> => {
  const { 'server-cores': server, 'echo-cores': echo, 'generator-cores': generator } = values
  return {
    ...(server === undefined ? {} : { server }),
    ...(echo === undefined ? {} : { echo }),
    ...(generator === undefined ? {} : { generator }),
  }
}

/** The same as the measurement wants them. @throws Error for what is no number of 1 or more, and a pace without a rate */
export const measureOptionsOf = (values: MeasureArguments): MeasureOptions => {
  if (values['pace-ms'] !== undefined && values.rate === undefined) throw new Error('--pace-ms needs --rate')
  return measureOptionsFrom(values)
}

const measureOptionsFrom = (values: MeasureArguments): MeasureOptions => ({
  connections: numbers(values.connections),
  runs: values.runs,
  repeatsMax: values.repeats ?? 0,
  pipeline: values.pipeline,
  threads: values.threads,
  processes: values.processes,
  warmupMs: values.warmup * 1000,
  durationMs: values.seconds * 1000,
  timeoutMs: values.timeout * 1000,
  cores: coresOf(values),
  ...(values.rate === undefined ? {} : { ratePerSecond: values.rate }),
  ...(values['pace-ms'] === undefined ? {} : { paceMs: values['pace-ms'] }),
})

/** Which server, and who asks. */
export const targetOptions = {
  host: { type: 'string', default: 'localhost' },
  port: { type: 'number', default: 5696 },
  data: {
    type: 'string',
    default: 'data',
    describe: "the server's data directory, for the certificates of its first start",
  },
  ca: { type: 'string', describe: 'PEM file; default <data>/bootstrap/ca.pem' },
  cert: { type: 'string', describe: 'PEM file; default <data>/bootstrap/client.pem' },
  key: { type: 'string', describe: 'PEM file; default <data>/bootstrap/client.key' },
  servername: { type: 'string', describe: "the name in the server's certificate, where it is not the host" },
  user: { type: 'string', describe: 'user name of the credential in each request' },
  password: { type: 'string', describe: 'its password' },
  protocol: { type: 'string', default: '1.4', describe: 'KMIP version of the requests' },
  own: { type: 'boolean', default: false, describe: 'start a server for it, in place of --host and --port' },
  'server-flag': {
    type: 'string',
    array: true,
    default: [] as string[],
    describe: 'another flag of that server: --server-flag=--audit --server-flag=relaxed',
  },
  pid: { type: 'number', describe: "the server's process, on this machine, to read its memory and processor time" },
  'server-cores': { type: 'string', describe: 'cores that the server is bound to; needs --own or --pid' },
} as const

interface TargetArguments {
  readonly host: string
  readonly port: number
  readonly data: string
  readonly ca?: string | undefined
  readonly cert?: string | undefined
  readonly key?: string | undefined
  readonly servername?: string | undefined
  readonly user?: string | undefined
  readonly password?: string | undefined
  readonly protocol: string
  readonly own: boolean
  readonly 'server-flag': readonly string[]
  readonly pid?: number | undefined
  readonly 'server-cores'?: string | undefined
}

/**
 * Measures the server that is meant: one that is started for it and ended afterwards, or one that is there.
 * @throws Error when it cannot be started, or a file cannot be read
 */
export const withServer = async (
  values: TargetArguments,
  measure: (target: Target, pid: number | undefined) => Promise<void>,
): Promise<void> => {
  const cores = values['server-cores']
  if (values.own) {
    const server = await startOwnServer(values['server-flag'], cores === undefined ? {} : { cores })
    try {
      return await measure(server.target, server.pid)
    } finally {
      await server.stop()
    }
  }
  if (values['server-flag'].length > 0) throw new Error('--server-flag is of a server that is started: it needs --own')
  if (cores !== undefined && values.pid === undefined)
    throw new Error('which process is the server? --server-cores needs --own or --pid')
  bindToCores(values.pid, cores)
  return measure(targetOf(values), values.pid)
}

/** The server. @throws Error when a file cannot be read */
const targetOf = (values: TargetArguments): Target => {
  const pem = (file: string | undefined, name: string): string => readText(file ?? join(values.data, 'bootstrap', name))
  return {
    host: values.host,
    port: values.port,
    ca: pem(values.ca, 'ca.pem'),
    cert: pem(values.cert, 'client.pem'),
    key: pem(values.key, 'client.key'),
    ...(values.servername === undefined ? {} : { servername: values.servername }),
  }
}

/** `1.4`. @throws Error for a version that is not known */
const versionOfText = (text: string): Version => {
  const version = supportedVersions.find((known) => versionText(known) === text)
  if (version === undefined)
    throw new Error(`version ${text} is not known; there are ${supportedVersions.map(versionText).join(', ')}`)
  return version
}

const credentialOf = (username: string, password: string | undefined): Credential => ({
  credentialType: CredentialType.UsernameAndPassword,
  credentialValue: { username, ...(password === undefined ? {} : { password }) },
})

/** What every request carries. @throws Error for a version that is not known, and a password that is nobody's */
export const frameOf = ({
  protocol,
  user,
  password,
}: Pick<TargetArguments, 'protocol' | 'user' | 'password'>): RequestFrame => {
  if (password !== undefined && user === undefined) throw new Error('--password needs --user')
  return {
    version: versionOfText(protocol),
    ...(user === undefined ? {} : { credentials: [credentialOf(user, password)] }),
  }
}

/** A line of the report. */
export const print = (text: string): void => {
  process.stdout.write(`${text}\n`)
}

/** Where progress is told: standard error, or what a test has. */
interface Teller {
  readonly isTTY?: boolean
  write(text: string): unknown
}

/** Progress on standard error: one line that is written over at a terminal, else a line now and then. */
export const progressOfProcess = (): Progress => progressOn(process.stderr, nowMs)

/** The same elsewhere, by another clock. */
export const progressOn = (teller: Teller, clockMs: () => number): Progress => {
  const isTerminal = teller.isTTY === true
  let ticks = 0
  let last = { what: '', answered: 0, atMs: 0 }
  return {
    say: (text) => void teller.write(isTerminal ? `\r\x1b[K${text}\n` : `${text}\n`),
    tick(what, completed, failed) {
      ticks += 1
      const now = { what, answered: completed + failed, atMs: clockMs() }
      const isSame = last.what === what && last.answered <= now.answered && now.atMs > last.atMs
      const rate = isSame ? `, ${(((now.answered - last.answered) / (now.atMs - last.atMs)) * 1000).toFixed(0)}/s` : ''
      last = now
      const text = `${what}: ${completed} answered, ${failed} not${rate}`
      if (isTerminal) teller.write(`\r\x1b[K${text}\r`)
      // Into a file or a pipe, one line in ten seconds is enough.
      else if (ticks % 10 === 0) teller.write(`${text}\n`)
    },
  }
}
