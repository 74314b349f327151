/** Keys that the library made, their DER as the library writes it, and the forms that the key format tests use. */

import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { createDiffieHellmanGroup, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { KeyFormatError, type KeyFormatErrorKind } from '#crypto/errors'
import type { KeyForm } from '#crypto/key-format'
import type { KeyMaterial, TransparentKey } from '#crypto/transparent'
import { CryptographicAlgorithm as A, KeyFormatType as F, ObjectType } from '#kmip/enums'

/** A structure with every field there. */
export type WholeStructure = { readonly [Field in keyof TransparentKey]-?: NonNullable<TransparentKey[Field]> }

export const openssl = (args: readonly string[], input: Uint8Array): Buffer =>
  execFileSync('openssl', args, { input, stdio: ['pipe', 'pipe', 'pipe'] })
export const plain = (bytes: Uint8Array) => new Uint8Array(bytes)
export const pkcs1 = (key: KeyObject) => plain(key.export({ format: 'der', type: 'pkcs1' }))
export const pkcs8 = (key: KeyObject) => plain(key.export({ format: 'der', type: 'pkcs8' }))
export const sec1 = (key: KeyObject) => plain(key.export({ format: 'der', type: 'sec1' }))
export const spki = (key: KeyObject) => plain(key.export({ format: 'der', type: 'spki' }))
export const raw = (key: KeyObject): Uint8Array =>
  key.type === 'private' ? plain(key.export({ format: 'raw-private' })) : plain(key.export({ format: 'raw-public' }))
export const number = (bytes: Uint8Array) => BigInt(`0x${Buffer.from(bytes).toString('hex')}`)

export const privateForm = (keyFormatType: F, keyMaterial: KeyMaterial): KeyForm => ({
  objectType: ObjectType.PrivateKey,
  keyFormatType,
  keyMaterial,
})
export const publicForm = (keyFormatType: F, keyMaterial: KeyMaterial): KeyForm => ({
  objectType: ObjectType.PublicKey,
  keyFormatType,
  keyMaterial,
})
export const symmetricForm = (keyMaterial: KeyMaterial, claims: Partial<KeyForm> = {}): KeyForm => ({
  objectType: ObjectType.SymmetricKey,
  keyFormatType: F.Raw,
  keyMaterial,
  cryptographicAlgorithm: A.AES,
  ...claims,
})
export const refuses = (kind: KeyFormatErrorKind, run: () => unknown): void => {
  assert.throws(run, (error) => error instanceof KeyFormatError && error.kind === kind)
}

export const rsa = generateKeyPairSync('rsa', { modulusLength: 1024 })
export const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' })
export const ed25519 = generateKeyPairSync('ed25519')
export const ed448 = generateKeyPairSync('ed448')
export const x25519 = generateKeyPairSync('x25519')
export const dsa = generateKeyPairSync('dsa', { modulusLength: 1024, divisorLength: 160 })
export const dh = generateKeyPairSync('dh', { prime: createDiffieHellmanGroup('modp14').getPrime(), generator: 2 })
