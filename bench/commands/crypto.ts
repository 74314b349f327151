/**
 * `kmip-bench crypto` and `interference` as commands, on servers that they start. What it is not: the measurement
 * (bench/crypto.ts).
 */
import { availableParallelism } from 'node:os'
import type { Argv } from 'yargs'
import { measureCrypto, measureInterference, type Placement } from '#bench/crypto'
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
} from '#bench/crypto-report'
import { writeText } from '#bench/machine'
import { echoOptions, measureOptions, measureOptionsOf, print } from '#bench/options'
import { type CryptoScenarioName, cryptoScenarioNames, cryptoScenarios } from '#bench/scenarios/crypto'

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

/** Adds `crypto`. */
export const withCrypto = <T>(commands: Argv<T>): Argv<T> =>
  commands.command(
    'crypto',
    'measures cryptography through servers that it starts, beside the bare primitive and the bare echo',
    (command) =>
      command.options({
        ...measureOptions,
        ...echoOptions,
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
      if (values.json !== undefined) writeText(values.json, cryptoJson(rows, summarizeCrypto(rows), settings))
    },
  )

/** Adds `interference`. */
export const withInterference = <T>(commands: Argv<T>): Argv<T> =>
  commands.command(
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
        writeText(values.json, cryptoJson(rows, summarizeInterference(rows), { ...settings, ...pairs }))
      }
    },
  )
