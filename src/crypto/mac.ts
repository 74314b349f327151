/**
 * Message authentication codes. What it is: HMAC of every hash that the library has, CMAC and CBC-MAC of its block ciphers,
 * in pieces or at once. What it is not: the check of a code, which verifyMac does in constant time. KMIP 1.4 §4.33,
 * §4.34; RFC 2104; NIST SP 800-38B; FIPS 113.
 */

import { createHmac } from 'node:crypto'
import type { CryptographicParameters } from '#kmip/attribute-values'
import { BlockCipherMode, CryptographicAlgorithm, HashingAlgorithm } from '#kmip/enums'
import { openEncryption } from './cipher.ts'
import { hashName, libraryHash } from './digest.ts'
import { AlgorithmError, KeyUseError } from './errors.ts'
import { hmacOf } from './hmac.ts'
import type { KeyForm } from './key-format.ts'
import { symmetricBytes } from './key-use.ts'
import { concatenated } from './octets.ts'
import { constantTimeEqual } from './secret.ts'
import { plainBytes } from './transparent.ts'

const A = CryptographicAlgorithm
const H = HashingAlgorithm
const M = BlockCipherMode

/** The hash of each HMAC algorithm. */
const hmacHashes: ReadonlyMap<number | undefined, HashingAlgorithm> = new Map([
  [A.HMAC_SHA1, H.SHA_1],
  [A.HMAC_SHA224, H.SHA_224],
  [A.HMAC_SHA256, H.SHA_256],
  [A.HMAC_SHA384, H.SHA_384],
  [A.HMAC_SHA512, H.SHA_512],
  [A.HMAC_MD5, H.MD5],
  [A.HMAC_SHA3_224, H.SHA3_224],
  [A.HMAC_SHA3_256, H.SHA3_256],
  [A.HMAC_SHA3_384, H.SHA3_384],
  [A.HMAC_SHA3_512, H.SHA3_512],
])

/** A code at work: pieces in, the code at the end. */
export interface MacStream {
  readonly update: (data: Uint8Array) => void
  readonly final: () => Uint8Array
}

/** The hash that an HMAC algorithm has; undefined for any other. */
export const hashOfHmac = (algorithm: number | undefined): HashingAlgorithm | undefined => hmacHashes.get(algorithm)

/**
 * Which code is meant: the parameters' HMAC algorithm, else their block cipher mode, else their hash, else what the key is
 * for: an HMAC key names its hash, the key of a cipher makes CMACs.
 */
export function hashMeant(key: KeyForm, parameters: CryptographicParameters): number | undefined {
  const named = hashOfHmac(parameters.cryptographicAlgorithm)
  if (named !== undefined) return named
  if (parameters.blockCipherMode !== undefined) return undefined
  return parameters.hashingAlgorithm ?? hashOfHmac(key.cryptographicAlgorithm)
}

/**
 * Starts a code. Throws AlgorithmError for a hash, cipher or mode that makes none here, KeyUseError (`invalidKey`).
 * KMIP 1.4 §4.33.
 */
export function openMac(key: KeyForm, parameters: CryptographicParameters): MacStream {
  const hash = hashMeant(key, parameters)
  if (hash !== undefined) {
    const hmac = createHmac(hashName(hash), symmetricBytes(key))
    return {
      update(data) {
        hmac.update(data)
      },
      final: () => plainBytes(hmac.digest()),
    }
  }
  const mode = parameters.blockCipherMode ?? M.CMAC
  if (mode !== M.CMAC && mode !== M.CBC_MAC) {
    throw new AlgorithmError('unsupportedParameter', 'The block cipher mode makes no message authentication code')
  }
  return openCipherMac(key, mode === M.CMAC)
}

/** CMAC, or CBC-MAC with its data filled up with zeros: the last block of CBC over the data, from an IV of zeros. */
function openCipherMac(key: KeyForm, cmac: boolean): MacStream {
  const hashed = hashOfHmac(key.cryptographicAlgorithm) !== undefined
  if (hashed) throw new KeyUseError('invalidKey', 'The key is not one of a block cipher')
  const { subkeys, blockBytes } = subkeysOf(key)
  const chain = openEncryption({ key, parameters: { blockCipherMode: M.CBC }, iv: new Uint8Array(blockBytes) })
  let held: Uint8Array = new Uint8Array(0)
  return {
    update(data) {
      const all = concatenated(held, data)
      // At least one byte stays, for the last block is treated in another way.
      const whole = Math.max(0, Math.ceil(all.length / blockBytes) - 1) * blockBytes
      chain.update(all.subarray(0, whole))
      held = all.slice(whole)
    },
    final() {
      const last = new Uint8Array(blockBytes)
      last.set(held)
      const full = held.length === blockBytes
      if (cmac) {
        if (!full) last[held.length] = 0x80
        const subkey = subkeys[full ? 0 : 1]
        for (const [index, byte] of subkey.entries()) last[index] = (last[index] ?? 0) ^ byte
      }
      return chain.update(last).slice(-blockBytes)
    },
  }
}

/** K1 and K2. NIST SP 800-38B §6.1; the constants are those of 8 and 16 bytes. */
function subkeysOf(key: KeyForm): { readonly subkeys: readonly [Uint8Array, Uint8Array]; readonly blockBytes: number } {
  const blockBytes = key.cryptographicAlgorithm === A.DES3 ? 8 : 16
  const cipher = openEncryption({ key, parameters: { blockCipherMode: M.ECB } })
  const first = doubled(cipher.update(new Uint8Array(blockBytes)))
  return { subkeys: [first, doubled(first)], blockBytes }
}

function doubled(block: Uint8Array): Uint8Array {
  const result = new Uint8Array(block.length)
  for (let index = 0; index < block.length; index += 1) {
    result[index] = ((block[index] ?? 0) << 1) | ((block[index + 1] ?? 0) >> 7)
  }
  const overflow = -((block[0] ?? 0) >> 7)
  const last = block.length - 1
  result[last] = (result[last] ?? 0) ^ (overflow & (block.length === 8 ? 0x1b : 0x87))
  return result
}

/** The code of data. Throws what `openMac` throws. KMIP 1.4 §4.33. */
export function computeMac(key: KeyForm, parameters: CryptographicParameters, data: Uint8Array): Uint8Array {
  const hash = hashMeant(key, parameters)
  if (hash !== undefined) return hmacOf(libraryHash(hash), symmetricBytes(key), data)
  const stream = openMac(key, parameters)
  stream.update(data)
  return stream.final()
}

/** Whether a code is that of the data, compared in constant time. Throws what `openMac` throws. KMIP 1.4 §4.34. */
export function verifyMac(
  key: KeyForm,
  parameters: CryptographicParameters,
  data: Uint8Array,
  mac: Uint8Array,
): boolean {
  return constantTimeEqual(computeMac(key, parameters, data), mac)
}
