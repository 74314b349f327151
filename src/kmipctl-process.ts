/**
 * The command `kmipctl`. What it is: the process: its arguments, environment, terminal and exit code. What it is not: the
 * commands (admin/api.ts) or how they are read and shown (admin/cli.ts).
 */
import { closeSync, fchmodSync, fstatSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { type CommandLineHost, runCommandLine } from '#admin/cli'
import { ask, canAsk } from './terminal.ts'

/** What is written may be a private key. */
const ownerOnly = 0o600

const host: CommandLineHost = {
  environment: process.env,
  isTerminal: process.stdout.isTTY,
  columns: process.stdout.columns,
  canAsk: canAsk(),
  out: (text) => void process.stdout.write(text),
  error: (text) => void process.stderr.write(text),
  readFile: (path) => readFileSync(path === '-' ? 0 : path, 'utf8'),
  writeFile: (path, text, isSecret) => {
    const file = openSync(path, 'w', ownerOnly)
    try {
      // One that was there has the mode that it had.
      if (isSecret && fstatSync(file).isFile()) fchmodSync(file, ownerOnly)
      writeFileSync(file, text)
    } finally {
      closeSync(file)
    }
  },
  ask,
}

process.exitCode = await runCommandLine(process.argv.slice(2), host)
