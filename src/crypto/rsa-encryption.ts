/**
 * Encryption and decryption with RSA: PKCS #1 v1.5 and OAEP. What it is not: signatures (signature.ts). Decryption says
 * nothing of what was wrong; of PKCS #1 v1.5 the library gives random bytes for a wrong padding, so that there is nothing
 * to be told. KMIP 1.4 §4.29, §4.30, §3.6; RFC 8017 §7.
 */

import { constants, type KeyObject, privateDecrypt, publicEncrypt } from 'node:crypto'
import type { CryptographicParameters } from '#kmip/attribute-values'
import { HashingAlgorithm, PaddingMethod } from '#kmip/enums'
import { hashName } from './digest.ts'
import { AlgorithmError, KeyUseError } from './errors.ts'
import type { KeyForm } from './key-format.ts'
import { type UsableKey, usablePrivateKey, usablePublicKey } from './key-use.ts'
import { checkEncoding, type OaepOptions, oaepDecoded, oaepEncoded } from './rsa-padding.ts'
import { plainBytes } from './transparent.ts'

/** What is meant where the client does not say. The hash of the mask: KMIP 1.4 §3.6. */
export const rsaDefaults = {
  paddingMethod: PaddingMethod.PKCS1V1_5,
  oaepHashingAlgorithm: HashingAlgorithm.SHA_1,
  maskGeneratorHashingAlgorithm: HashingAlgorithm.SHA_1,
} as const

const none = new Uint8Array(0)

/** OAEP's options; undefined for PKCS #1 v1.5. Throws AlgorithmError for another padding, or a hash that is not there. */
function oaepOf(parameters: CryptographicParameters): OaepOptions | undefined {
  const padding = parameters.paddingMethod ?? rsaDefaults.paddingMethod
  if (padding === PaddingMethod.PKCS1V1_5) return undefined
  if (padding !== PaddingMethod.OAEP) {
    throw new AlgorithmError('unsupportedParameter', 'The padding method is not supported for RSA')
  }
  checkEncoding(parameters)
  const hash = parameters.hashingAlgorithm ?? rsaDefaults.oaepHashingAlgorithm
  const maskHash = parameters.maskGeneratorHashingAlgorithm ?? rsaDefaults.maskGeneratorHashingAlgorithm
  hashName(hash)
  hashName(maskHash)
  return { hash, maskHash, label: parameters.pSource ?? none }
}

const modulusBytes = (key: KeyObject): number => Math.ceil((key.asymmetricKeyDetails?.modulusLength ?? 0) / 8)

function rsaKey({ family, key, pss }: UsableKey): KeyObject {
  if (family !== 'rsa' || pss !== undefined)
    throw new KeyUseError('invalidKey', 'The key is not one for this operation')
  return key
}

/** PKCS #1 v1.5 takes that many bytes of every modulus. RFC 8017 §7.2.1. */
const pkcs1OverheadBytes = 11

/**
 * Encrypts with a public key. Throws KeyUseError (`invalidKey`; `invalidLength` for data too long for the key),
 * AlgorithmError, KeyFormatError. KMIP 1.4 §4.29.
 */
export function encryptRsa(form: KeyForm, parameters: CryptographicParameters, data: Uint8Array): Uint8Array {
  const oaep = oaepOf(parameters)
  const key = rsaKey(usablePublicKey(form))
  const bytes = modulusBytes(key)
  if (oaep === undefined) {
    if (data.length > bytes - pkcs1OverheadBytes) {
      throw new KeyUseError('invalidLength', 'The data is too long for the key')
    }
    return guarded(() => publicEncrypt({ key, padding: constants.RSA_PKCS1_PADDING }, data))
  }
  const encoded = oaepEncoded(oaep, data, bytes)
  return guarded(() => publicEncrypt({ key, padding: constants.RSA_NO_PADDING }, encoded))
}

/**
 * Decrypts with a private key. Throws KeyUseError (`failed` for all that is wrong with the data, `invalidKey`),
 * AlgorithmError, KeyFormatError. KMIP 1.4 §4.30.
 */
export function decryptRsa(form: KeyForm, parameters: CryptographicParameters, data: Uint8Array): Uint8Array {
  const oaep = oaepOf(parameters)
  const key = rsaKey(usablePrivateKey(form))
  // RFC 8017 §7.1.2, §7.2.2: the library would take a number without its leading zeros.
  if (data.length !== modulusBytes(key)) throw new KeyUseError('failed')
  if (oaep === undefined) return guarded(() => privateDecrypt({ key, padding: constants.RSA_PKCS1_PADDING }, data))
  // Where the library has the very same encoding, its decoding is the better tried one.
  if (oaep.hash === oaep.maskHash) {
    const oaepHash = hashName(oaep.hash)
    const options = { key, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash, oaepLabel: oaep.label }
    return guarded(() => privateDecrypt(options, data))
  }
  return oaepDecoded(
    oaep,
    guarded(() => privateDecrypt({ key, padding: constants.RSA_NO_PADDING }, data)),
  )
}

function guarded(step: () => Uint8Array): Uint8Array {
  try {
    return plainBytes(step())
  } catch {
    throw new KeyUseError('failed')
  }
}
