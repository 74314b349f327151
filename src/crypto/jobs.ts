/**
 * Cryptographic jobs as plain data. What it is: a row per kind of job: what it asks and gives, the function that does it,
 * and what it costs. What it is not: threads (job-pool.ts), nor the choice to use them (run.ts).
 */

import type { CryptographicParameters } from '#kmip/attribute-values'
import { DerivationMethod, HashingAlgorithm, type KeyCompressionType, KeyFormatType, SplitKeyMethod } from '#kmip/enums'
import { algorithmRows, lengthAllowed } from './algorithms.ts'
import { type Cost, cipherCost, generationCost, guessed, hashCost, keyUseCost } from './costs.ts'
import { type DeriveRequest, deriveKey, passesOf } from './derive.ts'
import { type Digest, digestOf, mandatoryDigest } from './digest.ts'
import { decrypt, type Encrypted, type EncryptRequest, encrypt } from './encrypt.ts'
import { type PlainCryptoError, plainCryptoError } from './errors.ts'
import {
  type GeneratedKey,
  type GeneratedKeyPair,
  generateKeyPair,
  generateSymmetricKey,
  type KeyPairRequest,
  type SymmetricKeyRequest,
} from './generate.ts'
import { type ConvertedKey, convertKey, type KeyForm, type ParsedKey, parseKey } from './key-format.ts'
import { isAsymmetric } from './key-use.ts'
import { computeMac, hashMeant, verifyMac } from './mac.ts'
import {
  type ContainerRequest,
  type OpenedContainer,
  type OpenRequest,
  openContainer,
  writeContainer,
} from './pkcs12.ts'
import { isLong, needsRecovery } from './rsa-key.ts'
import { computeSignature, type SignRequest, type VerifyRequest, verifySignature } from './signature.ts'
import { type JoinRequest, joinKey, type Share, type SplitRequest, type SplitSecret, splitKey } from './split.ts'
import { unwrapKey, type WrapRequest, wrapKey } from './wrap.ts'

/** Conversion: the key as stored, and the form that Get asks for. */
export interface ConvertRequest {
  readonly from: KeyForm
  readonly to: {
    readonly keyFormatType?: KeyFormatType | undefined
    readonly keyCompressionType?: KeyCompressionType | undefined
  }
}

/** Data, and the key and parameters of its code. */
export interface MacRequest {
  readonly key: KeyForm
  readonly parameters: CryptographicParameters
  readonly data: Uint8Array
}

/** Every kind of job: what it asks, and what it gives. All of it can cross a thread. */
export interface CryptoJobs {
  readonly generateSymmetricKey: { readonly request: SymmetricKeyRequest; readonly result: GeneratedKey }
  readonly generateKeyPair: { readonly request: KeyPairRequest; readonly result: GeneratedKeyPair }
  readonly parseKey: { readonly request: KeyForm; readonly result: ParsedKey }
  readonly convertKey: { readonly request: ConvertRequest; readonly result: ConvertedKey }
  readonly wrapKey: { readonly request: WrapRequest; readonly result: Uint8Array }
  readonly unwrapKey: { readonly request: WrapRequest; readonly result: Uint8Array }
  readonly encrypt: { readonly request: EncryptRequest; readonly result: Encrypted }
  readonly decrypt: { readonly request: EncryptRequest; readonly result: { readonly data: Uint8Array } }
  readonly sign: { readonly request: SignRequest; readonly result: { readonly signature: Uint8Array } }
  readonly verifySignature: {
    readonly request: VerifyRequest
    readonly result: { readonly valid: boolean; readonly data?: Uint8Array }
  }
  readonly mac: { readonly request: MacRequest; readonly result: { readonly mac: Uint8Array } }
  readonly verifyMac: {
    readonly request: MacRequest & { readonly mac: Uint8Array }
    readonly result: { readonly valid: boolean }
  }
  readonly hash: {
    readonly request: { readonly hashingAlgorithm: number; readonly data: Uint8Array }
    readonly result: { readonly digest: Uint8Array }
  }
  readonly deriveKey: { readonly request: DeriveRequest; readonly result: { readonly keyMaterial: Uint8Array } }
  readonly splitKey: { readonly request: SplitRequest; readonly result: SplitSecret }
  readonly joinKey: { readonly request: JoinRequest; readonly result: { readonly secret: Uint8Array } }
  readonly digest: {
    readonly request: { readonly encodedMaterial: Uint8Array; readonly keyFormatType?: KeyFormatType | undefined }
    readonly result: Digest
  }
  readonly writeContainer: { readonly request: ContainerRequest; readonly result: { readonly container: Uint8Array } }
  readonly openContainer: { readonly request: OpenRequest; readonly result: OpenedContainer }
}

