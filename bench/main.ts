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

const commands = [withLoad, withLimit, withConnect, withCrypto, withInterference, withCompare, withGoals]
const commandLine = commands
  .reduce((line, add) => add(line), yargs(hideBin(process.argv)).scriptName('kmip-bench'))
  .demandCommand(1, 'say what to measure: load, limit, connect, crypto, interference or goals; or compare two reports')
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
