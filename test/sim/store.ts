/**
 * A store in memory whose commits take their time: a simulation decides when each is done, when its answer comes, and which of
 * them fail. What it is: the store's interface under seeded luck. What it is not: honest, if a canary is asked for: each breaks
 * one promise of the interface, and a simulation that does not notice is worth nothing.
 */
import type { MemoryStore } from '#store/memory'
import {
  type Change,
  type CommitResult,
  type Found,
  type Query,
  type Store,
  type Stored,
  StoreUnavailable,
  type Table,
} from '#store/store'
import type { SeededRandom } from '#test/seeded-random'

/**
 * Which promise is broken: success before the change is there; revisions are not looked at; reads are one commit old; nobody is
 * told that something was committed, so that answers which are kept are never dropped.
 */
export const storeCanaries = ['early answers', 'lost updates', 'stale reads', 'untold changes'] as const
export type StoreCanary = (typeof storeCanaries)[number]

/** Something that will happen, when the simulation says so. */
export type Later = (label: string, run: () => void) => void

export interface SlowStoreOptions {
  readonly inner: MemoryStore
  readonly random: SeededRandom
  readonly later: Later
  readonly canary: StoreCanary | undefined
}

export class SlowStore implements Store {
  readonly #options: SlowStoreOptions
  /** What reads showed before the newest commit, for the canary. */
  readonly #older = new Map<string, Stored<unknown> | undefined>()

  constructor(options: SlowStoreOptions) {
    this.#options = options
  }

  read<T>(table: Table<T>, key: string): Stored<T> | undefined {
    const { inner, canary } = this.#options
    const name = `${table.name} ${key}`
    if (canary === 'stale reads' && this.#older.has(name)) {
      const older = this.#older.get(name) as Stored<T> | undefined
      this.#older.delete(name)
      if (older !== undefined) return older
    }
    return inner.read(table, key)
  }

  revision<T>(table: Table<T>, key: string): number | undefined {
    return this.read(table, key)?.revision
  }

  committed(): bigint {
    const { inner, canary } = this.#options
    return canary === 'untold changes' ? 0n : inner.committed()
  }

  least<T>(table: Table<T>, field: string): number {
    return this.#options.inner.least(table, field)
  }

  onChanged(listener: (table: string, key: string) => void): void {
    const { inner, canary } = this.#options
    if (canary !== 'untold changes') inner.onChanged(listener)
  }

  find<T>(table: Table<T>, query: Query): Found {
    return this.#options.inner.find(table, query)
  }

  findInTurns<T>(table: Table<T>, query: Query): Promise<Found> {
    return this.#options.inner.findInTurns(table, query)
  }

  commit(changes: readonly Change[]): Promise<CommitResult> {
    const { random, later, canary } = this.#options
    const [first] = changes
    return new Promise((resolve, reject) => {
      const luck = random.below(32)
      if (luck === 0) return later('the store is unavailable', () => reject(new StoreUnavailable('simulated')))
      if (luck === 1 && first !== undefined) {
        const { table, key } = first
        return later('another was faster, says the store', () => resolve({ done: false, table, key }))
      }
      if (canary === 'early answers') resolve({ done: true })
      later('the disk has a commit', () => void this.#apply(changes, resolve))
    })
  }

  async #apply(changes: readonly Change[], resolve: (result: CommitResult) => void): Promise<void> {
    const { inner, later, canary } = this.#options
    const table = (name: string): Table<unknown> => ({ name, index: () => [], claims: () => [] })
    if (canary === 'stale reads') {
      for (const { table: name, key } of changes) this.#older.set(`${name} ${key}`, inner.read(table(name), key))
    }
    const forced = changes.map((change) => {
      const now = inner.read(table(change.table), change.key)
      return now === undefined ? change : { ...change, revision: now.revision, previous: now.value }
    })
    const result = await inner.commit(canary === 'lost updates' ? forced : changes)
    later('a commit is answered', () => resolve(result))
  }

  close(): Promise<void> {
    return this.#options.inner.close()
  }
}
