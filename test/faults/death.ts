/** How a server is told to die by itself (faulty.ts). What it is not: the death (dying-environment.ts). */

/**
 * Points of the way of a commit through the writer:
 *
 *     begin ── records, indexes ──┬── end of the transaction ── pages, sync, meta page ── done ── answers posted
 *     taken      writing          │          written                 committing          committed    answered
 */
export const points = ['taken', 'writing', 'written', 'committing', 'committed', 'answered'] as const
export type Point = (typeof points)[number]

export interface Death {
  readonly point: Point
  /** The transaction in which it happens, counted from when the file `armedBy` is there. */
  readonly transaction: number
  /** Time from the point to the death: `committing` and `answered` are stretches of time, not moments. */
  readonly microseconds: number
}

/** A death and what it waits for. */
export interface ArmedDeath extends Death {
  /** Path of a file. */
  readonly armedBy: string
}

/** The environment of a server that dies so. */
export const deathEnvironment = (death: ArmedDeath): Readonly<Record<string, string>> => ({
  ...faultyEnvironment,
  FAULT_DEATH: JSON.stringify(death),
})

/** The environment of a server with faults: what they are is said by more variables (faulty.ts). */
export const faultyEnvironment: Readonly<Record<string, string>> = {
  NODE_OPTIONS: `--import=${import.meta.resolve('./faulty.ts')}`,
}
