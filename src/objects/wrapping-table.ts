/**
 * What is wrapped under what, as rows (KMIP 1.4 §2.1.5, §2.1.6, §3.6). What it is: the table that the server decides by, with
 * the defaults that it decides with; docs/wrapping.md is made from it. What it is not: Wrapping Methods (key-wrapping.ts), or
 * the cryptography. Encoding Options and operations are not columns: a row holds for both encodings, and for both ways.
 */
import type { CryptographicParameters } from '#kmip/attribute-values'
import {
  BlockCipherMode,
  CryptographicAlgorithm,
  DigitalSignatureAlgorithm,
  HashingAlgorithm,
  ObjectType,
  PaddingMethod,
} from '#kmip/enums'

/** What a key does in wrapping: Encryption Key Information says the first, MAC/Signature Key Information one of the others. */
export type WrappingWork = 'encrypt' | 'mac' | 'sign'

/** Which setting of `wrappingAllowed` has a row; `all` has those of `common` too. */
export type WrappingSetting = 'common' | 'all'

/** What of Cryptographic Parameters tells one cell from another; a field that has no meaning for the key is absent. */
export interface WrappingScheme {
  readonly blockCipherMode?: number | undefined
  readonly paddingMethod?: number | undefined
  readonly hashingAlgorithm?: number | undefined
  readonly digitalSignatureAlgorithm?: number | undefined
}

/** Cells that are alike: every combination of what the columns list. A column that is absent stands for a field that is. */
export interface WrappingRow {
  readonly setting: WrappingSetting
  readonly work: WrappingWork
  /** What is wrapped. */
  readonly objectTypes: readonly ObjectType[]
  /** Of the wrapping key. */
  readonly cryptographicAlgorithm: CryptographicAlgorithm
  /** Of the wrapping key, in bits; absent: any. */
  readonly lengthsBits?: readonly number[]
  readonly blockCipherModes?: readonly BlockCipherMode[]
  readonly paddingMethods?: readonly PaddingMethod[]
  /** Also those that the mask of OAEP and PSS may be made with, where that one is named. */
  readonly hashingAlgorithms?: readonly HashingAlgorithm[]
  readonly digitalSignatureAlgorithms?: readonly DigitalSignatureAlgorithm[]
}

const A = CryptographicAlgorithm
const D = DigitalSignatureAlgorithm
const H = HashingAlgorithm
const M = BlockCipherMode
const O = ObjectType
const P = PaddingMethod

/** Every object with a Key Block. */
const keyed: readonly ObjectType[] = [O.SymmetricKey, O.PrivateKey, O.PublicKey, O.SecretData, O.SplitKey]
const commonHashes: readonly HashingAlgorithm[] = [H.SHA_1, H.SHA_256, H.SHA_384, H.SHA_512]
const allHashes: readonly HashingAlgorithm[] = [
  ...commonHashes,
  H.SHA_224,
  H.SHA_512_224,
  H.SHA_512_256,
  H.SHA3_224,
  H.SHA3_256,
  H.SHA3_384,
  H.SHA3_512,
]
const hmacs: ReadonlyMap<number | undefined, HashingAlgorithm> = new Map([
  [A.HMAC_SHA1, H.SHA_1],
  [A.HMAC_SHA256, H.SHA_256],
  [A.HMAC_SHA384, H.SHA_384],
  [A.HMAC_SHA512, H.SHA_512],
  [A.HMAC_SHA224, H.SHA_224],
  [A.HMAC_MD5, H.MD5],
  [A.HMAC_SHA3_224, H.SHA3_224],
  [A.HMAC_SHA3_256, H.SHA3_256],
  [A.HMAC_SHA3_384, H.SHA3_384],
  [A.HMAC_SHA3_512, H.SHA3_512],
])
// Not Zeros, which cannot be told from the padding of TTLV.
const blockPaddings: readonly PaddingMethod[] = [P.None, P.PKCS5, P.ANSIX9_23, P.ISO10126]
const paddedModes: readonly BlockCipherMode[] = [M.ECB, M.CBC]

type Columns = Omit<WrappingRow, 'setting' | 'work' | 'objectTypes' | 'cryptographicAlgorithm'>

const row = (
  setting: WrappingSetting,
  work: WrappingWork,
  objectTypes: readonly ObjectType[],
  cryptographicAlgorithm: CryptographicAlgorithm,
  columns: Columns,
): WrappingRow => ({ setting, work, objectTypes, cryptographicAlgorithm, ...columns })

const hmacRow = (setting: WrappingSetting, objectTypes: readonly ObjectType[], algorithm: number): WrappingRow => {
  const hash = hmacs.get(algorithm)
  return row(setting, 'mac', objectTypes, algorithm as CryptographicAlgorithm, {
    hashingAlgorithms: hash === undefined ? [] : [hash],
  })
}

