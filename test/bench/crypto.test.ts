/**
 * `kmip-bench crypto` and `interference` as commands, for very short times, with the real server; and what they compute of
 * their rows. What it is not: a measurement.
 */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { bareLoop, type Primitive } from '#bench/bare-loop'
import { type CryptoRow, cryptoTable, summarizeCrypto } from '#bench/crypto-report'
import type { Measured } from '#bench/job'

const directory = mkdtempSync(join(tmpdir(), 'kmipd-bench-crypto-test-'))
after(() => rmSync(directory, { recursive: true }))

const run = (parameters: readonly string[]): Promise<{ readonly code: number; readonly text: string }> =>
  new Promise((resolve) => {
    const path = join(import.meta.dirname, '..', '..', 'bench', 'main.ts')
    execFile(process.execPath, [path, ...parameters], { timeout: 100_000 }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code ?? 1), text: stdout + stderr })
    })
  })
const short = ['--seconds', '0.2', '--warmup', '0.05', '--workers', '1', '--placement', 'auto']

interface Spread {
  readonly median: number
  readonly lowest: number
  readonly highest: number
}
const summariesIn = <Summary>(path: string): readonly Summary[] =>
  (JSON.parse(readFileSync(path, 'utf8')) as { readonly summaries: readonly Summary[] }).summaries

describe('kmip-bench', () => {
  test('crypto measures each case with each number of sessions, beside the bare loop and the echo', async () => {
    const json = join(directory, 'crypto.json')
    const cases = ['--operation', 'cbc-64,sign-p256', '--connections', '1,2']
    const ended = await run(['crypto', ...short, ...cases, '--json', json])
    assert.equal(ended.code, 0, ended.text)
    const summaries = summariesIn<ReturnType<typeof summarizeCrypto>[number]>(json)
    assert.deepEqual(
      summaries.map(({ operation, placement, connections }) => [operation, placement, connections]),
      ['cbc-64', 'sign-p256'].flatMap((name) => [1, 2].map((connections) => [name, 'auto', connections])),
    )
    for (const { errors, operationsPerSecond, bareRatio, echoRatio } of summaries) {
      assert.equal(errors, 0)
      for (const { median } of [operationsPerSecond, bareRatio, echoRatio]) assert.ok(median > 0)
    }
    assert.match(ended.text, /sign-p256 +auto +2 /)
  })

  test('interference measures Get idle and beside key pairs', async () => {
    const json = join(directory, 'interference.json')
    const pairs = ['--pair-bits', '2048', '--pair-sessions', '2']
    const ended = await run(['interference', ...short, ...pairs, '--json', json])
    assert.equal(ended.code, 0, ended.text)
    const [summary, ...others] = summariesIn<{
      readonly errors: number
      readonly p99Ratio: Spread
      readonly pairsPerSecond: Spread
    }>(json)
    assert.equal(others.length, 0)
    assert.equal(summary?.errors, 0)
    assert.ok(summary.p99Ratio.median > 0 && summary.pairsPerSecond.median > 0)
  })

  test('says what is no case', async () => {
    const ended = await run(['crypto', ...short, '--operation', 'nothing'])
    assert.equal(ended.code, 1)
    assert.match(ended.text, /no case is named nothing/)
  })
})

test('the bare loop has every primitive', async () => {
  const primitives: readonly Primitive[] = [
    { name: 'aes-256-gcm', size: 64 },
    { name: 'aes-256-cbc', size: 64 },
    { name: 'sign rsa', size: 64 },
    { name: 'sign p-256', size: 64 },
    { name: 'pair rsa', size: 1024 },
  ]
  for (const primitive of primitives) assert.ok((await bareLoop(primitive, 2, 5)) > 0)
})

test('runs of a case become a median with lowest and highest', () => {
  const measured = (completed: number): Measured => ({
    completed,
    items: completed,
    errors: {},
    steps: {},
    percentiles: [],
    sliceMs: 100,
    timeline: [],
    elapsedMs: 1000,
    latency: { mean: 1000, p50: 1000, p90: 1000, p99: 2000, p999: 2000, max: 2000 },
  })
  const rows = [100, 300, 200].map(
    (completed, index): CryptoRow => ({
      operation: 'sign-rsa',
      placement: 'pool',
      connections: 64,
      run: index + 1,
      measured: measured(completed),
      bare: 400,
      echo: 1000,
    }),
  )
  const [summary, ...others] = summarizeCrypto(rows)
  assert.equal(others.length, 0)
  assert.deepEqual(summary?.operationsPerSecond, { median: 200, lowest: 100, highest: 300 })
  assert.deepEqual(summary.bareRatio, { median: 0.5, lowest: 0.25, highest: 0.75 })
  assert.match(cryptoTable(rows)[1] ?? '', /sign-rsa +pool +64 +200 \(100-300\)/)
})