export type CryptoJobKind = keyof CryptoJobs
/** A job of a kind: its request, and the kind's name. */
export type CryptoJob<Kind extends CryptoJobKind = CryptoJobKind> = {
  [Each in Kind]: { readonly kind: Each } & CryptoJobs[Each]['request']
}[Kind]
/** What a job of a kind gives. */
export type CryptoResult<Kind extends CryptoJobKind> = CryptoJobs[Kind]['result']

type Rows = {
  readonly [Kind in CryptoJobKind]: {
    readonly execute: (request: CryptoJobs[Kind]['request']) => CryptoResult<Kind>
    readonly cost: (request: CryptoJobs[Kind]['request']) => Cost
  }
}

/** Reading a key takes 10 to 200 µs, but for an RSA key whose primes must be found first, or whose numbers are long. Structures of numbers are slow, too. */
const readingCost = ({ keyFormatType, keyMaterial }: KeyForm): Cost =>
  keyFormatType === KeyFormatType.TransparentRSAPrivateKey &&
  !(keyMaterial instanceof Uint8Array) &&
  (needsRecovery(keyMaterial) || isLong(keyMaterial))
    ? guessed(50_000)
    : // Where its result is needed at once it costs a front less than the hop and its wait.
      { microseconds: 100, inPlace: true }

/** A request that cannot be met fails at once, so it may do so in place. */
function keyPairCost({ cryptographicAlgorithm, cryptographicLength, recommendedCurve }: KeyPairRequest): Cost {
  const row = algorithmRows.get(cryptographicAlgorithm)
  if (row === undefined || !row.generated) return guessed(0)
  const lengthBits = cryptographicLength ?? row.defaultLengthBits ?? 0
  // Create Key Pair in one message may ask for anything: what is not a length of the row is refused, for nothing.
  if (cryptographicLength !== undefined && !lengthAllowed(row.lengths, lengthBits)) return guessed(0)
  return generationCost(cryptographicAlgorithm, lengthBits, recommendedCurve)
}

const cipherJobCost =
  (use: 'sign' | 'verify') =>
  ({ key, parameters, data }: EncryptRequest): Cost =>
    isAsymmetric(key) ? keyUseCost(use, key, data.length) : cipherCost(key, parameters, data.length)

const signatureCost =
  (use: 'sign' | 'verify') =>
  ({ key, data }: SignRequest): Cost =>
    keyUseCost(use, key, data?.length ?? 0)

function macCost({ key, parameters, data }: MacRequest): Cost {
  const hash = hashMeant(key, parameters)
  return hash === undefined ? cipherCost(key, parameters, data.length) : hashCost(hash, data.length)
}

/**
 * An iteration of PBKDF2 takes about 0.3 µs with SHA-256, 1 µs with the slowest hash, for each block; an agreement as long as a
 * signature. What is put in is gone over as often as the method has it, at 4 µs a KiB by the slowest hash, 40 by the slowest cipher.
 */
function derivationCost(request: DeriveRequest): Cost {
  const { method, parameters, iterationCount = 0, lengthBytes, keys, derivationData, salt } = request
  if (method === DerivationMethod.AsymmetricKey) return guessed(1500)
  const bytes = [derivationData, salt, ...keys.map((key) => key.bytes)].reduce(
    (sum, part) => sum + (part?.length ?? 0),
    0,
  )
  const hashes = parameters.hashingAlgorithm !== undefined || method === DerivationMethod.HASH
  const blocks = Math.ceil(lengthBytes / leastDigestBytes)
  return guessed(20 + iterationCount * blocks + (bytes / 1024) * (hashes ? 4 : 40) * passesOf(request))
}

/** MD5 gives as many; the next one that is used gives 20. */
const leastDigestBytes = 16

/** A byte of a share costs some 50 ns for each other share. */
const sharingCost = (shares: number, bytes: number): Cost => guessed(100 + shares * shares * bytes * 0.05)

