/** kmipctl as people and scripts meet it: help, completion, forms of answers, exit codes, questions. */
import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { commands } from '#admin/api'
import { type RunningAdministration, startAdministrationUnderTest } from '#test/admin/running-administration'

const program = fileURLToPath(import.meta.resolve('#src/kmipctl'))

describe('kmipctl', () => {
  let admin: RunningAdministration
  before(async () => {
    admin = await startAdministrationUnderTest()
  })
  after(() => admin[Symbol.asyncDispose]())

  test('every level has help with an example', async () => {
    const levels = new Set(
      commands.flatMap(({ verbs }) => verbs.map((_, index) => verbs.slice(0, index + 1).join(' '))),
    )
    for (const level of ['', ...levels]) {
      const { code, out } = await admin.line([...level.split(' ').filter((word) => word !== ''), '--help'])
      assert.equal(code, 0, level)
      assert.match(out, /Examples:\n {2}kmipctl /, level)
    }
  })

  test('words are completed', async () => {
    const completed = (...words: readonly string[]): string =>
      execFileSync(process.execPath, [program, '--get-yargs-completions', 'kmipctl', ...words], { encoding: 'utf8' })
    assert.match(completed('us'), /^users/m)
    assert.match(completed('users', 'cr'), /^create/m)
    assert.match(completed('users', 'create', '--na'), /^--name/m)
    const { out } = await admin.line(['completion'])
    assert.match(out, /complete .*kmipctl/)
  })

  test('a terminal gets a table, a pipe JSON', async () => {
    const table = await admin.line(['users', 'list'], { isTerminal: true })
    assert.match(table.out, /│ local\|admin/)
    assert.doesNotMatch(table.out, /kmipd:root:admin/)
    assert.ok(table.out.split('\n').every((line) => line.length <= 100))
    assert.match(table.out, /\d more members: --json shows them/)
    const json = await admin.line(['users', 'list'])
    assert.equal((json.json as { total: number }).total, 2)
    const asked = await admin.line(['users', 'list', '--json'], { isTerminal: true })
    assert.deepEqual(asked.json, json.json)
    const yaml = await admin.line(['users', 'list'], { environment: { KSCTL_RESP: 'yaml' } })
    assert.match(yaml.out, /^total: 2$/m)
    const one = await admin.line(['users', 'get', '-i', 'admin'], { isTerminal: true })
    assert.match(one.out, /│ username +│ admin/)
    const none = await admin.line(['domains', 'list'], { isTerminal: true })
    assert.equal(none.out, 'There are none.\n')
  })

  test('what a client wrote does not reach a terminal as a control sequence', async () => {
    await admin.line(['groups', 'create', '-n', 'staff', '-d', 'red \u001b[31m \u202e text'])
    for (const surroundings of [{ isTerminal: true }, {}, { environment: { KSCTL_RESP: 'yaml' } }]) {
      const { out } = await admin.line(['groups', 'get', '-n', 'staff'], surroundings)
      assert.match(out, /red/)
      assert.deepEqual(
        ['\u001b', '\u202e'].filter((character) => out.includes(character)),
        [],
      )
    }
  })

  test('what is missing is asked for at a terminal, and never in a pipe', async () => {
    const piped = await admin.line(['groups', 'create'])
    assert.equal(piped.code, 2)
    assert.match(piped.error, /--name is needed/)
    const asked = await admin.line(['groups', 'create'], { answers: { 'name:': 'asked' } })
    assert.equal(asked.code, 0, asked.error)
    const { code } = await admin.line(['users', 'list'], {
      environment: {
        KMIPCTL_URL: `https://127.0.0.1:${admin.port}`,
        KMIPCTL_NOSSLVERIFY: 'true',
        KMIPCTL_USERNAME: 'admin',
      },
      answers: { 'Password of admin:': admin.password },
    })
    assert.equal(code, 0)
  })

  test('secrets are read from files', async () => {
    await writeFile(join(admin.directory, 'joe.password'), 'password-in-a-file\n')
    const made = await admin.line('users create -n joe -p @joe.password'.split(' '))
    assert.equal(made.code, 0, made.error)
    const logIn = await admin.line('tokens create -u joe -p password-in-a-file'.split(' '))
    assert.equal(logIn.code, 0, logIn.error)
    const missing = await admin.line('users create -n jim -p @missing.password'.split(' '))
    assert.equal(missing.code, 2)
    await admin.line('users create -n jim -p @@begins-so'.split(' '))
    const jim = await admin.line('tokens create -u jim -p @@begins-so'.split(' '))
    assert.equal(jim.code, 0, jim.error)
    assert.equal((await admin.line('users delete -i jim'.split(' '))).code, 0)
  })

  test('a flag that was set in type is a flag', async () => {
    const { code, error } = await admin.line(['users', 'get', '–i', 'admin'])
    assert.equal(code, 0, error)
  })

  test('a value may begin like a flag', async () => {
    const made = await admin.line('users create -n jack -p -secret-of-jack -e jack@example.com'.split(' '))
    assert.equal(made.code, 0, made.error)
    const logIn = await admin.line('tokens create -u jack --password -secret-of-jack --json'.split(' '))
    assert.equal(logIn.code, 0, logIn.error)
    assert.equal((await admin.line('users delete -i jack'.split(' '))).code, 0)
    const missing = await admin.line('users create -n -p -secret-of-jack'.split(' '))
    assert.equal(missing.code, 2)
  })

  test('the exit code says what went wrong', async () => {
    const code = async (words: string, environment: Record<string, string> = {}): Promise<number> =>
      (await admin.line(words.split(' '), { environment })).code
    assert.equal(await code('users list'), 0)
    assert.equal(await code('users frob'), 2)
    assert.equal(await code('users list --skip x'), 2)
    assert.equal(await code('users get -i nobody'), 4)
    assert.equal(await code('groups create -n staff'), 5)
    assert.equal(await code('users list', { KMIPCTL_SOCKET: '/nonexistent/admin.sock' }), 6)
    assert.equal(await code('users list', { KSCTL_TIMEOUT: 'soon' }), 2)
    assert.equal(await code('users list --configfile missing.yaml'), 2)
    assert.equal(await code('users list', { KSCTL_JWT: 'wrong' }), 3)
  })

  test('the process does the same', () => {
    const run = (...words: readonly string[]) =>
      spawnSync(process.execPath, [program, ...words, '--socket', join(admin.directory, 'none.sock')], {
        encoding: 'utf8',
        timeout: 30_000,
      })
    assert.equal(run('users', 'list').status, 6)
    assert.equal(run('users', 'list', '--help').status, 0)
    assert.equal(run('--version').status, 0)
  })
})
