/** Where backups are put: nothing is overwritten, and what was cut off is removed once it is surely nobody's. */
import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { afterEach, beforeEach, describe, test } from 'node:test'
import { SettableClock } from '#actor/clock'
import { abandonedAfterMs, putInPlace, workFolder } from '#backup/place'
import { BackupRefused } from '#backup/refused'

describe('the place of a backup', () => {
  let folder = ''
  const at = (name: string): string => join(folder, name)
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'kmipd-place-'))
  })
  afterEach(() => rmSync(folder, { recursive: true, force: true }))

  const noLinks = () => Promise.reject(Object.assign(new Error('no links'), { code: 'ENOTSUP' }))
  for (const [system, linked] of [
    ['with links', undefined],
    ['without links', noLinks],
  ] as const) {
    test(`is taken once, on a file system ${system}`, async () => {
      writeFileSync(at('one'), 'one')
      writeFileSync(at('other'), 'other')
      const results = await Promise.allSettled(['one', 'other'].map((part) => putInPlace(at(part), at('file'), linked)))
      assert.deepEqual(results.map(({ status }) => status).toSorted(), ['fulfilled', 'rejected'])
      const winner = results[0]?.status === 'fulfilled' ? 'one' : 'other'
      assert.equal(readFileSync(at('file'), 'utf8'), winner)
      for (const result of results) assert.ok(result.status === 'fulfilled' || result.reason instanceof BackupRefused)
    })

    test(`is left as it was when the file cannot come there, on a file system ${system}`, async () => {
      await assert.rejects(putInPlace(at('missing'), at('file'), linked), { code: 'ENOENT' })
      assert.deepEqual(readdirSync(folder), [])
    })
  }

  test('is rid of what was cut off, and of nothing that may be going on or is something else', async () => {
    const clock = new SettableClock()
    const seconds = (agoMs: number): number => (clock.nowMs() - agoMs) / 1_000
    const made = (name: string, agoMs: number, fileAgoMs: number): void => {
      mkdirSync(at(name))
      writeFileSync(join(at(name), 'store.mdb'), '')
      utimesSync(join(at(name), 'store.mdb'), seconds(fileAgoMs), seconds(fileAgoMs))
      utimesSync(at(name), seconds(agoMs), seconds(agoMs))
    }
    const old = abandonedAfterMs + 1_000
    made('.kmipd-backup-old', old, old)
    made('.kmipd-backup-growing', old, 1_000)
    made('.kmipd-backup-new', 1_000, old)
    made('.kmipd-verify-old', old, old)
    made('.kmipd-verify-new', 1_000, old)
    made('photos', old, old)
    writeFileSync(at('.kmipd-backup-file'), '')
    utimesSync(at('.kmipd-backup-file'), seconds(old), seconds(old))
    const work = await workFolder(folder, 'verify', clock.nowMs())
    assert.match(basename(work), /^\.kmipd-verify-/)
    const backups = ['.kmipd-backup-file', '.kmipd-backup-growing', '.kmipd-backup-new']
    const kept = [...backups, '.kmipd-verify-new', basename(work), 'photos']
    assert.deepEqual(readdirSync(folder).toSorted(), kept.toSorted())
  })
})
