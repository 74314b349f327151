/**
 * The lock on a data directory. What it is: a lock that the kernel releases with the process, also after kill -9, and that
 * holds between containers that share the directory. What it is not: a lock against other programs that open the files.
 *
 * Node has no call for file locks; SQLite, which is part of Node, takes one (fcntl, LockFileEx) on an empty file `lock` and
 * writes nothing to it. A Unix socket was the other way: its file stays after kill -9, and an abstract one ends at the
 * container.
 */

import { accessSync, chmodSync, constants } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { StoreRefused } from '#store/store'

const sqliteBusy = 5

/** A held lock. */
export interface DirectoryLock {
  release(): void
}

/**
 * Takes the lock of a directory, which must exist.
 * @throws StoreRefused when another process, or another store of this one, holds it.
 */
export function lockDirectory(directory: string): DirectoryLock {
  const path = join(directory, 'lock')
  let held: DatabaseSync | undefined
  try {
    held = new DatabaseSync(path, { timeout: 0 })
    // Who may read the file could take a lock of his own on it, and so keep the server from starting.
    chmodSync(path, 0o600)
    held.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE')
  } catch (cause) {
    held?.close()
    if (isBusy(cause))
      throw new StoreRefused(
        `${directory} is in use by another server: stop that one first, or choose another directory`,
      )
    throw new StoreRefused(`the lock ${path} cannot be taken: ${reasonOf(directory, cause)}`, { cause })
  }
  const lock = held
  return { release: () => lock.close() }
}

/** SQLite says of every file that it "cannot open" it: what the system says of its folder tells more. */
function reasonOf(directory: string, cause: unknown): string {
  let reason = cause
  try {
    accessSync(`${directory}/.`, constants.W_OK | constants.X_OK)
  } catch (error) {
    reason = error
  }
  return reason instanceof Error ? reason.message : String(reason)
}

function isBusy(error: unknown): boolean {
  return error instanceof Error && 'errcode' in error && error.errcode === sqliteBusy
}
