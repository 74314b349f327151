/**
 * Times src/store/lmdb/front.ts with the writer behind it, on real LMDB: reads of records that are kept open and of those that
 * are not, and durable commits of one change and of 64. What it is not: searches (find.ts).
 */
import { objectTable } from '#operations/object-table'
import type { LmdbStore } from '#store/lmdb/open'
import { storeLimits } from '#store/lmdb/open'
import { fillStore, putNew } from './filled-store.ts'
import type { Suite, SuiteOptions, Task } from './suite.ts'

/** Commits that wait for the disk together share a sync. */
const commitsTogether = 64
const changesOfCommit = 64
/** A stride without a part in any round number: the next record is on another page. */
const stride = 37

/** A task a verb. */
export const open = async ({ objects: count }: SuiteOptions): Promise<Suite> => {
  const kept = await fillStore(count, storeLimits.cacheBytesMax)
  const unkept = await fillStore(count, 0)
  const identifiers = Array.from({ length: count }, (_, number) => kept.objectOf(number).uniqueIdentifier)
  let at = 0
  const reading = (store: LmdbStore) => (): number => {
    at += stride
    return store.read(objectTable, identifiers[at % count] ?? '')?.revision ?? 0
  }
  const revisionOf = (): number => {
    at += stride
    return unkept.store.revision(objectTable, identifiers[at % count] ?? '') ?? 0
  }
  const absent = kept.objectOf(2 ** 40).uniqueIdentifier
  for (let index = 0; index < count; index += 1) reading(kept.store)()
  let next = count
  const commit = async (changes: number): Promise<number> => {
    const first = next
    next += changes
    const { done } = await kept.store.commit(
      Array.from({ length: changes }, (_, index) => putNew(kept.objectOf, first + index)),
    )
    return done ? changes : 0
  }
  const tasks: Task[] = [
    { name: 'read, kept open', run: reading(kept.store) },
    { name: 'read, opened anew', run: reading(unkept.store) },
    { name: 'revision of what is not kept', run: revisionOf },
    { name: 'read what is not there', run: () => (unkept.store.read(objectTable, absent) === undefined ? 1 : 0) },
    { name: 'commit of 1 change, alone', run: () => commit(1) },
    {
      name: `commit of ${changesOfCommit} changes, a change`,
      operations: changesOfCommit,
      run: () => commit(changesOfCommit),
    },
    {
      name: `commit of 1 change, one of ${commitsTogether} at once`,
      operations: commitsTogether,
      run: async () => {
        const done = await Promise.all(Array.from({ length: commitsTogether }, () => commit(1)))
        return done.reduce((sum, changes) => sum + changes, 0)
      },
    },
  ]
  return {
    tasks,
    async close() {
      await kept.close()
      await unkept.close()
    },
  }
}
