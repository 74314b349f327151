/**
 * What a piece of work costs, by its algorithm, its key and its bytes. What it is: the reading of the measured table
 * (measured-costs.ts), and careful guesses for what it does not hold. What it is not: which job does which work (jobs.ts).
 */

import type { CryptographicParameters } from '#kmip/attribute-values'
import {
  BlockCipherMode,
  CryptographicAlgorithm,
  HashingAlgorithm,
  KeyFormatType,
  ObjectType,
  RecommendedCurve,
} from '#kmip/enums'
import type { KeyForm } from './key-format.ts'
import { measuredCosts } from './measured-costs.ts'

/** What a job costs. */
export interface Cost {
  /** Microseconds of one core, about. */
  readonly microseconds: number
  /** Whether the hop to a worker costs more, so that `auto` does it where it is asked for. */
  readonly inPlace: boolean
}

/** What nobody measured runs in place only where it is surely less than the hop. */
const guessedInPlaceUsMax = 50

/** A cost that nobody measured. */
export const guessed = (microseconds: number): Cost => ({
  microseconds,
  inPlace: microseconds <= guessedInPlaceUsMax,
})

const costOfRow = (name: string, bytes: number): Cost | undefined => {
  const row = measuredCosts[name]
  if (row === undefined) return undefined
  return {
    microseconds: row.fixedUs + (row.perKibUs * bytes) / 1024,
    inPlace: bytes <= row.inPlaceBytesMax,
  }
}

/** Slower than all that is measured: single DES in an odd mode goes at about 40 µs a KiB. */
const unmeasured = (bytes: number): Cost => guessed(10 + (bytes / 1024) * 40)

const nameOf = (values: Readonly<Record<string, number>>): ReadonlyMap<number, string> =>
  new Map(Object.entries(values).map(([name, value]) => [value, name]))

const algorithmNames = nameOf(CryptographicAlgorithm)
const hashNames = nameOf(HashingAlgorithm)

/** Names of the rows, as the benchmark writes them. */
export const cipherCostName = (algorithm: number | undefined, mode: number | undefined): string =>
  `cipher ${algorithmNames.get(algorithm ?? 0)}${mode === BlockCipherMode.GCM ? ' GCM' : ''}`
export const hashCostName = (hash: number): string => `hash ${hashNames.get(hash)}`

/** A cipher over so many bytes. */
export const cipherCost = (
  key: KeyForm,
  { cryptographicAlgorithm, blockCipherMode }: CryptographicParameters,
  bytes: number,
): Cost =>
  costOfRow(cipherCostName(key.cryptographicAlgorithm ?? cryptographicAlgorithm, blockCipherMode), bytes) ??
  unmeasured(bytes)

/** A hash over so many bytes. */
export const hashCost = (hashingAlgorithm: number, bytes: number): Cost =>
  costOfRow(hashCostName(hashingAlgorithm), bytes) ?? unmeasured(bytes)

/** The kinds of asymmetric keys that cost differently; `otherCurve` are those without arithmetic of their own in the library. */
export type AsymmetricCostKind = 'RSA' | 'P_256' | 'otherCurve' | 'Ed25519' | 'Ed448' | 'DSA'

/** DER of the name of the curve P-256: its bytes stand in every form of a key on it but the transparent one. */
const nameOfP256 = Buffer.from('06082a8648ce3d030107', 'hex')

function isOnP256({ keyMaterial }: KeyForm): boolean {
  if (!(keyMaterial instanceof Uint8Array)) return keyMaterial.recommendedCurve === RecommendedCurve.P_256
  return Buffer.from(keyMaterial.buffer, keyMaterial.byteOffset, keyMaterial.length).includes(nameOfP256)
}

const A = CryptographicAlgorithm

function kindOf(key: KeyForm): AsymmetricCostKind {
  const { cryptographicAlgorithm: algorithm, keyFormatType } = key
  if (algorithm === A.RSA || keyFormatType === KeyFormatType.PKCS_1) return 'RSA'
  if (algorithm === A.Ed25519) return 'Ed25519'
  if (algorithm === A.Ed448) return 'Ed448'
  if (algorithm === A.DSA) return 'DSA'
  // Without an algorithm: what costs most of all that it may be.
  if (algorithm === undefined) return 'RSA'
  return isOnP256(key) ? 'P_256' : 'otherCurve'
}

/** Lengths of RSA that are measured. */
export const measuredRsaBits = [2048, 3072, 4096] as const

/** The bytes of a private PKCS #1 are about 0.58 of its modulus' bits, of a public one 0.13. */
function rsaBitsOf({ cryptographicLength, keyMaterial, objectType }: KeyForm): number {
  if (cryptographicLength !== undefined) return cryptographicLength
  if (!(keyMaterial instanceof Uint8Array)) return 4096
  return objectType === ObjectType.PrivateKey ? keyMaterial.length / 0.58 : keyMaterial.length * 8
}

export const asymmetricCostName = (
  use: 'sign' | 'verify' | 'generate',
  kind: AsymmetricCostKind,
  bits?: number,
): string => `${use} ${kind}${bits === undefined ? '' : ` ${bits}`}`

/** RSA of a length: as the next length that is measured, beyond them by the law of the use. */
function rsaCost(use: 'sign' | 'verify' | 'generate', bits: number, bytes: number): Cost | undefined {
  const largest = measuredRsaBits[measuredRsaBits.length - 1] ?? 4096
  const measured = measuredRsaBits.find((known) => known >= bits) ?? largest
  const cost = costOfRow(asymmetricCostName(use, 'RSA', measured), bytes)
  if (cost === undefined || bits <= largest) return cost
  const power = { verify: 2, sign: 3, generate: 4 }[use]
  return guessed(cost.microseconds * (bits / largest) ** power)
}

/** Microseconds where the table has no row: those of a slow curve. */
const unmeasuredKeyUseUs = 1500

/** A use of a key of a pair, read before: a signature or decryption (`sign`), or a check or encryption (`verify`). */
export function keyUseCost(use: 'sign' | 'verify', key: KeyForm, bytes: number): Cost {
  const kind = kindOf(key)
  const cost = kind === 'RSA' ? rsaCost(use, rsaBitsOf(key), bytes) : costOfRow(asymmetricCostName(use, kind), bytes)
  return cost ?? guessed(unmeasuredKeyUseUs)
}

/** Making a key pair of an algorithm, or of a curve. Parameters of DSA must be found; groups of DH are known. */
export function generationCost(
  algorithm: CryptographicAlgorithm,
  lengthBits: number,
  curve: RecommendedCurve | undefined,
): Cost {
  if (algorithm === A.RSA) return rsaCost('generate', lengthBits, 0) ?? guessed(1_000_000)
  if (algorithm === A.DSA) return guessed(1_000_000)
  if (algorithm === A.DH) return guessed(20_000)
  const isP256 = curve === RecommendedCurve.P_256 || (curve === undefined && lengthBits === 256)
  const edwards = algorithm === A.Ed25519 ? 'Ed25519' : algorithm === A.Ed448 ? 'Ed448' : undefined
  const kind = edwards ?? (isP256 ? 'P_256' : 'otherCurve')
  return costOfRow(asymmetricCostName('generate', kind), 0) ?? guessed(unmeasuredKeyUseUs)
}
