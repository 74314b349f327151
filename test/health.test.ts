/** The health check of a container, as a process: what it says of a server that serves, and of one that does not. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { freePort, startServerProcess } from '#test/running-server'

const program = fileURLToPath(import.meta.resolve('#src/health'))

const healthWith = (...flags: readonly string[]): Promise<{ readonly code: unknown; readonly text: string }> =>
  new Promise((resolve) => {
    execFile(process.execPath, [program, ...flags], (error, stdout) =>
      resolve({ code: error === null ? 0 : error.code, text: stdout }),
    )
  })

test('asks the port of those who watch, else the socket of the administration', async () => {
  const metricsPort = String(await freePort())
  await using server = await startServerProcess({ flags: ['--metrics-port', metricsPort] })
  const flags = ['--data', server.directory]
  const good = { code: 0, text: 'The server takes requests\n' }
  assert.deepEqual(await healthWith(...flags, '--metrics-port', metricsPort), good)
  assert.deepEqual(await healthWith(...flags), good)
  await server.stop()
  for (const asked of [flags, [...flags, '--metrics-port', metricsPort]]) {
    const { code, text } = await healthWith(...asked)
    assert.equal(code, 1)
    assert.match(text, /^The server does not answer: /)
  }
})

test('says of a wrong setting what is wrong', async () => {
  const { code, text } = await healthWith('--metrics-port', 'many')
  assert.equal(code, 1)
  assert.match(text, /--metrics-port/)
})
