/**
 * Algorithms as rows. What it is: for each Cryptographic Algorithm number its kind, the lengths that its keys may have,
 * the length and formats that the server picks when a client leaves them open, and whether it makes them. What it is
 * not: the computing (generate.ts), nor the curves (curves.ts). KMIP 1.4 §9.1.3.2.13, KMIP 2.1 §11.12.
 */

import { CryptographicAlgorithm, enumerationRows, KeyFormatType } from '#kmip/enums'

/** `stored`: the server keeps such keys and gives them back, but can neither make nor check them. `hash`: not a key at all. */
export type AlgorithmKind = 'symmetric' | 'hmac' | 'rsa' | 'ec' | 'edwards' | 'dsa' | 'dh' | 'hash' | 'stored'

/** The lengths that a key may have, in bits: a list, or every `stepBits` from `minBits` to `maxBits`. */
export type LengthRule =
  | readonly number[]
  | { readonly minBits: number; readonly maxBits: number; readonly stepBits: number }

export interface AlgorithmRow {
  readonly value: CryptographicAlgorithm
  readonly name: string
  readonly kind: AlgorithmKind
  readonly since: number
  readonly until?: number
  /** Lengths that the server makes (pairs) or makes and takes (symmetric keys, HMAC keys). */
  readonly lengths: LengthRule
  /** What Create and Create Key Pair use when the client names no length. */
  readonly defaultLengthBits?: number
  /** For ciphers with parity bits: the bytes of material of each length. Others: length / 8. */
  readonly materialBytes?: ReadonlyMap<number, number>
  /** Each byte has odd parity in its lowest bit. */
  readonly parity?: true
  /** Whether the server makes such keys. What that costs: costs.ts. */
  readonly generated: boolean
  /** Formats of a generated key when the client asks for none. */
  readonly formats?: { readonly privateKey: KeyFormatType; readonly publicKey: KeyFormatType }
}

const A = CryptographicAlgorithm
const F = KeyFormatType

type Columns = Omit<AlgorithmRow, 'value' | 'name' | 'since' | 'until'>

/** Key material is bounded so that one key cannot fill a message: 8 KiB is far above every known use. */
const anyOctets = { minBits: 8, maxBits: 65536, stepBits: 8 }

const symmetric = (lengths: LengthRule, defaultLengthBits: number): Columns => ({
  kind: 'symmetric',
  lengths,
  defaultLengthBits,
  generated: true,
})
const hmac = (defaultLengthBits: number): Columns => ({
  kind: 'hmac',
  lengths: anyOctets,
  defaultLengthBits,
  generated: true,
})
const hashOnly: Columns = { kind: 'hash', lengths: [], generated: false }
const storedOnly: Columns = { kind: 'stored', lengths: [], generated: false }
const ec: Columns = {
  kind: 'ec',
  // The curve rows rule; these are the lengths that stand for a curve without naming one.
  lengths: [192, 224, 256, 384, 521],
  defaultLengthBits: 256,
  generated: true,
  formats: { privateKey: F.ECPrivateKey, publicKey: F.X_509 },
}
const edwards = (lengthBits: number): Columns => ({
  kind: 'edwards',
  lengths: [lengthBits],
  defaultLengthBits: lengthBits,
  generated: true,
  formats: { privateKey: F.PKCS_8, publicKey: F.X_509 },
})

/** Single DES: 56 bits count, 64 bits are stored. */
const desBytes = new Map([
  [56, 8],
  [64, 8],
])
/** Triple DES: the length may be counted with or without the parity bits (KMIP 1.4 §2.1.3: from 112 to 192 bits). */
const tripleDesBytes = new Map([
  [112, 16],
  [128, 16],
  [168, 24],
  [192, 24],
])

