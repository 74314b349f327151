/**
 * Encrypt and Decrypt at once: key and mode decide between a cipher (cipher.ts), RSA (rsa-encryption.ts) and key wrap (wrap.ts).
 * What it is not: pieces of a stream (stream.ts), nor the wrapping of keys by Get. KMIP 1.4 §4.29, §4.30.
 */

import { type BlockCipherMode, CryptographicAlgorithm } from '#kmip/enums'
import { type CipherOptions, encryptAtOnce, openDecryption } from './cipher.ts'
import { isAsymmetric, symmetricBytes } from './key-use.ts'
import { concatenated } from './octets.ts'
import { isOneTimePad, padData } from './one-time-pad.ts'
import { decryptRsa, encryptRsa } from './rsa-encryption.ts'
import { unwrapKey, type WrapRequest, wrapKey, wrapRows } from './wrap.ts'

/** What to encrypt or to decrypt, and with what. */
export interface EncryptRequest extends CipherOptions {
  readonly data: Uint8Array
}

/** The encrypted data; the initialization vector, where it was made here; the tag, where the mode makes one. */
export interface Encrypted {
  readonly data: Uint8Array
  readonly iv?: Uint8Array
  readonly tag?: Uint8Array
}

/** What wrap.ts takes, where an AES key and a mode that wraps keys are named; undefined for all else. */
function wrapRequest({ key, parameters, data }: EncryptRequest): WrapRequest | undefined {
  const { blockCipherMode } = parameters
  const wraps = blockCipherMode !== undefined && wrapRows.has(blockCipherMode)
  if (!wraps || key.cryptographicAlgorithm !== CryptographicAlgorithm.AES) return undefined
  return { blockCipherMode: blockCipherMode as BlockCipherMode, wrappingKey: symmetricBytes(key), data }
}

/** Whether all data is needed at once: RSA, one-time pads, and modes that wrap keys. */
export const isWhole = (request: Omit<EncryptRequest, 'data'>): boolean =>
  isAsymmetric(request.key) ||
  isOneTimePad(request.key) ||
  wrapRequest({ ...request, data: new Uint8Array(0) }) !== undefined

/**
 * Encrypts. Throws AlgorithmError, KeyUseError, KeyFormatError, KeyWrapError, as cipher.ts, rsa-encryption.ts and wrap.ts
 * say. KMIP 1.4 §4.29.
 */
export function encrypt(request: EncryptRequest): Encrypted {
  const { key, parameters, data } = request
  const wrapping = wrapRequest(request)
  if (wrapping !== undefined) return { data: wrapKey(wrapping) }
  if (isAsymmetric(key)) return { data: encryptRsa(key, parameters, data) }
  if (isOneTimePad(key)) return { data: padData(key, data) }
  return encryptAtOnce(request, data)
}

/** Decrypts. Throws as `encrypt` does; KeyUseError (`failed`), always alike, for all that depends on the key. KMIP 1.4 §4.30. */
export function decrypt(request: EncryptRequest): { readonly data: Uint8Array } {
  const { key, parameters, data } = request
  const wrapping = wrapRequest(request)
  if (wrapping !== undefined) return { data: unwrapKey(wrapping) }
  if (isAsymmetric(key)) return { data: decryptRsa(key, parameters, data) }
  if (isOneTimePad(key)) return { data: padData(key, data) }
  const stream = openDecryption(request)
  const head = stream.update(data)
  return { data: concatenated(head, stream.final().data) }
}
