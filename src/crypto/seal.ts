/**
 * Sealing what lies on disk. What it is: a keyring that seals record bytes with AES-256-GCM and hashes index terms with
 * HMAC-SHA-256, itself sealed under a root key. What it is not: the store (which only sees `seal`, `open` and `hash`), or
 * the place where the root key comes from (`key-file.ts`).
 *
 *   sealed bytes    key id 4 | salt 16 | counter 8 | ciphertext | tag 16
 *   sealed keyring  "kmipd-keyring" | format 1 | nonce 12 | ciphertext | tag 16               under a key
 *                   "kmipd-keyring" | format 2 | head 28 | nonce 12 | ciphertext | tag 16     under a passphrase (`passphrase.ts`)
 *   keyring         hash key 32 | ( key id 4 | data key 32 ) ×n, the last one seals what is new
 *
 * Each keyring in memory draws a salt of its own, derives a key from data key and salt (HKDF-SHA-256), and counts its nonces
 * from 0: so no nonce comes twice under one key, however many records are written and however many threads and starts there
 * are, which random nonces would not promise (NIST SP 800-38D §8.3 stops them at 2^32 for one key).
 */

import { createCipheriv, createDecipheriv, createHmac, createSecretKey, hkdfSync, type KeyObject } from 'node:crypto'
import type { Entropy } from '#actor/entropy'
import { HashingAlgorithm } from '#kmip/enums'
import { libraryHash } from './digest.ts'
import { hmacOf } from './hmac.ts'
import { newPassphraseHead, Passphrase, PassphraseRefused, passphraseHeadBytes } from './passphrase.ts'

/** Bytes that were not sealed under these keys for this context, or that were changed since. */
export class SealBroken extends Error {
  override readonly name = 'SealBroken'
}

/** A root key that is not the one that sealed the keyring, or a keyring that is damaged: the two look the same. */
export class RootKeyRefused extends Error {
  override readonly name = 'RootKeyRefused'
}

/** A root key, a data key and the hash key have this many bytes. */
export const sealKeyBytes = 32

const cipherName = 'aes-256-gcm'
const keyIdBytes = 4
const saltBytes = 16
const counterBytes = 8
const nonceBytes = 12
const tagBytes = 16
const headBytes = keyIdBytes + saltBytes + counterBytes
const hashBytes = 16
const sha256 = libraryHash(HashingAlgorithm.SHA_256)
const keyMagic = Buffer.from('kmipd-keyring\u0001', 'latin1')
const passphraseMagic = Buffer.from('kmipd-keyring\u0002', 'latin1')
const rootKeyLabel = Buffer.from('kmipd root key name', 'latin1')
const rootKeyNameBytes = 8
const derivationLabel = Buffer.from('kmipd record', 'latin1')
/** One derived key per start and thread that wrote; more than this many are derived again when met (about 4 µs each). */
const derivedKeysMax = 1024

/** What a keyring is sealed under: a root key of 32 bytes, or a passphrase. */
export type RootSecret = Uint8Array | Passphrase

/** What a root key is called where it may be seen: 16 hexadecimal digits that say nothing of it, or `passphrase`. */
export function rootKeyName(root: RootSecret): string {
  if (root instanceof Passphrase) return 'passphrase'
  return createHmac('sha256', root).update(rootKeyLabel).digest().subarray(0, rootKeyNameBytes).toString('hex')
}

interface DataKey {
  readonly id: number
  readonly key: Uint8Array
}

interface KeyringContent {
  readonly hashKey: Uint8Array
  readonly dataKeys: readonly DataKey[]
}

/** The keys of a store, unsealed. Implements the store's `Sealer`. Shows nothing of itself to inspection or JSON. */
export class Keyring {
  readonly #content: KeyringContent
  readonly #dataKeys: ReadonlyMap<number, KeyObject>
  readonly #derived = new Map<string, KeyObject>()
  readonly #salt: Uint8Array
  readonly #currentId: number
  readonly #currentKey: KeyObject
  /** Below 2^53 to the end: at a million records a second that is in 285 years. */
  #counter = 0

  /** Use `openKeyring`. */
  constructor(content: KeyringContent, entropy: Entropy) {
    this.#content = content
    this.#dataKeys = new Map(content.dataKeys.map(({ id, key }) => [id, createSecretKey(key)]))
    this.#salt = entropy.bytes(saltBytes)
    this.#currentId = content.dataKeys.at(-1)?.id ?? 0
    this.#currentKey = this.#derive(this.#currentId, this.#salt)
  }

