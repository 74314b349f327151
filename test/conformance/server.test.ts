/**
 * The real server against the test cases: the project's own pass, and of the published ones exactly those of
 * `conformance/expected.json` fail. The published cases are not ours to carry: `KMIPD_OASIS` says where they are.
 */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { execPath } from 'node:process'
import { after, before, describe, test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { systemClock } from '#actor/clock'
import { findCases } from '#conformance/case'
import { Listener } from '#conformance/listener'
import { expectedFailuresOf, explanation, judge } from '#conformance/report'
import { type CaseResult, type ClientSide, runCases } from '#conformance/run'
import { freePort, type RunningServer, startServerProcess } from '#test/running-server'

const here = (path: string): string => fileURLToPath(new URL(`../../conformance/${path}`, import.meta.url))
const oasis = process.env['KMIPD_OASIS']

/** Cases that each want another setting of the server, which some other case excludes. */
interface SettingsRow {
  readonly flags: readonly string[]
  /** Lines of kmipctl that come before: users that the cases take for granted, say. */
  readonly administration?: readonly string[]
  readonly cases: readonly string[]
}
/** Rows of settings that run side by side: most of a row's time is its server's start. */
const serversAtOnce = 3
/** Runs a line of kmipctl on the local socket. Rejects with what it said when it failed. */
const administer = async (directory: string, line: string): Promise<unknown> => {
  const kmipctl = fileURLToPath(new URL('../../src/kmipctl.ts', import.meta.url))
  return promisify(execFile)(execPath, [kmipctl, '--socket', join(directory, 'admin.sock'), ...line.split(' ')])
}
/** Rejects when a request of the server is long overdue. */
const late = async (): Promise<never> => {
  await wait(30_000, undefined, { ref: false })
  throw new TypeError('the server has sent nothing')
}
/** Families that the server's first operations must pass whole. */
const wholeFamilies = /^(?:TL|SASED|SKFF|SKLC|AKLC|OMOS)-/

describe('the server and the test cases', () => {
  let server: RunningServer
  before(async () => {
    server = await startServerProcess({ https: true })
  })
  after(() => server.stop())

  const run = (paths: readonly string[]): Promise<readonly CaseResult[]> => runOn(server, findCases(paths))

  const runOn = async (
    under: RunningServer,
    files: readonly string[],
    client?: ClientSide,
  ): Promise<readonly CaseResult[]> => {
    const { results } = await runCases({
      ...under.connection,
      httpsPort: under.httpsPort,
      files,
      client,
      nowSeconds: () => systemClock.nowSeconds(),
      nowMs: () => performance.now(),
      wait: (delayMs) => wait(delayMs),
    })
    return results
  }
  const failures = (results: readonly CaseResult[]): readonly string[] =>
    results.filter(({ outcome }) => outcome === 'fail').map((result) => `${result.name}: ${explanation(result)}`)

  test("the project's own cases pass", async () => {
    const results = await run([here('cases')])
    assert(results.length > 10)
    assert.deepEqual(failures(results), [])
  })

  if (oasis !== undefined) {
    test('of the published cases of 1.0 to 1.4, exactly the expected ones fail', async () => {
      const files = findCases(['v1.0', 'v1.1', 'v1.3', 'v1.4'].map((version) => join(oasis, version)))
      const isOf = (file: string, cases: readonly string[]): boolean => cases.includes(basename(file, '.xml'))
      const settings = JSON.parse(readFileSync(here('settings.json'), 'utf8')) as readonly SettingsRow[]
      const apart = settings.flatMap(({ cases }) => cases)
      const ordinary = files.filter((file) => !isOf(file, apart))
      const results = [...(await runOn(server, ordinary))]
      const runRow = async ({ flags, administration = [], cases }: SettingsRow): Promise<void> => {
        const port = await freePort()
        const given = flags.map((flag) => flag.replace('LISTEN_PORT', String(port)).replace(/^conformance\//, here('')))
        await using other = await startServerProcess({ flags: given })
        for (const line of administration) await administer(other.directory, line)
        const listener = new Listener({ ...other.connection, port, nowSeconds: () => systemClock.nowSeconds() })
        await listener.start()
        const own = files.filter((file) => isOf(file, cases))
        const client: ClientSide = {
          next: (operation) => Promise.race([listener.next(operation), late()]),
          play: (answers) => listener.play(answers),
        }
        results.push(...(await runOn(other, own, client)))
        await listener.stop()
        assert.deepEqual(other.failures, [])
      }
      const rest = [...settings]
      const lane = async (): Promise<void> => {
        for (let row = rest.shift(); row !== undefined; row = rest.shift()) await runRow(row)
      }
      await Promise.all(Array.from({ length: serversAtOnce }, lane))
      assert.equal(results.length, 316)
      const expected = expectedFailuresOf(readFileSync(here('expected.json'), 'utf8'))
      const { good, ...judgement } = judge(results, expected)
      assert(good, JSON.stringify(judgement, undefined, 2))
      assert.deepEqual(failures(results.filter(({ name }) => wholeFamilies.test(name))), [])
    })
  }

  test('nothing failed inside the server', () => {
    assert.deepEqual(server.failures, [])
  })
})
