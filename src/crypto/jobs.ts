/**
 * Cryptographic jobs as plain data. What it is: a row per kind of job: what it asks and gives, the function that does it,
 * and what it costs. What it is not: threads (job-pool.ts), nor the choice to use them (run.ts).
 */

import type { CryptographicParameters } from '#kmip/attribute-values'
import {
  CryptographicAlgorithm,
  DerivationMethod,
  type KeyCompressionType,
  KeyFormatType,
  SplitKeyMethod,
} from '#kmip/enums'
import { algorithmRows } from './algorithms.ts'
import { type DeriveRequest, deriveKey } from './derive.ts'
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
import { computeMac, verifyMac } from './mac.ts'
import { needsRecovery } from './rsa-key.ts'
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
}

export type CryptoJobKind = keyof CryptoJobs
/** A job of a kind: its request, and the kind's name. */
export type CryptoJob<Kind extends CryptoJobKind = CryptoJobKind> = {
  [Each in Kind]: { readonly kind: Each } & CryptoJobs[Each]['request']
}[Kind]
/** What a job of a kind gives. */
export type CryptoResult<Kind extends CryptoJobKind> = CryptoJobs[Kind]['result']

/**
 * What a job costs, against the hop to a worker (about 90 µs alone, 5 µs in company): `inline` less than the hop; `small` a
 * little, so that many travel as one task; `heavy` milliseconds and more, so that nothing should wait behind it.
 */
export type Cost = 'inline' | 'small' | 'heavy'

type Rows = {
  readonly [Kind in CryptoJobKind]: {
    readonly execute: (request: CryptoJobs[Kind]['request']) => CryptoResult<Kind>
    readonly cost: (request: CryptoJobs[Kind]['request']) => Cost
  }
}

const inline = (): Cost => 'inline'

/** Hashing and ciphers go at about 1 µs a KiB: above this a front thread should not do it. */
const inlineBytesMax = 65536

const costByBytes = ({ data }: { readonly data: Uint8Array }): Cost =>
  data.length > inlineBytesMax ? 'small' : 'inline'

/** A request that cannot be met fails at once, so it may do so in place. */
const generationCost = ({ cryptographicAlgorithm }: KeyPairRequest): Cost => {
  const cost = algorithmRows.get(cryptographicAlgorithm)?.generation ?? 'never'
  return cost === 'never' ? 'inline' : cost
}

/** Reading a key takes 10 to 100 µs, but for an RSA key whose primes must be found first. */
const readingCost = ({ keyFormatType, keyMaterial }: KeyForm): Cost =>
  keyFormatType === KeyFormatType.TransparentRSAPrivateKey &&
  !(keyMaterial instanceof Uint8Array) &&
  needsRecovery(keyMaterial)
    ? 'heavy'
    : 'inline'

/** A private key of RSA works for 0.3 ms (2048 bits) to 2 ms (4096 bits), one of a curve for 0.1 ms with its reading. */
const privateKeyCost = ({ key }: { readonly key: KeyForm }): Cost =>
  key.cryptographicAlgorithm === CryptographicAlgorithm.RSA || key.keyFormatType === KeyFormatType.PKCS_1
    ? 'heavy'
    : 'small'

/** Checking with RSA costs less than the hop, with a curve or DSA about as much. */
const publicKeyCost = ({ key }: { readonly key: KeyForm }): Cost =>
  key.cryptographicAlgorithm === CryptographicAlgorithm.RSA ? 'inline' : 'small'

/** An iteration of PBKDF2 takes about 0.3 µs; an agreement as long as a signature. */
const derivationCost = ({ method, iterationCount = 0 }: DeriveRequest): Cost => {
  if (method === DerivationMethod.AsymmetricKey) return 'heavy'
  return iterationCount > 2000 ? 'heavy' : iterationCount > 100 ? 'small' : 'inline'
}

/** A byte of a share costs some 50 ns for each other share. */
const sharingCost = (shares: number, bytes: number): Cost => (shares * shares * bytes > 10_000 ? 'heavy' : 'small')

/** A prime must be found, or checked. */
const splitCost = ({ method, parts, secret }: SplitRequest): Cost =>
  method === SplitKeyMethod.PolynomialSharingPrimeField ? 'heavy' : sharingCost(parts, secret.length)

const joinCost = (method: number, shares: readonly Share[]): Cost =>
  method === SplitKeyMethod.PolynomialSharingPrimeField
    ? 'heavy'
    : sharingCost(shares.length, shares[0]?.bytes.length ?? 0)

const rows: Rows = {
  generateSymmetricKey: { execute: generateSymmetricKey, cost: generationCost },
  generateKeyPair: { execute: generateKeyPair, cost: generationCost },
  parseKey: { execute: parseKey, cost: readingCost },
  convertKey: { execute: ({ from, to }) => convertKey(from, to), cost: ({ from }) => readingCost(from) },
  wrapKey: { execute: wrapKey, cost: inline },
  unwrapKey: { execute: unwrapKey, cost: inline },
  encrypt: { execute: encrypt, cost: costByBytes },
  decrypt: {
    execute: decrypt,
    cost: (request) => (isAsymmetric(request.key) ? privateKeyCost(request) : costByBytes(request)),
  },
  sign: { execute: (request) => ({ signature: computeSignature(request) }), cost: privateKeyCost },
  verifySignature: { execute: (request) => ({ valid: verifySignature(request) }), cost: publicKeyCost },
  mac: { execute: ({ key, parameters, data }) => ({ mac: computeMac(key, parameters, data) }), cost: costByBytes },
  verifyMac: {
    execute: ({ key, parameters, data, mac }) => ({ valid: verifyMac(key, parameters, data, mac) }),
    cost: costByBytes,
  },
  hash: { execute: ({ hashingAlgorithm, data }) => ({ digest: digestOf(hashingAlgorithm, data) }), cost: costByBytes },
  deriveKey: { execute: (request) => ({ keyMaterial: deriveKey(request) }), cost: derivationCost },
  splitKey: { execute: splitKey, cost: splitCost },
  joinKey: {
    execute: (request) => ({ secret: joinKey(request) }),
    cost: ({ method, shares }) => joinCost(method, shares),
  },
  digest: {
    execute: ({ encodedMaterial, keyFormatType }) => mandatoryDigest(encodedMaterial, keyFormatType),
    cost: ({ encodedMaterial }) => (encodedMaterial.length > inlineBytesMax ? 'small' : 'inline'),
  },
}

/** What a job will cost. */
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
