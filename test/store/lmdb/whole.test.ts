/**
 * A file that is shorter than its last page says, because a transaction took pages and gave them back: it is whole. What it is
 * not: files that were cut off (test/faults/damage.test.ts).
 */

import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, statSync, truncateSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { openFile, openTables, storeFile } from '#store/lmdb/environment'
import { storeLimits } from '#store/lmdb/open'
import { withAdvice } from '#store/lmdb/whole'
import { StoreRefused } from '#store/store'

const base = mkdtempSync(join(tmpdir(), 'kmipd-whole-'))
after(() => rmSync(base, { recursive: true, force: true }))

const keyOf = (n: number): Buffer => Buffer.from(`key ${String(n).padStart(6, '0')}`)
const openThings = () => {
  const file = openFile(base, storeLimits.mapSizeBytes)
  const { records } = openTables(file, ['things']).get('things') ?? assert.fail()
  return { root: file.root, records }
}
/** How many bytes the newest meta page says that there are. */
const saidBytes = (): number => {
  const bytes = readFileSync(storeFile(base))
  const page = bytes.readUInt32LE(48)
  const at = bytes.readBigUInt64LE(152) > bytes.readBigUInt64LE(page + 152) ? 0 : page
  return (Number(bytes.readBigUInt64LE(at + 144)) + 1) * page
}

test('a failure of pages says what to do, and another one only what it is', () => {
  assert.match(withAdvice('MDB_CORRUPTED: Located page was wrong type'), /wrong type: .*restore a backup/)
  assert.equal(withAdvice('EACCES: permission denied'), 'EACCES: permission denied')
})

describe('a file without the pages that were given back before they were written', () => {
  test('is opened, read and written', async () => {
    const first = openThings()
    const value = Buffer.alloc(1000, 1)
    first.root.transactionSync(() => {
      for (let n = 0; n < 20; n++) first.records.putSync(keyOf(n), value)
    })
    // More each time: which pages a transaction takes is LMDB's affair.
    for (let count = 1; statSync(storeFile(base)).size >= saidBytes(); count++) {
      assert.ok(count < 400, 'no transaction gave back the last pages')
      first.root.transactionSync(() => {
        for (let n = 1000; n < 1000 + count; n++) first.records.putSync(keyOf(n), Buffer.alloc(9000, 2))
        for (let n = 1000; n < 1000 + count; n++) first.records.removeSync(keyOf(n))
      })
    }
    await first.root.close()
    assert.ok(statSync(storeFile(base)).size < saidBytes())
    const second = openThings()
    for (let n = 0; n < 20; n++) assert.ok(second.records.getBinary(keyOf(n))?.equals(value))
    second.root.transactionSync(() => second.records.putSync(keyOf(21), value))
    await second.root.close()
    const third = openThings()
    assert.equal(third.records.getKeysCount(), 21)
    await third.root.close()
  })

  test('and is refused once a page in use is missing too', async () => {
    const path = storeFile(base)
    const whole = readFileSync(path)
    for (let size = whole.length - 4096; size > 8192; size -= 4096) {
      truncateSync(path, size)
      try {
        await openThings().root.close()
      } catch (error) {
        assert.ok(error instanceof StoreRefused)
        assert.match(error.message, /was cut off: \d+ bytes/)
        return
      }
    }
    assert.fail('it was never refused')
  })
})
