/**
 * Restoring a backup into an empty data folder. What it is: the order of files that leaves, after a crash at any moment, either
 * nothing that a server would take for a store, or the whole. What it is not: a merge; a folder with a store is refused.
 *
 *   store.mdb.part, synced ─▶ keyring, synced ─▶ store.mdb.part becomes store.mdb
 */

import { existsSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { syncDirectory, writeWhole } from '#crypto/key-file'
import { makeDirectory } from '#store/lmdb/directory'
import { memberNames } from './manifest.ts'
import type { OpenedBackup } from './opened.ts'
import { BackupRefused } from './refused.ts'

const partName = `${memberNames.store}.part`
/** What may be in the folder: the root key, which the operator has put there, a disk's own folder, and the empty file of the lock. */
const allowedNames = ['root.key', 'lost+found', 'lock']
/** What a restore that was cut short leaves, when there is no store. */
const leftoverNames = [partName, memberNames.keyring, `${memberNames.keyring}.part`]

/**
 * Checks that a folder can take a restore; makes it when it is not there.
 * @throws BackupRefused when it holds anything but a root key or what a restore left that was cut short
 */
export function checkEmpty(directory: string): void {
  makeDirectory(directory)
  const isCutShort = existsSync(join(directory, partName))
  const others = readdirSync(directory).filter(
    (name) => !allowedNames.includes(name) && !(isCutShort && leftoverNames.includes(name)),
  )
  if (others.length > 0)
    throw new BackupRefused(
      `${directory} is not empty (${others.slice(0, 5).join(', ')}): a restore overwrites nothing`,
    )
}

/**
 * Puts a backup into a folder that `checkEmpty` has let pass, and whose lock the caller holds.
 * @throws BackupRefused when the store in it is not what the manifest says; no store is there then
 */
export async function restoreBackup(backup: OpenedBackup, directory: string): Promise<void> {
  const partPath = join(directory, partName)
  rmSync(partPath, { force: true })
  await backup.takeStore(partPath)
  writeWhole(join(directory, memberNames.keyring), backup.sealedKeyring)
  renameSync(partPath, join(directory, memberNames.store))
  syncDirectory(partPath)
}
