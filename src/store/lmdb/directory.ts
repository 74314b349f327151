/**
 * The data directory as a folder. What it is: made, with what is missing above it, for its owner alone. What it is not: what lies in
 * it, or the lock on it.
 */
import { existsSync, mkdirSync } from 'node:fs'
import { dirname } from 'node:path'

/**
 * Makes a folder that is not there yet. Step by step: Node's own `recursive` never ends where the system makes no folders at all (/proc).
 * @throws errors of the file system
 */
export const makeDirectory = (path: string): void => {
  if (existsSync(path)) return
  const parent = dirname(path)
  if (parent !== path) makeDirectory(parent)
  try {
    mkdirSync(path, { mode: 0o700 })
  } catch (error) {
    // Somebody else was faster.
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
}
