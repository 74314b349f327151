/** The keys of a test's data directory, made at the first call. */

import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { systemEntropy } from '#actor/entropy'
import { openKeyFiles } from '#crypto/key-file'
import { storeExists } from '#store/lmdb/open'
import type { Sealer } from '#store/store'

/** The sealer of a directory. */
export function openSealer(directory: string): Sealer {
  mkdirSync(directory, { recursive: true })
  const files = { rootKeyPath: join(directory, 'root.key'), keyringPath: join(directory, 'keyring') }
  return openKeyFiles(files, systemEntropy, !storeExists(directory)).keyring
}
