#!/usr/bin/env node
/**
 * kmip-bench: measures this server, or any other KMIP server, over real TLS. What it is: the command line. What it is not:
 * the measurement (load.ts). README.md says how to read what it prints.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import yargs from 'yargs'
import { hideBin } from 'yargs/helpers'
import { supportedVersions, versionText } from '#kmip/versions'
import { measureCrypto, measureInterference, type Placement } from './crypto.ts'
import {
  type CryptoRow,
  cryptoJson,
  cryptoLine,
  cryptoTable,
  type InterferenceRow,
  interferenceLine,
  interferenceTable,
  summarizeCrypto,
  summarizeInterference,
} from './crypto-report.ts'
import { limit, load, type MeasureOptions } from './load.ts'
import { echoSpreads, heading, jsonReport, line, type Row, spreadLine, summarize, summaryLine } from './report.ts'
import { type CryptoScenarioName, cryptoScenarioNames, cryptoScenarios } from './scenarios/crypto.ts'
import { type ScenarioName, scenarioNames, scenarios } from './scenarios/index.ts'

/** `1,16,64`, or the option given several times. @throws Error for what is no number of sessions */
const numbers = (values: readonly (string | number)[]): number[] =>
  values
    .flatMap((value) => String(value).split(','))
    .map((text) => {
      const number = Number(text)
      if (!Number.isInteger(number) || number < 1) throw new Error(`${text} is not a number of 1 or more`)
      return number
    })

const measureOptions = {
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
  threads: { type: 'number', default: 1, describe: 'threads of the load generator' },
  timeout: { type: 'number', default: 30, describe: 'seconds until a request without an answer is an error' },
  json: { type: 'string', describe: 'write the whole report into this file' },
} as const

interface MeasureArguments {
  readonly connections: readonly string[]
  readonly seconds: number
  readonly warmup: number
  readonly runs: number
  readonly pipeline: number
  readonly threads: number
  readonly timeout: number
}

const measureOptionsOf = (values: MeasureArguments): MeasureOptions => ({
  connections: numbers(values.connections),
  runs: values.runs,
  pipeline: values.pipeline,
  threads: values.threads,
  warmupMs: values.warmup * 1000,
  durationMs: values.seconds * 1000,
  timeoutMs: values.timeout * 1000,
})

const print = (text: string): void => {
  process.stdout.write(`${text}\n`)
}

/** Runs a measurement, prints its rows as they come, then medians and the JSON file. */
const report = async (
  settings: MeasureOptions,
  json: string | undefined,
  measure: (onRow: (row: Row) => void) => Promise<void>,
): Promise<void> => {
  const rows: Row[] = []
  print(heading())
  await measure((row) => {
    rows.push(row)
    print(line(row))
  })
  if (settings.runs > 1) for (const summary of summarize(rows)) print(summaryLine(summary))
  for (const spread of echoSpreads(rows)) if (!spread.steady) print(spreadLine(spread))
  if (json !== undefined) writeFileSync(json, jsonReport(rows, { ...settings }))
}

/** What the commands that start servers of their own take beside the rest. */
const ownServerOptions = {
  placement: {
    type: 'string',
    array: true,
    choices: ['pool', 'auto'],
    default: ['pool', 'auto'],
    describe: "the server's --crypto-placement",
  },
  workers: {
    type: 'number',
    default: Math.max(1, availableParallelism() - 1),
    describe: 'crypto workers of the server, and threads of the bare loop',
  },
  'server-flag': {
    type: 'string',
    array: true,
    default: [] as string[],
    describe: 'another flag of the server that is started: --server-flag=--log-level=warn',
  },
} as const

const ownServerOptionsOf = (values: {
  readonly placement: readonly string[]
  readonly workers: number
  readonly 'server-flag': readonly string[]
}) => ({
  placements: values.placement as readonly Placement[],
  workers: values.workers,
  serverFlags: values['server-flag'],
})

const cryptoOperationsOf = (values: readonly string[]): CryptoScenarioName[] =>
  values
    .flatMap((value) => value.split(','))
    .map((text) => {
      const name = cryptoScenarioNames.find((known) => known === text)
      if (name === undefined) throw new Error(`no case is named ${text}; there are ${cryptoScenarioNames.join(', ')}`)
      return name
    })

const cryptoScenarioList = cryptoScenarioNames
  .map((name) => `  ${name.padEnd(18)} ${cryptoScenarios[name].text}`)
  .join('\n')

const scenarioList = scenarioNames.map((name) => `  ${name.padEnd(18)} ${scenarios[name].text}`).join('\n')

const operationsOf = (values: readonly string[]): ScenarioName[] =>
  values
    .flatMap((value) => value.split(','))
    .map((text) => {
      const name = scenarioNames.find((known) => known === text)
      if (name === undefined) throw new Error(`no scenario is named ${text}; there are ${scenarioNames.join(', ')}`)
      return name
    })

const versionOfText = (text: string): number => {
  const version = supportedVersions.find((known) => versionText(known) === text)
  if (version === undefined)
    throw new Error(`version ${text} is not known; there are ${supportedVersions.map(versionText).join(', ')}`)
  return version
}

