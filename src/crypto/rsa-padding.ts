/**
 * OAEP and PSS with a hash of their own for the mask, which the library does not offer. What it is: the encodings of
 * PKCS #1, over numbers that rsa-encryption.ts and signature.ts put through RSA. What it is not: RSA itself.
 * RFC 8017 §7.1, §9.1, appendix B.2.1; KMIP 1.4 §3.6.
 */

import type { CryptographicParameters } from '#kmip/attribute-values'
import { MaskGenerator } from '#kmip/enums'
import { digestOf, hashRows } from './digest.ts'
import { AlgorithmError, KeyUseError } from './errors.ts'
import { randomOctets } from './generate.ts'
import { concatenated } from './octets.ts'
import { constantTimeEqual } from './secret.ts'

/** The bytes of a hash. */
export const digestBytesOf = (hashingAlgorithm: number): number => hashRows.get(hashingAlgorithm)?.digestBytes ?? 0

/** PSS's trailer of one byte, by its number (RFC 8017 appendix A.2.3) or by itself. */
const pssTrailer = 0xbc
const trailers: ReadonlySet<number> = new Set([1, pssTrailer])

/**
 * Refuses what would be passed over: another mask generator than MGF1, another trailer than that of PSS. Throws AlgorithmError
 * (`unsupportedParameter`). KMIP 1.4 §3.6.
 */
export function checkEncoding({ maskGenerator, trailerField }: CryptographicParameters): void {
  if (maskGenerator !== undefined && maskGenerator !== MaskGenerator.MGF1) {
    throw new AlgorithmError('unsupportedParameter', 'The mask generator is not supported')
  }
  if (trailerField !== undefined && !trailers.has(trailerField)) {
    throw new AlgorithmError('unsupportedParameter', 'The trailer field is not supported')
  }
}

/** MGF1: a mask of a length in bytes. RFC 8017 appendix B.2.1. */
function mask(hashingAlgorithm: number, seed: Uint8Array, length: number): Uint8Array {
  const blocks: Uint8Array[] = []
  for (let counter = 0; counter * digestBytesOf(hashingAlgorithm) < length; counter += 1) {
    const octets = Uint8Array.of(counter >>> 24, counter >>> 16, counter >>> 8, counter)
    blocks.push(digestOf(hashingAlgorithm, concatenated(seed, octets)))
  }
  return concatenated(...blocks).subarray(0, length)
}

const xored = (left: Uint8Array, right: Uint8Array): Uint8Array => left.map((byte, index) => byte ^ (right[index] ?? 0))

/** Hash, hash of the mask and P Source of OAEP. */
export interface OaepOptions {
  readonly hash: number
  readonly maskHash: number
  readonly label: Uint8Array
}

/** EME-OAEP for a modulus of so many bytes. Throws KeyUseError (`invalidLength`) for a message that is too long. RFC 8017 §7.1.1. */
export function oaepEncoded({ hash, maskHash, label }: OaepOptions, message: Uint8Array, bytes: number): Uint8Array {
  const digestBytes = digestBytesOf(hash)
  const fill = bytes - message.length - 2 * digestBytes - 2
  if (fill < 0) throw new KeyUseError('invalidLength', 'The data is too long for the key')
  const block = concatenated(digestOf(hash, label), new Uint8Array(fill), Uint8Array.of(1), message)
  const seed = randomOctets(digestBytes)
  const maskedBlock = xored(block, mask(maskHash, seed, block.length))
  const maskedSeed = xored(seed, mask(maskHash, maskedBlock, digestBytes))
  return concatenated(Uint8Array.of(0), maskedSeed, maskedBlock)
}

/**
 * The message of an encoding. Every byte is looked at, and every fault is the same KeyUseError (`failed`): which of them it
 * was must not be learned (RFC 8017 §7.1.2, note).
 */
