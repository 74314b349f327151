/** A store that counts what is asked of it. What it is not: another store: it asks the one that it is given. */
import type { Store } from '#store/store'

export interface CountingStore {
  readonly store: Store
  /** How often an object or an index was looked at. */
  readonly looks: () => number
  /** How often a record was opened. */
  readonly opened: () => number
}

/** The store that is given stays its owner's to close. */
export const countingStore = (store: Store): CountingStore => {
  let looks = 0
  let opened = 0
  const counted: Store = {
    read: (table, key) => {
      looks += 1
      opened += 1
      return store.read(table, key)
    },
    revision: (table, key) => {
      looks += 1
      return store.revision(table, key)
    },
    find: (table, query) => {
      looks += 1
      return store.find(table, query)
    },
    findInTurns: (table, query) => {
      looks += 1
      return store.findInTurns(table, query)
    },
    commit: (changes) => store.commit(changes),
    committed: () => store.committed(),
    least: (table, field) => store.least(table, field),
    onChanged: (listener) => store.onChanged(listener),
    close: async () => undefined,
  }
  return { store: counted, looks: () => looks, opened: () => opened }
}
