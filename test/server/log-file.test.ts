/** The log as files: bounded, readable by the owner alone, never a reason to fail; and the levels of the process's log. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { LogFile } from '#server/log-file'

describe('log file', () => {
  let folder = ''
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'kmipd-log-'))
  })
  after(() => rm(folder, { recursive: true, force: true }))

  test('keeps the newest lines, in two files of a bounded size', async () => {
    const failures: string[] = []
    const log = new LogFile(folder, 1_000, (reason) => failures.push(reason))
    for (let line = 0; line < 500; line += 1) log.write(`${JSON.stringify({ line })}\n`)
    const lines = log.read().trim().split('\n')
    const numbers = lines.map((line) => (JSON.parse(line) as { readonly line: number }).line)
    assert.equal(numbers.at(-1), 499)
    assert.deepEqual(
      numbers,
      numbers.map((_, index) => 500 - numbers.length + index),
    )
    const names = await readdir(join(folder, 'logs'))
    assert.deepEqual(names.toSorted(), ['kmipd.log', 'kmipd.log.1'])
    for (const name of names) {
      const { size, mode } = await stat(join(folder, 'logs', name))
      assert.ok(size <= 1_000)
      assert.equal(mode & 0o777, 0o600)
    }
    assert.deepEqual(failures, [])
  })

  test('goes on where it ended', () => {
    const failures: string[] = []
    const log = new LogFile(folder, 1_000, (reason) => failures.push(reason))
    log.write('{"line":500}\n')
    assert.match(log.read(), /"line":499\}\n\{"line":500\}\n$/)
  })

  test('tells once that lines cannot be written, and throws nothing', async () => {
    const place = join(folder, 'full')
    const failures: string[] = []
    const log = new LogFile(place, 10, (reason) => failures.push(reason))
    log.write('123456789\n')
    // The place of the older file is taken by what cannot be replaced.
    await rm(join(place, 'logs'), { recursive: true })
    await writeFile(join(place, 'logs'), '')
    for (let line = 0; line < 5; line += 1) log.write('another line\n')
    assert.equal(failures.length, 1)
  })

  test('that somebody has moved or removed begins anew at its bound', async () => {
    const place = join(folder, 'moved')
    const failures: string[] = []
    const log = new LogFile(place, 50, (reason) => failures.push(reason))
    log.write('the first line, which fills the file to its bound\n')
    await rm(join(place, 'logs', 'kmipd.log'))
    log.write('the second line\n')
    assert.deepEqual(failures, [])
    assert.equal(log.read(), 'the second line\n')
  })

  test('that could not be made once is made when it can be', async () => {
    const place = join(folder, 'again')
    const failures: string[] = []
    const log = new LogFile(place, 10, (reason) => failures.push(reason))
    log.write('123456789\n')
    await rm(join(place, 'logs'), { recursive: true })
    log.write('another line\n')
    await mkdir(join(place, 'logs'))
    log.write('the last line\n')
    assert.equal(failures.length, 1)
    assert.equal(log.read(), 'the last line\n')
  })
})

describe('process log', () => {
  test('lines tell their level by three letters, and the level can be changed', () => {
    const program = `
      const { ProcessLog } = await import('#server/process-log')
      const log = new ProcessLog('info')
      const all = () => { for (const level of ['fatal', 'error', 'warn', 'info', 'debug']) log.logger[level](level) }
      all(); log.setLevel('DBG'); log.logger.info(log.level()); all(); log.setLevel('ERR'); all()`
    const output = execFileSync(process.execPath, ['--input-type=module', '--eval', program], {
      cwd: join(import.meta.dirname, '..', '..'),
      encoding: 'utf8',
    })
    const lines = output
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { readonly level: string; readonly msg: string })
    assert.equal(lines.map(({ level }) => level).join(' '), 'FTL ERR WRN INF INF FTL ERR WRN INF DBG FTL ERR')
    assert.equal(lines[4]?.msg, 'DBG')
  })
})
