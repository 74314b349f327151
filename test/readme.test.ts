/** The README's examples are run as they stand there: what it shows is what a reader sees, but for identifiers. */
import assert from 'node:assert/strict'
import { execFile, spawnSync } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { type RunningServer, startServerProcess } from '#test/running-server'

const run = promisify(execFile)
const root = fileURLToPath(new URL('..', import.meta.url))
const identifier = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g

/** The lines that the README shows behind a command. */
const shownAfter = async (command: string): Promise<string> => {
  const lines = (await readFile(`${root}README.md`, 'utf8')).split('\n')
  const start = lines.indexOf(`    $ ${command}`) + 1
  assert.ok(start > 0, `the README shows no "${command}"`)
  const end = lines.findIndex((line, index) => index >= start && !line.startsWith('    '))
  return masked(lines.slice(start, end).map((line) => line.slice(4)))
}

const masked = (lines: readonly string[]): string => lines.join('\n').trim().replaceAll(identifier, 'ID')

/** A command that ended with another code than 0. */
interface Refused {
  readonly code: number
  readonly stdout: string
}

describe('the README', () => {
  let server: RunningServer
  before(async () => {
    server = await startServerProcess()
  })
  after(() => server.stop())

  test("the project's own client", async () => {
    const flags = ['--data', server.directory, '--port', String(server.port)]
    const { stdout } = await run(process.execPath, [`${root}docs/examples/first-key.ts`, ...flags])
    assert.equal(masked(stdout.split('\n')), await shownAfter('npm run -s first-key'))
  })

  test("the project's own client says in one line why it does not get in", async () => {
    const words = ['--data', server.directory, '--port', String(server.port)]
    for (const [more, text] of [
      [['--user', 'nobody', '--password', 'wrong'], /^first-key: The client or its credential is not known\n$/],
      [['--ca', '/dev/null'], /^first-key: the connection could not be made: .*certificate.*\n$/],
      [['--cert', `${server.directory}/none.pem`], /^first-key: ENOENT.*\n$/],
      [['--hots', 'kmip.example'], /hots/],
    ] as const) {
      const run = spawnSync(process.execPath, [`${root}docs/examples/first-key.ts`, ...words, ...more], {
        encoding: 'utf8',
      })
      assert.equal(run.status, 1)
      assert.match(run.stderr, text)
    }
  })

  test('PyKMIP', async () => {
    const words = [`${root}docs/examples/first_key.py`, server.directory, String(server.port)]
    const { stdout } = await run('/usr/bin/python3', words)
    assert.equal(masked(stdout.split('\n')), await shownAfter('python3 docs/examples/first_key.py ./data 5696'))
  })

  test('the files that a first start names, also one whose port is taken: no later start names them', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'kmipd-readme-'))
    try {
      const words = [`${root}src/main.ts`, 'serve', '--port', String(server.port), '--host', server.host]
      const { code, stdout } = await run(process.execPath, words, { cwd: folder }).then(
        ({ stdout: told }) => ({ code: 0, stdout: told }),
        (error: Refused) => error,
      )
      assert.equal(code, 78)
      assert.match(stdout, /EADDRINUSE/)
      const shown = (await shownAfter('npm start')).split('\n').filter((line) => line.startsWith('  data/'))
      const made = [...stdout.matchAll(/"made":"([^"]+)"/g)].map(([, path]) => `  ${path}`)
      assert.deepEqual(made, shown)
    } finally {
      await rm(folder, { recursive: true })
    }
  })

  test('the files that a first start names', async () => {
    const made = server.log.flatMap((line) => (typeof line['made'] === 'string' ? [line['made']] : []))
    const shown = (await shownAfter('npm start'))
      .split('\n')
      .flatMap((line) => /^ {2}data(\/\S+)$/.exec(line)?.[1] ?? [])
    assert.deepEqual(
      made.map((path) => path.slice(server.directory.length)),
      shown,
    )
  })
})
