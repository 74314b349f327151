/**
 * Keys as the functions that use them need them: bytes, or the library's object. What it is not: whether a key may be used;
 * its usage mask, state and dates are the caller's affair.
 */

import { createPrivateKey, createPublicKey, type KeyObject, X509Certificate } from 'node:crypto'
import { KeyFormatType, ObjectType } from '#kmip/enums'
import { type AsymmetricKey, type Family, type Half, readAsymmetricKey, unreadable } from './asymmetric-key.ts'
import { readPublicKeyInfo } from './der.ts'
import { hashRows } from './digest.ts'
import { KeyUseError } from './errors.ts'
import { type FiniteFieldKey, readFiniteFieldKey, writeFiniteFieldKey } from './finite-field-key.ts'
import type { KeptKeys } from './kept-keys.ts'
import type { KeyForm } from './key-format.ts'
import { unboundRsaKey } from './rsa-key.ts'
import { bytesOf, required, structureOf } from './transparent.ts'

const notForThis = (): KeyUseError => new KeyUseError('invalidKey', 'The key is not one for this operation')

const byteObjects: ReadonlySet<number> = new Set([ObjectType.SymmetricKey, ObjectType.SecretData])

/** The bytes of a symmetric key or of secret data. Throws KeyUseError (`invalidKey`) for another object, KeyFormatError. */
export function symmetricBytes(form: KeyForm): Uint8Array {
  if (!byteObjects.has(form.objectType)) throw notForThis()
  return form.keyFormatType === KeyFormatType.TransparentSymmetricKey
    ? required(structureOf(form.keyMaterial), 'key')
    : bytesOf(form.keyMaterial)
}

/** Whether the object is half of a pair, or a certificate: then signatures and RSA are meant, else ciphers. */
export const isAsymmetric = ({ objectType }: KeyForm): boolean => !byteObjects.has(objectType)

/** The library's object of one half of a pair, and its family. */
export interface UsableKey {
  readonly family: Family
  readonly key: KeyObject
  /** Of DSA and DH. */
  readonly numbers?: FiniteFieldKey
  /** Of an RSA key that is for PSS alone; `key` is without that bond, which keeps the library from computing with numbers. */
  readonly pss?: PssBond
}

/** What a key of id-RSASSA-PSS says of its signatures; without a hash, nothing but that they are PSS. RFC 4055 §1.2, §3.1. */
export interface PssBond {
  readonly hash: number | undefined
  readonly maskHash: number | undefined
  readonly saltBytesMin: number
}

function usable(read: AsymmetricKey | typeof unreadable): UsableKey {
  if (read === unreadable) throw notForThis()
  if (!('numbers' in read)) return usableObject(read.family, read.key)
  return { family: read.family, key: finiteFieldObject(read.numbers), numbers: read.numbers }
}

function usableObject(family: Family, key: KeyObject): UsableKey {
  if (key.asymmetricKeyType !== 'rsa-pss') return { family, key }
  const { hashAlgorithm, mgf1HashAlgorithm, saltLength = 0 } = key.asymmetricKeyDetails ?? {}
  const pss = { hash: hashNamed(hashAlgorithm), maskHash: hashNamed(mgf1HashAlgorithm), saltBytesMin: saltLength }
  return { family, key: unboundRsaKey(key), pss }
}

const hashNamed = (name: string | undefined): number | undefined =>
  name === undefined ? undefined : [...hashRows.values()].find(({ library }) => library?.name === name)?.value

/** A public key that the library has read; of DSA with its numbers, which a digest is checked with. */
function usablePublicObject(family: Family, key: KeyObject): UsableKey {
  if (family !== 'dsa') return usableObject(family, key)
  const numbers = readFiniteFieldKey(readPublicKeyInfo(key.export({ format: 'der', type: 'spki' })), 'public')
  return numbers === undefined ? { family, key } : { family, key, numbers }
}

/** The library's object of a DSA or DH key. */
export function finiteFieldObject(numbers: FiniteFieldKey): KeyObject {
  const der = { key: Buffer.from(writeFiniteFieldKey(numbers)), format: 'der' } as const
  return numbers.x === undefined
    ? createPublicKey({ ...der, type: 'spki' })
    : createPrivateKey({ ...der, type: 'pkcs8' })
}

/** This thread's kept keys; a thread that was given none reads every key anew. */
let keptKeys: KeptKeys | undefined

/** Gives this thread a place to keep keys in, or, with undefined, takes it away. The former place is cleared. */
export function keepKeysIn(place: KeptKeys | undefined): void {
  keptKeys?.clear()
  keptKeys = place
}

/** The key of a form, from this thread's kept ones if it was read lately. Structures are read anew: their numbers have no bytes to go by. */
function found(form: KeyForm, half: 'private' | 'public' | 'publicOfPrivate' | 'certificate', read: () => UsableKey) {
  const { keyMaterial, keyFormatType, cryptographicAlgorithm } = form
  if (keptKeys === undefined || !(keyMaterial instanceof Uint8Array)) return read()
  return keptKeys.find(`${half} ${keyFormatType} ${cryptographicAlgorithm}`, keyMaterial, read)
}

const readHalf = (form: KeyForm, half: Half): UsableKey =>
  usable(readAsymmetricKey(form.keyFormatType, form.keyMaterial, half, form.cryptographicAlgorithm))

/** A private key. Throws KeyUseError (`invalidKey`) for another object, KeyFormatError for material that is not one. */
export function usablePrivateKey(form: KeyForm): UsableKey {
  if (form.objectType !== ObjectType.PrivateKey) throw notForThis()
  return found(form, 'private', () => readHalf(form, 'private'))
}

const certificateFamilies: ReadonlyMap<string | undefined, Family> = new Map([
  ['rsa', 'rsa'],
  ['rsa-pss', 'rsa'],
  ['ec', 'ec'],
  ['ed25519', 'edwards'],
  ['ed448', 'edwards'],
  ['dsa', 'dsa'],
])

/**
 * A public key: of a Public Key, of a Certificate (its material is the DER of an X.509 certificate), or the public half of
 * a Private Key. Throws KeyUseError (`invalidKey`) for another object or one that cannot be read, KeyFormatError.
 */
export function usablePublicKey(form: KeyForm): UsableKey {
  if (form.objectType === ObjectType.PublicKey) return found(form, 'public', () => readHalf(form, 'public'))
  if (form.objectType === ObjectType.PrivateKey) {
    return found(form, 'publicOfPrivate', () => {
      const { family, key, pss } = readHalf(form, 'private')
      return { ...usablePublicObject(family, createPublicKey(key)), ...(pss === undefined ? {} : { pss }) }
    })
  }
  if (form.objectType !== ObjectType.Certificate) throw notForThis()
  return found(form, 'certificate', () => {
    const key = certificateKey(bytesOf(form.keyMaterial))
    const family = certificateFamilies.get(key.asymmetricKeyType)
    if (family === undefined) throw notForThis()
    return usablePublicObject(family, key)
  })
}

function certificateKey(der: Uint8Array): KeyObject {
  try {
    return new X509Certificate(der).publicKey
  } catch {
    // The library's text is of no use to a peer.
    throw notForThis()
  }
}
