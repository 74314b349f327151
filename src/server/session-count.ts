/**
 * How many sessions are open, of all threads together. What it is: one number a thread, written by that thread alone and read
 * by all, so that a limit of the server holds at every listener without a question to anybody. What it is not: a lock: two
 * threads that take a session in the same moment may both be the last.
 */

/** One number a thread. */
export type SessionSlots = Int32Array<SharedArrayBuffer>

/** Numbers for so many threads, all 0. */
export const sessionSlots = (threads: number): SessionSlots =>
  new Int32Array(new SharedArrayBuffer(threads * Int32Array.BYTES_PER_ELEMENT))

/** The count as one thread has it. */
export class SessionCount {
  readonly #slots: SessionSlots
  readonly #own: number

  /** @param own which of the numbers is this thread's */
  constructor(slots: SessionSlots = sessionSlots(1), own = 0) {
    this.#slots = slots
    this.#own = own
  }

  /** Sessions of all threads. */
  get total(): number {
    let total = 0
    for (let slot = 0; slot < this.#slots.length; slot += 1) total += Atomics.load(this.#slots, slot)
    return total
  }

  /** A session of this thread has begun. */
  entered(): void {
    Atomics.add(this.#slots, this.#own, 1)
  }

  /** A session of this thread is over. */
  left(): void {
    Atomics.sub(this.#slots, this.#own, 1)
  }

  /** The thread is gone, and its sessions with it: to be called before another takes its number. */
  clear(): void {
    Atomics.store(this.#slots, this.#own, 0)
  }
}
