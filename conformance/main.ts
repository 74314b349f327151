#!/usr/bin/env node
/**
 * kmip-conformance: runs KMIP XML test cases against a server. What it is: the command line, files in and out, and the
 * machine's clock. What it is not: the run (run.ts) or the report (report.ts).
 */
import { accessSync, constants, existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import yargs from 'yargs'
import { hideBin } from 'yargs/helpers'
import { findCases } from './case.ts'
import { Listener } from './listener.ts'
import { caseLine, type ExpectedFailures, expectedFailuresOf, jsonOf, judge, junitOf, summary } from './report.ts'
import { runCases } from './run.ts'

const commandLine = yargs(hideBin(process.argv))
  .scriptName('kmip-conformance')
  .usage(
    '$0 --host HOST --ca FILE --cert FILE --key FILE --dir FOLDER...\n\nRuns KMIP XML test cases against a server.',
  )
  .options({
    host: { type: 'string', default: 'localhost', describe: 'the server' },
    port: { type: 'number', default: 5696 },
    'https-port': { type: 'number', describe: 'of the same server, for the cases of messages in HTTPS' },
    ca: { type: 'string', demandOption: true, describe: "PEM file of the authority of the server's certificate" },
    cert: { type: 'string', demandOption: true, describe: "PEM file of the client's certificate" },
    key: { type: 'string', demandOption: true, describe: "PEM file of the client's private key" },
    dir: { type: 'string', array: true, demandOption: true, describe: 'folders or files of cases, any number' },
    case: { type: 'string', describe: 'only the case with this name' },
    expected: { type: 'string', describe: 'JSON file of expected failures: name of the case to reason' },
    junit: { type: 'string', describe: 'write a JUnit report to this file' },
    json: { type: 'string', describe: 'write a JSON report to this file' },
    'listen-port': {
      type: 'number',
      describe: 'port of this machine for the requests that the server sends (Put, Notify, Query, Discover Versions)',
    },
    'timeout-ms': { type: 'number', default: 30_000, describe: 'to wait for one answer' },
  })
  .strict()
  .fail(false)
type Options = Awaited<ReturnType<typeof commandLine.parseAsync>>

/** A server that does other than the cases print. */
const differentExitCode = 1
/** Nothing was compared: what was given is not there, or no case is of that name. */
const notRunExitCode = 2

/** Runs the cases and writes the reports. @throws Error for what was given wrongly, and errors of the file system */
const main = async (): Promise<boolean> => {
  const options = await commandLine.parseAsync()
  checkGiven(options)
  const expected: ExpectedFailures =
    options.expected === undefined ? {} : expectedFailuresOf(readFileSync(options.expected, 'utf8'))
  const nowSeconds = (): number => Math.floor(Date.now() / 1000)
  const listenPort = options['listen-port']
  const listener =
    listenPort === undefined
      ? undefined
      : new Listener({ port: listenPort, cert: readFileSync(options.cert), key: readFileSync(options.key), nowSeconds })
  await listener?.start()
  const report = await runCases({
    host: options.host,
    port: options.port,
    httpsPort: options['https-port'],
    ca: readFileSync(options.ca),
    cert: readFileSync(options.cert),
    key: readFileSync(options.key),
    timeoutMs: options['timeout-ms'],
    files: findCases(options.dir),
    named: options.dir,
    caseName: options.case,
    nowSeconds,
    client: listener && {
      next: (operation) => within(options['timeout-ms'], listener.next(operation)),
      play: (answers) => listener.play(answers),
    },
    nowMs: () => performance.now(),
    wait: (delayMs) => wait(delayMs),
    onResult: (result) => console.log(caseLine(result, expected)),
  })
  await listener?.stop()
  if (report.results.every(({ outcome }) => outcome === 'notRun')) throw new Error(nothingRan(options))
  if (!report.reached && report.results.some(({ exchange }) => exchange > 0))
    throw new Error(`no session with ${report.server} could be opened: the cases say why`)
  const judgement = judge(report.results, expected)
  console.log(`\n${summary(report, judgement)}`)
  if (options.junit !== undefined) writeFileSync(options.junit, junitOf(report, expected))
  if (options.json !== undefined) writeFileSync(options.json, jsonOf(report, judgement))
  return judgement.good
}

/** Before anything is run: an hour's report shall not be lost to a wrong path. */
const checkGiven = (options: Options): void => {
  for (const name of ['port', 'https-port', 'listen-port', 'timeout-ms'] as const) {
    const value = options[name]
    if (value !== undefined && !(Number.isSafeInteger(value) && value > 0))
      throw new Error(`--${name}: ${value} is no whole number of 1 or more`)
  }
  for (const name of ['junit', 'json'] as const) {
    const path = options[name]
    if (path === '') throw new Error(`--${name}: no file is named`)
    if (path !== undefined) mustBeWritable(name, path)
  }
}

const mustBeWritable = (name: string, path: string): void => {
  const isThere = existsSync(path)
  accessSync(isThere ? path : dirname(path), constants.W_OK)
  if (isThere && statSync(path).isDirectory()) throw new Error(`--${name}: ${path} is a folder`)
}

const nothingRan = (options: Options): string =>
  options.case === undefined
    ? `no case of these versions is below ${options.dir.join(', ')}`
    : `no case named ${options.case} is below ${options.dir.join(', ')}`

/** What comes in time. Rejects when it does not. */
async function within<T>(limitMs: number, event: Promise<T>): Promise<T> {
  const late = wait(limitMs, undefined, { ref: false }).then((): never => {
    throw new TypeError(`nothing came within ${limitMs} ms`)
  })
  return Promise.race([event, late])
}

try {
  process.exitCode = (await main()) ? 0 : differentExitCode
} catch (error) {
  process.stderr.write(`kmip-conformance: ${error instanceof Error ? error.message : String(error)}\n`)
  process.exit(notRunExitCode)
}
