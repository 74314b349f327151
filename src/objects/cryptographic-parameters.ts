/**
 * Which Cryptographic Parameters hold for an operation (KMIP 1.4 §3.6, §4.6, §4.29 to §4.34). What it is: pure rules of the
 * request's parameters and the key's. What it is not: what an algorithm makes of them (crypto/).
 */
import type { CryptographicParameters } from '#kmip/attribute-values'
import { BlockCipherMode, CryptographicAlgorithm, PaddingMethod } from '#kmip/enums'
import { instancesOf, type ManagedObject } from './managed-object.ts'

type Fields = Readonly<Record<string, unknown>>

/** Whether a set has every field that `asked` has, with the same value. */
const agrees = (set: Fields, asked: Fields): boolean =>
  Object.entries(asked).every(
    ([field, value]) =>
      value === undefined ||
      (value instanceof Uint8Array
        ? set[field] instanceof Uint8Array && Buffer.compare(value, set[field]) === 0
        : set[field] === value),
  )

/** Lays the fields that are there over others. */
const lay = (over: Record<string, unknown>, fields: Fields | undefined): void => {
  for (const field in fields) if (fields[field] !== undefined) over[field] = fields[field]
}

/** The key's own Cryptographic Parameters, by rising Attribute Index. */
export const parametersOf = (object: ManagedObject): readonly CryptographicParameters[] =>
  instancesOf(object, 'Cryptographic Parameters').map(({ value }) => value as CryptographicParameters)

/** Whether the key has these parameters among its own (§4.6). */
export const hasParameters = (object: ManagedObject, asked: CryptographicParameters): boolean =>
  parametersOf(object).some((own) => agrees(own, asked))

/**
 * The parameters of an operation: those of the request, completed from the first of the key's own that agree with them; a
 * request without any takes the key's with the lowest Attribute Index. May be empty.
 */
export const effectiveParameters = (
  object: ManagedObject,
  asked: CryptographicParameters | undefined,
): CryptographicParameters => {
  const own = parametersOf(object)
  const base = asked === undefined ? own[0] : own.find((set) => agrees(set, asked))
  const effective: Record<string, unknown> = {}
  lay(effective, base)
  lay(effective, asked)
  return effective
}

/** Algorithms that work on blocks and so need a mode. */
const blockCiphers: ReadonlySet<number | undefined> = new Set([
  CryptographicAlgorithm.AES,
  CryptographicAlgorithm.DES,
  CryptographicAlgorithm.DES3,
  CryptographicAlgorithm.Camellia,
  CryptographicAlgorithm.Blowfish,
  CryptographicAlgorithm.CAST5,
  CryptographicAlgorithm.IDEA,
  CryptographicAlgorithm.RC2,
  CryptographicAlgorithm.RC5,
  CryptographicAlgorithm.SEED,
  CryptographicAlgorithm.ARIA,
  CryptographicAlgorithm.Twofish,
])
const paddedModes: ReadonlySet<number | undefined> = new Set([BlockCipherMode.ECB, BlockCipherMode.CBC])

/**
 * The parameters of Encrypt and Decrypt with what nobody named. Neither mode nor padding: ECB with PKCS5. A mode alone:
 * `unnamedPadding`, because the published test cases name ECB and expect no padding.
 */
export const withCipherDefaults = (
  parameters: CryptographicParameters,
  cryptographicAlgorithm: number | undefined,
  unnamedPadding: 'none' | 'PKCS5',
): CryptographicParameters => {
  if (!blockCiphers.has(cryptographicAlgorithm)) return parameters
  const blockCipherMode = parameters.blockCipherMode ?? BlockCipherMode.ECB
  if (!paddedModes.has(blockCipherMode) || parameters.paddingMethod !== undefined) {
    return { ...parameters, blockCipherMode }
  }
  const none = parameters.blockCipherMode !== undefined && unnamedPadding === 'none'
  return { ...parameters, blockCipherMode, paddingMethod: none ? PaddingMethod.None : PaddingMethod.PKCS5 }
}

/** Modes that start from an IV, counter or nonce. */
const modesWithIv: ReadonlySet<number | undefined> = new Set([
  BlockCipherMode.CBC,
  BlockCipherMode.PCBC,
  BlockCipherMode.CFB,
  BlockCipherMode.OFB,
  BlockCipherMode.CTR,
  BlockCipherMode.CCM,
  BlockCipherMode.GCM,
  BlockCipherMode.XTS,
])

/** Whether the mode cannot do without an IV, counter or nonce. */
export const needsIv = ({ blockCipherMode }: CryptographicParameters): boolean => modesWithIv.has(blockCipherMode)

/** Bytes of an IV in CBC mode, which is a block of the algorithm. */
export const blockBytes = (cryptographicAlgorithm: number | undefined): number =>
  cryptographicAlgorithm === CryptographicAlgorithm.AES || cryptographicAlgorithm === CryptographicAlgorithm.Camellia
    ? 16
    : 8
