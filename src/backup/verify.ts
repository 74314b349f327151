/**
 * Verifying a backup: everything that a restore would give, looked through. What it is: the copy taken out beside the backup (or
 * elsewhere), every record opened, the index compared, the counts compared with the manifest. What it is not: a restore.
 */

import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Keyring } from '#crypto/seal'
import type { StoreReport } from '#store/lmdb/check'
import type { Manifest } from './manifest.ts'
import { memberNames } from './manifest.ts'
import type { OpenedBackup } from './opened.ts'
import { workFolder } from './place.ts'

/** What a verification has found. */
export interface Verified {
  readonly manifest: Manifest
  /** What is wrong; none: a restore gives all of it. */
  readonly faults: readonly string[]
}

/** Looks through the store in a file, with the keys that it was sealed under. */
export type CheckFile = (path: string, keyring: Keyring) => Promise<StoreReport>

/**
 * Verifies an opened backup.
 * @param folder where the copy is put for that time; it needs room for the store
 * @param nowMs milliseconds since 1970: what was left there by one that was cut off long ago is removed
 * @throws BackupRefused when the store in it is not what the manifest says
 */
export async function verifyBackup(
  backup: OpenedBackup,
  folder: string,
  nowMs: number,
  check: CheckFile,
): Promise<Verified> {
  const { manifest, keyring } = backup
  const work = await workFolder(folder, 'verify', nowMs)
  try {
    const path = join(work, memberNames.store)
    await backup.takeStore(path)
    const report = await check(path, keyring)
    const faults = [...report.faults]
    if (report.faultsTotal > faults.length) faults.push(`and ${report.faultsTotal - faults.length} more`)
    for (const table of new Set([...Object.keys(manifest.records), ...Object.keys(report.records)])) {
      const [told, there] = [manifest.records[table] ?? 0, report.records[table] ?? 0]
      if (told !== there) faults.push(`the manifest says ${told} records of ${table}, and there are ${there}`)
    }
    return { manifest, faults }
  } finally {
    await rm(work, { recursive: true, force: true })
  }
}
