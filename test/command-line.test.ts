/** What is run by hand says how it is called, and in one line what was wrong, before it does anything. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { describe, test } from 'node:test'

const commands: Readonly<Record<string, string>> = {
  'sim/sim.ts': '--seeds',
  'fuzz/command.ts': '--messages',
  'fuzz/live.ts': '--messages',
  'faults/kill.ts': '--rounds',
  'faults/attacks.ts': '--rounds',
  'faults/timing.ts': '--samples',
}

describe('commands of the tests', () => {
  for (const [path, number] of Object.entries(commands)) {
    test(path, () => {
      const run = (...words: readonly string[]) =>
        spawnSync(process.execPath, [join(import.meta.dirname, path), ...words], { encoding: 'utf8', timeout: 30_000 })
      const help = run('--help')
      assert.equal(help.status, 0)
      assert.match(help.stdout, new RegExp(`^npm run .*${number} `, 's'))
      for (const words of [['--nothing'], [number, 'many']]) {
        const { status, stdout, stderr } = run(...words)
        assert.deepEqual([status, stdout], [2, ''], words.join(' '))
        assert.match(stderr, /^npm run [^\n]+\n$/)
      }
    })
  }
})
