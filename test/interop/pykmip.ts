/**
 * Sessions of PyKMIP's own client, and how what they tell is compared. What it is: a Python process that prints a line a step
 * (pykmip_steps.py), and the kinds of expectation. What it is not: a session or its expectations (*.test.ts).
 */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { type TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { RunningServer } from '#test/running-server'

const python = '/usr/bin/python3'

/** Every version that PyKMIP and the server have. */
export const versions = ['1.0', '1.1', '1.2', '1.3', '1.4'] as const

export interface Step {
  readonly step: string
  readonly result?: unknown
  readonly error?: { readonly type: string; readonly reason?: string; readonly message: string }
}

/** What is expected of a step: its result, or a function that judges it, or a failure by its reason or its type. */
export type Expectation =
  | { readonly result: unknown }
  | { readonly check: (result: unknown) => void }
  | { readonly reason: string }
  | { readonly broken: string }

/** The step gives this. */
export const result = (value: unknown): Expectation => ({ result: value })
/** What the step gives is judged by a function, which throws. */
export const check = (judge: (result: unknown) => void): Expectation => ({ check: judge })
/** The server refuses, with this Result Reason. */
export const reason = (name: string): Expectation => ({ reason: name })
/** PyKMIP cannot do it, with this exception of its own. */
export const broken = (type: string): Expectation => ({ broken: type })
/** The step is done and gives nothing. */
export const done = result(null)
/** The step gives a Unique Identifier of this server. */
export const identifier = check((value) => assert.match(String(value), /^[0-9a-f-]{36}$/))

/** Runs Python with a text on its standard input. Gives what it printed. */
const runPython = async (
  words: readonly string[],
  input: string,
): Promise<{ readonly code: number | null; readonly output: string; readonly errors: string }> => {
  const child = spawn(python, ['-B', ...words], { stdio: ['pipe', 'pipe', 'pipe'], timeout: 60_000 })
  let output = ''
  let errors = ''
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (output += chunk))
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (errors += chunk))
  child.stdin.end(input)
  const [code] = (await once(child, 'close')) as [number | null]
  return { code, output, errors }
}

/** @throws Error that says what to install */
export const expectPykmip = async (): Promise<void> => {
  const missing = `PyKMIP is not installed for ${python}: install the Debian package python3-pykmip`
  const { code } = await runPython(['-c', 'import kmip.pie.client'], '').catch((error: unknown) => {
    throw new Error(missing, { cause: error })
  })
  assert.equal(code, 0, missing)
}

/** Has a script of this folder hold a session in a version, with an input. Gives its steps. */
export const runSession = async (
  server: RunningServer,
  script: string,
  version: string,
  input: unknown,
): Promise<readonly Step[]> => {
  const { host, port, caPath, certPath, keyPath } = server
  const path = fileURLToPath(new URL(script, import.meta.url))
  const words = [path, host, String(port), caPath, certPath, keyPath, version]
  const { code, output, errors } = await runPython(words, JSON.stringify(input))
  assert.equal(code, 0, `the session broke off: ${errors}`)
  return output
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Step)
}

const compare = ({ step, result: given, error }: Step, expected: Expectation): void => {
  const told = `${step}: ${JSON.stringify(error ?? given)}`
  if ('reason' in expected || 'broken' in expected) {
    assert.ok(error !== undefined, `a failure is expected: ${told}`)
    if ('broken' in expected) return assert.equal(error.type, expected.broken, told)
    assert.equal(error.type, 'failure', told)
    return assert.equal(error.reason, expected.reason, told)
  }
  assert.equal(error, undefined, told)
  if ('check' in expected) expected.check(given)
  else assert.deepEqual(given, expected.result, told)
}

/** A test for each step that was done, and one that every expected step was. */
export const compareSteps = async (
  context: TestContext,
  steps: readonly Step[],
  expected: Readonly<Record<string, Expectation>>,
): Promise<void> => {
  for (const step of steps) {
    await context.test(step.step, () => {
      const wanted = expected[step.step]
      assert.ok(wanted !== undefined, `nothing is expected of ${step.step}`)
      compare(step, wanted)
    })
  }
  assert.deepEqual(
    Object.keys(expected).filter((name) => !steps.some(({ step }) => step === name)),
    [],
    'steps that were not done',
  )
}