  /**
   * Seals bytes for a context.
   * @param context what the bytes belong to; `open` must be given the same.
   */
  seal(context: Uint8Array, plaintext: Uint8Array): Uint8Array {
    const sealed = Buffer.allocUnsafe(headBytes + plaintext.length + tagBytes)
    sealed.writeUInt32BE(this.#currentId, 0)
    sealed.set(this.#salt, keyIdBytes)
    const counter = this.#counter++
    sealed.writeUInt32BE(Math.floor(counter / 2 ** 32), keyIdBytes + saltBytes)
    sealed.writeUInt32BE(counter >>> 0, keyIdBytes + saltBytes + 4)
    const cipher = createCipheriv(cipherName, this.#currentKey, nonceOf(sealed)).setAAD(context)
    sealed.set(cipher.update(plaintext), headBytes)
    cipher.final()
    sealed.set(cipher.getAuthTag(), headBytes + plaintext.length)
    return sealed
  }

  /**
   * Opens what `seal` made for the same context, under any data key of the keyring.
   * @throws SealBroken when the bytes are anything else.
   */
  open(context: Uint8Array, sealed: Uint8Array): Uint8Array {
    if (sealed.length < headBytes + tagBytes) throw new SealBroken('sealed bytes are too short')
    const bytes = Buffer.from(sealed.buffer, sealed.byteOffset, sealed.length)
    const id = bytes.readUInt32BE(0)
    if (!this.#dataKeys.has(id)) throw new SealBroken(`sealed under data key ${id}, which the keyring does not have`)
    const key = this.#derive(id, bytes.subarray(keyIdBytes, keyIdBytes + saltBytes))
    return unseal(key, nonceOf(bytes), context, bytes.subarray(headBytes))
  }

  /** Keyed hash of an index term, 16 bytes. */
  hash(term: Uint8Array): Uint8Array {
    return hmacOf(sha256, this.#content.hashKey, term).subarray(0, hashBytes)
  }

  /** The same keys, sealed under a root key or a passphrase: what is stored of a keyring. */
  sealUnder(root: RootSecret, entropy: Entropy): Uint8Array {
    return sealContent(root, this.#content, entropy)
  }

  /** The same keys and a new data key, which seals all that is written from then on; sealed under a root key. */
  sealWithNewDataKey(root: RootSecret, entropy: Entropy): Uint8Array {
    const { hashKey, dataKeys } = this.#content
    const id = Math.max(0, ...dataKeys.map((dataKey) => dataKey.id)) + 1
    return sealContent(root, { hashKey, dataKeys: [...dataKeys, { id, key: entropy.bytes(sealKeyBytes) }] }, entropy)
  }

  #derive(id: number, salt: Uint8Array): KeyObject {
    const name = `${id}:${Buffer.from(salt).toString('latin1')}`
    const known = this.#derived.get(name)
    if (known !== undefined) return known
    const dataKey = this.#dataKeys.get(id)
    if (dataKey === undefined) throw new SealBroken(`the keyring has no data key ${id}`)
    const derived = createSecretKey(new Uint8Array(hkdfSync('sha256', dataKey, salt, derivationLabel, sealKeyBytes)))
    const [oldest] = this.#derived.keys()
    if (this.#derived.size >= derivedKeysMax && oldest !== undefined) this.#derived.delete(oldest)
    this.#derived.set(name, derived)
    return derived
  }
}

/** A new keyring with one data key and a hash key, as the bytes to store: sealed under a root key or a passphrase. */
export function createKeyring(root: RootSecret, entropy: Entropy): Uint8Array {
  const dataKeys = [{ id: 1, key: entropy.bytes(sealKeyBytes) }]
  return sealContent(root, { hashKey: entropy.bytes(sealKeyBytes), dataKeys }, entropy)
}

/**
 * Opens a stored keyring.
 * @throws RootKeyRefused when it was not sealed under this root key, or was changed.
 */
export function openKeyring(root: RootSecret, sealedKeyring: Uint8Array, entropy: Entropy): Keyring {
  return new Keyring(openContent(root, sealedKeyring), entropy)
}

/**
 * The same keyring under a new root key: no record needs to be touched.
 * @throws RootKeyRefused when it was not sealed under the old root key.
 */
export function resealKeyring(
  oldRoot: RootSecret,
  newRoot: RootSecret,
  sealedKeyring: Uint8Array,
  entropy: Entropy,
): Uint8Array {
  return sealContent(newRoot, openContent(oldRoot, sealedKeyring), entropy)
}

function nonceOf(sealed: Buffer): Uint8Array {
  const nonce = new Uint8Array(nonceBytes)
  nonce.set(sealed.subarray(keyIdBytes + saltBytes, headBytes), nonceBytes - counterBytes)
  return nonce
}

function unseal(key: KeyObject, nonce: Uint8Array, context: Uint8Array, sealed: Uint8Array): Uint8Array {
  const end = sealed.length - tagBytes
  const decipher = createDecipheriv(cipherName, key, nonce, { authTagLength: tagBytes })
  decipher.setAAD(context).setAuthTag(sealed.subarray(end))
  const plaintext = decipher.update(sealed.subarray(0, end))
  try {
    decipher.final()
  } catch (cause) {
    throw new SealBroken('the seal does not fit the bytes and their place', { cause })
  }
  return plaintext
}

function sealContent(root: RootSecret, content: KeyringContent, entropy: Entropy): Uint8Array {
  const head =
    root instanceof Passphrase ? Buffer.concat([passphraseMagic, newPassphraseHead(entropy)]) : Buffer.from(keyMagic)
  const plain = Buffer.alloc(sealKeyBytes + content.dataKeys.length * (keyIdBytes + sealKeyBytes))
  plain.set(content.hashKey, 0)
  content.dataKeys.forEach(({ id, key }, index) => {
    const at = sealKeyBytes + index * (keyIdBytes + sealKeyBytes)
    plain.writeUInt32BE(id, at)
    plain.set(key, at + keyIdBytes)
  })
  const nonce = entropy.bytes(nonceBytes)
  const cipher = createCipheriv(cipherName, rootKeyOf(root, head), nonce).setAAD(head)
  const sealed = [cipher.update(plain), cipher.final()]
  plain.fill(0)
  return new Uint8Array(Buffer.concat([head, nonce, ...sealed, cipher.getAuthTag()]))
}

function openContent(root: RootSecret, sealedKeyring: Uint8Array): KeyringContent {
  const bytes = Buffer.from(sealedKeyring)
  const head = bytes.subarray(0, headBytesOf(bytes, root))
  const start = head.length + nonceBytes
  if (bytes.length < start + tagBytes) throw new RootKeyRefused('the keyring is cut short: restore it')
  const nonce = bytes.subarray(head.length, start)
  let plain: Uint8Array
  try {
    plain = unseal(rootKeyOf(root, head), nonce, head, bytes.subarray(start))
  } catch (cause) {
    if (cause instanceof RootKeyRefused) throw cause
    const what = root instanceof Passphrase ? 'passphrase' : 'root key'
    throw new RootKeyRefused(`the ${what} does not open the keyring: wrong ${what}, or the keyring was changed`, {
      cause,
    })
  }
  return parseContent(Buffer.from(plain))
}

/** How long the head of a keyring is. @throws RootKeyRefused when it is not of the kind that the secret can open */
function headBytesOf(bytes: Buffer, root: RootSecret): number {
  const isPassphrase = root instanceof Passphrase
  const magic = bytes.subarray(0, keyMagic.length)
  if (magic.equals(keyMagic)) {
    if (isPassphrase) throw new RootKeyRefused('the keyring is sealed under a root key, and a passphrase was given')
    return keyMagic.length
  }
  if (!magic.equals(passphraseMagic))
    throw new RootKeyRefused('this is not a keyring of a format that this version knows')
  if (!isPassphrase) throw new RootKeyRefused('the keyring is sealed under a passphrase, and a root key was given')
  return passphraseMagic.length + passphraseHeadBytes
}

/** @throws RootKeyRefused when it cannot be a root key, or the head is none of ours */
function rootKeyOf(root: RootSecret, head: Uint8Array): KeyObject {
  if (!(root instanceof Passphrase)) {
    if (root.length !== sealKeyBytes) throw new RootKeyRefused(`a root key has ${sealKeyBytes} bytes`)
    return createSecretKey(root)
  }
  let key: Uint8Array
  try {
    key = root.key(head.subarray(passphraseMagic.length))
  } catch (cause) {
    if (cause instanceof PassphraseRefused) throw new RootKeyRefused(cause.message, { cause })
    throw cause
  }
  const object = createSecretKey(key)
  key.fill(0)
  return object
}

function parseContent(plain: Buffer): KeyringContent {
  const dataKeys: DataKey[] = []
  for (let at = sealKeyBytes; at < plain.length; at += keyIdBytes + sealKeyBytes) {
    const end = at + keyIdBytes + sealKeyBytes
    if (end > plain.length) throw new RootKeyRefused('the keyring ends within a key')
    dataKeys.push({ id: plain.readUInt32BE(at), key: new Uint8Array(plain.subarray(at + keyIdBytes, end)) })
  }
  if (dataKeys.length === 0) throw new RootKeyRefused('the keyring has no data key')
  return { hashKey: new Uint8Array(plain.subarray(0, sealKeyBytes)), dataKeys }
}
