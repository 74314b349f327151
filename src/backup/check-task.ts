/**
 * A look through a store as one task, here or in a thread. What it is: opening the file in the way that fits it, the look, and its
 * end. What it is not: the look (`store/lmdb/check.ts`), or the thread (`check-thread.ts`).
 */

import { dirname } from 'node:path'
import { systemEntropy } from '#actor/entropy'
import { openKeyring } from '#crypto/seal'
import { checkStore, type StoreReport } from '#store/lmdb/check'
import { type OpenFile, openFile, openView, storeFile } from '#store/lmdb/environment'
import { storeLimits } from '#store/lmdb/open'
import { isUpToDate, prepareSchema, schemaNewest, schemaVersion } from '#store/lmdb/schema'
import { type Sealer, StoreRefused, type Table } from '#store/store'

/** What is looked at. Plain data, for another thread. */
export interface CheckTask {
  /**
   * `served`: the file of this process's store. `still`: one that nobody has open. `copy`: a copy of our own, named as a store is,
   * which may be brought up to today's schema first.
   */
  readonly kind: 'served' | 'still' | 'copy'
  readonly path: string
  /** The store's keyring, sealed under `key`: a key of this task alone. */
  readonly keyring: Uint8Array
  readonly key: Uint8Array
}

/**
 * Looks through the store. Keeps the thread busy to the end.
 * @throws StoreRefused when it is no store, of another version, or sealed under other keys
 */
export async function runCheck(task: CheckTask, tables: readonly Table<never>[]): Promise<StoreReport> {
  const sealer = openKeyring(task.key, task.keyring, systemEntropy)
  const file = openFor(task, sealer, tables)
  try {
    return checkStore(file, sealer, tables)
  } finally {
    await file.root.close()
  }
}

function openFor({ kind, path }: CheckTask, sealer: Sealer, tables: readonly Table<never>[]): OpenFile {
  if (kind === 'served') return openFile(dirname(path), storeLimits.mapSizeBytes)
  const file = openView(path)
  const schema = schemaVersion(file)
  if (isUpToDate(file)) return file
  void file.root.close()
  if (kind === 'copy' && path === storeFile(dirname(path))) {
    const copy = openFile(dirname(path), storeLimits.mapSizeBytes)
    prepareSchema(copy, { sealer, tables })
    return copy
  }
  throw new StoreRefused(
    schema === schemaNewest
      ? `${path} was left in the middle of an upgrade: a start of the server goes on with it`
      : `${path} is of schema ${schema ?? 'none'} and this version of ${schemaNewest}: a start of the server brings an older one up`,
  )
}
