/**
 * Hashing, and the Digest attribute of a key block. What it is: a row per Hashing Algorithm, and the digest of the key
 * material as encoded. What it is not: the encoding; a transparent structure comes here already in TTLV.
 * KMIP 1.4 §3.17, §9.1.3.2.16.
 */

import { hash } from 'node:crypto'
import { HashingAlgorithm, type KeyFormatType } from '#kmip/enums'
import { AlgorithmError } from './errors.ts'
import { bytesOfLatin1 } from './octets.ts'
import { plainBytes } from './transparent.ts'

/** A hash as the library has it. */
export interface LibraryHash {
  /** The library's name of it. */
  readonly name: string
  /** Bytes that it works on at once: the rate, where it is a sponge (FIPS 180-4 §1, FIPS 202 Table 3). */
  readonly blockBytes: number
}

/** A hash: the registry's number and name, and what the library knows of it, if it has it. */
export interface HashRow {
  readonly value: HashingAlgorithm
  readonly name: string
  readonly digestBytes: number
  readonly library?: LibraryHash
}

const H = HashingAlgorithm

// MD2, MD4, Tiger and Whirlpool are in the registry only: the library has dropped them.
const rows: readonly HashRow[] = [
  { value: H.MD2, name: 'MD2', digestBytes: 16 },
  { value: H.MD4, name: 'MD4', digestBytes: 16 },
  { value: H.MD5, name: 'MD5', digestBytes: 16, library: { name: 'md5', blockBytes: 64 } },
  { value: H.SHA_1, name: 'SHA-1', digestBytes: 20, library: { name: 'sha1', blockBytes: 64 } },
  { value: H.SHA_224, name: 'SHA-224', digestBytes: 28, library: { name: 'sha224', blockBytes: 64 } },
  { value: H.SHA_256, name: 'SHA-256', digestBytes: 32, library: { name: 'sha256', blockBytes: 64 } },
  { value: H.SHA_384, name: 'SHA-384', digestBytes: 48, library: { name: 'sha384', blockBytes: 128 } },
  { value: H.SHA_512, name: 'SHA-512', digestBytes: 64, library: { name: 'sha512', blockBytes: 128 } },
  { value: H.RIPEMD_160, name: 'RIPEMD-160', digestBytes: 20, library: { name: 'ripemd160', blockBytes: 64 } },
  { value: H.Tiger, name: 'Tiger', digestBytes: 24 },
  { value: H.Whirlpool, name: 'Whirlpool', digestBytes: 64 },
  { value: H.SHA_512_224, name: 'SHA-512/224', digestBytes: 28, library: { name: 'sha512-224', blockBytes: 128 } },
  { value: H.SHA_512_256, name: 'SHA-512/256', digestBytes: 32, library: { name: 'sha512-256', blockBytes: 128 } },
  { value: H.SHA3_224, name: 'SHA3-224', digestBytes: 28, library: { name: 'sha3-224', blockBytes: 144 } },
  { value: H.SHA3_256, name: 'SHA3-256', digestBytes: 32, library: { name: 'sha3-256', blockBytes: 136 } },
  { value: H.SHA3_384, name: 'SHA3-384', digestBytes: 48, library: { name: 'sha3-384', blockBytes: 104 } },
  { value: H.SHA3_512, name: 'SHA3-512', digestBytes: 64, library: { name: 'sha3-512', blockBytes: 72 } },
]

/** Hash rows by Hashing Algorithm number. */
export const hashRows: ReadonlyMap<number, HashRow> = new Map(rows.map((row) => [row.value, row]))

/** A hash that the library has. Throws AlgorithmError (`unsupportedAlgorithm`). */
export function libraryHash(hashingAlgorithm: number): LibraryHash {
  const library = hashRows.get(hashingAlgorithm)?.library
  if (library === undefined) throw new AlgorithmError('unsupportedAlgorithm', 'The hashing algorithm is not supported')
  return library
}

/** The library's name of a hash. Throws AlgorithmError (`unsupportedAlgorithm`). */
export const hashName = (hashingAlgorithm: number): string => libraryHash(hashingAlgorithm).name

/** The hash of bytes. Throws AlgorithmError (`unsupportedAlgorithm`) for a number without a row or without the library's help. */
export function digestOf(hashingAlgorithm: number, bytes: Uint8Array): Uint8Array {
  return plainBytes(hash(hashName(hashingAlgorithm), bytes, 'buffer'))
}

/** The Digest attribute, with the specification's own fields. KMIP 1.4 §3.17. */
export interface Digest {
  readonly hashingAlgorithm: HashingAlgorithm
  readonly digestValue: Uint8Array
  readonly keyFormatType?: KeyFormatType
}

/**
 * The mandatory Digest instance of a managed object: SHA-256 over the Key Material as encoded (a byte string as it is, a
 * structure as its TTLV), the Certificate Value or the Opaque Data Value. `keyFormatType` is for keys and secret data
 * only. KMIP 1.4 §3.17.
 */
export function mandatoryDigest(encodedMaterial: Uint8Array, keyFormatType?: KeyFormatType): Digest {
  const digestValue = bytesOfLatin1(hash('sha256', encodedMaterial, 'latin1'))
  const digest = { hashingAlgorithm: HashingAlgorithm.SHA_256, digestValue }
  return keyFormatType === undefined ? digest : { ...digest, keyFormatType }
}
