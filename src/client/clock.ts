/**
 * Time for the client. What it is: the one place of client/ where timers and the clock enter, in a form that a test
 * replaces. What it is not: the server's clock (actor/clock.ts), which a client that stands alone does not have.
 */

/** What the transport needs of time. */
export interface ClientClock {
  /** Milliseconds that only grow, from any start. */
  nowMs(): number
  /** Calls `run` once, `delayMs` from now or a little later, after 24 days at most; the result stops it. */
  after(delayMs: number, run: () => void): () => void
  /** 0 <= number < 1; spreads the reconnections of many clients. No secret depends on it. */
  luck(): number
}

/** What a timer can wait at most, 24 days: of more it would make none at all. */
const delayMaxMs = 2 ** 31 - 1

/** The machine's clock. */
export const machineClock: ClientClock = {
  nowMs: () => performance.now(),
  after(delayMs, run) {
    const timer = setTimeout(run, Math.min(delayMs, delayMaxMs))
    return () => clearTimeout(timer)
  },
  luck: () => Math.random(),
}
