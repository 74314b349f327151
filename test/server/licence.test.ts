/** A server that needs a licence, as its clients and administrators meet it. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { systemClock } from '#actor/clock'
import { runCommandLine } from '#admin/cli'
import { createClient } from '#client/client'
import { type RunningServer, startServerProcess } from '#test/running-server'

const root = dirname(dirname(import.meta.dirname))
const installation = '01a20bbc-c05f-732c-8693-cbf167ffa501'

describe('a server whose trial is over', () => {
  let folder = ''
  let flags: readonly string[] = []
  const tool = (...words: readonly string[]): string =>
    execFileSync(process.execPath, [join(root, 'tools/licence.ts'), ...words], { encoding: 'utf8' }).trim()

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'kmipd-licence-'))
    const setting = tool('keys', join(folder, 'licence.key')).split(' ')
    flags = [...setting, '--installation-mark', join(folder, 'mark')]
    const installedSeconds = systemClock.nowSeconds() - 91 * 86_400
    const mark = { installation, installedSeconds, latestSeconds: installedSeconds }
    await writeFile(join(folder, 'mark'), JSON.stringify(mark))
  })
  after(() => rm(folder, { recursive: true, force: true }))

  const kmipctl = async (server: RunningServer, ...words: readonly string[]): Promise<unknown> => {
    let told = ''
    const take = (text: string): void => {
      told += text
    }
    const code = await runCommandLine(words, {
      environment: { KMIPCTL_SOCKET: join(server.directory, 'admin.sock') },
      isTerminal: false,
      columns: undefined,
      canAsk: false,
      out: take,
      error: take,
      readFile: () => '',
      writeFile: () => undefined,
      ask: async () => '',
    })
    assert.equal(code, 0, told)
    return JSON.parse(told)
  }
  const stateOf = async (server: RunningServer): Promise<string | undefined> => {
    const { resources } = (await kmipctl(server, 'features')) as {
      readonly resources: readonly { readonly state: string }[]
    }
    return resources[0]?.state
  }

  test('says so to clients, on the same session serves once a licence is activated, and starts over with no other folder', async () => {
    await using server = await startServerProcess({ flags })
    await using client = createClient(server.connection)
    await assert.rejects(client.query({ queryFunction: [1] }), /trial of this server is over/)
    assert.equal(await stateOf(server), 'Expired')
    const text = tool(
      'sign',
      join(folder, 'licence.key'),
      '--holder',
      'Example',
      '--installation',
      installation,
      '--days',
      '30',
    )
    await kmipctl(server, 'licences', 'add', '--licence', text)
    assert.equal(await stateOf(server), 'Active')
    await client.query({ queryFunction: [1] })
    await using other = await startServerProcess({ flags })
    assert.equal(await stateOf(other), 'Expired')
  })
})
