/**
 * Stores that earlier versions have left, brought up by this one: every object is what it was, Locate finds what it found, and
 * the index is what the records say. What it is not: a death in the middle of it (lmdb/upgrade.test.ts).
 */

import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { tables } from '#src/tables'
import { checkStore } from '#store/lmdb/check'
import { openFile } from '#store/lmdb/environment'
import { openStore, storeLimits } from '#store/lmdb/open'
import { isUpToDate, schemaNewest } from '#store/lmdb/schema'
import { openDispatcher } from '#test/dispatcher'
import { attributes } from '#test/sample-objects'
import { type Fixture, located, questions, recordsOf } from './fixtures/fixture.ts'
import { openSealer } from './lmdb/sealer.ts'

const folder = join(import.meta.dirname, 'fixtures')
const kept = readdirSync(folder).filter((file) => file.endsWith('.json.gz'))

describe('stores of earlier versions', () => {
  test('one is kept of every schema', () => {
    const all = Array.from({ length: schemaNewest }, (_, index) => `schema-${index + 1}.json.gz`)
    assert.deepEqual(kept.toSorted(), all.toSorted(), 'make the missing one: npm run store:keep')
  })

  for (const file of kept) {
    test(`${file}: objects and answers are what they were`, async () => {
      const fixture = JSON.parse(gunzipSync(readFileSync(join(folder, file))).toString('utf8')) as Fixture
      const directory = mkdtempSync(join(tmpdir(), 'kmipd-kept-'))
      try {
        for (const [name, bytes] of Object.entries(fixture.files))
          writeFileSync(join(directory, name), Buffer.from(bytes, 'base64'), { mode: 0o600 })
        const sealer = openSealer(directory)
        const told: string[] = []
        const onFault = (fault: Error): never => {
          throw fault
        }
        const store = await openStore({
          directory,
          sealer,
          tables,
          limits: storeLimits,
          onFault,
          tell: (text) => told.push(text),
        })
        assert.equal(told.length > 0, fixture.schema < schemaNewest)
        assert.deepEqual(recordsOf(store), fixture.records)
        const under = openDispatcher({ store })
        for (const [question, asked] of Object.entries(questions))
          assert.deepEqual(await located(under, attributes(asked)), fixture.answers[question], question)
        await store.close()
        const opened = openFile(directory, storeLimits.mapSizeBytes)
        assert.ok(isUpToDate(opened))
        assert.deepEqual(checkStore(opened, sealer, tables).faults, [])
        await opened.root.close()
      } finally {
        rmSync(directory, { recursive: true })
      }
    })
  }
})
