/** The trail's files: whatever is changed, removed or put in another order is found; what a crash leaves is mended and told. */
import assert from 'node:assert/strict'
import { appendFileSync, mkdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { closingLine, hashOf } from '#audit/chain'
import { verifyTrail } from '#audit/verify'
import { body, check, fileName, filesOf, key, linesOf, newFolder, openTrail, writeLines } from './trail.ts'

const written = (batches: readonly number[], options: Parameters<typeof openTrail>[1] = {}) => {
  const directory = newFolder()
  const files = openTrail(directory, options)
  let count = 0
  for (const size of batches) {
    files.append(Array.from({ length: size }, () => body(`Operation${(count += 1)}`)))
  }
  files.sync()
  return { directory, files }
}

describe('an untouched trail', () => {
  test('is intact, while it grows and when it has ended', () => {
    const { directory, files } = written([1, 3, 2])
    const { synced: through } = files
    assert.deepEqual(verifyTrail({ directory, key, through, anchor: through }), {
      intact: true,
      files: 1,
      lines: 8,
      first: 1,
      last: 8,
      mended: 0,
      breaks: [],
    })
    files.append([body('Later')])
    assert.equal(verifyTrail({ directory, key, through, anchor: through }).lines, 8, 'what came later is not looked at')
    files.close()
    assert.equal(check(directory).lines, 10)
    openTrail(directory).close()
    const again = check(directory, files.end)
    assert.deepEqual([again.intact, again.lines, again.mended], [true, 12, 0])
  })

  test('can be followed without the key: the last line of a write names the SHA-256 of that before it, and of its other lines', () => {
    const { directory } = written([2, 3, 1])
    let previous = ''
    let others: string[] = []
    const numbers: number[] = []
    for (const line of linesOf(directory, 1)) {
      const told = JSON.parse(line) as { sequence: number; previous?: string; since?: number; lines?: string }
      numbers.push(told.sequence)
      if (told.previous === undefined) {
        others.push(`${line}\n`)
        continue
      }
      assert.equal(told.previous, previous)
      assert.equal(told.lines, others.length === 0 ? undefined : hashOf(others.join('')))
      assert.equal(told.since, others.length === 0 ? undefined : told.sequence - others.length)
      previous = hashOf(line)
      others = []
    }
    assert.deepEqual(numbers, [1, 2, 3, 4, 5, 6, 7, 8])
  })

  test('numbers its lines over any number of digits', () => {
    const { directory, files } = written([1, 7, 1, 95, 1, 990, 3])
    const numbers = linesOf(directory, 1).map((line) => (JSON.parse(line) as { sequence: number }).sequence)
    assert.deepEqual(
      numbers,
      Array.from({ length: 1_100 }, (_, place) => place + 1),
    )
    assert.equal(check(directory, files.end).intact, true)
  })

  test('that an earlier server has written, with a hash in each line, is followed and gone on', () => {
    const directory = newFolder()
    const lines: string[] = []
    let previous = ''
    const told = [{ event: 'file begun', file: 1 }, { event: 'server started' }, { event: 'a' }, { event: 'b' }]
    for (const [place, body] of told.entries()) {
      const line = closingLine(place + 1, previous, JSON.stringify(body), undefined, place % 2 === 1 ? key : undefined)
      lines.push(line)
      previous = hashOf(line)
    }
    writeLines(directory, 1, lines)
    const files = openTrail(directory, { anchor: { sequence: 4, hash: previous } })
    files.append([body('Now'), body('Now')])
    files.close()
    const { intact, last, mended } = check(directory, files.end)
    assert.deepEqual([intact, last, mended], [true, 8, 0])
    for (const place of lines.keys()) {
      const now = linesOf(directory, 1)
      writeLines(directory, 1, now.with(place, (now[place] ?? '').replace('"event":"', '"event":"x')))
      assert.equal(check(directory, files.end).intact, false, `line ${place + 1}`)
      writeLines(directory, 1, now)
    }
  })

  test('begins new files when one is full, keeps as many as it is told to, and stays whole', () => {
    const { directory, files } = written(
      Array.from({ length: 60 }, () => 1),
      { fileBytesMax: 1_000, filesMax: 3 },
    )
    const kept = filesOf(directory)
    assert.equal(kept.length, 3)
    assert.ok((kept[0] ?? 0) > 3)
    const found = check(directory, files.end)
    assert.deepEqual([found.intact, found.files, found.last], [true, 3, files.end.sequence])
    assert.ok(found.first > 1)
    rmSync(join(directory, fileName(kept[0] ?? 0)))
    assert.equal(check(directory).intact, false, 'a file that somebody else removed is missed')
  })

  test('goes on in a file that could be made and not be used: without a descriptor for its folder, say', () => {
    const { directory, files } = written([20], { fileBytesMax: 1_000 })
    writeFileSync(join(directory, fileName(2)), '')
    files.append([body('Next')])
    assert.match(linesOf(directory, 2)[1] ?? '', /"Next"/)
    files.close()
    assert.ok(check(directory).intact)
  })

  test('goes on though a file that is kept no longer cannot be removed, which is told; the next turn tries again', () => {
    const told: string[] = []
    const { directory, files } = written([20], {
      fileBytesMax: 1_000,
      filesMax: 1,
      onUnremoved: (file, reason) => told.push(`${file}: ${reason}`),
    })
    const first = join(directory, fileName(1))
    const content = readFileSync(first)
    rmSync(first)
    // Not even root removes a folder by the call that removes files.
    mkdirSync(first)
    files.append(Array.from({ length: 20 }, (_, index) => body(`Second${index}`)))
    assert.equal(told.length, 1)
    assert.match(told[0] ?? '', /^00000001\.jsonl: E/)
    rmSync(first, { recursive: true })
    writeFileSync(first, content)
    files.append([body('Third')])
    assert.deepEqual([told.length, filesOf(directory)], [1, [3]])
    files.close()
    assert.ok(check(directory).intact)
  })

  test('is the same over restarts with rotation', () => {
    const directory = newFolder()
    for (let round = 0; round < 20; round += 1) {
      const files = openTrail(directory, { fileBytesMax: 2_000 })
      files.append([body('One'), body('Two')])
      files.close()
    }
    const found = check(directory)
    assert.deepEqual([found.intact, found.last, found.lines], [true, found.lines, found.lines])
    assert.ok(found.files > 3)
  })
})

/** Lines from a place on made anew by somebody who has no key: each closed, or in the writes that there were. */
const forgedFrom = (original: readonly string[], from: number, closesEach: boolean): readonly string[] => {
  const forged: string[] = []
  let previous = ''
  let others: string[] = []
  for (const [place, line] of original.entries()) {
    const {
      sequence,
      previous: before,
      since: _since,
      lines: _lines,
      mac,
      ...told
    } = JSON.parse(line) as {
      sequence: number
      previous?: string
      since?: number
      lines?: string
      mac?: string
    }
    const text = JSON.stringify({ ...told, user: 'forged', ...(mac === undefined ? {} : { mac }) })
    const closes = before !== undefined || (closesEach && place >= from)
    const covered = others.length === 0 ? undefined : { since: sequence - others.length, hash: hashOf(others.join('')) }
    let made = line
    if (place >= from) {
      made = closes
        ? closingLine(sequence, previous, text, covered, undefined)
        : `{"sequence":${sequence},${text.slice(1)}`
    }
    forged.push(made)
    if (closes) previous = hashOf(made)
    others = closes ? [] : [...others, `${made}\n`]
  }
  return forged
}

describe('a trail that somebody has changed', () => {
  const lines = (): { directory: string; lines: string[]; end: { sequence: number; hash: string } } => {
    const { directory, files } = written([1, 2, 1, 3, 1])
    files.close()
    return { directory, lines: linesOf(directory, 1), end: files.end }
  }
  const { directory, lines: original, end } = lines()
  const found = (changed: readonly string[]): boolean => {
    writeLines(directory, 1, changed)
    return !check(directory, end).intact
  }

  test('every changed line is found', () => {
    for (const [place, line] of original.entries()) {
      for (const changed of [
        line.replace('"event":"', '"event":"x'),
        line.replace(/"time":"2/, '"time":"1'),
        line.slice(0, -1),
        '',
        `${line} `,
      ]) {
        assert.ok(found(original.with(place, changed)), `line ${place + 1} became ${changed}`)
      }
    }
  })

  test('every removed line, every stretch of removed lines, and every line that is there twice is found', () => {
    for (let from = 0; from < original.length; from += 1) {
      for (let to = from + 1; to <= original.length; to += 1) {
        assert.ok(found(original.toSpliced(from, to - from)), `lines ${from + 1} to ${to} are gone`)
      }
      assert.ok(found(original.toSpliced(from, 0, original[from] ?? '')), `line ${from + 1} is there twice`)
    }
  })

  test('every two lines that have changed places are found', () => {
    for (let a = 0; a < original.length; a += 1) {
      for (let b = a + 1; b < original.length; b += 1) {
        assert.ok(found(original.with(a, original[b] ?? '').with(b, original[a] ?? '')), `${a + 1} and ${b + 1}`)
      }
    }
  })

  test('a chain that was made anew from a line on, with right hashes, is found: only the server has the key', () => {
    for (let from = 0; from < original.length; from += 1) {
      for (const closesEach of [true, false])
        assert.ok(found(forgedFrom(original, from, closesEach)), `from line ${from + 1}`)
    }
  })

  test('it is still found when the server has started again over it', () => {
    for (let place = 0; place < original.length; place += 1) {
      const line = original[place] ?? ''
      for (const changed of [original.with(place, line.replace('"time":"2', '"time":"1')), original.slice(0, place)]) {
        writeLines(directory, 1, changed)
        const files = openTrail(directory, { anchor: end })
        assert.ok(files.end.sequence > end.sequence, 'no number is given twice')
        files.close()
        assert.equal(check(directory, end).intact, false, `line ${place + 1}`)
      }
    }
    writeLines(directory, 1, original)
    assert.ok(check(directory, end).intact)
  })
})

/** Every byte about the ends of lines, some of those between. */
const nextCut = (whole: Buffer, length: number): number =>
  whole.subarray(length - 2, length + 12).includes(0x0a) || length + 12 > whole.length ? 1 : 11

describe('a trail after a crash', () => {
  test('cut off at every byte of the last write: mended, told, and whole again', () => {
    const { directory, files } = written([2, 3])
    const before = readFileSync(join(directory, fileName(1)))
    files.append([body('Torn'), body('Torn')])
    const whole = readFileSync(join(directory, fileName(1)))
    for (let length = before.length; length <= whole.length; length += nextCut(whole, length)) {
      writeFileSync(join(directory, fileName(1)), whole.subarray(0, length))
      const cut = whole.subarray(before.length, length)
      // A write that lacks nothing but the end of its last line is whole; of any other nothing is left.
      const isWhole = length >= whole.length - 1
      const isTorn = !isWhole && cut.length > 0
      const again = openTrail(directory)
      again.append([body('Next')])
      again.close()
      const found = check(directory, again.end)
      assert.deepEqual(found.breaks, [], `cut at ${length - before.length}`)
      assert.equal(found.mended, isTorn ? 1 : 0)
      assert.equal(found.lines, 7 + (isWhole ? 2 : 0) + (isTorn ? 1 : 0) + 3)
    }
  })

  test('twice at the same place', () => {
    const { directory } = written([2])
    appendFileSync(join(directory, fileName(1)), '{"sequence":5,"prev')
    openTrail(directory)
    appendFileSync(join(directory, fileName(1)), Buffer.from([0, 0, 10, 0, 255]))
    openTrail(directory)
    const found = check(directory)
    assert.deepEqual([found.intact, found.mended, found.breaks], [true, 2, []])
  })

  test('with nothing but the name of a new file, or a part of its first line', () => {
    for (const text of ['', '{"seq']) {
      const { directory, files } = written([1, 1])
      files.close()
      writeFileSync(join(directory, fileName(2)), text)
      openTrail(directory).close()
      const found = check(directory, files.end)
      assert.deepEqual([found.intact, found.files, found.last], [true, 2, found.lines], text)
    }
  })

  test('that has cost lines which the disk had: they are missed', () => {
    const { directory, files } = written([4])
    truncateSync(join(directory, fileName(1)), 0)
    openTrail(directory, { anchor: files.end }).close()
    const found = check(directory, files.end)
    assert.equal(found.intact, false)
    assert.match(found.breaks[0]?.what ?? '', /lines 1 to 6 were gone/)
  })
})