/** The paddings and Digital Signature Algorithms of RSA. */
const rsaSigning = (
  setting: WrappingSetting,
  objectTypes: readonly ObjectType[],
  hashingAlgorithms: readonly HashingAlgorithm[],
  digitalSignatureAlgorithms: readonly DigitalSignatureAlgorithm[],
): readonly WrappingRow[] => [
  row(setting, 'sign', objectTypes, A.RSA, { paddingMethods: [P.PKCS1V1_5], hashingAlgorithms }),
  row(setting, 'sign', objectTypes, A.RSA, { paddingMethods: [P.PSS], hashingAlgorithms }),
  row(setting, 'sign', objectTypes, A.RSA, { digitalSignatureAlgorithms }),
]

/** A block cipher in the modes that the library has for it, for every object with a Key Block. */
const cipherRows = (
  algorithm: CryptographicAlgorithm,
  lengthsBits: readonly number[],
  streamed: readonly BlockCipherMode[],
): readonly WrappingRow[] => [
  row('all', 'encrypt', keyed, algorithm, {
    lengthsBits,
    blockCipherModes: paddedModes,
    paddingMethods: blockPaddings,
  }),
  row('all', 'encrypt', keyed, algorithm, { lengthsBits, blockCipherModes: streamed }),
]

const aesBits = [128, 192, 256]
const commonObjects = [O.SymmetricKey, O.PrivateKey]
const commonHmacs = [A.HMAC_SHA1, A.HMAC_SHA256, A.HMAC_SHA384, A.HMAC_SHA512]
const commonSignatures = [
  D.SHA_1WithRSAEncryption,
  D.SHA_256WithRSAEncryption,
  D.SHA_384WithRSAEncryption,
  D.SHA_512WithRSAEncryption,
]

/** What an appliance that many clients were written for wraps: the cells of the setting `common`. */
const commonRows: readonly WrappingRow[] = [
  row('common', 'encrypt', [O.SymmetricKey], A.AES, {
    lengthsBits: aesBits,
    blockCipherModes: [M.NISTKeyWrap, M.AESKeyWrapPadding],
  }),
  row('common', 'encrypt', [O.SymmetricKey], A.RSA, { paddingMethods: [P.PKCS1V1_5] }),
  row('common', 'encrypt', [O.SymmetricKey], A.RSA, { paddingMethods: [P.OAEP], hashingAlgorithms: commonHashes }),
  // The integrity check of RFC 5649 covers a material of any length.
  row('common', 'encrypt', [O.PrivateKey], A.AES, { lengthsBits: [256], blockCipherModes: [M.AESKeyWrapPadding] }),
  ...commonHmacs.map((algorithm) => hmacRow('common', commonObjects, algorithm)),
  ...rsaSigning('common', commonObjects, commonHashes, commonSignatures),
]

/** What the specification has besides, and the library can do: the further cells of the setting `all`. */
const furtherRows: readonly WrappingRow[] = [
  row('all', 'encrypt', keyed, A.AES, {
    lengthsBits: aesBits,
    blockCipherModes: [M.NISTKeyWrap, M.AESKeyWrapPadding],
  }),
  ...cipherRows(A.AES, aesBits, [M.CFB, M.OFB, M.CTR, M.GCM, M.CCM]),
  // Two keys of 128 or 256 bits, one behind the other (NIST SP 800-38E).
  row('all', 'encrypt', keyed, A.AES, { lengthsBits: [256, 512], blockCipherModes: [M.XTS] }),
  ...cipherRows(A.Camellia, aesBits, [M.CFB, M.OFB, M.CTR]),
  ...cipherRows(A.DES3, [112, 128, 168, 192], [M.CFB, M.OFB]),
  row('all', 'encrypt', keyed, A.ChaCha20Poly1305, { lengthsBits: [256], blockCipherModes: [M.AEAD] }),
  row('all', 'encrypt', keyed, A.RSA, { paddingMethods: [P.PKCS1V1_5] }),
  row('all', 'encrypt', keyed, A.RSA, { paddingMethods: [P.OAEP], hashingAlgorithms: allHashes }),
  ...[...hmacs.keys()].flatMap((algorithm) => (algorithm === undefined ? [] : [hmacRow('all', keyed, algorithm)])),
  ...[A.AES, A.Camellia, A.DES3].map((algorithm) =>
    row('all', 'mac', keyed, algorithm, { blockCipherModes: [M.CMAC, M.CBC_MAC] }),
  ),
  ...rsaSigning('all', keyed, allHashes, [
    ...commonSignatures,
    D.SHA_224WithRSAEncryption,
    D.SHA3_256WithRSAEncryption,
    D.SHA3_384WithRSAEncryption,
    D.SHA3_512WithRSAEncryption,
  ]),
  row('all', 'sign', keyed, A.RSA, { digitalSignatureAlgorithms: [D.RSASSA_PSS], hashingAlgorithms: allHashes }),
  ...[A.ECDSA, A.EC].flatMap((algorithm) => [
    row('all', 'sign', keyed, algorithm, { hashingAlgorithms: allHashes }),
    row('all', 'sign', keyed, algorithm, {
      digitalSignatureAlgorithms: [
        D.ECDSAWithSHA_1,
        D.ECDSAWithSHA224,
        D.ECDSAWithSHA256,
        D.ECDSAWithSHA384,
        D.ECDSAWithSHA512,
      ],
    }),
  ]),
  row('all', 'sign', keyed, A.DSA, { hashingAlgorithms: [H.SHA_1, H.SHA_224, H.SHA_256] }),
  row('all', 'sign', keyed, A.DSA, {
    digitalSignatureAlgorithms: [D.DSAWithSHA_1, D.DSAWithSHA224, D.DSAWithSHA256],
  }),
]

