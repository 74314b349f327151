/**
 * What a micro-benchmark is: tasks that main.ts times, and an end. What it is not: a benchmark; each has a file named for the
 * module of src/ that it times.
 */

/** One thing that is timed. */
export interface Task {
  readonly name: string
  /**
   * Does it once, and gives a number that depends on what was done, so that no work can be left out as unused. Every call
   * gives a promise, or none does.
   */
  readonly run: () => number | Promise<number>
  /** Operations of one call, where a call does several; 1 when left out. */
  readonly operations?: number
}

/** Tasks with what they work on. */
export interface Suite {
  readonly tasks: readonly Task[]
  close(): Promise<void>
}

/** How large the stores of the suites are. */
export interface SuiteOptions {
  readonly objects: number
}

/** Nothing to end. */
export const noClose = (): Promise<void> => Promise.resolve()
