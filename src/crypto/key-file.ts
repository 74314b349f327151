/**
 * The root key and the sealed keyring as files. What it is: making them at a first start, reading them at each later one, and
 * replacing the root key so that a crash at any moment leaves a pair that fits. What it is not: the sealing (`seal.ts`).
 *
 *   root.key   64 hexadecimal digits and a line feed, mode 0600
 *   keyring    the sealed keyring (`seal.ts` draws it), mode 0600
 */

import {
  closeSync,
  existsSync,
  fsyncSync,
  openSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs'
import { dirname } from 'node:path'
import { platform } from 'node:process'
import type { Entropy } from '#actor/entropy'
import { createKeyring, type Keyring, openKeyring, RootKeyRefused, resealKeyring, sealKeyBytes } from './seal.ts'

export interface KeyFiles {
  readonly rootKeyPath: string
  readonly keyringPath: string
}

/** The keyring of a store, and which files were made for it. */
export interface OpenedKeyring {
  readonly keyring: Keyring
  readonly made: readonly string[]
}

const ownerOnly = 0o600
/** Where Docker mounts secrets, with mode 0444 unless told otherwise: nobody else is in the container. */
const secretsFolder = '/run/secrets/'
/** A rotation leaves the next root key here until the keyring is sealed under it. */
const nextSuffix = '.next'

/**
 * Opens the keyring that the files hold; makes what is absent when `mayCreate` (a first start, when there is no store yet).
 * @throws RootKeyRefused when a file is absent, readable by others, malformed, or when the two do not fit.
 */
export function openKeyFiles(files: KeyFiles, entropy: Entropy, mayCreate: boolean): OpenedKeyring {
  const { rootKeyPath, keyringPath } = files
  const made: string[] = []
  if (!existsSync(keyringPath)) {
    if (!mayCreate)
      throw new RootKeyRefused(`${keyringPath} is absent: without it the store beside it cannot be read; restore it`)
    if (!existsSync(rootKeyPath)) {
      makeRootKey(rootKeyPath, entropy)
      made.push(rootKeyPath)
    }
    const sealed = createKeyring(readRootKey(rootKeyPath), entropy)
    writeWhole(keyringPath, sealed)
    made.push(keyringPath)
  }
  finishRotation(files, entropy)
  return { keyring: openKeyring(readRootKey(rootKeyPath), readFileSync(keyringPath), entropy), made }
}

/**
 * Replaces the root key by a new one and seals the keyring under it; records stay as they are. For a store that is not open
 * elsewhere, or whose server reads the files only at its start.
 * @throws RootKeyRefused when the files do not fit each other.
 */
export function rotateRootKey(files: KeyFiles, entropy: Entropy): void {
  finishRotation(files, entropy)
  const nextPath = realRootKey(files.rootKeyPath) + nextSuffix
  const sealed = readFileSync(files.keyringPath)
  const oldRootKey = readRootKey(files.rootKeyPath)
  // Before anything is written: a pair that does not fit must stay as it is.
  openKeyring(oldRootKey, sealed, entropy)
  makeRootKey(nextPath, entropy)
  writeWhole(files.keyringPath, resealKeyring(oldRootKey, readRootKey(nextPath), sealed, entropy))
  finishRotation(files, entropy)
}

/** Writes a new root key to a file that must not be there yet, mode 0600, and waits for the disk. */
export function makeRootKey(path: string, entropy: Entropy): void {
  const text = `${Buffer.from(entropy.bytes(sealKeyBytes)).toString('hex')}\n`
  writeNew(path, Buffer.from(text, 'latin1'))
}

/**
 * Reads a root key.
 * @throws RootKeyRefused when the file is absent, when others than its owner may read it, or when it is not 64 hexadecimal digits.
 */
export function readRootKey(path: string): Uint8Array {
  if (!existsSync(path))
    throw new RootKeyRefused(`the root key ${path} is absent: put the key file back, or name its place`)
  if (isOpenToOthers(path))
    throw new RootKeyRefused(`the root key ${path} is open to others than its owner: chmod 600 ${path}`)
  return parseRootKey(readFileSync(path, 'latin1'), path)
}

/** Whether others than its owner may read a file that opens the store. */
export function isOpenToOthers(path: string): boolean {
  // Windows keeps no such mode; there the folder's access list must do it. Secrets of containers come as they are mounted.
  return platform !== 'win32' && !path.startsWith(secretsFolder) && (statSync(path).mode & 0o077) !== 0
}

/**
 * A root key from its text.
 * @param from where the text comes from, for the error, which never shows it
 * @throws RootKeyRefused when it is not 64 hexadecimal digits
 */
export function parseRootKey(text: string, from: string): Uint8Array {
  const digits = text.trim()
  if (digits.length !== sealKeyBytes * 2 || !/^[0-9a-fA-F]+$/.test(digits))
    throw new RootKeyRefused(`the root key ${from} is not ${sealKeyBytes * 2} hexadecimal digits`)
  return new Uint8Array(Buffer.from(digits, 'hex'))
}

/** Ends a rotation that a crash interrupted: forward when the keyring is sealed under the next key already, else back. */
function finishRotation({ rootKeyPath: given, keyringPath }: KeyFiles, entropy: Entropy): void {
  const rootKeyPath = realRootKey(given)
  const nextPath = rootKeyPath + nextSuffix
  if (!existsSync(nextPath)) return
  if (opens(nextPath, keyringPath, entropy)) renameSync(nextPath, rootKeyPath)
  else if (opens(rootKeyPath, keyringPath, entropy)) rmSync(nextPath)
  else throw new RootKeyRefused(`neither ${rootKeyPath} nor ${nextPath} opens the keyring ${keyringPath}`)
  syncDirectory(rootKeyPath)
}

/** The file behind links: a new root key belongs where the old one is, and not beside the data where the link is. */
export function realRootKey(path: string): string {
  return existsSync(path) ? realpathSync(path) : path
}

function opens(rootKeyPath: string, keyringPath: string, entropy: Entropy): boolean {
  try {
    openKeyring(readRootKey(rootKeyPath), readFileSync(keyringPath), entropy)
    return true
  } catch (error) {
    if (error instanceof RootKeyRefused) return false
    throw error
  }
}

function writeNew(path: string, bytes: Uint8Array): void {
  const file = openSync(path, 'wx', ownerOnly)
  try {
    writeSync(file, bytes)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
  syncDirectory(path)
}

/** Replaces a file as a whole, mode 0600: a reader, or a start after a crash, finds the old bytes or the new ones. */
export function writeWhole(path: string, bytes: Uint8Array): void {
  const partPath = `${path}.part`
  rmSync(partPath, { force: true })
  writeNew(partPath, bytes)
  renameSync(partPath, path)
  syncDirectory(path)
}

/** Waits for the disk to have the names in the directory of a file. */
export function syncDirectory(path: string): void {
  // A directory cannot be opened for sync on Windows, and need not be.
  if (platform === 'win32') return
  const directory = openSync(dirname(path), 'r')
  try {
    fsyncSync(directory)
  } finally {
    closeSync(directory)
  }
}
