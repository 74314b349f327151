/**
 * `kmip-bench versus` as a command: its options and its table. What it is not: the measurement (bench/versus.ts).
 */
import type { Argv } from 'yargs'
import { writeText } from '#bench/machine'
import { frameOf, print, targetOptions } from '#bench/options'
import { aligned, machineFacts } from '#bench/report'
import { measureVersus, ratiosOf, type VersusRow } from '#bench/versus'
import { sharesOf } from '#bench/work'

const widths = [5, 10, 10, 7, 0]
const us = (value: number | undefined): string => (value === undefined ? '-' : value.toFixed(1))

const lineOf = ({ start, ratePerSecond, processorUs, failed }: VersusRow, flags: string): string =>
  aligned([String(start), ratePerSecond.toFixed(0), us(processorUs), String(failed), flags], widths)

const spreadOf = (spread: ReturnType<typeof ratiosOf>): string => {
  if (spread === undefined) return '-'
  const [middle, lowest, highest] = [spread.median, spread.lowest, spread.highest].map((value) => value.toFixed(2))
  return `${middle} (${lowest}-${highest})`
}

/** Adds `versus`. */
export const withVersus = <T>(commands: Argv<T>): Argv<T> =>
  commands.command(
    'versus',
    'loads servers with different flags in turn, for what a setting costs, as a ratio to the first',
    (command) =>
      command.options({
        flags: {
          type: 'string',
          array: true,
          demandOption: true,
          describe: 'flags of a server, in one word: --flags="--audit off" --flags="--audit durable"',
        },
        mix: { type: 'string', default: 'get=100', describe: 'operations by their shares: get=80,create=20' },
        'data-size': { type: 'number', default: 64, describe: 'bytes of data of a request that carries some' },
        connections: { type: 'number', default: 64, describe: 'TLS sessions with each server' },
        objects: { type: 'number', default: 2000, describe: 'objects that get and locate ask for' },
        starts: { type: 'number', default: 3, describe: 'how often all servers are started anew' },
        turns: { type: 'number', default: 12, describe: 'how often each has its turn, of those' },
        'turn-ms': { type: 'number', default: 400, describe: 'milliseconds of a turn that count' },
        warmup: { type: 'number', default: 6, describe: 'seconds of each before them that do not count' },
        timeout: { type: 'number', default: 30, describe: 'seconds until a request without an answer is an error' },
        protocol: targetOptions.protocol,
        json: { type: 'string', describe: 'write the whole report into this file' },
      }),
    async (values) => {
      const flagsOf = (text: string): string[] => text.split(' ').filter((word) => word !== '')
      const rows: VersusRow[] = []
      print(aligned(['start', 'ops/s', 'cpu us', 'failed', 'flags'], widths))
      await measureVersus(
        {
          variants: values.flags.map(flagsOf),
          plan: { kind: 'mix', shares: sharesOf(values.mix), dataSize: values['data-size'], batch: 1 },
          frame: frameOf({ protocol: values.protocol, user: undefined, password: undefined }),
          connections: values.connections,
          objectCount: values.objects,
          starts: values.starts,
          turns: values.turns,
          turnMs: values['turn-ms'],
          warmupMs: values.warmup * 1000,
          timeoutMs: values.timeout * 1000,
        },
        (row) => {
          rows.push(row)
          print(lineOf(row, values.flags[row.variant] ?? ''))
        },
      )
      const summaries = values.flags.map((flags, variant) => ({
        flags,
        rate: ratiosOf(rows, variant, ({ ratePerSecond }) => ratePerSecond),
        processor: ratiosOf(rows, variant, ({ processorUs }) => processorUs),
      }))
      for (const { flags, rate, processor } of summaries.slice(1)) {
        print(`${flags}: rate ${spreadOf(rate)}, processor time ${spreadOf(processor)} of ${values.flags[0] ?? ''}`)
      }
      if (values.json !== undefined) {
        const report = { machine: machineFacts(), settings: values, rows, summaries }
        writeText(values.json, `${JSON.stringify(report, undefined, 2)}\n`)
      }
    },
  )
