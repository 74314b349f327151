/**
 * `kmip-bench load` and `limit` as commands: their options, and what becomes of their rows. What it is not: the measurement
 * (bench/load.ts).
 */
import type { Argv } from 'yargs'
import { csvReport } from '#bench/csv'
import { htmlReport } from '#bench/html'
import { limit, load, type MeasureOptions } from '#bench/load'
import { uniquePrefix, writeText } from '#bench/machine'
import {
  echoOptions,
  frameOf,
  measureOptions,
  measureOptionsOf,
  numbers,
  print,
  progressOfProcess,
  targetOptions,
  withServer,
} from '#bench/options'
import { echoSpreads, heading, jsonReport, line, type Row, spreadLine, summarize, summaryLine } from '#bench/report'
import { scenarioNames, scenarioOf, scenarios } from '#bench/scenarios/index'
import { type ProfileName, profileNames, profiles } from '#bench/scenarios/profiles'
import { followsAnswers, type Plan, planName, scenarioNamed, sharesOf } from '#bench/work'

const listed = (names: readonly string[], textOf: (name: string) => string): string =>
  names.map((name) => `  ${name.padEnd(18)} ${textOf(name)}`).join('\n')

const scenarioList = listed(scenarioNames, (name) => scenarioOf(scenarioNamed(name)).text)
const profileNamed = (text: string): ProfileName => {
  const name = profileNames.find((known) => known === text)
  if (name === undefined) throw new Error(`no profile is named ${text}; there are ${profileNames.join(', ')}`)
  return name
}
const profileList = listed(profileNames, (name) => profiles[profileNamed(name)].text)

const outputOptions = {
  csv: { type: 'string', describe: 'write the rows into this file, a line each' },
  html: { type: 'string', describe: 'write a page with charts into this file' },
} as const

interface Outputs {
  readonly json?: string | undefined
  readonly csv?: string | undefined
  readonly html?: string | undefined
}

/**
 * Runs a measurement, prints its rows as they come, then medians, and writes the files; also of one that fails or is interrupted,
 * with what it had: its settings then say what ended it.
 */
const report = async (
  settings: MeasureOptions & Readonly<Record<string, unknown>>,
  { json, csv, html }: Outputs,
  measure: (onRow: (row: Row) => void) => Promise<void>,
): Promise<void> => {
  const rows: Row[] = []
  const write = (written: Readonly<Record<string, unknown>>): void => {
    if (json !== undefined) writeText(json, jsonReport(rows, written))
    if (csv !== undefined) writeText(csv, csvReport(rows))
    if (html !== undefined) writeText(html, htmlReport(rows, written))
  }
  print(heading())
  try {
    await measure((row) => {
      rows.push(row)
      print(line(row))
    })
  } catch (error) {
    if (rows.length > 0) write({ ...settings, endedBy: error instanceof Error ? error.message : String(error) })
    throw error
  }
  if (settings.runs > 1) for (const summary of summarize(rows)) print(summaryLine(summary))
  for (const spread of echoSpreads(rows)) if (!spread.steady) print(spreadLine(spread))
  write(settings)
}

interface PlanArguments {
  readonly operation?: readonly string[] | undefined
  readonly mix: readonly string[]
  readonly profile: readonly string[]
  readonly batch: readonly string[]
  readonly 'data-size': readonly string[]
  readonly rate?: number | undefined
}

/**
 * The cases of a command line: operations by each size of data and of batch, then mixes, then profiles.
 * @throws Error for a name that no row has, for no case at all, and for a script that cannot be begun at a rate
 */