/** A prime must be found, or checked. */
const primeFieldCost = guessed(50_000)

const splitCost = ({ method, parts, secret }: SplitRequest): Cost =>
  method === SplitKeyMethod.PolynomialSharingPrimeField ? primeFieldCost : sharingCost(parts, secret.length)

const joinCost = (method: number, shares: readonly Share[]): Cost =>
  method === SplitKeyMethod.PolynomialSharingPrimeField
    ? primeFieldCost
    : sharingCost(shares.length, shares[0]?.bytes.length ?? 0)

/** Random bytes, parity: a few microseconds. */
const drawn = guessed(10)

/** Key wrap goes over its data six times. */
const wrapCost = ({ data }: WrapRequest): Cost => guessed(10 + (data.length / 1024) * 60)

const rows: Rows = {
  generateSymmetricKey: { execute: generateSymmetricKey, cost: () => drawn },
  generateKeyPair: { execute: generateKeyPair, cost: keyPairCost },
  parseKey: { execute: parseKey, cost: readingCost },
  convertKey: { execute: ({ from, to }) => convertKey(from, to), cost: ({ from }) => readingCost(from) },
  wrapKey: { execute: wrapKey, cost: wrapCost },
  unwrapKey: { execute: unwrapKey, cost: wrapCost },
  encrypt: { execute: encrypt, cost: cipherJobCost('verify') },
  decrypt: { execute: decrypt, cost: cipherJobCost('sign') },
  sign: { execute: (request) => ({ signature: computeSignature(request) }), cost: signatureCost('sign') },
  verifySignature: { execute: (request) => ({ valid: verifySignature(request) }), cost: signatureCost('verify') },
  mac: { execute: ({ key, parameters, data }) => ({ mac: computeMac(key, parameters, data) }), cost: macCost },
  verifyMac: {
    execute: ({ key, parameters, data, mac }) => ({ valid: verifyMac(key, parameters, data, mac) }),
    cost: macCost,
  },
  hash: {
    execute: ({ hashingAlgorithm, data }) => ({ digest: digestOf(hashingAlgorithm, data) }),
    cost: ({ hashingAlgorithm, data }) => hashCost(hashingAlgorithm, data.length),
  },
  deriveKey: { execute: (request) => ({ keyMaterial: deriveKey(request) }), cost: derivationCost },
  splitKey: { execute: splitKey, cost: splitCost },
  joinKey: {
    execute: (request) => ({ secret: joinKey(request) }),
    cost: ({ method, shares }) => joinCost(method, shares),
  },
  digest: {
    execute: ({ encodedMaterial, keyFormatType }) => mandatoryDigest(encodedMaterial, keyFormatType),
    cost: ({ encodedMaterial }) => hashCost(HashingAlgorithm.SHA_256, encodedMaterial.length),
  },
  writeContainer: {
    execute: (request) => ({ container: writeContainer(request) }),
    cost: ({ iterations }) => guessed(500 + iterations),
  },
  // How many iterations a container asks for is known when it is open.
  openContainer: { execute: openContainer, cost: () => guessed(50_000) },
}

/** What a job will cost, about: in a thread that has read its key before. */
export function costOf<Kind extends CryptoJobKind>(job: CryptoJob<Kind>): Cost {
  const { kind, request } = parted<Kind>(job)
  return rows[kind].cost(request)
}

/** Does a job, here and now. Throws what its function throws: KeyFormatError, AlgorithmError, KeyWrapError, KeyUseError. */
export function executeJob<Kind extends CryptoJobKind>(job: CryptoJob<Kind>): CryptoResult<Kind> {
  const { kind, request } = parted<Kind>(job)
  return rows[kind].execute(request)
}

/** Kind and request of a job, which the compiler cannot see to belong together. */
const parted = <Kind extends CryptoJobKind>(job: CryptoJob<Kind>) => ({
  kind: job.kind,
  request: job as CryptoJobs[Kind]['request'],
})

/** How a job ended, as plain data. */
export type Outcome =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly error: PlainCryptoError }

/** Does the jobs of a task in order; one that fails leaves the others alone. */
export function executeTask(jobs: readonly CryptoJob[]): Outcome[] {
  return jobs.map((job): Outcome => {
    try {
      return { ok: true, value: executeJob(job) }
    } catch (error) {
      return { ok: false, error: plainCryptoError(error) }
    }
  })
}
