#!/usr/bin/env node
/**
 * kmip-bench: measures this server, or any other KMIP server, over real TLS. What it is: the process and its commands. What
 * it is not: the commands' options (commands/) or a measurement. README.md says how to read what it prints.
 */
import yargs from 'yargs'
import { hideBin } from 'yargs/helpers'
import { withCompare } from './commands/compare.ts'
import { withConnect } from './commands/connect.ts'
import { withCrypto, withInterference } from './commands/crypto.ts'
import { withGoals } from './commands/goals.ts'
import { withLimit, withLoad } from './commands/load.ts'
import { withProfile } from './commands/profile.ts'
import { withVersus } from './commands/versus.ts'
import { checkGiven } from './given.ts'
import { heedSignals, interruption } from './interruption.ts'

/** Options that make a list when they are given several times. */
const lists: ReadonlySet<string> = new Set([
  'batch',
  'connections',
  'data-size',
  'flags',
  'mix',
  'operation',
  'placement',
  'profile',
  'row',
  'server-flag',
  'skip',
])

/** Any other one that is given twice would become something that nobody meant. @throws Error with its name */
const refuseDoubles = (words: readonly string[]): void => {
  const names = words.flatMap((word) => /^--(?:no-)?([\w-]+)/.exec(word)?.[1] ?? [])
  const double = names.find((name, index) => !lists.has(name) && names.indexOf(name) !== index)
  if (double !== undefined) throw new Error(`--${double} is given twice`)
}

const commands = [
  withLoad,
  withLimit,
  withConnect,
  withCrypto,
  withInterference,
  withVersus,
  withCompare,
  withGoals,
  withProfile,
]
const commandLine = commands
  .reduce((line, add) => add(line), yargs(hideBin(process.argv)).scriptName('kmip-bench'))
  .demandCommand(
    1,
    'say what to measure: load, limit, connect, crypto, interference, versus, profile or goals; or compare two reports',
  )
  .strict()
  .check((values) => {
    checkGiven(values)
    return true
  })
  .wrap(120)
  .fail(false)

/** An error and what caused it, without a stack trace. */
const describe = (error: unknown): string => {
  if (!(error instanceof Error)) return String(error)
  return error.cause === undefined ? error.message : `${error.message}: ${describe(error.cause)}`
}

// Whoever reads what is printed may have seen enough.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0)
  throw error
})

heedSignals()
try {
  refuseDoubles(hideBin(process.argv))
  await commandLine.parseAsync()
} catch (error) {
  // What fails behind an interruption fails of it: a child that the same signal ended, for example.
  process.stderr.write(`kmip-bench: ${describe(interruption.aborted ? interruption.reason : error)}\n`)
  process.exitCode = 1
}
