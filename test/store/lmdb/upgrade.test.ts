/**
 * An older store that is brought up: what its index holds then, and what is left after a death at any moment of it. What it is
 * not: a test of one step; a step that is released has its own.
 */

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execPath } from 'node:process'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { checkStore, type StoreReport } from '#store/lmdb/check'
import { openFile } from '#store/lmdb/environment'
import { openStore, storeLimits } from '#store/lmdb/open'
import { schemaNewest } from '#store/lmdb/schema'
import { StoreRefused } from '#store/store'
import { change, create, present, tables, uuid } from '#test/store/things'
import { openSealer } from './sealer.ts'
import { laterTables, upgrade } from './upgrading.ts'

const child = fileURLToPath(import.meta.resolve('./upgrading.ts'))
const base = mkdtempSync(join(tmpdir(), 'kmipd-upgrade-'))
const older = join(base, 'older')
/** More than one transaction of records. */
const count = 2500
const nobodyFails = (fault: Error): never => {
  throw fault
}
const openAt = (directory: string) =>
  openStore({ directory, sealer: openSealer(directory), tables, limits: storeLimits, onFault: nobodyFails })

before(async () => {
  const store = await openAt(older)
  await store.commit(
    Array.from({ length: count }, (_, n) => {
      const entries = [
        { field: 'number', value: n },
        { field: 'old', value: `old ${n % 7}` },
      ]
      return create(n % 3 === 0 ? `name ${n}` : uuid(n), { entries, claims: [{ field: 'name', value: n }], content: n })
    }),
  )
  await store.commit([change(present(store, uuid(1)), undefined)])
  await store.close()
})
after(() => rmSync(base, { recursive: true, force: true }))

const copyFor = (name: string): string => {
  const directory = join(base, name)
  cpSync(older, directory, { recursive: true })
  return directory
}

/** What a look through a folder's store finds, by the tables of the time to come. */
const look = async (directory: string): Promise<StoreReport> => {
  const file = openFile(directory, storeLimits.mapSizeBytes)
  try {
    return checkStore(file, openSealer(directory), laterTables)
  } finally {
    await file.root.close()
  }
}

describe('an older store', () => {
  test('is brought up: the index is what the records say by the new tables, and the operator is told', async () => {
    const directory = copyFor('whole')
    assert.ok((await look(directory)).faultsTotal > 0, 'it is not so before')
    const told = await upgrade(directory)
    assert.match(told[0] ?? '', /is brought from schema \d+ to \d+.*keep a backup/)
    assert.match(told.at(-1) ?? '', /index of things is made anew: 2499 records/)
    const { faults, records, schema } = await look(directory)
    assert.deepEqual([faults, records['things'], schema], [[], count - 1, schemaNewest + 1])
    assert.deepEqual(await upgrade(directory), [], 'once')
    // What a removed record has left behind is there still: today's version would begin again at 1.
    await assert.rejects(
      openAt(directory),
      (error) => error instanceof StoreRefused && /a later one/.test(error.message),
    )
  })

  test('a death within any transaction of it: the next start goes on, and an earlier version never serves what is half made', async () => {
    let deaths = 0
    for (;;) {
      const directory = copyFor(`death ${deaths + 1}`)
      const dying = spawn(execPath, [child, directory, String(deaths + 1)], { stdio: ['ignore', 'inherit', 'inherit'] })
      const [code, signal] = (await once(dying, 'exit')) as [number | null, NodeJS.Signals | null]
      if (signal === null) {
        assert.equal(code, 0)
        break
      }
      deaths += 1
      // The first transaction says that there is an upgrade: nothing is changed before.
      if (deaths > 1) await assert.rejects(openAt(directory), StoreRefused)
      await upgrade(directory)
      assert.deepEqual((await look(directory)).faults, [])
    }
    assert.ok(deaths >= 8, `a step, clearing, filling in two parts, and noting it: ${deaths} transactions`)
  })

  test('a record that was damaged is told of, and the others are brought up', async () => {
    const directory = copyFor('damaged')
    const file = openFile(directory, storeLimits.mapSizeBytes)
    const records = file.root.openDB<Buffer, Buffer>({
      name: 'record/things',
      encoding: 'binary',
      keyEncoding: 'binary',
    })
    const [first] = [...records.getRange({ limit: 1 })]
    assert.ok(first !== undefined)
    const bytes = Buffer.from(first.value)
    bytes.writeUInt8(bytes.readUInt8(bytes.length - 1) ^ 1, bytes.length - 1)
    records.putSync(first.key, bytes)
    await file.root.close()
    const told = await upgrade(directory)
    assert.equal(told.filter((text) => /^Left out of the index: .*does not open/.test(text)).length, 1)
    assert.equal((await look(directory)).faultsTotal, 1)
  })
})
