/**
 * The command `kmipd`. What it is: the process: its arguments, signals, terminal and end. What it is not: the composition of
 * the server (serve.ts) or its settings (config.ts).
 */

import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import yargs from 'yargs'
import { hideBin } from 'yargs/helpers'
import { errorText } from '#actor/error-text'
import { BackupRefused } from '#backup/refused'
import { ProcessLog } from '#server/process-log'
import { chooseCollection } from './collector.ts'
import {
  readSecrets,
  readSettings,
  type Secrets,
  SettingError,
  type Settings,
  secretVariables,
  unknownVariables,
} from './config.ts'
import { guardMemory, type SystemFiles } from './memory-guard.ts'
import { check, type Ended, isRefusal, restore, verify } from './offline.ts'
import { type RunningServer, startServer } from './serve.ts'

/** Ends the process when nothing of the server may go on: what the disk has is not known, a part failed too often, or the system lacks room. */
const failureExitCode = 70
/** The settings or the data directory do not allow a start. */
const refusedExitCode = 78
/** What the system may have again later, as its own texts begin: of an error of another thread there is no more than its text. */
const lacking = /\b(?:ENOSPC|EDQUOT|EMFILE|ENFILE|ENOMEM)\b/

const serve = async (flags: readonly string[]): Promise<void> => {
  chooseCollection(availableParallelism())
  const settings = settingsOrExit(flags)
  const log = new ProcessLog(settings.logLevel)
  const { logger } = log
  for (const variable of unknownVariables(process.env)) {
    logger.warn({ variable }, `${variable} names no setting; docs/settings.md lists them all`)
  }
  // Before there is anything secret in memory.
  for (const { memory, text } of guardMemory(systemFiles)) logger.warn({ memory }, text)
  const secrets = takeSecrets()
  const asked = Promise.withResolvers<NodeJS.Signals>()
  let server: RunningServer
  try {
    server = await startServer(settings, secrets, log, {
      onOpened: () => heedSignals(asked.resolve),
      onFailure(reason) {
        logger.fatal(
          { reason },
          'The server cannot go on and ends; start it again, and look at the disk if it ends again',
        )
        logger.flush(() => process.exit(failureExitCode))
      },
    })
  } catch (error) {
    const reason = errorText(error)
    logger.fatal({ reason }, 'The server cannot start')
    process.exitCode = lacking.test(reason) ? failureExitCode : refusedExitCode
    return
  }
  if (process.stdout.isTTY) process.stderr.write(greeting(settings, server))
  const signal = await asked.promise
  logger.info({ signal }, 'No new requests are taken; those that were taken are answered')
  try {
    await server.stop()
    logger.info('The server has ended')
  } catch (error) {
    logger.error({ reason: errorText(error) }, 'The server did not end in good order')
    // What could not end would keep the process alive.
    logger.flush(() => process.exit(failureExitCode))
  }
}

/** Tells of the first signal to end. */
const heedSignals = (tell: (signal: NodeJS.Signals) => void): void => {
  let isAsked = false
  const heard = (signal: NodeJS.Signals): void => {
    // Supervisors send SIGTERM to the whole group, so that it may come twice; a second Ctrl-C means "now".
    if (isAsked && signal === 'SIGINT') process.exit(failureExitCode)
    isAsked = true
    tell(signal)
  }
  process.on('SIGTERM', heard)
  process.on('SIGINT', heard)
}

const systemFiles: SystemFiles = {
  read: (path) => (existsSync(path) ? readFileSync(path, 'utf8') : undefined),
  write: (path, text) => writeFileSync(path, text),
}

/** Takes secrets out of the environment, so that no thread, no child process and no report of the process has them. */
const takeSecrets = (): Secrets => {
  const secrets = readSecrets(process.env)
  for (const { variable } of Object.values(secretVariables)) delete process.env[variable]
  return secrets
}

/** Runs a command on data that no server serves, and says how it ended. */
const offline = async (
  flags: readonly string[],
  run: (settings: Settings, secrets: Secrets) => Promise<Ended>,
): Promise<void> => {
  const settings = settingsOrExit(flags)
  try {
    const { text, isSound } = await run(settings, takeSecrets())
    process.stdout.write(text)
    if (!isSound) process.exitCode = failureExitCode
  } catch (error) {
    if (!isRefusal(error)) throw error
    process.stderr.write(`kmipd: ${error.message}\n`)
    process.exitCode = refusedExitCode
  }
}

/** What somebody at a terminal wants to know after the start; the log beside it is for machines. */
const greeting = ({ dataDirectory }: Settings, { port, made }: RunningServer): string => {
  const files =
    made.length === 0
      ? ''
      : `\nMade at this first start, readable by you alone:\n${made.map((path) => `  ${path}\n`).join('')}`
  return `${files}
kmipd serves KMIP 1.0 to 1.4 on port ${port}. Everything it keeps is in ${dataDirectory}. Try in another terminal:

  npm run first-key -- --data ${dataDirectory} --port ${port}

`
}

const settingsOrExit = (flags: readonly string[]): Settings => {
  try {
    return readSettings(process.env, flags)
  } catch (error) {
    if (!(error instanceof SettingError)) throw error
    process.stderr.write(`kmipd: ${error.message}\n`)
    return process.exit(refusedExitCode)
  }
}

const words = hideBin(process.argv)
await yargs(words)
  .scriptName('kmipd')
  .command(
    ['serve', '$0'],
    'Serve KMIP. Every setting of docs/settings.md is a flag: --data DIR, --port N, --host ADDRESS, ...',
    (command) =>
      command.strict(false).example('$0 serve --data /var/lib/kmipd --port 5696', 'keep everything below one folder'),
    // The flags' meaning and their errors are config.ts's: yargs gives the verbs and the help.
    () => serve(flagsAfter('serve', words)),
  )
  .command(
    'restore <file>',
    'Restore a backup into an empty data folder. Flags: --data DIR, --root-key-file FILE, ...',
    (command) =>
      command
        .strict(false)
        .example('$0 restore kmipd.backup --data /var/lib/kmipd --root-key-file root.key', 'on a new machine'),
    () => offline(flagsAfter('restore', words, 1), (...given) => restore(fileOf('restore'), ...given)),
  )
  .command(
    'verify <file>',
    'Verify a backup: open every record in it with the root key. Flags: --root-key-file FILE, ...',
    (command) => command.strict(false).example('$0 verify kmipd.backup --root-key-file root.key', 'without a server'),
    () => offline(flagsAfter('verify', words, 1), (...given) => verify(fileOf('verify'), ...given)),
  )
  .command(
    'check',
    'Look through the store of a data folder that no server has open. Flags: --data DIR, ...',
    (command) =>
      command.strict(false).example('$0 check --data /var/lib/kmipd', 'kmipctl store check asks a running server'),
    () => offline(flagsAfter('check', words), check),
  )
  .help()
  .parse()

/** What stands behind the verb and its own words, or everything when it was left out. */
function flagsAfter(verb: string, given: readonly string[], ownWords = 0): readonly string[] {
  return given[0] === verb ? given.slice(1 + ownWords) : given
}

/** The file stands right behind the verb, before the flags. */
function fileOf(verb: string): string {
  const file = words[1] ?? ''
  if (words[0] === verb && !file.startsWith('-')) return file
  throw new BackupRefused(`the file comes first: kmipd ${verb} FILE --data DIR`)
}
