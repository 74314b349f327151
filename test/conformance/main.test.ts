/** The runner as a command: what was given wrongly is told in one line, before a case is run. What it is not: the run (run.test.ts). */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { makeCertificates } from '#test/client/certificates'

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
    [['--dir', cases, '--json', import.meta.dirname], /--json: .* is a folder/],
    [['--dir', cases, '--json', ''], /--json: no file is named/],
    [['--dir', cases, '--nonsense'], /Unknown argument: nonsense/],
    [[], /Missing required argument: dir/],
  ] as const) {
    const { status, stderr } = spawnSync(process.execPath, [main, ...pems, ...words], { encoding: 'utf8' })
    assert.equal(status, 2, stderr)
    assert.match(stderr, /^kmip-conformance: [^\n]+\n$/)
    assert.match(stderr, text)
  }
})

test('kmip-conformance ends with 2 when no session could be opened, and says why', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'kmipd-conformance-main-'))
  after(() => rmSync(folder, { recursive: true }))
  const { ca, clientCert, clientKey } = makeCertificates()
  const pems = Object.entries({ ca, cert: clientCert, key: clientKey }).flatMap(([name, text]) => {
    const path = join(folder, `${name}.pem`)
    writeFileSync(path, text, { mode: 0o600 })
    return [`--${name}`, path]
  })
  const closed = createServer().listen(0, '127.0.0.1')
  await once(closed, 'listening')
  const { port } = closed.address() as AddressInfo
  closed.close()
  const words = [...pems, '--dir', cases, '--host', '127.0.0.1', '--port', String(port)]
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, ...words], { encoding: 'utf8' })
  assert.equal(status, 2, stderr)
  assert.match(stdout, /ECONNREFUSED/)
  assert.match(stderr, /^kmip-conformance: no session with 127\.0\.0\.1:\d+ could be opened[^\n]*\n$/)
})
