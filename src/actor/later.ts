/**
 * A value that comes later. What it is: what many wait for on the way of a request, told to all of them in the turn in which it comes. What
 * it is not: a promise, which makes a job of each who waits, and a promise of what comes of it: `promise()` gives one to whoever
 * need not be quick.
 *
 * @hot It makes one object for what comes of it: of 256 that wait, each with an answer, 0.07 µs each, 0.38 with promises (two cores,
 * Node 26.10; bench/micro/later.ts).
 */

/** Who waits. What one of the two throws is an error that nobody handles: those behind it are told first. */
export interface Listener<T> {
  resolved(value: T): void
  rejected(error: unknown): void
}

type Outcome<T> = { readonly value: T } | { readonly error: unknown }

export class Later<T> {
  #outcome: Outcome<T> | undefined
  // Of `never`, so that one of a narrower type may stand for one of a wider.
  #listener: Listener<never> | undefined
  #others: Listener<never>[] | undefined

  /** Tells a listener when it is there: at once, if it is there already, else in the order of asking. */
  tell(listener: Listener<T>): void {
    if (this.#outcome !== undefined) tellOf(this.#outcome, listener)
    else if (this.#listener === undefined) this.#listener = listener
    else (this.#others ??= []).push(listener)
  }

  /** It is there. What comes after the first of these counts no more. */
  resolve(value: T): void {
    this.#settle({ value })
  }

  /** It will never be there. */
  reject(error: unknown): void {
    this.#settle({ error })
  }

  /** What comes of it: of the value, or of its failure, which is else its own. What one of the two throws is a failure, too. */
  map<U>(ofValue: (value: T) => U, ofFailure: (error: unknown) => U = raise): Later<U> {
    const mapped = new Mapped(ofValue, ofFailure)
    this.tell(mapped)
    return mapped
  }

  promise(): Promise<T> {
    return new Promise((resolved, rejected) => this.tell({ resolved, rejected }))
  }

  #settle(outcome: Outcome<T>): void {
    if (this.#outcome !== undefined) return
    this.#outcome = outcome
    const listener = this.#listener
    const others = this.#others
    this.#listener = undefined
    this.#others = undefined
    if (listener !== undefined) tellOf(outcome, listener)
    for (const other of others ?? []) tellOf(outcome, other)
  }
}

/** What comes of another. */
class Mapped<T, U> extends Later<U> implements Listener<T> {
  readonly #ofValue: (value: T) => U
  readonly #ofFailure: (error: unknown) => U

  constructor(ofValue: (value: T) => U, ofFailure: (error: unknown) => U) {
    super()
    this.#ofValue = ofValue
    this.#ofFailure = ofFailure
  }

  resolved(value: T): void {
    try {
      this.resolve(this.#ofValue(value))
    } catch (error) {
      this.reject(error)
    }
  }

  rejected(cause: unknown): void {
    try {
      this.resolve(this.#ofFailure(cause))
    } catch (error) {
      this.reject(error)
    }
  }
}

/** A value that is there, or comes in one of two ways. */
export type Soon<T> = T | Promise<T> | Later<T>

/** The same for whoever awaits it. */
export const awaitable = <T>(value: Soon<T>): T | Promise<T> => (value instanceof Later ? value.promise() : value)

const raise = (error: unknown): never => {
  throw error
}

const tellOf = (outcome: Outcome<unknown>, listener: Listener<never>): void => {
  try {
    if ('value' in outcome) listener.resolved(outcome.value as never)
    else listener.rejected(outcome.error)
  } catch (error) {
    queueMicrotask(() => raise(error))
  }
}
