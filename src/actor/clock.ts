/**
 * Time as a parameter. What it is: the one place where the process's clock and timers enter, and a clock that a test
 * sets by hand. What it is not: a scheduler; who starts a timer also cancels it.
 */

import assert from 'node:assert/strict'

/** Stops a timer; does nothing when it has fired or was stopped. */
export type Cancel = () => void

export interface Clock {
  /** Milliseconds since 1970-01-01T00:00:00Z. May step back when the machine's clock is set. */
  nowMs(): number
  /** Whole seconds since 1970-01-01T00:00:00Z, as KMIP's Date-Time counts. */
  nowSeconds(): number
  /** Milliseconds from any start, of a clock that nobody sets: for whatever lasts so long, and is no date. */
  monotonicMs(): number
  /** Calls `run` once, `delayMs` from now or a little later, unless cancelled. */
  after(delayMs: number, run: () => void): Cancel
}

/** The machine's clock. */
export const systemClock: Clock = {
  nowMs: () => Date.now(),
  nowSeconds: () => Math.floor(Date.now() / 1000),
  monotonicMs: () => performance.now(),
  after(delayMs, run) {
    const timer = setTimeout(run, delayMs)
    return () => clearTimeout(timer)
  },
}

/** Milliseconds of a clock that nobody sets, with their fractions: for durations. */
export const monotonicMs = (): number => performance.now()

/**
 * Milliseconds that this thread has had a processor: stands still while the thread waits, or while the system runs others in
 * its place. A reading takes about 1 us, twenty times as long as one of `monotonicMs`.
 */
export const processorMs = (): number => {
  // Linux brings a running thread's account up to date only at its ticks, 4 ms apart, and when the process is asked for its own.
  process.cpuUsage()
  const { user, system } = process.threadCpuUsage()
  return (user + system) / 1000
}

interface Timer {
  /** Of the clock that nobody sets. */
  readonly atMs: number
  readonly sequence: number
  readonly run: () => void
}

/** A clock that stands still until it is told to move. Timers fire while it moves, in order of their time. */
export class SettableClock implements Clock {
  #nowMs: number
  #monotonicMs = 0
  #sequence = 0
  readonly #timers = new Set<Timer>()

  /** @param nowMs where it starts; some fixed day of 2026 when not given. */
  constructor(nowMs = 1_780_000_000_000) {
    this.#nowMs = nowMs
  }

  nowMs(): number {
    return this.#nowMs
  }

  nowSeconds(): number {
    return Math.floor(this.#nowMs / 1000)
  }

  monotonicMs(): number {
    return this.#monotonicMs
  }

  after(delayMs: number, run: () => void): Cancel {
    const timer: Timer = { atMs: this.#monotonicMs + Math.max(0, delayMs), sequence: this.#sequence++, run }
    this.#timers.add(timer)
    return () => void this.#timers.delete(timer)
  }

  /** How many timers wait. */
  get timers(): number {
    return this.#timers.size
  }

  /** Moves forward, and fires the timers that fall due on the way, each at its own time. */
  advance(byMs: number): void {
    assert(byMs >= 0, 'advance goes forward; use set to step back')
    const endMs = this.#monotonicMs + byMs
    for (let timer = this.#due(endMs); timer !== undefined; timer = this.#due(endMs)) {
      this.#timers.delete(timer)
      this.#pass(timer.atMs - this.#monotonicMs)
      timer.run()
    }
    this.#pass(endMs - this.#monotonicMs)
  }

  #pass(byMs: number): void {
    this.#monotonicMs += byMs
    this.#nowMs += byMs
  }

  /** Sets the time, forward or back, as an administrator of the machine does: no timer fires, or waits longer. */
  set(nowMs: number): void {
    this.#nowMs = nowMs
  }

  #due(endMs: number): Timer | undefined {
    let first: Timer | undefined
    for (const timer of this.#timers) {
      if (timer.atMs > endMs) continue
      if (
        first === undefined ||
        timer.atMs < first.atMs ||
        (timer.atMs === first.atMs && timer.sequence < first.sequence)
      )
        first = timer
    }
    return first
  }
}
