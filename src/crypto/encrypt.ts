/**
 * Encrypt and Decrypt at once: the key decides between a cipher (cipher.ts) and RSA (rsa-encryption.ts). KMIP 1.4 §4.29,
 * §4.30. What it is not: pieces of a stream (stream.ts), nor key wrapping (wrap.ts).
 */

import { type CipherOptions, openDecryption, openEncryption } from './cipher.ts'
import { isAsymmetric } from './key-use.ts'
import { concatenated } from './octets.ts'
import { isOneTimePad, padData } from './one-time-pad.ts'
import { decryptRsa, encryptRsa } from './rsa-encryption.ts'

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

/** Encrypts. Throws AlgorithmError, KeyUseError, KeyFormatError, as cipher.ts and rsa-encryption.ts say. KMIP 1.4 §4.29. */
export function encrypt(request: EncryptRequest): Encrypted {
  const { key, parameters, data } = request
  if (isAsymmetric(key)) return { data: encryptRsa(key, parameters, data) }
  if (isOneTimePad(key)) return { data: padData(key, data) }
  const stream = openEncryption(request)
  const head = stream.update(data)
  const { data: tail, tag } = stream.final()
  return {
    data: concatenated(head, tail),
    ...(stream.iv === undefined ? {} : { iv: stream.iv }),
    ...(tag === undefined ? {} : { tag }),
  }
}

/** Decrypts. Throws as `encrypt` does; KeyUseError (`failed`), always alike, for all that depends on the key. KMIP 1.4 §4.30. */
export function decrypt(request: EncryptRequest): { readonly data: Uint8Array } {
  const { key, parameters, data } = request
  if (isAsymmetric(key)) return { data: decryptRsa(key, parameters, data) }
  if (isOneTimePad(key)) return { data: padData(key, data) }
  const stream = openDecryption(request)
  const head = stream.update(data)
  return { data: concatenated(head, stream.final().data) }
}
