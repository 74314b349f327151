/**
 * `kmip-bench compare` as a command. What it is not: the comparison (bench/compare.ts, bench/compare-html.ts).
 */
import type { Argv } from 'yargs'
import { comparison, reportOf } from '#bench/compare'
import { comparisonPage } from '#bench/compare-html'
import { readText, writeText } from '#bench/machine'
import { print } from '#bench/options'

/** Adds `compare`. */
export const withCompare = <T>(commands: Argv<T>): Argv<T> =>
  commands.command(
    'compare <before> <after>',
    'compares two reports (--json) of load or limit, case by case',
    (command) =>
      command
        .positional('before', { type: 'string', demandOption: true, describe: 'the older report' })
        .positional('after', { type: 'string', demandOption: true, describe: 'the newer report' })
        .options({ html: { type: 'string', describe: 'write a page with charts into this file' } }),
    ({ before, after, html }) => {
      const [first, second] = [reportOf(readText(before), before), reportOf(readText(after), after)]
      for (const line of comparison(first, second)) print(line)
      if (html !== undefined) writeText(html, comparisonPage(first, second, [before, after]))
    },
  )
