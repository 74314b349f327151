/**
 * Wrapping as another party does it: with the library and the openssl command used directly, and TTLV written by hand. What it
 * is: the other end of every cell of the table of wrapping. What it is not: any code of the server, which it is to be held to.
 */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import {
  type CipherGCM,
  constants,
  createCipheriv,
  createDecipheriv,
  createHmac,
  type DecipherGCM,
  hash,
  type KeyObject,
  privateDecrypt,
  publicEncrypt,
  sign,
  verify,
} from 'node:crypto'
import type { TransformOptions } from 'node:stream'
import {
  BlockCipherMode,
  CryptographicAlgorithm,
  DigitalSignatureAlgorithm,
  HashingAlgorithm,
  PaddingMethod,
} from '#kmip/enums'
import type { WrappingScheme } from '#objects/wrapping-table'

const A = CryptographicAlgorithm
const D = DigitalSignatureAlgorithm
const H = HashingAlgorithm
const M = BlockCipherMode
const P = PaddingMethod

/** A key of another party: bytes, or a pair. */
export interface OtherKey {
  readonly algorithm: number
  readonly bytes: Uint8Array
  readonly pair?: { readonly privateKey: KeyObject; readonly publicKey: KeyObject }
}

const hashNames: Readonly<Record<number, string>> = {
  [H.MD5]: 'md5',
  [H.SHA_1]: 'sha1',
  [H.SHA_224]: 'sha224',
  [H.SHA_256]: 'sha256',
  [H.SHA_384]: 'sha384',
  [H.SHA_512]: 'sha512',
  [H.SHA_512_224]: 'sha512-224',
  [H.SHA_512_256]: 'sha512-256',
  [H.SHA3_224]: 'sha3-224',
  [H.SHA3_256]: 'sha3-256',
  [H.SHA3_384]: 'sha3-384',
  [H.SHA3_512]: 'sha3-512',
}

/** The library's name of a Hashing Algorithm. */
export const hashNameOf = (hashingAlgorithm: number | undefined): string => {
  const name = hashNames[hashingAlgorithm ?? 0]
  assert.ok(name, 'the hash has a name')
  return name
}

const digestBytesOf = (hashingAlgorithm: number | undefined): number =>
  hash(hashNameOf(hashingAlgorithm), '', 'buffer').length

/** The library's name of a cipher before its mode. */
const cipherNames: Readonly<Record<number, (keyBytes: number) => string>> = {
  [A.AES]: (keyBytes) => `aes-${keyBytes * 8}`,
  [A.Camellia]: (keyBytes) => `camellia-${keyBytes * 8}`,
  [A.DES3]: (keyBytes) => (keyBytes === 16 ? 'des-ede' : 'des-ede3'),
}

interface ModeHere {
  readonly suffix: string
  readonly ivBytes: number
  readonly tagBytes?: number
}

/** The library's name of a cipher in a mode, with the bytes of its IV and tag. */
export const cipherOf = (
  { algorithm, bytes }: OtherKey,
  blockCipherMode: number | undefined,
): ModeHere & { name: string } => {
  const block = blockBytesOf(algorithm)
  if (algorithm === A.ChaCha20Poly1305) {
    return { name: 'chacha20-poly1305', suffix: '', ivBytes: 12, tagBytes: 16 }
  }
  const modes: Readonly<Record<number, ModeHere>> = {
    [M.ECB]: { suffix: 'ecb', ivBytes: 0 },
    [M.CBC]: { suffix: 'cbc', ivBytes: block },
    [M.CFB]: { suffix: 'cfb', ivBytes: block },
    [M.OFB]: { suffix: 'ofb', ivBytes: block },
    [M.CTR]: { suffix: 'ctr', ivBytes: block },
    [M.XTS]: { suffix: 'xts', ivBytes: block },
    [M.GCM]: { suffix: 'gcm', ivBytes: 12, tagBytes: 16 },
    [M.CCM]: { suffix: 'ccm', ivBytes: 12, tagBytes: 16 },
  }
  const mode = modes[blockCipherMode ?? 0]
  const family = cipherNames[algorithm]
  assert.ok(mode && family, 'the cipher has a name')
  const keyBytes = blockCipherMode === M.XTS ? bytes.length / 2 : bytes.length
  return { ...mode, name: `${family(keyBytes)}-${mode.suffix}` }
}

/** Bytes of a block of a cipher. */
export const blockBytesOf = (algorithm: number): number => (algorithm === A.DES3 ? 8 : 16)

/** Whole blocks: the last byte counts what was added; what stands before it differs by padding. */
const padded = (data: Uint8Array, paddingMethod: number | undefined, block: number): Uint8Array => {
  if (paddingMethod === undefined || paddingMethod === P.None) return data
  if (paddingMethod === P.Zeros) return Buffer.concat([data, Buffer.alloc((block - (data.length % block)) % block)])
  const count = block - (data.length % block)
  const filler = paddingMethod === P.PKCS5 ? count : paddingMethod === P.ANSIX9_23 ? 0 : 0x5a
  const tail = Buffer.alloc(count, filler)
  tail[count - 1] = count
  return Buffer.concat([data, tail])
}

