/**
 * Hashing, and the Digest attribute of a key block. What it is: a row per Hashing Algorithm, and the digest of the key
 * material as encoded. What it is not: the encoding; a transparent structure comes here already in TTLV.
 * KMIP 1.4 §3.17, §9.1.3.2.16.
 */

import { hash } from 'node:crypto'
import { HashingAlgorithm, type KeyFormatType } from '#kmip/enums'
import { AlgorithmError } from './errors.ts'
import { plainBytes } from './transparent.ts'

/** A hash: the registry's number and name, and the name that the library has for it, if it has it. */
export interface HashRow {
  readonly value: HashingAlgorithm
  readonly name: string
  readonly digestBytes: number
  readonly libraryName?: string
}

const H = HashingAlgorithm

// MD2, MD4, Tiger and Whirlpool are in the registry only: the library has dropped them.
const rows: readonly HashRow[] = [
  { value: H.MD2, name: 'MD2', digestBytes: 16 },
  { value: H.MD4, name: 'MD4', digestBytes: 16 },
  { value: H.MD5, name: 'MD5', digestBytes: 16, libraryName: 'md5' },
  { value: H.SHA_1, name: 'SHA-1', digestBytes: 20, libraryName: 'sha1' },
  { value: H.SHA_224, name: 'SHA-224', digestBytes: 28, libraryName: 'sha224' },
  { value: H.SHA_256, name: 'SHA-256', digestBytes: 32, libraryName: 'sha256' },
  { value: H.SHA_384, name: 'SHA-384', digestBytes: 48, libraryName: 'sha384' },
  { value: H.SHA_512, name: 'SHA-512', digestBytes: 64, libraryName: 'sha512' },
  { value: H.RIPEMD_160, name: 'RIPEMD-160', digestBytes: 20, libraryName: 'ripemd160' },
  { value: H.Tiger, name: 'Tiger', digestBytes: 24 },
  { value: H.Whirlpool, name: 'Whirlpool', digestBytes: 64 },
  { value: H.SHA_512_224, name: 'SHA-512/224', digestBytes: 28, libraryName: 'sha512-224' },
  { value: H.SHA_512_256, name: 'SHA-512/256', digestBytes: 32, libraryName: 'sha512-256' },
  { value: H.SHA3_224, name: 'SHA3-224', digestBytes: 28, libraryName: 'sha3-224' },
  { value: H.SHA3_256, name: 'SHA3-256', digestBytes: 32, libraryName: 'sha3-256' },
  { value: H.SHA3_384, name: 'SHA3-384', digestBytes: 48, libraryName: 'sha3-384' },
  { value: H.SHA3_512, name: 'SHA3-512', digestBytes: 64, libraryName: 'sha3-512' },
]

/** Hash rows by Hashing Algorithm number. */
export const hashRows: ReadonlyMap<number, HashRow> = new Map(rows.map((row) => [row.value, row]))

/** The library's name of a hash. Throws AlgorithmError (`unsupportedAlgorithm`). */
export function hashName(hashingAlgorithm: number): string {
  const name = hashRows.get(hashingAlgorithm)?.libraryName
  if (name === undefined) throw new AlgorithmError('unsupportedAlgorithm', 'The hashing algorithm is not supported')
  return name
}

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
  const digestValue = digestOf(HashingAlgorithm.SHA_256, encodedMaterial)
  const digest = { hashingAlgorithm: HashingAlgorithm.SHA_256, digestValue }
  return keyFormatType === undefined ? digest : { ...digest, keyFormatType }
}
