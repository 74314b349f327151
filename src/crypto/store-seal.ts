/**
 * The seal of a data directory: where its root key comes from, its keyring, and the change of the root key while a server
 * runs. What it is: one way to open the keyring whatever the source is. What it is not: the sealing (`seal.ts`), or the files
 * of the default source, which are made and replaced as a pair (`key-file.ts`).
 *
 *   source       file          a file with the key: made at a first start where it is our own, else it must be there
 *                key           the key itself, from the environment
 *                passphrase    typed, or from a file or the environment
 *
 *   keyring        sealed under the root key that is in force
 *   keyring.next   the same keys sealed under the next one, while both open the store: the first start with the next root key,
 *                  or `finish`, makes it the only one
 */

import { accessSync, constants, existsSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Entropy } from '#actor/entropy'
import { openKeyFiles, readRootKey, realRootKey, rotateRootKey, syncDirectory, writeWhole } from './key-file.ts'
import type { Passphrase } from './passphrase.ts'
import { createKeyring, type Keyring, openKeyring, RootKeyRefused, type RootSecret, rootKeyName } from './seal.ts'

/** Where the root key comes from. */
export type RootKeySource =
  | { readonly kind: 'file'; readonly path: string; readonly mayMake: boolean }
  | { readonly kind: 'key'; readonly key: Uint8Array; readonly from: string }
  | { readonly kind: 'passphrase'; readonly passphrase: Passphrase; readonly from: string }

export interface SealOptions {
  readonly keyringPath: string
  readonly source: RootKeySource
  readonly entropy: Entropy
}

/** How it stands with the root key. Holds no secret. */
export interface SealState {
  readonly source: RootKeySource['kind']
  /** Path of the file, or the name of the variable. */
  readonly from: string
  /** Name of the root key that is in force (`rootKeyName`). */
  readonly rootKey: string
  /** Name of the next one, while both open the store; undefined when no change is under way. */
  readonly next: string | undefined
}

const nextSuffix = '.next'

/**
 * The secret of a source: a file is read each time, since its content may have changed.
 * @throws RootKeyRefused when the file is absent, open to others, or no key
 */
export function rootSecretOf(source: RootKeySource): RootSecret {
  if (source.kind === 'file') return readRootKey(source.path)
  return source.kind === 'key' ? source.key : source.passphrase
}

/** An opened seal. The caller holds the lock of the data directory from before `openSeal` to the end. */
export class StoreSeal {
  readonly keyring: Keyring
  /** Files that this start made. */
  readonly made: readonly string[]
  readonly #options: SealOptions
  #source: RootKeySource
  #name: string
  #next: { readonly secret: RootSecret | undefined; readonly name: string } | undefined

