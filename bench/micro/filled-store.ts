/**
 * A store on the disk with keys in it, for the suites of src/store/lmdb. What it is not: a server.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemEntropy } from '#actor/entropy'
import { openKeyFiles } from '#crypto/key-file'
import { objectTable } from '#operations/object-table'
import { tables } from '#src/tables'
import { type LmdbStore, openStore, storeLimits } from '#store/lmdb/open'
import type { Change } from '#store/store'
import { type ObjectOf, objectPattern } from './objects.ts'

/** A store, and what is in it: the objects of the numbers from 0 on. */
export interface FilledStore {
  readonly store: LmdbStore
  readonly objectOf: ObjectOf
  close(): Promise<void>
}

const changesOfCommit = 256

/** A change that puts a new object. */
export const putNew = (objectOf: ObjectOf, number: number): Change => {
  const value = objectOf(number)
  return { table: objectTable.name, key: value.uniqueIdentifier, revision: 0, previous: undefined, value }
}

/** Makes a store in a new directory, which goes with it. @param cacheBytesMax memory for opened records */
export const fillStore = async (count: number, cacheBytesMax: number): Promise<FilledStore> => {
  const directory = mkdtempSync(join(tmpdir(), 'kmipd-micro-'))
  const files = { rootKeyPath: join(directory, 'root.key'), keyringPath: join(directory, 'keyring') }
  const store = await openStore({
    directory,
    sealer: openKeyFiles(files, systemEntropy, true).keyring,
    tables,
    limits: { ...storeLimits, cacheBytesMax },
    onFault: (fault) => {
      throw fault
    },
  })
  const objectOf = await objectPattern()
  for (let number = 0; number < count; number += changesOfCommit) {
    const size = Math.min(changesOfCommit, count - number)
    const { done } = await store.commit(Array.from({ length: size }, (_, index) => putNew(objectOf, number + index)))
    if (!done) throw new Error('the store was to be new')
  }
  return {
    store,
    objectOf,
    async close() {
      await store.close()
      rmSync(directory, { recursive: true, force: true })
    },
  }
}
