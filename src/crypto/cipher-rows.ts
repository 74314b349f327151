/**
 * Ciphers and block cipher modes as rows. What it is: which cipher of the library does what, with which lengths of key,
 * block, initialization vector and tag. What it is not: the computing (cipher.ts). KMIP 1.4 §3.6, §9.1.3.2.14; NIST SP
 * 800-38A, C, D, E; RFC 8439.
 */

import { getCipherInfo } from 'node:crypto'
import { BlockCipherMode, CryptographicAlgorithm, PaddingMethod } from '#kmip/enums'
import { AlgorithmError, KeyUseError } from './errors.ts'

/** Lengths in bytes: every `step` (1 where none is named) from `min` to `max`; `usual` is what a random one gets. */
interface IvLengths {
  readonly min: number
  readonly max: number
  readonly step?: number
  readonly usual: number
}

/** A cipher of the library in a mode, for a key of a length. */
export interface CipherRow {
  readonly libraryName: string
  readonly blockBytes: number
  /** Data must be whole blocks, so a padding has a meaning. */
  readonly padded: boolean
  /** Initialization vector, counter or nonce. Absent: the mode takes none. */
  readonly iv?: IvLengths
  /** Where the counter stands when the given nonce leaves room for one: behind it (CTR), or before it (ChaCha20). */
  readonly counter?: 'behind' | 'before'
  /** Lengths in bytes that the authentication tag may have; the longest is meant when none is named. */
  readonly tagBytes?: readonly number[]
  /** The mode wants all data at once. */
  readonly whole: boolean
  /** Each block is mixed with the one that came out before it, the first one with the initialization vector, and with nothing else. */
  readonly chained?: true
  /** The key as the library wants it. */
  readonly key: Uint8Array
}

interface ModeRow extends Omit<CipherRow, 'libraryName' | 'blockBytes' | 'key' | 'iv'> {
  readonly suffix: string
  /** A number: exactly one block. */
  readonly iv?: 'block' | IvLengths
}

const M = BlockCipherMode
const A = CryptographicAlgorithm

/** NIST SP 800-38D §5.2.1.2, SP 800-38C appendix A.1. */
const gcmTagBytes = [4, 8, 12, 13, 14, 15, 16]
const ccmTagBytes = [4, 6, 8, 10, 12, 14, 16]
/** The library takes no longer one. */
const gcmIvBytesMax = 128

const modes: ReadonlyMap<number, ModeRow> = new Map<number, ModeRow>([
  [M.ECB, { suffix: 'ecb', padded: true, whole: false }],
  [M.CBC, { suffix: 'cbc', padded: true, whole: false, iv: 'block', chained: true }],
  [M.CFB, { suffix: 'cfb', padded: false, whole: false, iv: 'block' }],
  [M.OFB, { suffix: 'ofb', padded: false, whole: false, iv: 'block' }],
  [M.CTR, { suffix: 'ctr', padded: false, whole: false, iv: { min: 1, max: 16, usual: 16 }, counter: 'behind' }],
  [
    M.GCM,
    {
      suffix: 'gcm',
      padded: false,
      whole: false,
      iv: { min: 1, max: gcmIvBytesMax, usual: 12 },
      tagBytes: gcmTagBytes,
    },
  ],
  [M.CCM, { suffix: 'ccm', padded: false, whole: true, iv: { min: 7, max: 13, usual: 12 }, tagBytes: ccmTagBytes }],
  [M.XTS, { suffix: 'xts', padded: false, whole: true, iv: 'block' }],
])

interface FamilyRow {
  readonly blockBytes: number
  /** The library's name before the mode, by bytes of key. */
  readonly names: ReadonlyMap<number, string>
}

const sized = (prefix: string): FamilyRow => ({
  blockBytes: 16,
  names: new Map([16, 24, 32].map((bytes) => [bytes, `${prefix}-${bytes * 8}`])),
})

