/**
 * What a backup says of itself. What it is: the manifest, its text, and the seal that binds it to the store's keys. What it is
 * not: the file around it (`archive.ts`).
 *
 *   keyring          the sealed keyring of the moment            src/crypto/seal.ts draws it
 *   store.mdb        a compact copy of the store                 docs/data.md draws it
 *   manifest.json    the text of the manifest
 *   manifest.seal    its SHA-256, sealed under the store's data key for the context "backup" 00 "manifest"
 */

import { createHash } from 'node:crypto'
import type { Keyring } from '#crypto/seal'
import { SealBroken } from '#crypto/seal'
import { BackupRefused } from './refused.ts'

export interface Manifest {
  readonly format: 1
  /** When the view was taken that was copied, ISO 8601. Everything that was answered before is in it. */
  readonly takenAt: string
  /** Number of the last transaction in it. */
  readonly transaction: number
  readonly schema: number
  /** Name of the root key that the keyring is sealed under. */
  readonly rootKey: string
  /** Managed Objects. */
  readonly objects: number
  /** Records of each table. */
  readonly records: Readonly<Record<string, number>>
  readonly storeBytes: number
  /** SHA-256 of `store.mdb` and `keyring`, hexadecimal. */
  readonly storeSha256: string
  readonly keyringSha256: string
}

/** Names of the members of a backup. */
export const memberNames = {
  keyring: 'keyring',
  store: 'store.mdb',
  manifest: 'manifest.json',
  seal: 'manifest.seal',
} as const

const context = Buffer.from('backup\0manifest', 'latin1')

/** The text of a manifest, as it is stored. */
export function manifestText(manifest: Manifest): Buffer {
  return Buffer.from(`${JSON.stringify(manifest, undefined, 2)}\n`, 'utf8')
}

/** The seal of a manifest's text. */
export function sealManifest(keyring: Keyring, text: Uint8Array): Uint8Array {
  return keyring.seal(context, sha256(text))
}

/**
 * The manifest of a text, whose seal must fit.
 * @throws BackupRefused when the text was changed, or is of another form
 */
export function openManifest(keyring: Keyring, text: Buffer, seal: Uint8Array): Manifest {
  let sealed: Uint8Array
  try {
    sealed = keyring.open(context, seal)
  } catch (cause) {
    if (!(cause instanceof SealBroken)) throw cause
    throw new BackupRefused('the manifest was not sealed under the keys of this backup: it was changed', { cause })
  }
  if (!sha256(text).equals(sealed)) throw new BackupRefused('the manifest was changed')
  return readManifest(text)
}

/**
 * The manifest of a text, unchecked against its seal: to say which root key is needed.
 * @throws BackupRefused when it is of another form
 */
export function readManifest(text: Buffer): Manifest {
  let value: unknown
  try {
    value = JSON.parse(text.toString('utf8'))
  } catch (cause) {
    throw new BackupRefused('the manifest is not JSON', { cause })
  }
  const { format } = (typeof value === 'object' && value !== null ? value : {}) as Partial<Manifest>
  if (format !== 1) throw new BackupRefused(`the backup is of form ${String(format)}, and this version knows form 1`)
  return value as Manifest
}

/** SHA-256. */
export function sha256(bytes: Uint8Array): Buffer {
  return createHash('sha256').update(bytes).digest()
}
