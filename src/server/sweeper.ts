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
import { type Store, StoreDamaged, StoreUnavailable, type Table } from '#store/store'

/** Objects of one commit: few enough that clients' commits are not kept waiting. */
const objectsPerCommit = 128

/** What the log is told of the sweeper. */
export interface SweeperLog {
  /** A state that a date has brought is not written down: an object is damaged, or the disk is full. */
  stateNotWritten(reason: Error): void
}

export interface SweeperOptions {
  readonly store: Store
  readonly table: Table<ManagedObject>
  readonly clock: Clock
  /** Operations in parts (KMIP 1.4 §2.1.15). */
  readonly streams: { forgetIdle(): void }
  /** From the end of a sweep to the next. */
  readonly intervalMs: number
  /** Told of what is left undone, once: an object that is damaged, or a disk that is full until it is no more. */
  readonly onTrouble: SweeperLog['stateNotWritten']
  /** The sweeper has failed: somebody starts another. */
  readonly onFailure: (reason: unknown) => void
}

/** A sweeper that sweeps until it is stopped. */
export class Sweeper {
  readonly #options: SweeperOptions
  #cancel: Cancel = () => undefined
  #stopped = false
  #sweeping: Promise<void> = Promise.resolve()
  /** Objects that are passed over: whoever asks for one is told, and all others are served. */
  readonly #damaged = new Set<string>()
  #isUnavailable = false

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
    const { streams, onTrouble } = this.#options
    streams.forgetIdle()
    try {
      for (let more = true; more && !this.#stopped; ) more = await sweepOnce(this.#options, this.#damaged)
      this.#isUnavailable = false
    } catch (error) {
      // A disk that is full must not end the server, which goes on reading.
      if (!(error instanceof StoreUnavailable)) throw error
      if (!this.#isUnavailable) onTrouble(error)
      this.#isUnavailable = true
    }
  }
}

/**
 * Settles what is due, up to one commit's worth; true when there may be more.
 * @param damaged objects that are passed over: those that are found to be damaged are added
 * @throws StoreUnavailable when nothing can be written now
 */
export const sweepOnce = async (
  { store, table, clock, onTrouble }: Pick<SweeperOptions, 'store' | 'table' | 'clock' | 'onTrouble'>,
  damaged: Set<string>,
): Promise<boolean> => {
  const transaction = new Transaction(store, table, clock)
  const exclude: ReadonlySet<string> = new Set(damaged)
  const query = {
    all: [{ field: dueField, to: transaction.now }],
    any: [],
    exclude,
    offset: 0,
    limit: objectsPerCommit,
  }
  const { keys, total } = store.find(table, query)
  for (const key of keys) {
    try {
      const settled = transaction.read(key)
      if (settled !== undefined) transaction.put(settled)
    } catch (error) {
      if (!(error instanceof StoreDamaged)) throw error
      damaged.add(key)
      onTrouble(error)
    }
  }
  const mayBeMore = total > keys.length
  if (!transaction.isDirty) return mayBeMore && damaged.size > exclude.size
  // A conflict means that a client was faster and has settled the object itself: the next sweep sees what is left.
  const { done } = await transaction.commit()
  return done && mayBeMore
}
