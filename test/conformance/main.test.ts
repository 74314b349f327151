/** The runner as a command: what was given wrongly is told in one line, before a case is run. What it is not: the run (run.test.ts). */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

const main = fileURLToPath(import.meta.resolve('#conformance/main'))
const cases = fileURLToPath(new URL('../../conformance/cases', import.meta.url))

test('kmip-conformance says in one line what is wrong, and ends with 2', () => {
  const pems = ['ca', 'cert', 'key'].flatMap((name) => [`--${name}`, import.meta.filename])
  for (const [words, text] of [
    [['--dir', '/nowhere'], /ENOENT.*nowhere/],
    [['--dir', cases, '--port', 'abc'], /--port: NaN is no whole number/],
    [['--dir', cases, '--timeout-ms', '0'], /--timeout-ms: 0 is no whole number/],
    [['--dir', cases, '--case', 'NOBODYS'], /no case named NOBODYS is below/],
    [['--dir', cases, '--expected', '/nowhere.json'], /ENOENT.*nowhere/],
    [['--dir', cases, '--junit', '/nowhere/report.xml'], /ENOENT.*nowhere/],
  ] as const) {
    const { status, stderr } = spawnSync(process.execPath, [main, ...pems, ...words], { encoding: 'utf8' })
    assert.equal(status, 2, stderr)
    assert.match(stderr, /^kmip-conformance: [^\n]+\n$/)
    assert.match(stderr, text)
  }
})