const columns: ReadonlyMap<number, Columns> = new Map<number, Columns>([
  [A.DES, { ...symmetric([56, 64], 56), materialBytes: desBytes, parity: true }],
  [A.DES3, { ...symmetric([112, 128, 168, 192], 168), materialBytes: tripleDesBytes, parity: true }],
  // 512: two keys of 256 bits, one behind the other, which XTS takes (NIST SP 800-38E).
  [A.AES, symmetric([128, 192, 256, 512], 256)],
  [
    A.RSA,
    {
      kind: 'rsa',
      // Above 4096 bits a single generation holds a worker for many seconds: a client could stall all others.
      lengths: [1024, 1536, 2048, 3072, 4096],
      defaultLengthBits: 2048,
      generated: true,
      formats: { privateKey: F.PKCS_1, publicKey: F.PKCS_1 },
    },
  ],
  [
    A.DSA,
    {
      kind: 'dsa',
      lengths: [1024, 2048, 3072],
      defaultLengthBits: 2048,
      generated: true,
      formats: { privateKey: F.PKCS_8, publicKey: F.X_509 },
    },
  ],
  [A.ECDSA, ec],
  [A.HMAC_SHA1, hmac(160)],
  [A.HMAC_SHA224, hmac(224)],
  [A.HMAC_SHA256, hmac(256)],
  [A.HMAC_SHA384, hmac(384)],
  [A.HMAC_SHA512, hmac(512)],
  [A.HMAC_MD5, hmac(128)],
  [
    A.DH,
    {
      kind: 'dh',
      // The groups of RFC 2409 and RFC 3526: a fresh safe prime would take a worker for minutes.
      lengths: [1024, 1536, 2048, 3072, 4096],
      defaultLengthBits: 2048,
      generated: true,
      formats: { privateKey: F.PKCS_8, publicKey: F.X_509 },
    },
  ],
  [A.ECDH, ec],
  [A.ECMQV, ec],
  [A.Blowfish, symmetric({ minBits: 32, maxBits: 448, stepBits: 8 }, 128)],
  [A.Camellia, symmetric([128, 192, 256], 256)],
  [A.CAST5, symmetric({ minBits: 40, maxBits: 128, stepBits: 8 }, 128)],
  [A.IDEA, symmetric([128], 128)],
  [A.MARS, symmetric({ minBits: 128, maxBits: 448, stepBits: 32 }, 256)],
  [A.RC2, symmetric({ minBits: 8, maxBits: 1024, stepBits: 8 }, 128)],
  [A.RC4, symmetric({ minBits: 40, maxBits: 2048, stepBits: 8 }, 128)],
  [A.RC5, symmetric({ minBits: 8, maxBits: 2040, stepBits: 8 }, 128)],
  [A.SKIPJACK, symmetric([80], 80)],
  [A.Twofish, symmetric([128, 192, 256], 256)],
  [A.EC, ec],
  [A.OneTimePad, symmetric(anyOctets, 256)],
  [A.ChaCha20, symmetric([128, 256], 256)],
  [A.Poly1305, symmetric([256], 256)],
  [A.ChaCha20Poly1305, symmetric([256], 256)],
  [A.SHA3_224, hashOnly],
  [A.SHA3_256, hashOnly],
  [A.SHA3_384, hashOnly],
  [A.SHA3_512, hashOnly],
  [A.HMAC_SHA3_224, hmac(224)],
  [A.HMAC_SHA3_256, hmac(256)],
  [A.HMAC_SHA3_384, hmac(384)],
  [A.HMAC_SHA3_512, hmac(512)],
  [A.SHAKE_128, hashOnly],
  [A.SHAKE_256, hashOnly],
  [A.ARIA, symmetric([128, 192, 256], 256)],
  [A.SEED, symmetric([128], 128)],
  [A.SM2, storedOnly],
  [A.SM3, hashOnly],
  [A.SM4, symmetric([128], 128)],
  [A.GOSTR34_10_2012, storedOnly],
  [A.GOSTR34_11_2012, hashOnly],
  [A.GOSTR34_13_2015, symmetric([256], 256)],
  [A.GOST28147_89, symmetric([256], 256)],
  [A.XMSS, storedOnly],
  [A.SPHINCS_256, storedOnly],
  [A.McEliece, storedOnly],
  [A.McEliece_6960119, storedOnly],
  [A.McEliece_8192128, storedOnly],
  [A.Ed25519, edwards(256)],
  [A.Ed448, edwards(456)],
])

const registered = enumerationRows.find(({ name }) => name === 'CryptographicAlgorithm')?.values ?? []

/** Algorithm rows by Cryptographic Algorithm number. A number of the registry that has no columns here is only stored. */
export const algorithmRows: ReadonlyMap<number, AlgorithmRow> = new Map(
  registered.map(({ value, name, since, until }) => {
    const own = columns.get(value) ?? storedOnly
    const row = { value: value as CryptographicAlgorithm, name, since, ...own }
    return [value, until === undefined ? row : { ...row, until }]
  }),
)

/** Whether a length in bits is one of a rule. */
export function lengthAllowed(rule: LengthRule, lengthBits: number): boolean {
  if ('minBits' in rule) {
    return lengthBits >= rule.minBits && lengthBits <= rule.maxBits && (lengthBits - rule.minBits) % rule.stepBits === 0
  }
  return rule.includes(lengthBits)
}

/** Bytes of material of a symmetric key of a length in bits; with the parity bits, where the cipher has them. */
export function materialBytesOf(row: AlgorithmRow, lengthBits: number): number {
  return row.materialBytes?.get(lengthBits) ?? Math.ceil(lengthBits / 8)
}

/**
 * The Cryptographic Length of symmetric material when nobody names one: bits without parity, where there is parity (the
 * smallest length that has that many bytes).
 */
export function lengthBitsOfMaterial(row: AlgorithmRow, bytes: number): number {
  for (const [lengthBits, material] of row.materialBytes ?? []) if (material === bytes) return lengthBits
  return bytes * 8
}