  /** Use `openSeal`. */
  constructor(options: SealOptions, keyring: Keyring, made: readonly string[], name: string) {
    this.#options = options
    this.#source = options.source
    this.keyring = keyring
    this.made = made
    this.#name = name
    if (existsSync(this.#nextPath)) this.#next = { secret: undefined, name: 'unknown until it is used' }
  }

  get #nextPath(): string {
    return nextPathOf(this.#options)
  }

  /** How it stands. */
  get state(): SealState {
    return { source: this.#source.kind, from: placeOf(this.#source), rootKey: this.#name, next: this.#next?.name }
  }

  /** The keyring as it is stored: what a backup has to hold. */
  sealed(): Uint8Array {
    return readFileSync(this.#options.keyringPath)
  }

  /** The secret that is in force. @throws RootKeyRefused when its file is gone */
  secret(): RootSecret {
    return rootSecretOf(this.#source)
  }

  /**
   * Replaces the root key; nothing else is touched, and nobody waits. Without a next one, of a source that is a file, a key is made
   * and the file replaced, at once. With a next one, both open the store until a start with the next one or `finish`.
   * @throws RootKeyRefused when the file cannot be replaced, or a next one is needed
   */
  rotate(next: RootSecret | undefined): SealState {
    const { keyringPath, entropy } = this.#options
    if (next !== undefined) {
      writeWhole(this.#nextPath, this.keyring.sealUnder(next, entropy))
      this.#next = { secret: next, name: rootKeyName(next) }
      return this.state
    }
    if (this.#source.kind !== 'file')
      throw new RootKeyRefused(`the root key comes from ${placeOf(this.#source)}: give the next one`)
    const { path } = this.#source
    try {
      accessSync(dirname(realRootKey(path)), constants.W_OK)
    } catch (cause) {
      throw new RootKeyRefused(`${path} cannot be replaced from here: give the next one`, { cause })
    }
    rotateRootKey({ rootKeyPath: path, keyringPath }, entropy)
    this.#forgetNext()
    this.#name = rootKeyName(readRootKey(path))
    return this.state
  }

  /**
   * Makes the next root key the only one.
   * @throws RootKeyRefused when none was given since the server was started
   */
  finish(): SealState {
    const { keyringPath } = this.#options
    const secret = this.#next?.secret
    if (secret === undefined) throw new RootKeyRefused('no next root key was given since the server was started')
    renameSync(this.#nextPath, keyringPath)
    syncDirectory(keyringPath)
    // Where the next start finds it is the operator's; until then this process has it.
    const from = 'the next start must have it'
    this.#source =
      secret instanceof Uint8Array
        ? { kind: 'key', key: secret, from }
        : { kind: 'passphrase', passphrase: secret, from }
    this.#name = rootKeyName(secret)
    this.#next = undefined
    return this.state
  }

  /** Gives a change of the root key up: the one that is in force stays. */
  #forgetNext(): void {
    if (this.#next === undefined) return
    rmSync(this.#nextPath, { force: true })
    syncDirectory(this.#nextPath)
    this.#next = undefined
  }
}

/**
 * Opens the seal of a data directory whose lock the caller holds.
 * @param mayCreate a first start: there is no store yet, and what is absent is made
 * @throws RootKeyRefused when the root key is absent or wrong; nothing was touched
 */
export function openSeal(options: SealOptions, mayCreate: boolean): StoreSeal {
  const { keyringPath, source, entropy } = options
  const nextPath = nextPathOf(options)
  if (source.kind === 'file') {
    if (!source.mayMake && !existsSync(source.path))
      throw new RootKeyRefused(
        `the root key ${source.path} is absent: put it there, or make one for a new store: openssl rand -hex 32`,
      )
    if (takesNext(options)) takeNext(options)
    const { keyring, made } = openKeyFiles({ rootKeyPath: source.path, keyringPath }, entropy, mayCreate)
    return new StoreSeal(options, keyring, made, rootKeyName(readRootKey(source.path)))
  }
  const secret = rootSecretOf(source)
  const made: string[] = []
  if (!existsSync(keyringPath)) {
    if (!mayCreate)
      throw new RootKeyRefused(`${keyringPath} is absent: without it the store beside it cannot be read; restore it`)
    writeWhole(keyringPath, createKeyring(secret, entropy))
    made.push(keyringPath)
  }
  let keyring: Keyring
  try {
    keyring = openKeyring(secret, readFileSync(keyringPath), entropy)
  } catch (error) {
    if (!(error instanceof RootKeyRefused) || !existsSync(nextPath)) throw error
    keyring = openKeyring(secret, readFileSync(nextPath), entropy)
    takeNext(options)
  }
  return new StoreSeal(options, keyring, made, rootKeyName(secret))
}

function nextPathOf({ keyringPath }: SealOptions): string {
  return keyringPath + nextSuffix
}

/** Whether a file holds the next root key, and not the one in force. */
function takesNext(options: SealOptions): boolean {
  const { keyringPath, source, entropy } = options
  const nextPath = nextPathOf(options)
  if (source.kind !== 'file' || !existsSync(nextPath) || !existsSync(source.path)) return false
  const key = readRootKey(source.path)
  return !opens(key, keyringPath, entropy) && opens(key, nextPath, entropy)
}

function opens(key: Uint8Array, path: string, entropy: Entropy): boolean {
  try {
    openKeyring(key, readFileSync(path), entropy)
    return true
  } catch (error) {
    if (error instanceof RootKeyRefused) return false
    throw error
  }
}

function takeNext(options: SealOptions): void {
  renameSync(nextPathOf(options), options.keyringPath)
  syncDirectory(options.keyringPath)
}

function placeOf(source: RootKeySource): string {
  return source.kind === 'file' ? source.path : source.from
}