const families: ReadonlyMap<number, FamilyRow> = new Map<number, FamilyRow>([
  [A.AES, sized('aes')],
  [A.Camellia, sized('camellia')],
  [A.ARIA, sized('aria')],
  [A.SM4, { blockBytes: 16, names: new Map([[16, 'sm4']]) }],
  [
    A.DES3,
    {
      blockBytes: 8,
      names: new Map([
        [16, 'des-ede'],
        [24, 'des-ede3'],
      ]),
    },
  ],
])

/** What is meant where the client names neither mode nor padding, and where it names a mode but no padding. */
export const cipherDefaults = {
  blockCipherMode: M.ECB,
  paddingMethod: PaddingMethod.PKCS5,
  paddingMethodOfNamedMode: PaddingMethod.None,
} as const

const refused = (): AlgorithmError =>
  new AlgorithmError('unsupportedParameter', 'The block cipher mode is not supported for the cryptographic algorithm')
const wrongKey = (): KeyUseError =>
  new KeyUseError('invalidKey', 'The key does not have a length of the cryptographic algorithm and mode')

/** Names that the library was asked for: an answer costs it 0.8 µs. As many as there are rows above. */
const asked = new Map<string, boolean>()

function isInLibrary(name: string): boolean {
  const known = asked.get(name)
  if (known !== undefined) return known
  const found = getCipherInfo(name) !== undefined
  asked.set(name, found)
  return found
}

/**
 * The row for an algorithm, a mode and a key. Throws AlgorithmError (`unsupportedAlgorithm`, `unsupportedParameter`) for
 * what the library has not, KeyUseError (`invalidKey`) for a key of another length.
 */
export function cipherRow(algorithm: number, mode: number | undefined, key: Uint8Array): CipherRow {
  const stream = streamRow(algorithm, mode, key)
  if (stream !== undefined) return stream
  const family = families.get(algorithm)
  if (family === undefined)
    throw new AlgorithmError('unsupportedAlgorithm', 'The cryptographic algorithm encrypts nothing here')
  const modeRow = modes.get(mode ?? cipherDefaults.blockCipherMode)
  if (modeRow === undefined) throw refused()
  // XTS takes two keys, one behind the other (NIST SP 800-38E).
  const cipherKeyBytes = mode === M.XTS ? key.length / 2 : key.length
  const prefix = family.names.get(cipherKeyBytes)
  if (prefix === undefined) throw wrongKey()
  const libraryName = `${prefix}-${modeRow.suffix}`
  if (!isInLibrary(libraryName)) throw refused()
  const { suffix: _, iv, ...columns } = modeRow
  const { blockBytes } = family
  const ivOfBlock = { min: blockBytes, max: blockBytes, usual: blockBytes }
  return {
    ...columns,
    libraryName,
    blockBytes,
    key,
    ...(iv === undefined ? {} : { iv: iv === 'block' ? ivOfBlock : iv }),
  }
}

/** The nonce of its authors, that of RFC 8439 §2.3, and one with the counter before it. */
const chacha20Iv: IvLengths = { min: 8, max: 16, step: 4, usual: 12 }

/** ChaCha20 has no block cipher mode; with AEAD it is ChaCha20-Poly1305. RFC 8439 §2.4, §2.8. */
function streamRow(algorithm: number, mode: number | undefined, key: Uint8Array): CipherRow | undefined {
  if (algorithm !== A.ChaCha20 && algorithm !== A.ChaCha20Poly1305) return undefined
  if (mode !== undefined && mode !== M.AEAD) throw refused()
  if (key.length !== 32) throw wrongKey()
  const row = { blockBytes: 1, padded: false, whole: false, key }
  return algorithm === A.ChaCha20Poly1305 || mode === M.AEAD
    ? { ...row, libraryName: 'chacha20-poly1305', iv: { min: 12, max: 12, usual: 12 }, tagBytes: [16] }
    : { ...row, libraryName: 'chacha20', iv: chacha20Iv, counter: 'before' }
}
