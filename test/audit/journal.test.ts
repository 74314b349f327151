/**
 * The trail after a cut of the power, which leaves of its file what the system had written by then: lines that were waited for come
 * back from the journal. What it is: files cut by hand as such a cut leaves them. What it is not: a cut of the power.
 */
import assert from 'node:assert/strict'
import fs, { copyFileSync, existsSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { body, check, fileName, filesOf, linesOf, newFolder, openTrail } from './trail.ts'

const journalOf = (directory: string): string => join(directory, 'journal')
const fileOf = (directory: string, file = 1): string => join(directory, fileName(file))

/** A trail that nobody has closed, with lines that are on the disk. */
const synced = (batches: readonly number[], options: Parameters<typeof openTrail>[1] = {}) => {
  const directory = newFolder()
  const files = openTrail(directory, options)
  const start = statSync(fileOf(directory)).size
  let count = 0
  for (const size of batches) {
    files.append(Array.from({ length: size }, () => body(`Operation ${(count += 1)} ä€`)))
    files.sync()
  }
  return { directory, files, start }
}

describe('a cut of the power', () => {
  test('that cost the file its last bytes, any number of them: every line is there again, as it was', () => {
    const { directory, files, start } = synced([1, 3, 2])
    const whole = readFileSync(fileOf(directory))
    const journal = readFileSync(journalOf(directory))
    for (let length = start; length <= whole.length; length += length % 7 === 0 ? 1 : 5) {
      writeFileSync(fileOf(directory), whole.subarray(0, length))
      writeFileSync(journalOf(directory), journal)
      const again = openTrail(directory, { anchor: files.synced })
      assert.ok(readFileSync(fileOf(directory)).subarray(0, whole.length).equals(whole), `cut at ${length}`)
      again.close()
      const found = check(directory, files.synced)
      assert.deepEqual([found.intact, found.mended, found.lines], [true, 0, 10])
      const started = linesOf(directory, 1).find(
        (line) => line.includes('server started') && line.includes('redoneLines'),
      )
      assert.equal(started !== undefined, length < whole.length, 'the trail tells of it')
    }
  })

  test('that left zeros where something was to be written', () => {
    const { directory, files, start } = synced([2, 2])
    const whole = readFileSync(fileOf(directory))
    for (const [from, to] of [
      [start, whole.length],
      [start + 30, start + 200],
      [whole.length - 1, whole.length],
    ] as const) {
      const copy = newFolder()
      const left = Buffer.from(whole).fill(0, from, to)
      writeFileSync(fileOf(copy), left)
      copyFileSync(journalOf(directory), journalOf(copy))
      openTrail(copy, { anchor: files.synced }).close()
      assert.ok(readFileSync(fileOf(copy)).subarray(0, whole.length).equals(whole))
      assert.equal(check(copy, files.synced).intact, true)
    }
  })

  test('is no excuse for other bytes than those that were written: they stay, and are found', () => {
    const { directory, files, start } = synced([2, 2])
    const changed = Buffer.from(readFileSync(fileOf(directory)))
    changed[start + 130] = (changed[start + 130] ?? 0) ^ 1
    writeFileSync(fileOf(directory), changed)
    openTrail(directory, { anchor: files.synced }).close()
    assert.ok(readFileSync(fileOf(directory)).subarray(0, changed.length).equals(changed))
    assert.equal(check(directory, files.synced).intact, false)
  })

  test('in the midst of a write to the journal costs lines that nobody was told of', () => {
    const { directory, files, start } = synced([2])
    const known = files.synced
    const before = readFileSync(fileOf(directory))
    files.append(Array.from({ length: 4 }, () => body('Torn')))
    files.sync()
    const journal = readFileSync(journalOf(directory))
    const used = journal.indexOf(0)
    for (let cut = before.length - start; cut < used; cut += 40) {
      const copy = newFolder()
      writeFileSync(fileOf(copy), before.subarray(0, start))
      writeFileSync(journalOf(copy), Buffer.from(journal).fill(0, cut))
      openTrail(copy, { anchor: known }).close()
      assert.ok(readFileSync(fileOf(copy)).subarray(0, before.length).equals(before))
      const { intact, lines } = check(copy, known)
      assert.deepEqual([intact, lines], [true, 6], `cut at ${cut} of ${used}`)
    }
  })

  test('right behind the begin of a new file', () => {
    const directory = newFolder()
    const files = openTrail(directory, { fileBytesMax: 2_000 })
    for (let count = 0; filesOf(directory).length < 3; count += 1) {
      files.append([body(`Operation ${count}`)])
      files.sync()
    }
    const whole = readFileSync(fileOf(directory, 3))
    truncateSync(fileOf(directory, 3), 0)
    openTrail(directory, { anchor: files.synced }).close()
    assert.ok(readFileSync(fileOf(directory, 3)).subarray(0, whole.length).equals(whole))
    assert.equal(check(directory, files.synced).intact, true)
  })
})

describe('the journal', () => {
  test('goes round and round, and has what the file on the disk may lack', async () => {
    const directory = newFolder()
    const files = openTrail(directory, { fileBytesMax: 1 << 24 })
    const lengths: number[] = []
    const bodies = Array.from({ length: 200 }, () => body(`x${'€'.repeat(30)}`))
    // More than it holds, several times; what it does beside gets its turns.
    for (let count = 0; count < 120; count += 1) {
      files.append(bodies)
      files.sync()
      lengths.push(statSync(fileOf(directory)).size)
      for (let turns = 0; turns < 3; turns += 1) await turn()
    }
    assert.ok((lengths.at(-1) ?? 0) > 3 * statSync(journalOf(directory)).size)
    const whole = readFileSync(fileOf(directory))
    // The last tenth of what it holds was not yet brought to the disk otherwise, say.
    for (const left of [lengths.at(-2) ?? 0, (lengths.at(-3) ?? 0) + 77]) {
      const copy = newFolder()
      writeFileSync(fileOf(copy), whole.subarray(0, left))
      copyFileSync(journalOf(directory), journalOf(copy))
      openTrail(copy, { anchor: files.synced }).close()
      assert.ok(readFileSync(fileOf(copy)).subarray(0, whole.length).equals(whole))
      assert.equal(check(copy, files.synced).intact, true)
    }
    files.close()
  })

  test('is passed by where more is to be brought to the disk than it holds', () => {
    const { directory, files } = synced([1])
    files.append(Array.from({ length: 6_000 }, () => body('Many')))
    files.sync()
    files.append([body('Last')])
    files.sync()
    files.close()
    assert.deepEqual([check(directory, files.synced).intact, files.synced.sequence], [true, 6_005])
  })

  test('of an earlier time, or of another trail, changes nothing', () => {
    const { directory, files } = synced([2])
    const old = newFolder()
    copyFileSync(journalOf(directory), journalOf(old))
    files.append([body('Later')])
    files.close()
    copyFileSync(journalOf(old), journalOf(directory))
    openTrail(directory, { anchor: files.synced }).close()
    assert.deepEqual([check(directory).intact, check(directory).mended], [true, 0])
    openTrail(old).close()
    const { intact, lines } = check(old)
    assert.deepEqual([intact, lines], [true, 3])
  })

  test('is there while a trail is written, and not behind its end', () => {
    const { directory, files } = synced([1])
    assert.equal(statSync(journalOf(directory)).mode & 0o777, 0o600)
    files.close()
    assert.ok(!existsSync(journalOf(directory)))
  })

  test('of the wrong size is made anew', () => {
    const directory = newFolder()
    writeFileSync(journalOf(directory), 'half')
    const files = openTrail(directory)
    files.append([body('One')])
    files.sync()
    assert.equal(statSync(journalOf(directory)).size, 1 << 20)
    files.close()
    assert.equal(check(directory).intact, true)
  })
})

describe('a full disk of a system that writes nothing in its place', () => {
  test('the lines are brought to the disk by their own file, and the journal is used again later', (context) => {
    const { directory, files } = synced([1])
    const { writeSync: real } = fs
    /** Only the journal is written at places of its own. */
    const full = (file: number, bytes: Uint8Array, offset?: number, length?: number, place?: number): number => {
      if (place !== undefined) throw Object.assign(new Error('ENOSPC: no space left'), { code: 'ENOSPC' })
      return real(file, bytes, offset, length)
    }
    Object.assign(fs, { writeSync: full })
    context.after(() => {
      Object.assign(fs, { writeSync: real })
      syncBuiltinESMExports()
    })
    syncBuiltinESMExports()
    files.append([body('Full')])
    files.sync()
    assert.equal(files.synced, files.end)
    Object.assign(fs, { writeSync: real })
    syncBuiltinESMExports()
    files.append([body('Later')])
    files.sync()
    assert.match(readFileSync(journalOf(directory), 'latin1'), /"Later"/)
    files.close()
    assert.ok(check(directory).intact)
  })
})
