#!/usr/bin/env node
/**
 * The command `kmipctl`. What it is: the process: its arguments, environment, terminal and exit code. What it is not: the
 * commands (admin/api.ts) or how they are read and shown (admin/cli.ts).
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { createInterface } from 'node:readline/promises'
import { Writable } from 'node:stream'
import { type CommandLineHost, runCommandLine } from '#admin/cli'

/** A terminal's question; what is typed is not shown when it is a secret. Written to stderr, for stdout is the answer's. */
const ask = async (question: string, secret: boolean): Promise<string> => {
  let muted = false
  const output = new Writable({
    write(chunk: Buffer, _encoding, done) {
      if (!muted) process.stderr.write(chunk)
      done()
    },
  })
  const lines = createInterface({ input: process.stdin, output, terminal: true })
  try {
    const answer = lines.question(question)
    muted = secret
    // The end of the input, or an interrupt, is no answer.
    const ended = new Promise<string>((resolve) => lines.once('close', () => resolve('')))
    return await Promise.race([answer, ended])
  } finally {
    lines.close()
    if (secret) process.stderr.write('\n')
  }
}

const host: CommandLineHost = {
  environment: process.env,
  isTerminal: process.stdout.isTTY,
  columns: process.stdout.columns,
  canAsk: process.stdin.isTTY && process.stderr.isTTY,
  out: (text) => void process.stdout.write(text),
  error: (text) => void process.stderr.write(text),
  readFile: (path) => readFileSync(path === '-' ? 0 : path, 'utf8'),
  // What is written may be a private key.
  writeFile: (path, text) => writeFileSync(path, text, { mode: 0o600 }),
  ask,
}

process.exitCode = await runCommandLine(process.argv.slice(2), host)
