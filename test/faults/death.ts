/** How a server is told to die by itself (faulty.ts). What it is not: the death (dying-environment.ts). */

/**
 * Points of the way of a commit through the writer:
 *
 *     begin ── records, indexes ──┬── end of the transaction ── pages, sync, meta page ── done ── answers posted
 *     taken      writing          │          written                 committing          committed    answered
 */
const writerPoints = ['taken', 'writing', 'written', 'committing', 'committed', 'answered'] as const
type WriterPoint = (typeof writerPoints)[number]

/**
 * Points of the way of lines through the auditor:
 *
 *     begin ── the file ── written ── the journal, sync ── done
 *     lines taken   lines torn   lines written   journal torn   lines synced
 */
const auditorPoints = ['lines taken', 'lines torn', 'lines written', 'journal torn', 'lines synced'] as const
export type AuditorPoint = (typeof auditorPoints)[number]

export const points = [...writerPoints, ...auditorPoints] as const
export type Point = WriterPoint | AuditorPoint

const isAuditorPoint = (point: Point): point is AuditorPoint => (auditorPoints as readonly string[]).includes(point)

export interface Death {
  readonly point: Point
  /** The transaction, or the batch of lines, in which it happens, counted from when the file `armedBy` is there. */
  readonly transaction: number
  /** Time from the point to the death: `committing` and `answered` are stretches of time, not moments. */
  readonly microseconds: number
  /** What dies: the process, unless it is said. */
  readonly of?: 'process' | 'thread'
}

/** A death and what it waits for. */
export interface ArmedDeath extends Death {
  /** Path of a file. */
  readonly armedBy: string
}

/** The environment of a server that dies so. */
export const deathEnvironment = (death: ArmedDeath): Readonly<Record<string, string>> => ({
  ...faultyEnvironment,
  [isAuditorPoint(death.point) ? 'FAULT_AUDITOR' : 'FAULT_DEATH']: JSON.stringify(death),
})

/** Ends what is to die: by SIGKILL, or the thread alone as if it had failed. */
export const die = ({ of = 'process' }: Death): void => {
  if (of === 'process') process.kill(process.pid, 'SIGKILL')
  else process.exit(1)
}

/** The environment of a server with faults: what they are is said by more variables (faulty.ts). */
export const faultyEnvironment: Readonly<Record<string, string>> = {
  NODE_OPTIONS: `--import=${import.meta.resolve('./faulty.ts')}`,
}
