/**
 * Where the clock, luck and files enter the bench tool. What it is: a few doors, so that the rest is free of them. What it is
 * not: the pace of a load (generator-thread.ts), which has the clock at hand.
 */
import {
  accessSync,
  constants,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as after } from 'node:timers/promises'

/** Milliseconds that only grow. */
export const nowMs = (): number => performance.now()

/** Microseconds of the clock that profiles of the runtime are stamped with, the same in all processes of the machine. */
export const profileClockUs = (): number => Number(process.hrtime.bigint() / 1000n)

/** Resolves so much later. */
export const sleep = (ms: number): Promise<void> => after(ms)

/** A name that no other measurement has, on a server where other measurements left their objects. */
export const uniquePrefix = (): string => `kmip-bench-${crypto.randomUUID()}`

/** @throws Error when there is no such file */
export const readText = (path: string): string => readFileSync(path, 'utf8')

/** Writes a report, or a file that only its owner may read. */
export const writeText = (path: string, text: string, mode = 0o644): void => writeFileSync(path, text, { mode })

/** Whether a report can be written there later; leaves nothing. @throws Error, where there is one in the words of the system */
export const mustBeWritable = (path: string): void => {
  if (path === '') throw new Error('no file is named')
  const isThere = existsSync(path)
  accessSync(isThere ? path : dirname(path), constants.W_OK)
  if (isThere && statSync(path).isDirectory()) throw new Error(`${path} is a folder`)
}

/** The files of a directory whose names end so, in the order of their names. @throws Error when there is no such directory */
export const filesIn = (directory: string, ending: string): string[] =>
  readdirSync(directory)
    .filter((name) => name.endsWith(ending))
    .toSorted()
    .map((name) => join(directory, name))

/** A new directory of this run. */
export const temporaryDirectory = (): string => mkdtempSync(join(tmpdir(), 'kmip-bench-'))

/** Removes a directory of this run. */
export const removeDirectory = (path: string): void => rmSync(path, { recursive: true, force: true })

/** Whether a directory holds anything. */
export const isFilled = (path: string): boolean => {
  try {
    return readdirSync(path).length > 0
  } catch {
    // A directory that cannot be listed is told by whoever uses it next, in words that fit.
    return false
  }
}

/** Of /proc/<pid>/stat; Linux has had no other value for a long time. */
const ticksPerSecond = 100

/**
 * Milliseconds of processor time that a process has taken, all its threads together, to a hundredth of a second; undefined
 * where the system does not tell.
 */
export const processorMs = (pid: number): number | undefined => {
  let stat: string
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  } catch {
    // As with the memory below: not known, and the report has no figure then.
    return undefined
  }
  // The name, in brackets, may hold anything; user and system time are the 12th and 13th field behind it.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const ticks = Number(fields[11]) + Number(fields[12])
  return Number.isFinite(ticks) ? (ticks * 1000) / ticksPerSecond : undefined
}

/**
 * Bytes of a process that are in memory now; undefined where the system does not tell (it is read from /proc), or the
 * process is not on this machine.
 */
export const residentBytes = (pid: number): number | undefined => {
  let status: string
  try {
    status = readFileSync(`/proc/${pid}/status`, 'utf8')
  } catch {
    // No such process, or no /proc: both are "not known", and the report says so.
    return undefined
  }
  const kib = /^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]
  return kib === undefined ? undefined : Number(kib) * 1024
}
