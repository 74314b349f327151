/**
 * What may be wrapped under what, and how (KMIP 1.4 §2.1.5, §2.1.6). What it is: rules of values: methods, encodings, and the
 * table of what this server wraps. What it is not: the cryptography, or who may use the keys.
 */
import type { CryptographicParameters } from '#kmip/attribute-values'
import { BlockCipherMode, CryptographicAlgorithm, EncodingOption, ObjectType, WrappingMethod } from '#kmip/enums'

/** What the server decides of wrapping: settings, each with its row in config.ts. */
export interface WrappingPolicy {
  /** `common`: the table below. `all`: whatever the specification and the cryptography allow. */
  readonly wrappingAllowed: 'common' | 'all'
  /** Whether a key unwraps by its Unwrap Key bit alone, or also by its Wrap Key bit. */
  readonly unwrapMask: 'unwrap' | 'either'
  /** What Register does with a wrapped key: keep it as it is, or unwrap it. */
  readonly registeredWrapped: 'keep' | 'unwrap'
}

/** What a Wrapping Method does with a Key Value, in this order. */
export interface MethodSteps {
  readonly macFirst: boolean
  readonly encrypts: boolean
  readonly macLast: boolean
}

/** The methods that there are here; TR-31 is not. */
export const wrappingMethods: ReadonlyMap<number, MethodSteps> = new Map([
  [WrappingMethod.Encrypt, { macFirst: false, encrypts: true, macLast: false }],
  [WrappingMethod.MACSign, { macFirst: true, encrypts: false, macLast: false }],
  [WrappingMethod.EncryptThenMACSign, { macFirst: false, encrypts: true, macLast: true }],
  [WrappingMethod.MACSignThenEncrypt, { macFirst: true, encrypts: true, macLast: false }],
])

/** TTLV where nothing is said (Tables 9 and 12). */
export const isTtlvEncoded = (encodingOption: number | undefined): boolean =>
  (encodingOption ?? EncodingOption.TTLVEncoding) === EncodingOption.TTLVEncoding

/** Modes that are made for keys: RFC 3394 and RFC 5649. */
export const keyWrapModes: ReadonlySet<number> = new Set([
  BlockCipherMode.NISTKeyWrap,
  BlockCipherMode.AESKeyWrapPadding,
])

/** A key that wraps, as far as the table asks. */
export interface WrappingKeyFacts {
  readonly cryptographicAlgorithm: number | undefined
  readonly cryptographicLength: number | undefined
  readonly parameters: CryptographicParameters
}

/** HMAC of the hashes that the table has. */
const macAlgorithms: ReadonlySet<number | undefined> = new Set([
  CryptographicAlgorithm.HMAC_SHA1,
  CryptographicAlgorithm.HMAC_SHA256,
  CryptographicAlgorithm.HMAC_SHA384,
  CryptographicAlgorithm.HMAC_SHA512,
])

/**
 * Why an object is not encrypted under this key, as text; undefined when it is. Symmetric keys go under AES in a mode for keys
 * and under RSA, private keys under AES of 256 bits with RFC 5649 alone, whose integrity check covers any length.
 */
export const objectionToEncryption = (objectType: number, key: WrappingKeyFacts): string | undefined => {
  const { cryptographicAlgorithm, cryptographicLength, parameters } = key
  const mode = parameters.blockCipherMode ?? BlockCipherMode.NISTKeyWrap
  const isAes = cryptographicAlgorithm === CryptographicAlgorithm.AES
  if (objectType === ObjectType.PrivateKey) {
    const isStrong = isAes && cryptographicLength === 256 && mode === BlockCipherMode.AESKeyWrapPadding
    return isStrong ? undefined : 'Private Keys are wrapped under AES keys of 256 bits with AES Key Wrap Padding'
  }
  if (objectType !== ObjectType.SymmetricKey) return 'Symmetric Keys and Private Keys are wrapped, and no other objects'
  if (cryptographicAlgorithm === CryptographicAlgorithm.RSA || (isAes && keyWrapModes.has(mode))) return undefined
  return 'Symmetric Keys are wrapped under AES keys with NIST Key Wrap or AES Key Wrap Padding, and under RSA keys'
}

/** Why an object is not MACed or signed with this key, as text; undefined when it is. */
export const objectionToMac = (objectType: number, key: WrappingKeyFacts): string | undefined => {
  if (objectType !== ObjectType.SymmetricKey && objectType !== ObjectType.PrivateKey) {
    return 'Symmetric Keys and Private Keys are MACed or signed, and no other objects'
  }
  const { cryptographicAlgorithm } = key
  if (macAlgorithms.has(cryptographicAlgorithm) || cryptographicAlgorithm === CryptographicAlgorithm.RSA) {
    return undefined
  }
  return 'Keys are MACed with HMAC keys of SHA-1, SHA-256, SHA-384 and SHA-512, and signed with RSA keys'
}