const commandLine = yargs(hideBin(process.argv))
  .scriptName('kmip-bench')
  .command(
    'load',
    'measures a KMIP server, and a bare TLS echo beside it',
    (command) =>
      command.options({
        ...measureOptions,
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
        protocol: { type: 'string', default: '1.4', describe: 'KMIP version of the requests' },
        operation: {
          type: 'string',
          array: true,
          default: [...scenarioNames],
          describe: `what to measure:\n${scenarioList}`,
        },
        objects: {
          type: 'number',
          default: 10_000,
          describe: 'objects that are made for get and locate, and destroyed afterwards',
        },
        limit: { type: 'boolean', default: true, describe: 'measure the bare echo too (--no-limit)' },
      }),
    async (values) => {
      const settings = measureOptionsOf(values)
      const pem = (file: string | undefined, name: string) =>
        readFileSync(file ?? join(values.data, 'bootstrap', name), 'utf8')
      const target = {
        host: values.host,
        port: values.port,
        ca: pem(values.ca, 'ca.pem'),
        cert: pem(values.cert, 'client.pem'),
        key: pem(values.key, 'client.key'),
        ...(values.servername === undefined ? {} : { servername: values.servername }),
      }
      const version = versionOfText(values.protocol)
      const operations = operationsOf(values.operation)
      const objectPrefix = `kmip-bench-${crypto.randomUUID()}`
      await report(settings, values.json, (onRow) =>
        load(
          {
            ...settings,
            target,
            version,
            operations,
            objectCount: values.objects,
            objectPrefix,
            withLimit: values.limit,
          },
          onRow,
          (text) => process.stderr.write(`${text}\n`),
        ),
      )
    },
  )
  .command(
    'limit',
    'measures the bare TLS echo alone: what this machine could do at most',
    (command) =>
      command.options({
        ...measureOptions,
        'request-size': { type: 'number', default: 152, describe: 'bytes of a request' },
        'response-size': { type: 'number', default: 256, describe: 'bytes of a response' },
      }),
    async (values) => {
      const settings = measureOptionsOf(values)
      const sizes = { requestBytes: values['request-size'], responseBytes: values['response-size'] }
      await report(settings, values.json, (onRow) => limit({ ...settings, ...sizes }, onRow))
    },
  )
  .command(
    'crypto',
    'measures cryptography through servers that it starts, beside the bare primitive and the bare echo',
    (command) =>
      command.options({
        ...measureOptions,
        ...ownServerOptions,
        connections: { ...measureOptions.connections, default: ['1', '64'] },
        operation: {
          type: 'string',
          array: true,
          default: [...cryptoScenarioNames],
          describe: `what to measure:\n${cryptoScenarioList}`,
        },
      }),
    async (values) => {
      const settings = { ...measureOptionsOf(values), ...ownServerOptionsOf(values) }
      const rows: CryptoRow[] = []
      await measureCrypto({ ...settings, operations: cryptoOperationsOf(values.operation) }, (row) => {
        rows.push(row)
        process.stderr.write(`${cryptoLine(row)}\n`)
      })
      for (const text of cryptoTable(rows)) print(text)
      if (values.json !== undefined) writeFileSync(values.json, cryptoJson(rows, summarizeCrypto(rows), settings))
    },
  )
  .command(
    'interference',
    'measures Get while other sessions make key pairs without pause, on servers that it starts',
    (command) =>
      command.options({
        ...measureOptions,
        ...ownServerOptions,
        connections: { ...measureOptions.connections, default: ['1'] },
        placement: { ...ownServerOptions.placement, default: ['auto'] },
        'pair-bits': { type: 'number', default: 4096, describe: 'bits of the key pairs (RSA)' },
        'pair-sessions': { type: 'number', default: 4, describe: 'sessions that make them' },
      }),
    async (values) => {
      const settings = { ...measureOptionsOf(values), ...ownServerOptionsOf(values) }
      const pairs = { pairBits: values['pair-bits'], pairSessions: values['pair-sessions'] }
      const rows: InterferenceRow[] = []
      await measureInterference({ ...settings, ...pairs }, (row) => {
        rows.push(row)
        process.stderr.write(`${interferenceLine(row)}\n`)
      })
      for (const text of interferenceTable(rows)) print(text)
      if (values.json !== undefined) {
        writeFileSync(values.json, cryptoJson(rows, summarizeInterference(rows), { ...settings, ...pairs }))
      }
    },
  )
  .demandCommand(1, 'say what to measure: load, limit, crypto or interference')
  .strict()
  .wrap(120)
  .fail(false)

/** An error and what caused it, without a stack trace. */
const describe = (error: unknown): string => {
  if (!(error instanceof Error)) return String(error)
  return error.cause === undefined ? error.message : `${error.message}: ${describe(error.cause)}`
}

try {
  await commandLine.parseAsync()
} catch (error) {
  process.stderr.write(`kmip-bench: ${describe(error)}\n`)
  process.exitCode = 1
}
