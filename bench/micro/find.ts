/**
 * Times src/store/lmdb/find.ts on real LMDB: what Locate asks of the indexes. What it is not: Locate, which checks access and
 * counts what its message has changed (dispatch.ts).
 */
import { objectTable } from '#operations/object-table'
import { storeLimits } from '#store/lmdb/open'
import type { Query, Term } from '#store/store'
import { fillStore } from './filled-store.ts'
import type { Suite, SuiteOptions, Task } from './suite.ts'

const pageSize = 25

/** A task a kind of query. */
export const open = async ({ objects: count }: SuiteOptions): Promise<Suite> => {
  const filled = await fillStore(count, storeLimits.cacheBytesMax)
  const { store, objectOf } = filled
  const claims = Array.from({ length: count }, (_, number): Term => {
    const [entry] = objectTable.claims(objectOf(number))
    if (entry === undefined) throw new TypeError('an object has no Name')
    return { field: entry.field, equals: entry.value, claimed: true }
  })
  const entriesOf = (field: string): Term => {
    const entry = objectTable.index(objectOf(0)).find((each) => each.field === field)
    if (entry === undefined) throw new TypeError(`an object has no index entry ${field}`)
    return { field, equals: entry.value }
  }
  const [algorithm, length] = [entriesOf('Cryptographic Algorithm'), entriesOf('Cryptographic Length')]
  let at = 0
  const task = (name: string, query: () => Query): Task => ({
    name,
    run: () => {
      at += 1
      return store.find(objectTable, query()).total
    },
  })
  const page = { any: [], descending: true, limit: pageSize } as const
  const claim = (): Term => claims[at % count] ?? algorithm
  const middle = 1_700_000_000 + (count >> 1)
  return {
    tasks: [
      task('a Name', () => ({ all: [claim()], any: [], offset: 0, limit: 1 })),
      task('a Name and another term', () => ({ all: [claim(), algorithm], any: [], offset: 0, limit: 1 })),
      task(`two terms that all ${count} have, the first ${pageSize}`, () => ({
        ...page,
        all: [algorithm, length],
        offset: 0,
      })),
      task(`the same, ${pageSize} in the middle`, () => ({ ...page, all: [algorithm, length], offset: count >> 1 })),
      task('a range of 100 dates', () => ({
        ...page,
        all: [{ field: 'Initial Date', from: middle, to: middle + 99 }],
        offset: 0,
      })),
    ],
    close: () => filled.close(),
  }
}
