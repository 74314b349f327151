/**
 * What operators do with the data of a running server: backups, looks through the store, changes of the root key. What it is: the
 * administration's port to them, made of the parts that serve.ts has. What it is not: the work itself (`backup/`, `crypto/`).
 */
import { mkdirSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import type { Clock } from '#actor/clock'
import type { Entropy } from '#actor/entropy'
import type { NextRootKey, StoreHealth, Upkeep } from '#admin/services'
import { checkInThread, checkTask } from '#backup/check-thread'
import { makeBackup } from '#backup/create'
import { openBackup } from '#backup/opened'
import { BackupRefused, isOfFiles } from '#backup/refused'
import { verifyBackup } from '#backup/verify'
import { parseRootKey } from '#crypto/key-file'
import { Passphrase, PassphraseRefused } from '#crypto/passphrase'
import { RootKeyRefused, type RootSecret } from '#crypto/seal'
import type { StoreSeal } from '#crypto/store-seal'
import { AdministrationError } from '#identity/administration-error'
import { objectTable } from '#operations/object-table'
import type { StoreReport } from '#store/lmdb/check'
import { storeFile } from '#store/lmdb/environment'
import type { LmdbStore } from '#store/lmdb/open'

export interface UpkeepParts {
  readonly directory: string
  readonly store: LmdbStore
  readonly seal: StoreSeal
  readonly clock: Clock
  readonly entropy: Entropy
}

/** The port of the administration. */
export const upkeepOf = (parts: UpkeepParts): Upkeep => {
  const { directory, store, seal, clock, entropy } = parts
  return {
    backup: (path) =>
      told(async () => {
        const target = path ?? ownPath(directory, clock)
        const backupParts = {
          copyTo: (copyPath: string) => store.copyTo(copyPath),
          seal,
          clock,
          objectTable: objectTable.name,
        }
        const { manifest, bytes } = await makeBackup(backupParts, target)
        return { path: target, bytes, ...manifest }
      }),
    verify: (path, root) =>
      told(async () => {
        const backup = await openBackup(path, secretOf(root) ?? seal.secret(), entropy)
        return verifyBackup(backup, dirname(path), clock.nowMs(), (copyPath, keyring) =>
          checkInThread(checkTask('copy', copyPath, keyring, entropy)),
        )
      }),
    check: () =>
      told(async () => {
        const task = checkTask('served', storeFile(directory), seal.keyring, entropy)
        return healthOf(await checkInThread(task))
      }),
    rootKey: () => seal.state,
    rotateRootKey: (next) => told(async () => seal.rotate(secretOf(next))),
    finishRootKey: () => told(async () => seal.finish()),
  }
}

/** What a look has found, for the administration. */
export const healthOf = ({ schema, transaction, records, faults, faultsTotal }: StoreReport): StoreHealth => ({
  schema,
  transaction,
  objects: records[objectTable.name] ?? 0,
  records,
  faults,
  faultsTotal,
})

/** A backup of its own name, in the data folder. */
const ownPath = (directory: string, clock: Clock): string => {
  const folder = resolve(directory, 'backups')
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const stamp = new Date(clock.nowMs()).toISOString().replaceAll(/[:.]/g, '-')
  return join(folder, `kmipd-${stamp}.backup`)
}

const secretOf = ({ key, passphrase }: NextRootKey): RootSecret | undefined => {
  if (key !== undefined && passphrase !== undefined) throw new RootKeyRefused('a root key or a passphrase, not both')
  if (passphrase !== undefined) return new Passphrase(passphrase)
  return key === undefined ? undefined : parseRootKey(key, 'that was given')
}

/** Refusals in the administration's own words. */
const told = async <T>(run: () => Promise<T>): Promise<T> => {
  try {
    return await run()
  } catch (error) {
    if (error instanceof BackupRefused) throw new AdministrationError('conflict', error.message, '', { cause: error })
    if (error instanceof RootKeyRefused || error instanceof PassphraseRefused)
      throw new AdministrationError('invalid', error.message, 'docs/seal.md says more.', { cause: error })
    if (isOfFiles(error))
      throw new AdministrationError('unavailable', error.message, 'Room and rights of the folder?', { cause: error })
    throw error
  }
}
