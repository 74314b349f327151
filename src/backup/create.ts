/**
 * Making a backup from a store that serves. What it is: a consistent copy, its manifest, and one file that is there as a whole or
 * not at all. What it is not: the copying (the store's) or a schedule.
 *
 *   store ─ copy ─▶ FILE's folder/.kmipd-backup-x/store.mdb ─▶ …/backup ─ sync, link ─▶ FILE
 */

import { existsSync } from 'node:fs'
import { rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Clock } from '#actor/clock'
import { errorText } from '#actor/error-text'
import { syncDirectory } from '#crypto/key-file'
import type { StoreSeal } from '#crypto/store-seal'
import { countRecords } from '#store/lmdb/check'
import { openView } from '#store/lmdb/environment'
import { schemaVersion } from '#store/lmdb/schema'
import { type ArchiveWriter, createArchive } from './archive.ts'
import { type Manifest, manifestText, memberNames, sealManifest, sha256 } from './manifest.ts'
import { putInPlace, thereAlready, workFolder } from './place.ts'
import { BackupRefused } from './refused.ts'

export interface BackupParts {
  /** Writes a consistent copy of the store to a path. */
  readonly copyTo: (path: string) => Promise<void>
  readonly seal: StoreSeal
  readonly clock: Clock
  /** Table whose records are counted as objects. */
  readonly objectTable: string
}

/** A backup that was made. */
export interface MadeBackup {
  readonly path: string
  readonly bytes: number
  readonly manifest: Manifest
}

/**
 * Makes a backup.
 * @param path of the file, which must not be there; its folder must, with room for twice the store
 * @throws BackupRefused when the file is there or its folder is not; errors of the file system. Nothing is left behind.
 */
export async function makeBackup(parts: BackupParts, path: string): Promise<MadeBackup> {
  // Before the work; at its end it is made sure of.
  if (existsSync(path)) throw thereAlready(path)
  const folder = dirname(path)
  if (!existsSync(folder)) throw new BackupRefused(`there is no folder ${folder}`)
  const work = await workFolder(folder, 'backup', parts.clock.nowMs())
  try {
    const partPath = join(work, 'backup')
    const writer = await createArchive(partPath, parts.clock.nowSeconds())
    let made: Omit<MadeBackup, 'path'>
    try {
      made = await fill(writer, parts, join(work, memberNames.store))
    } catch (error) {
      await writer.close()
      throw error
    }
    await putInPlace(partPath, path)
    syncDirectory(path)
    return { path, ...made }
  } finally {
    await rm(work, { recursive: true, force: true })
  }
}

async function fill(writer: ArchiveWriter, parts: BackupParts, copyPath: string): Promise<Omit<MadeBackup, 'path'>> {
  const { seal, clock } = parts
  const takenAt = new Date(clock.nowMs()).toISOString()
  try {
    await parts.copyTo(copyPath)
  } catch (cause) {
    // The disk that is full, mostly: LMDB says so in words alone.
    throw new BackupRefused(`the store cannot be copied to ${dirname(copyPath)}: ${errorText(cause)}`, { cause })
  }
  const keyring = seal.sealed()
  const { rootKey } = seal.state
  const { size: storeBytes } = await stat(copyPath)
  const counted = await countedIn(copyPath)
  await writer.add({ name: memberNames.keyring, content: keyring })
  const storeSha256 = await writer.add({ name: memberNames.store, content: { path: copyPath, bytes: storeBytes } })
  const manifest: Manifest = {
    format: 1,
    takenAt,
    ...counted,
    rootKey,
    objects: counted.records[parts.objectTable] ?? 0,
    storeBytes,
    storeSha256: storeSha256.toString('hex'),
    keyringSha256: sha256(keyring).toString('hex'),
  }
  const text = manifestText(manifest)
  await writer.add({ name: memberNames.manifest, content: text })
  await writer.add({ name: memberNames.seal, content: sealManifest(seal.keyring, text) })
  return { bytes: await writer.end(), manifest }
}

async function countedIn(path: string): Promise<Pick<Manifest, 'transaction' | 'schema' | 'records'>> {
  const file = openView(path)
  try {
    const { lastTxnId } = file.root.getStats() as { readonly lastTxnId: number }
    return { transaction: lastTxnId, schema: schemaVersion(file) ?? 0, records: countRecords(file) }
  } finally {
    await file.root.close()
  }
}
