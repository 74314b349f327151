/**
 * Where a server's time goes: profiles as the runtime writes them, read and drawn; and the command that makes them. What it is
 * not: a measurement.
 */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { flamePage } from '#bench/flame'
import { readProfile, topLines } from '#bench/profile'

const directory = mkdtempSync(join(tmpdir(), 'kmipd-profile-test-'))
after(() => rmSync(directory, { recursive: true }))

const frame = (functionName: string, url: string, lineNumber = 0) => ({ functionName, url, lineNumber })
/** root > a > b > a, and a > native; idle beside them. */
const sample = JSON.stringify({
  startTime: 1000,
  nodes: [
    { id: 1, callFrame: frame('(root)', ''), children: [2, 6] },
    { id: 2, callFrame: frame('a', 'file:///x/workers/store.ts', 9), children: [3, 5] },
    { id: 3, callFrame: frame('', 'node:internal/timers', 4), children: [4] },
    { id: 4, callFrame: frame('a', 'file:///x/workers/store.ts', 9) },
    { id: 5, callFrame: frame('<write>', '') },
    { id: 6, callFrame: frame('(idle)', '') },
  ],
  samples: [6, 2, 4, 5, 5, 3],
  timeDeltas: [500, 100, 10, 40, 50, 1000],
})

test('self and total times of a span, recursion counted once, idleness apart', () => {
  const { thread, busyUs, idleUs, functions } = readProfile(sample, { fromUs: 0, toUs: 1700 })
  assert.equal(thread, 'store')
  assert.deepEqual([busyUs, idleUs], [200, 500])
  assert.deepEqual(functions, [
    { name: 'a workers/store.ts:10', selfUs: 110, totalUs: 200 },
    { name: '<write>', selfUs: 90, totalUs: 90 },
    { name: '(anonymous) node:internal/timers:5', selfUs: 0, totalUs: 10 },
  ])
  assert.equal(readProfile(sample, { fromUs: 1701, toUs: 9000 }).busyUs, 1000)
  assert.throws(() => readProfile('{}', { fromUs: 0, toUs: 1 }), TypeError)
})

test('the lines, and the graph', () => {
  const profile = readProfile(sample, { fromUs: 0, toUs: 1700 })
  const lines = topLines(profile, 2)
  assert.match(lines[0] ?? '', /^thread store: busy 29% /)
  assert.match(lines[2] ?? '', /^ +55\.0% +100\.0% +a workers\/store\.ts:10$/)
  assert.equal(lines.length, 7)
  const page = flamePage('get & more', [profile])
  assert.match(page, /<title>get &amp; more<\/title>/)
  assert.match(page, /<title>&lt;write&gt;: 45\.0 %<\/title><rect x="0\.00" y="18" width="540\.00"/)
  assert.doesNotMatch(page, /\bsrc=|\bhref=|<script/)
})

test('kmip-bench profile tells the top functions of each thread of a server, and keeps the profiles where it is told', async () => {
  const main = join(import.meta.dirname, '..', '..', 'bench', 'main.ts')
  const kept = join(directory, 'kept profiles')
  const html = join(directory, 'flame.html')
  const short = ['--seconds', '0.3', '--warmup', '0.1', '--objects', '10', '--sessions', '2']
  const stdout = await new Promise<string>((resolve, reject) => {
    const parameters = [
      main,
      'profile',
      '--operation',
      'create',
      ...short,
      '--top',
      '3',
      '--keep',
      kept,
      '--html',
      html,
    ]
    execFile(process.execPath, parameters, { timeout: 60_000 }, (error, out, stderr) =>
      error === null ? resolve(out) : reject(new Error(stderr, { cause: error })),
    )
  })
  assert.match(stdout, /^create, 2 sessions: \d+ messages\/s under the profiler/)
  for (const thread of ['main', 'store', 'audit']) assert.match(stdout, new RegExp(`thread ${thread}: busy`))
  assert.match(stdout, /by time with what they called/)
  assert.ok(readdirSync(kept).filter((name) => name.endsWith('.cpuprofile')).length >= 3)
  assert.match(readFileSync(html, 'utf8'), /<h2>Thread store: busy \d+ %<\/h2>\n<svg/)
})
