/**
 * `kmip-bench compare` as a command. What it is not: the comparison (bench/compare.ts).
 */
import type { Argv } from 'yargs'
import { comparison } from '#bench/compare'
import { readText } from '#bench/machine'
import { print } from '#bench/options'

/** Adds `compare`. */
export const withCompare = <T>(commands: Argv<T>): Argv<T> =>
  commands.command(
    'compare <before> <after>',
    'compares two reports (--json) of load or limit, case by case',
    (command) =>
      command
        .positional('before', { type: 'string', demandOption: true, describe: 'the older report' })
        .positional('after', { type: 'string', demandOption: true, describe: 'the newer report' }),
    ({ before, after }) => {
      const lines = comparison({ name: before, text: readText(before) }, { name: after, text: readText(after) })
      for (const line of lines) print(line)
    },
  )