/** All rows; those of `common` first. */
export const wrappingRows: readonly WrappingRow[] = [...commonRows, ...furtherRows]

/** The mode that is meant where none is named: AES has RFC 3394, other ciphers must be told. */
const usualModes: ReadonlyMap<number | undefined, BlockCipherMode> = new Map([
  [A.AES, M.NISTKeyWrap],
  [A.ChaCha20Poly1305, M.AEAD],
])

/**
 * The scheme that parameters stand for with a key of an algorithm: what they name, else what is meant where they do not. The
 * work is done with this very scheme, so that nothing else can be done than was decided.
 * @param algorithm of the wrapping key
 */
export const wrappingScheme = (
  work: WrappingWork,
  algorithm: number | undefined,
  parameters: CryptographicParameters,
): WrappingScheme => {
  const { blockCipherMode, paddingMethod, hashingAlgorithm, digitalSignatureAlgorithm } = parameters
  if (work === 'encrypt') {
    if (algorithm === A.RSA) {
      const padding = paddingMethod ?? P.PKCS1V1_5
      return {
        paddingMethod: padding,
        hashingAlgorithm: padding === P.OAEP ? (hashingAlgorithm ?? H.SHA_1) : undefined,
      }
    }
    const mode = blockCipherMode ?? usualModes.get(algorithm)
    const isPadded = paddedModes.some((padded) => padded === mode)
    return { blockCipherMode: mode, paddingMethod: isPadded ? (paddingMethod ?? P.None) : undefined }
  }
  if (work === 'mac') {
    const named = hmacs.get(parameters.cryptographicAlgorithm)
    if (named !== undefined) return { hashingAlgorithm: named }
    if (blockCipherMode !== undefined) return { blockCipherMode }
    const hash = hashingAlgorithm ?? hmacs.get(algorithm)
    return hash === undefined ? { blockCipherMode: M.CMAC } : { hashingAlgorithm: hash }
  }
  if (digitalSignatureAlgorithm !== undefined) {
    const hash = digitalSignatureAlgorithm === D.RSASSA_PSS ? (hashingAlgorithm ?? H.SHA_256) : undefined
    return { digitalSignatureAlgorithm, hashingAlgorithm: hash }
  }
  const hash = hashingAlgorithm ?? H.SHA_256
  return { hashingAlgorithm: hash, paddingMethod: algorithm === A.RSA ? (paddingMethod ?? P.PKCS1V1_5) : undefined }
}

/** A key that wraps, what it wraps, and how. */
export interface WrappingCell {
  readonly work: WrappingWork
  readonly objectType: number
  readonly cryptographicAlgorithm: number | undefined
  readonly cryptographicLength: number | undefined
  readonly scheme: WrappingScheme
  /** Of OAEP and PSS, where it is named. */
  readonly maskGeneratorHashingAlgorithm?: number | undefined
}

const listed = (column: readonly number[] | undefined, value: number | undefined): boolean =>
  column === undefined ? value === undefined : value !== undefined && column.includes(value)

const masks: ReadonlySet<number | undefined> = new Set([P.OAEP, P.PSS])

const hasCell = (candidate: WrappingRow, cell: WrappingCell): boolean => {
  const { scheme, cryptographicLength, maskGeneratorHashingAlgorithm: mask } = cell
  const usesMask = masks.has(scheme.paddingMethod) || scheme.digitalSignatureAlgorithm === D.RSASSA_PSS
  return (
    candidate.work === cell.work &&
    candidate.cryptographicAlgorithm === cell.cryptographicAlgorithm &&
    listed(candidate.objectTypes, cell.objectType) &&
    (candidate.lengthsBits === undefined || listed(candidate.lengthsBits, cryptographicLength)) &&
    listed(candidate.blockCipherModes, scheme.blockCipherMode) &&
    listed(candidate.paddingMethods, scheme.paddingMethod) &&
    listed(candidate.hashingAlgorithms, scheme.hashingAlgorithm) &&
    listed(candidate.digitalSignatureAlgorithms, scheme.digitalSignatureAlgorithm) &&
    (!usesMask || mask === undefined || listed(candidate.hashingAlgorithms, mask))
  )
}

/** Whether the table has a cell under a setting. */
export const isWrappedSo = (cell: WrappingCell, setting: WrappingSetting): boolean =>
  wrappingRows.some((candidate) => (setting === 'all' || candidate.setting === 'common') && hasCell(candidate, cell))