const unpadded = (data: Uint8Array, paddingMethod: number | undefined): Uint8Array => {
  if (paddingMethod === undefined || paddingMethod === P.None) return data
  if (paddingMethod === P.Zeros) return data.subarray(0, data.findLastIndex((byte) => byte !== 0) + 1)
  const count = data.at(-1) ?? 0
  const tail = data.subarray(-count, -1)
  if (paddingMethod === P.PKCS5) assert.ok(tail.every((byte) => byte === count))
  if (paddingMethod === P.ANSIX9_23) assert.ok(tail.every((byte) => byte === 0))
  return data.subarray(0, data.length - count)
}

const keyWrap = (
  { bytes }: OtherKey,
  blockCipherMode: number | undefined,
): readonly [cipher: string, key: Uint8Array, initial: Uint8Array] | undefined =>
  blockCipherMode === M.NISTKeyWrap
    ? [`id-aes${bytes.length * 8}-wrap`, bytes, Buffer.alloc(8, 0xa6)]
    : blockCipherMode === M.AESKeyWrapPadding
      ? [`id-aes${bytes.length * 8}-wrap-pad`, bytes, Buffer.from('a65959a6', 'hex')]
      : undefined

const rsaOptions = ({ paddingMethod, hashingAlgorithm }: WrappingScheme) =>
  paddingMethod === P.OAEP
    ? { padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: hashNameOf(hashingAlgorithm) }
    : { padding: constants.RSA_PKCS1_PADDING }

/** The types tell of the tag's length for ciphers that they know by name only. */
const tagOptions = (authTagLength: number | undefined): TransformOptions & { readonly authTagLength?: number } =>
  authTagLength === undefined ? {} : { authTagLength }

/** Encrypts. */
export const encryptElsewhere = (
  key: OtherKey,
  scheme: WrappingScheme,
  data: Uint8Array,
): { readonly data: Uint8Array; readonly iv?: Uint8Array } => {
  if (key.pair !== undefined) return { data: publicEncrypt({ key: key.pair.publicKey, ...rsaOptions(scheme) }, data) }
  const wrap = keyWrap(key, scheme.blockCipherMode)
  if (wrap !== undefined) {
    const cipher = createCipheriv(...wrap)
    return { data: Buffer.concat([cipher.update(data), cipher.final()]) }
  }
  const { name, ivBytes, tagBytes } = cipherOf(key, scheme.blockCipherMode)
  const iv = Buffer.alloc(ivBytes, 0x21)
  const cipher = createCipheriv(name, key.bytes, ivBytes === 0 ? null : iv, tagOptions(tagBytes)) as CipherGCM
  if (scheme.paddingMethod !== undefined) cipher.setAutoPadding(false)
  const body = padded(data, scheme.paddingMethod, blockBytesOf(key.algorithm))
  const parts = [cipher.update(body), cipher.final()]
  if (tagBytes !== undefined) parts.push(cipher.getAuthTag())
  return { data: Buffer.concat(parts), ...(ivBytes === 0 ? {} : { iv }) }
}

/** Decrypts. */
export const decryptElsewhere = (
  key: OtherKey,
  scheme: WrappingScheme,
  data: Uint8Array,
  iv: Uint8Array | undefined,
): Uint8Array => {
  if (key.pair !== undefined) return privateDecrypt({ key: key.pair.privateKey, ...rsaOptions(scheme) }, data)
  const wrap = keyWrap(key, scheme.blockCipherMode)
  if (wrap !== undefined) {
    const decipher = createDecipheriv(...wrap)
    return Buffer.concat([decipher.update(data), decipher.final()])
  }
  const { name, tagBytes } = cipherOf(key, scheme.blockCipherMode)
  const decipher = createDecipheriv(name, key.bytes, iv ?? null, tagOptions(tagBytes)) as DecipherGCM
  if (scheme.paddingMethod !== undefined) decipher.setAutoPadding(false)
  const end = data.length - (tagBytes ?? 0)
  if (tagBytes !== undefined) decipher.setAuthTag(data.subarray(end))
  return unpadded(Buffer.concat([decipher.update(data.subarray(0, end)), decipher.final()]), scheme.paddingMethod)
}

