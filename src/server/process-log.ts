/**
 * The logger of the process: lines of JSON to its output and, once the data folder is ours, to a file. What it is: levels by
 * the names that administrators use, changed while it runs. What it is not: what is logged (`log.ts`).
 */
import pino, { type Logger } from 'pino'
import { LogFile } from './log-file.ts'

/** How each level is told in a line. */
const labels: Readonly<Record<string, string>> = {
  fatal: 'FTL',
  error: 'ERR',
  warn: 'WRN',
  info: 'INF',
  debug: 'DBG',
  trace: 'DBG',
}

/** The levels that can be set, and pino's names of them. */
const settable = { ERR: 'error', INF: 'info', DBG: 'debug' } as const
export type LogLevel = keyof typeof settable

/** What every logger of the process has in common. */
const optionsAt = (level: string): pino.LoggerOptions => ({
  level,
  base: null,
  timestamp: pino.stdTimeFunctions.isoTime,
  formatters: { level: (label: string) => ({ level: labels[label] ?? label }) },
})

/** A logger of another thread, which gives its lines away: the main thread adds them to the process's (`ProcessLog.add`). */
export const lineLogger = (level: string, give: (line: string) => void): Logger =>
  pino(optionsAt(level), { write: give })

export class ProcessLog {
  readonly logger: Logger
  readonly #output = pino.destination({ dest: 1, sync: true })
  readonly #streams: pino.MultiStreamRes
  #file: LogFile | undefined

  /** Told of the level's name in pino whenever it is changed: other threads have loggers of their own. */
  onLevel: (level: string) => void = () => undefined

  /** @param level pino's name of the level at the start */
  constructor(level: string) {
    this.#streams = pino.multistream([{ level: 'trace', stream: this.#output }])
    this.logger = pino(optionsAt(level), this.#streams)
  }

  /** Writes to a file, too, from now on. @throws errors of the file system */
  keepIn(directory: string, bytesMax: number): void {
    const file = new LogFile(directory, bytesMax, (reason) =>
      process.stderr.write(`kmipd: lines cannot be written to the log file: ${reason}\n`),
    )
    this.#file = file
    this.#streams.add({ level: 'trace', stream: file })
  }

  /** Adds a line of another thread's logger. */
  add(line: string): void {
    this.#output.write(line)
    this.#file?.write(line)
  }

  /** How much is logged. */
  level(): LogLevel {
    const { level } = this.logger
    const found = Object.entries(settable).find(([, name]) => name === level)
    // Levels that only a setting gives: what is nearest of those that can be told.
    return (found?.[0] as LogLevel | undefined) ?? (level === 'trace' ? 'DBG' : 'ERR')
  }

  setLevel(level: LogLevel): void {
    this.logger.level = settable[level]
    this.onLevel(settable[level])
  }

  /** What the file has of it, the newest line last. */
  async read(): Promise<string> {
    return this.#file?.read() ?? ''
  }
}
