/**
 * Administered records in the store: change, remove, find. What it is: the loops around `read` and `commit` that everything
 * administered needs. What it is not: a rule about any of them.
 */
import type { Change, IndexValue, Store, Stored, Table } from '#store/store'
import { AdministrationError } from './administration-error.ts'

/** Somebody makes progress in each round, so rounds are few; more of them means that something is wrong. */
const roundsMax = 1_000

/** A change that makes a record which must not be there yet. */
export function newRecord<T>(table: string, key: string, value: T): Change<T> {
  return { table, key, revision: 0, previous: undefined, value }
}

/** A change of a record that was read; `value: undefined` removes it. */
export function changeOf<T>(
  table: Table<T>,
  { key, revision, value: previous }: Stored<T>,
  value: T | undefined,
): Change<T> {
  return { table: table.name, key, revision, previous, value }
}

/**
 * Changes one record by what it holds now, as often as another is quicker. Resolves after the disk has it.
 * @param next the new value; the same object for no change
 * @param beside changes of other records that belong into the same commit, made anew for each try; what it throws is thrown
 * @throws AdministrationError `not found` (by `what`) or `already exists` (another record has the claim); what `next` throws;
 *   StoreUnavailable
 */
export async function changeRecord<T>(
  store: Store,
  table: Table<T>,
  key: string,
  what: string,
  next: (value: T) => T,
  beside: (before: T, after: T) => readonly Change[] = () => [],
): Promise<Stored<T>> {
  for (let round = 0; round < roundsMax; round++) {
    const found = store.read(table, key)
    if (found === undefined) throw new AdministrationError('not found', `there is no ${what} ${JSON.stringify(key)}`)
    const value = next(found.value)
    if (value === found.value) return found
    const result = await store.commit([changeOf(table, found, value), ...beside(found.value, value)])
    if (result.done) return { key, revision: found.revision + 1, value }
    const isItself = result.table === table.name && result.key === key
    if (isItself && store.read(table, key)?.revision === found.revision)
      throw new AdministrationError('already exists', `another ${what} has this name`)
  }
  throw new AdministrationError('conflict', `the ${what} ${JSON.stringify(key)} is changed again and again by others`)
}

/** Removes one record, as often as another is quicker. False when there was none. @throws StoreUnavailable */
export async function removeRecord<T>(store: Store, table: Table<T>, key: string): Promise<boolean> {
  for (;;) {
    const found = store.read(table, key)
    if (found === undefined) return false
    const result = await store.commit([changeOf(table, found, undefined)])
    // A conflict means that somebody changed or removed it meanwhile, so each round is somebody's progress.
    if (result.done) return true
  }
}

/** The one record with all these index entries, or undefined. */
export function findRecord<T>(
  store: Store,
  table: Table<T>,
  where: Readonly<Record<string, IndexValue>>,
): Stored<T> | undefined {
  const all = Object.entries(where).map(([field, equals]) => ({ field, equals }))
  const [key] = store.find(table, { all, any: [], offset: 0, limit: 1 }).keys
  return key === undefined ? undefined : store.read(table, key)
}