/** Whether a scheme takes so many bytes: the rest is refused by every party. */
export const takes = (key: OtherKey, scheme: WrappingScheme, bytes: number): boolean => {
  if (key.pair !== undefined) {
    const modulusBytes = (key.pair.publicKey.asymmetricKeyDetails?.modulusLength ?? 0) / 8
    const overhead = scheme.paddingMethod === P.OAEP ? 2 * digestBytesOf(scheme.hashingAlgorithm) + 2 : 11
    return bytes <= modulusBytes - overhead
  }
  if (scheme.blockCipherMode === M.NISTKeyWrap) return bytes >= 16 && bytes % 8 === 0
  if (scheme.blockCipherMode === M.XTS) return bytes >= 16
  return scheme.paddingMethod !== P.None || bytes % blockBytesOf(key.algorithm) === 0
}

const signatureHashes: Readonly<Record<number, string>> = {
  [D.SHA_1WithRSAEncryption]: 'sha1',
  [D.SHA_224WithRSAEncryption]: 'sha224',
  [D.SHA_256WithRSAEncryption]: 'sha256',
  [D.SHA_384WithRSAEncryption]: 'sha384',
  [D.SHA_512WithRSAEncryption]: 'sha512',
  [D.SHA3_256WithRSAEncryption]: 'sha3-256',
  [D.SHA3_384WithRSAEncryption]: 'sha3-384',
  [D.SHA3_512WithRSAEncryption]: 'sha3-512',
  [D.ECDSAWithSHA_1]: 'sha1',
  [D.ECDSAWithSHA224]: 'sha224',
  [D.ECDSAWithSHA256]: 'sha256',
  [D.ECDSAWithSHA384]: 'sha384',
  [D.ECDSAWithSHA512]: 'sha512',
  [D.DSAWithSHA_1]: 'sha1',
  [D.DSAWithSHA224]: 'sha224',
  [D.DSAWithSHA256]: 'sha256',
}

const signatureHash = (scheme: WrappingScheme): string =>
  signatureHashes[scheme.digitalSignatureAlgorithm ?? 0] ?? hashNameOf(scheme.hashingAlgorithm)

const signatureOptions = (scheme: WrappingScheme) =>
  scheme.paddingMethod === P.PSS || scheme.digitalSignatureAlgorithm === D.RSASSA_PSS
    ? { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_AUTO }
    : {}

/** CMAC by the openssl command; CBC-MAC: the last block of CBC over data that is filled up with zeros (FIPS 113). */
const cipherMac = (key: OtherKey, blockCipherMode: number | undefined, data: Uint8Array): Buffer => {
  const cbc = cipherOf(key, M.CBC)
  const block = blockBytesOf(key.algorithm)
  if (blockCipherMode === M.CBC_MAC) {
    const cipher = createCipheriv(cbc.name, key.bytes, Buffer.alloc(block))
    cipher.setAutoPadding(false)
    const filled = Buffer.concat([data, Buffer.alloc((block - (data.length % block)) % block)])
    return Buffer.concat([cipher.update(filled), cipher.final()]).subarray(-block)
  }
  const hexKey = Buffer.from(key.bytes).toString('hex')
  return execFileSync(
    'openssl',
    ['mac', '-binary', '-cipher', cbc.name, '-macopt', `hexkey:${hexKey}`, '-in', '-', 'CMAC'],
    { input: data },
  )
}

/** A MAC or a signature. */
export const macElsewhere = (key: OtherKey, scheme: WrappingScheme, data: Uint8Array): Uint8Array => {
  if (key.pair !== undefined) {
    const saltLength = constants.RSA_PSS_SALTLEN_DIGEST
    const options = { ...signatureOptions(scheme), saltLength }
    return sign(signatureHash(scheme), data, { key: key.pair.privateKey, ...options })
  }
  if (scheme.blockCipherMode !== undefined) return cipherMac(key, scheme.blockCipherMode, data)
  return createHmac(hashNameOf(scheme.hashingAlgorithm), key.bytes).update(data).digest()
}

/** Checks a MAC or a signature. @throws AssertionError for one that is not of the data */
export const assertMacElsewhere = (
  key: OtherKey,
  scheme: WrappingScheme,
  data: Uint8Array,
  mac: Uint8Array | undefined,
): void => {
  assert.ok(mac)
  if (key.pair === undefined) {
    assert.deepEqual(Buffer.from(mac), Buffer.from(macElsewhere(key, scheme, data)))
    return
  }
  const options = { key: key.pair.publicKey, ...signatureOptions(scheme) }
  assert.ok(verify(signatureHash(scheme), data, options, mac), 'the signature is one of the data')
}

/** TTLV of a Key Value that holds these bytes and nothing else, written by hand (KMIP 1.4 §9.1). */
export const ttlvOfMaterial = (material: Uint8Array): Buffer => {
  const padding = (8 - (material.length % 8)) % 8
  const header = Buffer.from('42004501000000004200430800000000', 'hex')
  header.writeUInt32BE(8 + material.length + padding, 4)
  header.writeUInt32BE(material.length, 12)
  return Buffer.concat([header, material, Buffer.alloc(padding)])
}