export function oaepDecoded({ hash, maskHash, label }: OaepOptions, encoded: Uint8Array): Uint8Array {
  const digestBytes = digestBytesOf(hash)
  if (encoded.length < 2 * digestBytes + 2) throw new KeyUseError('failed')
  const maskedBlock = encoded.subarray(digestBytes + 1)
  const seed = xored(encoded.subarray(1, digestBytes + 1), mask(maskHash, maskedBlock, digestBytes))
  const block = xored(maskedBlock, mask(maskHash, seed, maskedBlock.length))
  let wrong = encoded[0] ?? 0
  wrong |= constantTimeEqual(block.subarray(0, digestBytes), digestOf(hash, label)) ? 0 : 1
  let searching = 1
  let start = 0
  for (let index = digestBytes; index < block.length; index += 1) {
    const byte = block[index] ?? 0
    const isOne = byte === 1 ? 1 : 0
    const isOther = byte > 1 ? 1 : 0
    start |= -(searching & isOne) & (index + 1)
    wrong |= searching & isOther
    searching &= 1 - isOne
  }
  if ((wrong | searching) !== 0) throw new KeyUseError('failed')
  return block.slice(start)
}

/** Hash, hash of the mask, and bytes of salt of PSS. */
export interface PssOptions {
  readonly hash: number
  readonly maskHash: number
  /** Signing: as long as the key lets it be, up to this. Checking: exactly this, or any when absent. */
  readonly saltBytes?: number | undefined
}

const prefix = new Uint8Array(8)

/** EMSA-PSS of a digest for a modulus of so many bits. Throws KeyUseError (`invalidParameter`) for a salt that is too long. RFC 8017 §9.1.1. */
export function pssEncoded({ hash, maskHash, saltBytes = 0 }: PssOptions, digest: Uint8Array, modulusBits: number) {
  const bits = modulusBits - 1
  const bytes = Math.ceil(bits / 8)
  const fill = bytes - digest.length - saltBytes - 2
  if (fill < 0) throw new KeyUseError('invalidParameter', 'The salt length or the hash is too long for the key')
  const salt = randomOctets(saltBytes)
  const inner = digestOf(hash, concatenated(prefix, digest, salt))
  const block = concatenated(new Uint8Array(fill), Uint8Array.of(1), salt)
  const maskedBlock = xored(block, mask(maskHash, inner, block.length))
  maskedBlock[0] = (maskedBlock[0] ?? 0) & (0xff >> (bytes * 8 - bits))
  const encoded = concatenated(maskedBlock, inner, Uint8Array.of(pssTrailer))
  // A modulus of 8n + 1 bits has one byte more than the encoding.
  return bits % 8 === 0 ? concatenated(Uint8Array.of(0), encoded) : encoded
}

/** Whether an encoding is one of the digest. Nothing in it is secret. RFC 8017 §9.1.2. */
export function pssVerified(options: PssOptions, digest: Uint8Array, whole: Uint8Array, modulusBits: number): boolean {
  const { hash, maskHash, saltBytes } = options
  const bits = modulusBits - 1
  const bytes = Math.ceil(bits / 8)
  if (bits % 8 === 0 && whole[0] !== 0) return false
  const encoded = whole.subarray(whole.length - bytes)
  const blockBytes = bytes - digest.length - 1
  if (blockBytes < 1 || encoded.at(-1) !== pssTrailer) return false
  const unused = bytes * 8 - bits
  if ((encoded[0] ?? 0) >> (8 - unused) !== 0) return false
  const inner = encoded.subarray(blockBytes, blockBytes + digest.length)
  const block = xored(encoded.subarray(0, blockBytes), mask(maskHash, inner, blockBytes))
  block[0] = (block[0] ?? 0) & (0xff >> unused)
  const one = block.findIndex((byte) => byte !== 0)
  if (one < 0 || block[one] !== 1) return false
  const salt = block.subarray(one + 1)
  if (saltBytes !== undefined && salt.length !== saltBytes) return false
  return constantTimeEqual(digestOf(hash, concatenated(prefix, digest, salt)), inner)
}