const plansOf = (values: PlanArguments): Plan[] => {
  const sizes = numbers(values['data-size'])
  const batches = numbers(values.batch)
  const dataSize = sizes[0] ?? 64
  const others = values.mix.length + values.profile.length > 0
  const names =
    values.operation?.flatMap((value) => value.split(',')) ??
    (others ? [] : ['discover-versions', 'query', 'create', 'get', 'locate'])
  const operations = names
    .map(scenarioNamed)
    .flatMap((operation) =>
      (scenarios[operation].hasData ? sizes : [dataSize]).flatMap((size) =>
        batches.map((batch): Plan => ({ kind: 'operation', operation, dataSize: size, batch })),
      ),
    )
  const mixes = values.mix.flatMap((text) =>
    batches.map((batch): Plan => ({ kind: 'mix', shares: sharesOf(text), dataSize, batch })),
  )
  const scripts = values.profile
    .flatMap((value) => value.split(','))
    .map((text): Plan => ({ kind: 'profile', profile: profileNamed(text), dataSize }))
  const plans = [...operations, ...mixes, ...scripts]
  if (plans.length === 0) throw new Error('there is nothing to measure: name an operation, a mix or a profile')
  const following = values.rate === undefined ? undefined : plans.find(followsAnswers)
  if (following !== undefined)
    throw new Error(`${planName(following)} cannot be begun at a rate: its messages name what answers before them gave`)
  return plans
}

/** Adds `load`. */
export const withLoad = <T>(commands: Argv<T>): Argv<T> =>
  commands.command(
    'load',
    'measures a KMIP server, and a bare TLS echo beside it',
    (command) =>
      command.options({
        ...targetOptions,
        ...measureOptions,
        ...echoOptions,
        ...outputOptions,
        repeats: {
          type: 'number',
          default: 0,
          describe: 'runs of a case that are measured anew, at most, because the echo was faster or slower behind them',
        },
        operation: { type: 'string', array: true, describe: `what to measure, a case each:\n${scenarioList}` },
        mix: {
          type: 'string',
          array: true,
          default: [] as string[],
          describe: 'operations by their shares, one case: get=80,create=15,locate=5',
        },
        profile: {
          type: 'string',
          array: true,
          default: [] as string[],
          describe: `scripts of clients, a case each:\n${profileList}`,
        },
        batch: { type: 'string', array: true, default: ['1'], describe: 'items of each message, a case each: 1,64' },
        'data-size': {
          type: 'string',
          array: true,
          default: ['64'],
          describe: 'bytes of data to encrypt, sign and the like, a case each: 64,1024',
        },
        objects: {
          type: 'number',
          default: 10_000,
          describe: 'objects that are made for get and locate, and destroyed afterwards',
        },
        used: {
          type: 'number',
          default: 100_000,
          describe: 'how many of them are asked for in turn, evenly over all',
        },
        keep: { type: 'boolean', default: false, describe: 'do not destroy them; prints their prefix' },
        reuse: { type: 'string', describe: 'use those of an earlier measurement, by their prefix and --objects' },
        limit: { type: 'boolean', default: true, describe: 'measure the bare echo too (--no-limit)' },
      }),
    async (values) => {
      const settings = measureOptionsOf(values)
      const plans = plansOf(values)
      const frame = frameOf(values)
      const objects = {
        objectCount: values.objects,
        objectPrefix: values.reuse ?? uniquePrefix(),
        objectsUsed: values.used,
        reuse: values.reuse !== undefined,
        keep: values.keep,
      }
      const told = { ...settings, ...objects, plans, protocol: values.protocol, serverFlags: values['server-flag'] }
      await withServer(values, async (target, pid) => {
        const wanted = { ...settings, ...objects, target, frame, plans, withLimit: values.limit }
        await report(told, values, (onRow) =>
          load({ ...wanted, ...(pid === undefined ? {} : { pid }) }, onRow, progressOfProcess()),
        )
      })
    },
  )

/** Adds `limit`. */
export const withLimit = <T>(commands: Argv<T>): Argv<T> =>
  commands.command(
    'limit',
    'measures the bare TLS echo alone: what this machine could do at most',
    (command) =>
      command.options({
        ...measureOptions,
        ...echoOptions,
        ...outputOptions,
        'request-size': { type: 'number', default: 152, describe: 'bytes of a request' },
        'response-size': { type: 'number', default: 256, describe: 'bytes of a response' },
      }),
    async (values) => {
      const settings = measureOptionsOf(values)
      const sizes = { requestBytes: values['request-size'], responseBytes: values['response-size'] }
      await report({ ...settings }, values, (onRow) => limit({ ...settings, ...sizes }, onRow, progressOfProcess()))
    },
  )
