/**
 * The log as files in the data folder, beside what the process writes to its output: so that an administrator can download
 * it. What it is: two files that take turns, bounded, readable by the owner alone. What it is not: the lines (`log.ts`).
 *
 *     logs/kmipd.log     what is written now        logs/kmipd.log.1   what was written before
 */
import { closeSync, fstatSync, mkdirSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { errorText } from '#actor/error-text'

/** A file that takes lines. */
export class LogFile {
  readonly #path: string
  readonly #bytesMax: number
  readonly #onFailure: (reason: string) => void
  #file: number
  #bytes: number
  #failing = false

  /**
   * @param bytesMax of each of the two files
   * @param onFailure told once when lines cannot be written: the output still has them
   * @throws errors of the file system when the file cannot be made
   */
  constructor(directory: string, bytesMax: number, onFailure: (reason: string) => void) {
    mkdirSync(join(directory, 'logs'), { recursive: true, mode: 0o700 })
    this.#path = join(directory, 'logs', 'kmipd.log')
    this.#bytesMax = bytesMax
    this.#onFailure = onFailure
    this.#file = openSync(this.#path, 'a', 0o600)
    this.#bytes = fstatSync(this.#file).size
  }

  /** Takes a line. Never throws: a full disk must not stop what is logged about. */
  write(line: string): void {
    try {
      if (this.#bytes > 0 && this.#bytes + line.length > this.#bytesMax) this.#turn()
      this.#bytes += writeSync(this.#file, line)
      this.#failing = false
    } catch (error) {
      if (!this.#failing) this.#onFailure(errorText(error))
      this.#failing = true
    }
  }

  /** All that is kept, the newest line last. */
  read(): string {
    return [`${this.#path}.1`, this.#path].map(textOrNothing).join('')
  }

  #turn(): void {
    try {
      renameSync(this.#path, `${this.#path}.1`)
    } catch (error) {
      // Somebody has moved it, or the last turn came no further than this.
      if (!isAbsent(error)) throw error
    }
    const next = openSync(this.#path, 'a', 0o600)
    closeSync(this.#file)
    this.#file = next
    this.#bytes = 0
  }
}

const textOrNothing = (path: string): string => {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if (isAbsent(error)) return ''
    throw error
  }
}

const isAbsent = (error: unknown): boolean => error instanceof Error && 'code' in error && error.code === 'ENOENT'
