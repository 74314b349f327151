/**
 * A backup, opened with its root key. What it is: what verifying and restoring have in common: the members found, the keyring
 * and the manifest opened, and the store's copy taken out while its SHA-256 is compared. What it is not: a look at records.
 */

import { createHash } from 'node:crypto'
import { existsSync, statSync } from 'node:fs'
import { open } from 'node:fs/promises'
import type { Entropy } from '#actor/entropy'
import { type Keyring, openKeyring, RootKeyRefused, type RootSecret, rootKeyName } from '#crypto/seal'
import { membersOf, type Place, readThrough } from './archive.ts'
import { type Manifest, memberNames, openManifest, readManifest, sha256 } from './manifest.ts'
import { BackupRefused } from './refused.ts'

const smallMax = 1024 * 1024

/** A backup whose manifest is genuine. */
export interface OpenedBackup {
  readonly manifest: Manifest
  readonly keyring: Keyring
  /** The keyring as it is stored. */
  readonly sealedKeyring: Buffer
  /**
   * Writes the copy of the store to a file that is not there yet, mode 0600, and waits for the disk.
   * @throws BackupRefused when it is not what the manifest says; the file is then of no use
   */
  takeStore(path: string): Promise<void>
}

/**
 * Opens a backup. Reads little: the store itself is not looked at.
 * @throws BackupRefused when it is no backup, damaged or changed; RootKeyRefused when the root key is another one
 */
export async function openBackup(path: string, root: RootSecret, entropy: Entropy): Promise<OpenedBackup> {
  if (!existsSync(path)) throw new BackupRefused(`there is no file ${path}`)
  // A pipe would be waited for without end.
  if (!statSync(path).isFile()) throw new BackupRefused(`${path} is no file`)
  const members = await membersOf(path)
  const placeOf = (name: string): Place => {
    const place = members.get(name)
    if (place === undefined) throw new BackupRefused(`${path} is no backup of this server: it has no ${name}`)
    return place
  }
  const small = async (name: string): Promise<Buffer> => {
    const place = placeOf(name)
    if (place.bytes > smallMax) throw new BackupRefused(`${path} is no backup of this server: its ${name} is too large`)
    const chunks: Buffer[] = []
    await readThrough(path, place, (chunk) => void chunks.push(Buffer.from(chunk)))
    return Buffer.concat(chunks)
  }
  const sealedKeyring = await small(memberNames.keyring)
  const text = await small(memberNames.manifest)
  const keyring = keyringOf(sealedKeyring, root, readManifest(text), entropy)
  const manifest = openManifest(keyring, text, await small(memberNames.seal))
  if (sha256(sealedKeyring).toString('hex') !== manifest.keyringSha256)
    throw new BackupRefused('the keyring is not the one that the manifest speaks of')
  return {
    manifest,
    keyring,
    sealedKeyring,
    takeStore: (target) => takeStore(path, placeOf(memberNames.store), manifest, target),
  }
}

function keyringOf(sealed: Buffer, root: RootSecret, { rootKey }: Manifest, entropy: Entropy): Keyring {
  try {
    return openKeyring(root, sealed, entropy)
  } catch (cause) {
    if (!(cause instanceof RootKeyRefused)) throw cause
    const given = rootKeyName(root)
    const which = given === rootKey ? '' : `: it was made under ${nameOf(rootKey)}, and this is ${nameOf(given)}`
    throw new RootKeyRefused(`this root key does not open the backup${which}`, { cause })
  }
}

const nameOf = (rootKey: string): string => (rootKey === 'passphrase' ? 'a passphrase' : `the root key ${rootKey}`)

async function takeStore(path: string, place: Place, manifest: Manifest, target: string): Promise<void> {
  const hash = createHash('sha256')
  const file = await open(target, 'wx', 0o600)
  try {
    await readThrough(path, place, async (chunk) => {
      hash.update(chunk)
      await file.writeFile(chunk)
    })
    await file.sync()
  } finally {
    await file.close()
  }
  if (hash.digest('hex') !== manifest.storeSha256)
    throw new BackupRefused('the store in the backup is not what its manifest says: it is damaged or was changed')
}
