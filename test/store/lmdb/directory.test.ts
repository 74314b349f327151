/**
 * How the data directory comes about. What it is: the folder. What it is not: what lies in it.
 */
import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { makeDirectory } from '#store/lmdb/directory'

describe('a data directory', () => {
  test('is made with all above it, for its owner alone, and left as it is when it is there', () => {
    const above = mkdtempSync(join(tmpdir(), 'kmipd-directory-'))
    const directory = join(above, 'one', 'two')
    makeDirectory(directory)
    for (const made of [join(above, 'one'), directory]) assert.equal(statSync(made).mode & 0o777, 0o700)
    const other = join(above, 'other')
    mkdirSync(other, { mode: 0o755 })
    makeDirectory(other)
    assert.equal(statSync(other).mode & 0o777, 0o755)
  })

  test('says so where there can be none', () => {
    assert.throws(() => makeDirectory('/proc/none/of/these'), { code: 'ENOENT' })
  })
})
