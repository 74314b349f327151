/**
 * Commands on data that no server serves: restoring and verifying a backup, looking through a store. What it is: their order of
 * steps, and what they say. What it is not: the steps (`backup/`), or the process (kmipd-process.ts).
 */
import { existsSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { systemClock } from '#actor/clock'
import { systemEntropy } from '#actor/entropy'
import { runCheck } from '#backup/check-task'
import { checkTask } from '#backup/check-thread'
import type { Manifest } from '#backup/manifest'
import { openBackup } from '#backup/opened'
import { BackupRefused, isOfFiles } from '#backup/refused'
import { checkEmpty, restoreBackup } from '#backup/restore'
import { verifyBackup } from '#backup/verify'
import { PassphraseRefused } from '#crypto/passphrase'
import { RootKeyRefused, type RootSecret } from '#crypto/seal'
import { openSeal, rootSecretOf } from '#crypto/store-seal'
import { storeFile } from '#store/lmdb/environment'
import { lockDirectory } from '#store/lmdb/lock'
import { storeExists } from '#store/lmdb/open'
import { StoreRefused } from '#store/store'
import type { Secrets, Settings } from './config.ts'
import { keyringPathOf, rootKeySourceOf } from './root-key.ts'
import { tables } from './tables.ts'

/** How a command ended: what to print, and whether all is well. */
export interface Ended {
  readonly text: string
  readonly isSound: boolean
}

/** Whether an error is a refusal whose text is for the operator. */
export const isRefusal = (error: unknown): error is Error =>
  error instanceof BackupRefused ||
  error instanceof RootKeyRefused ||
  error instanceof PassphraseRefused ||
  error instanceof StoreRefused ||
  isOfFiles(error)

/**
 * Restores a backup into an empty data folder.
 * @throws what `isRefusal` knows: the folder then holds no store
 */
export const restore = async (path: string, settings: Settings, secrets: Secrets): Promise<Ended> => {
  const { dataDirectory: directory } = settings
  const beganMs = systemClock.nowMs()
  checkEmpty(directory)
  const lock = lockDirectory(directory)
  try {
    const backup = await openBackup(path, await secretOf(settings, secrets), systemEntropy)
    await restoreBackup(backup, directory)
    const seconds = ((systemClock.nowMs() - beganMs) / 1000).toFixed(1)
    const text = `Restored ${told(backup.manifest)} into ${resolve(directory)}, in ${seconds} s.
Start the server as it was started before: kmipd serve --data ${resolve(directory)}${rootKeyFlag(settings)}
`
    return { text, isSound: true }
  } finally {
    lock.release()
  }
}

/** Verifies a backup: every record opened, index and counts compared. @throws what `isRefusal` knows */
export const verify = async (path: string, settings: Settings, secrets: Secrets): Promise<Ended> => {
  const backup = await openBackup(path, await secretOf(settings, secrets), systemEntropy)
  const { manifest, faults } = await verifyBackup(
    backup,
    dirname(resolve(path)),
    systemClock.nowMs(),
    (copyPath, keyring) => runCheck(checkTask('copy', copyPath, keyring, systemEntropy), tables),
  )
  if (faults.length > 0) return { text: `Damaged: ${path}\n${faults.join('\n')}\n`, isSound: false }
  return { text: `Verified ${told(manifest)}.\n`, isSound: true }
}

/** Looks through the store of a data folder. @throws what `isRefusal` knows, a running server among it */
export const check = async (settings: Settings, secrets: Secrets): Promise<Ended> => {
  const { dataDirectory: directory } = settings
  if (!storeExists(directory)) throw new StoreRefused(`there is no store in ${resolve(directory)}`)
  const lock = lockDirectory(directory)
  try {
    const source = await rootKeySourceOf(settings, secrets)
    const seal = openSeal({ keyringPath: keyringPathOf(directory), source, entropy: systemEntropy }, false)
    const task = checkTask('still', storeFile(directory), seal.keyring, systemEntropy)
    const { faults, faultsTotal, records } = await runCheck(task, tables)
    if (faultsTotal > 0) return { text: `Damaged: ${faultsTotal} faults\n${faults.join('\n')}\n`, isSound: false }
    const counts = Object.entries(records).map(([table, count]) => `${table} ${count}`)
    return {
      text: `Sound: every record opens, and the index is what they say. Records: ${counts.join(', ')}\n`,
      isSound: true,
    }
  } finally {
    lock.release()
  }
}

const secretOf = async (settings: Settings, secrets: Secrets): Promise<RootSecret> => {
  const source = await rootKeySourceOf(settings, secrets, false)
  if (source.kind === 'file' && !existsSync(source.path))
    throw new RootKeyRefused(
      `the root key ${source.path} is absent: put it there, or say where it is: --root-key-file FILE`,
    )
  return rootSecretOf(source)
}

const told = ({ objects, takenAt, transaction, schema }: Manifest): string =>
  `${objects} objects as of ${takenAt} (transaction ${transaction}, schema ${schema})`

const rootKeyFlag = ({ rootKeyFile }: Settings): string =>
  rootKeyFile === '' ? '' : ` --root-key-file ${resolve(rootKeyFile)}`
