/**
 * The sweeper actor: writes down the states that dates have brought (KMIP 1.4 §3.22, transitions 4 and 6), and forgets the
 * streams that nobody continues. What it is: bookkeeping, so that the index of states stays true and key material does not wait
 * in memory for a client that is gone; reads never depend on it, because each computes the state anew.
 * What it is not: a change of an object that a client would see.
 */
import type { Cancel, Clock } from '#actor/clock'
import { dueField } from '#objects/locate-filter'
import type { ManagedObject } from '#objects/managed-object'
import { Transaction } from '#operations/transaction'
import type { Store, Table } from '#store/store'

/** Objects of one commit: few enough that clients' commits are not kept waiting. */
const objectsPerCommit = 128

export interface SweeperOptions {
  readonly store: Store
  readonly table: Table<ManagedObject>
  readonly clock: Clock
  /** Operations in parts (KMIP 1.4 §2.1.15). */
  readonly streams: { forgetIdle(): void }
  /** From the end of a sweep to the next. */
  readonly intervalMs: number
  /** The sweeper has failed: somebody starts another. */
  readonly onFailure: (reason: unknown) => void
}

/** A sweeper that sweeps until it is stopped. */
export class Sweeper {
  readonly #options: SweeperOptions
  #cancel: Cancel = () => undefined
  #stopped = false
  #sweeping: Promise<void> = Promise.resolve()

  constructor(options: SweeperOptions) {
    this.#options = options
    this.#schedule()
  }

  /** Resolves when the sweep that runs is done. */
  async stop(): Promise<void> {
    this.#stopped = true
    this.#cancel()
    await this.#sweeping
  }

  #schedule(): void {
    const { clock, intervalMs, onFailure } = this.#options
    this.#cancel = clock.after(intervalMs, () => {
      this.#sweeping = this.#sweep().then(
        () => {
          if (!this.#stopped) this.#schedule()
        },
        (reason: unknown) => onFailure(reason),
      )
    })
  }

  async #sweep(): Promise<void> {
    this.#options.streams.forgetIdle()
    for (let more = true; more && !this.#stopped; ) more = await sweepOnce(this.#options)
  }
}

/** Settles what is due, up to one commit's worth; true when there may be more. @throws StoreUnavailable, StoreDamaged */
export const sweepOnce = async ({
  store,
  table,
  clock,
}: Pick<SweeperOptions, 'store' | 'table' | 'clock'>): Promise<boolean> => {
  const now = clock.nowSeconds()
  const query = { all: [{ field: dueField, to: now }], any: [], offset: 0, limit: objectsPerCommit }
  const { keys, total } = store.find(table, query)
  const transaction = new Transaction(store, table, now)
  for (const key of keys) {
    const settled = transaction.read(key)
    if (settled !== undefined) transaction.put(settled)
  }
  if (!transaction.isDirty) return false
  // A conflict means that a client was faster and has settled the object itself: the next sweep sees what is left.
  const { done } = await transaction.commit()
  return done && total > keys.length
}
