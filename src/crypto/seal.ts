/**
 * Sealing what lies on disk. What it is: a keyring that seals record bytes with AES-256-GCM and hashes index terms with
 * HMAC-SHA-256, itself sealed under a root key. What it is not: the store (which only sees `seal`, `open` and `hash`), or
 * the place where the root key comes from (`key-file.ts`).
 *
 *   sealed bytes    key id 4 | salt 16 | counter 8 | ciphertext | tag 16
 *   sealed keyring  "kmipd-keyring" | format 1 | nonce 12 | ciphertext | tag 16
 *   keyring         hash key 32 | ( key id 4 | data key 32 ) ×n, the last one seals what is new
 *
 * Each keyring in memory draws a salt of its own, derives a key from data key and salt (HKDF-SHA-256), and counts its nonces
 * from 0: so no nonce comes twice under one key, however many records are written and however many threads and starts there
 * are, which random nonces would not promise (NIST SP 800-38D §8.3 stops them at 2^32 for one key).
 */

import { createCipheriv, createDecipheriv, createHmac, createSecretKey, hkdfSync, type KeyObject } from 'node:crypto'
import type { Entropy } from '#actor/entropy'

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
const keyringMagic = Buffer.from('kmipd-keyring\u0001', 'latin1')
const keyringContext = keyringMagic
const derivationLabel = Buffer.from('kmipd record', 'latin1')
/** One derived key per start and thread that wrote; more than this many are derived again when met (about 4 µs each). */
const derivedKeysMax = 1024

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
  readonly #hashKey: KeyObject
  readonly #dataKeys: ReadonlyMap<number, KeyObject>
  readonly #derived = new Map<string, KeyObject>()
  readonly #salt: Uint8Array
  readonly #currentId: number
  readonly #currentKey: KeyObject
  #counter = 0n

  /** Use `openKeyring`. */
  constructor(content: KeyringContent, entropy: Entropy) {
    this.#content = content
    this.#hashKey = createSecretKey(content.hashKey)
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
    sealed.writeBigUInt64BE(this.#counter++, keyIdBytes + saltBytes)
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
    return createHmac('sha256', this.#hashKey).update(term).digest().subarray(0, hashBytes)
  }

  /** The same keys, sealed under a root key: what is stored of a keyring. */
  sealUnder(rootKey: Uint8Array, entropy: Entropy): Uint8Array {
    return sealContent(rootKey, this.#content, entropy)
  }

  /** The same keys and a new data key, which seals all that is written from then on; sealed under a root key. */
  sealWithNewDataKey(rootKey: Uint8Array, entropy: Entropy): Uint8Array {
    const { hashKey, dataKeys } = this.#content
    const id = Math.max(0, ...dataKeys.map((dataKey) => dataKey.id)) + 1
    return sealContent(rootKey, { hashKey, dataKeys: [...dataKeys, { id, key: entropy.bytes(sealKeyBytes) }] }, entropy)
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

/** A new keyring with one data key and a hash key, as the bytes to store: sealed under the root key (32 bytes). */
export function createKeyring(rootKey: Uint8Array, entropy: Entropy): Uint8Array {
  const dataKeys = [{ id: 1, key: entropy.bytes(sealKeyBytes) }]
  return sealContent(rootKey, { hashKey: entropy.bytes(sealKeyBytes), dataKeys }, entropy)
}

/**
 * Opens a stored keyring.
 * @throws RootKeyRefused when it was not sealed under this root key, or was changed.
 */
export function openKeyring(rootKey: Uint8Array, sealedKeyring: Uint8Array, entropy: Entropy): Keyring {
  return new Keyring(openContent(rootKey, sealedKeyring), entropy)
}

/**
 * The same keyring under a new root key: no record needs to be touched.
 * @throws RootKeyRefused when it was not sealed under the old root key.
 */
export function resealKeyring(
  oldRootKey: Uint8Array,
  newRootKey: Uint8Array,
  sealedKeyring: Uint8Array,
  entropy: Entropy,
): Uint8Array {
  return sealContent(newRootKey, openContent(oldRootKey, sealedKeyring), entropy)
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

function sealContent(rootKey: Uint8Array, content: KeyringContent, entropy: Entropy): Uint8Array {
  checkRootKey(rootKey)
  const plain = Buffer.alloc(sealKeyBytes + content.dataKeys.length * (keyIdBytes + sealKeyBytes))
  plain.set(content.hashKey, 0)
  content.dataKeys.forEach(({ id, key }, index) => {
    const at = sealKeyBytes + index * (keyIdBytes + sealKeyBytes)
    plain.writeUInt32BE(id, at)
    plain.set(key, at + keyIdBytes)
  })
  const nonce = entropy.bytes(nonceBytes)
  const cipher = createCipheriv(cipherName, createSecretKey(rootKey), nonce).setAAD(keyringContext)
  const sealed = [cipher.update(plain), cipher.final()]
  plain.fill(0)
  return new Uint8Array(Buffer.concat([keyringMagic, nonce, ...sealed, cipher.getAuthTag()]))
}

function openContent(rootKey: Uint8Array, sealedKeyring: Uint8Array): KeyringContent {
  checkRootKey(rootKey)
  const bytes = Buffer.from(sealedKeyring)
  const start = keyringMagic.length + nonceBytes
  if (bytes.length < start + tagBytes || !bytes.subarray(0, keyringMagic.length).equals(keyringMagic))
    throw new RootKeyRefused('this is not a keyring of a format that this version knows')
  const nonce = bytes.subarray(keyringMagic.length, start)
  let plain: Uint8Array
  try {
    plain = unseal(createSecretKey(rootKey), nonce, keyringContext, bytes.subarray(start))
  } catch (cause) {
    throw new RootKeyRefused('the root key does not open the keyring: wrong key, or the keyring was changed', { cause })
  }
  return parseContent(Buffer.from(plain))
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

function checkRootKey(rootKey: Uint8Array): void {
  if (rootKey.length !== sealKeyBytes) throw new RootKeyRefused(`a root key has ${sealKeyBytes} bytes`)
}
