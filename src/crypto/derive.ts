/**
 * Keys from keys: a row per Derivation Method. What it is: the bytes that a method gives. What it is not: which objects may
 * be derived from, or what becomes of the result. KMIP 1.4 §4.6, §9.1.3.2.21; RFC 8018 §5.2; NIST SP 800-108 §4.
 */

import { createHmac, diffieHellman, pbkdf2Sync } from 'node:crypto'
import type { CryptographicParameters } from '#kmip/attribute-values'
import {
  BlockCipherMode,
  CryptographicAlgorithm,
  DerivationMethod,
  HashingAlgorithm,
  KeyFormatType,
  ObjectType,
} from '#kmip/enums'
import { digestOf, hashName, hashRows } from './digest.ts'
import { encrypt } from './encrypt.ts'
import { AlgorithmError, KeyFormatError, KeyUseError } from './errors.ts'
import type { KeyForm } from './key-format.ts'
import { type UsableKey, usablePrivateKey, usablePublicKey } from './key-use.ts'
import { computeMac, hashOfHmac } from './mac.ts'
import { concatenated } from './octets.ts'
import { plainBytes } from './transparent.ts'

const M = DerivationMethod

/** A key to derive from. Of a pair: `bytes` is PKCS#8 for the private half, and X.509 (SubjectPublicKeyInfo) for the public one. */
export interface BaseKey {
  readonly bytes: Uint8Array
  readonly algorithm?: number | undefined
}

/** What to derive, and how. */
export interface DeriveRequest {
  readonly method: number
  readonly keys: readonly BaseKey[]
  readonly parameters: CryptographicParameters
  readonly derivationData?: Uint8Array | undefined
  readonly iv?: Uint8Array | undefined
  /** PBKDF2. */
  readonly salt?: Uint8Array | undefined
  /** PBKDF2. */
  readonly iterationCount?: number | undefined
  readonly lengthBytes: number
}

/** A client must not hold a worker for long: so many iterations, of all blocks together, take a few seconds. */
const iterationsMax = 10_000_000
/** Total bytes that a request may ask for: far above every known use. */
const lengthBytesMax = 8192

/**
 * Bytes that all passes of a pseudorandom function together go over: 64 MiB take two seconds with Triple DES, and are far above
 * every known use.
 */
const passBytesMax = 2 ** 26
/** The shortest output of a pseudorandom function: CMAC of Triple DES. */
const leastBlockBytes = 8

const missing = (what: string): KeyUseError => new KeyUseError('missingParameter', `The ${what} is missing`)

/** The one key that most methods take. */
function onlyKey({ keys }: DeriveRequest): BaseKey {
  const [key, ...rest] = keys
  if (key === undefined) throw missing('derivation key')
  if (rest.length > 0) throw new KeyUseError('invalidParameter', 'The derivation method takes one key')
  return key
}

function dataOf({ derivationData }: DeriveRequest): Uint8Array {
  if (derivationData === undefined) throw missing('derivation data')
  return derivationData
}

/** How often a method goes over its Derivation Data at most: once for each block, in Double-Pipeline Iteration Mode twice. */
export function passesOf({ method, lengthBytes }: Pick<DeriveRequest, 'method' | 'lengthBytes'>): number {
  const blockCount = Math.ceil(lengthBytes / leastBlockBytes)
  if (method === M.NIST800_108_DPI) return 2 * blockCount
  return method === M.NIST800_108_C || method === M.NIST800_108_F ? blockCount : 1
}

/** The fixed input of a pseudorandom function. Throws KeyUseError (`invalidParameter`) for one that would hold a worker for long. */
function fixedInput(request: DeriveRequest): Uint8Array {
  const fixed = dataOf(request)
  if (fixed.length * passesOf(request) > passBytesMax) {
    throw new KeyUseError('invalidParameter', 'The derivation data is too long for the derivation method')
  }
  return fixed
}

/** The form in which the rest of crypto/ takes a key of plain bytes. */
const symmetricForm = ({ bytes, algorithm }: BaseKey): KeyForm => ({
  objectType: ObjectType.SymmetricKey,
  keyFormatType: KeyFormatType.Raw,
  keyMaterial: bytes,
  cryptographicAlgorithm: algorithm as CryptographicAlgorithm | undefined,
})

function pbkdf2({ parameters, salt, iterationCount, lengthBytes, ...request }: DeriveRequest): Uint8Array {
  const { bytes } = onlyKey({ parameters, lengthBytes, ...request })
  if (salt === undefined) throw missing('salt')
  if (iterationCount === undefined) throw missing('iteration count')
  // RFC 8018 appendix B.1.2: HMAC with SHA-1 where nothing else is named.
  const hash = hashOfHmac(parameters.cryptographicAlgorithm) ?? parameters.hashingAlgorithm ?? HashingAlgorithm.SHA_1
  const blocksNeeded = Math.ceil(lengthBytes / (hashRows.get(hash)?.digestBytes ?? 1))
  if (iterationCount < 1 || iterationCount * blocksNeeded > iterationsMax) {
    throw new KeyUseError('invalidParameter', 'The iteration count is out of range')
  }
  return plainBytes(pbkdf2Sync(bytes, salt, iterationCount, lengthBytes, hashName(hash)))
}

function hashed({ keys, parameters, derivationData }: DeriveRequest): Uint8Array {
  if (parameters.hashingAlgorithm === undefined) throw missing('hashing algorithm')
  const inputs = [...keys.map(({ bytes }) => bytes), ...(derivationData === undefined ? [] : [derivationData])]
  const [input, ...rest] = inputs
  if (input === undefined) throw missing('derivation key')
  if (rest.length > 0) throw new KeyUseError('invalidParameter', 'Either a key or derivation data is hashed, not both')
  return digestOf(parameters.hashingAlgorithm, input)
}

/** The hash of HMAC: the key's own, for the parameters do not count for an HMAC key (§4.6), else the parameters'. */
function hmacHash({ algorithm }: BaseKey, parameters: CryptographicParameters): number | undefined {
  return hashOfHmac(algorithm) ?? hashOfHmac(parameters.cryptographicAlgorithm) ?? parameters.hashingAlgorithm
}

function hmacked(request: DeriveRequest): Uint8Array {
  const key = onlyKey(request)
  const hash = hmacHash(key, request.parameters)
  if (hash === undefined) throw missing('hashing algorithm')
  return plainBytes(createHmac(hashName(hash), key.bytes).update(dataOf(request)).digest())
}

function encrypted(request: DeriveRequest): Uint8Array {
  const { parameters, iv } = request
  if (parameters.blockCipherMode === undefined) throw missing('block cipher mode')
  return encrypt({ key: symmetricForm(onlyKey(request)), parameters, iv, data: dataOf(request) }).data
}

type PseudorandomFunction = (...parts: readonly Uint8Array[]) => Uint8Array

/** HMAC where a hash is named, else CMAC of the key's own cipher. NIST SP 800-108 §4. */
function pseudorandomFunction(request: DeriveRequest): PseudorandomFunction {
  const { parameters } = request
  const key = onlyKey(request)
  const hash = parameters.blockCipherMode === BlockCipherMode.CMAC ? undefined : hmacHash(key, parameters)
  if (hash !== undefined) {
    const name = hashName(hash)
    return (...parts) =>
      plainBytes(
        createHmac(name, key.bytes)
          .update(concatenated(...parts))
          .digest(),
      )
  }
  if (key.algorithm === undefined) throw missing('hashing algorithm')
  const form = symmetricForm(key)
  return (...parts) => computeMac(form, { blockCipherMode: BlockCipherMode.CMAC }, concatenated(...parts))
}

/** The counter has 32 bits unless Counter Length says otherwise. NIST SP 800-108 §4.1: 8, 16, 24 or 32. */
function counterOctets({ counterLength = 32 }: CryptographicParameters, counter: number): Uint8Array {
  if (counterLength % 8 !== 0 || counterLength < 8 || counterLength > 32) {
    throw new KeyUseError('invalidParameter', 'The counter length is not 8, 16, 24 or 32')
  }
  if (counter >= 2 ** counterLength) throw new KeyUseError('invalidLength', 'The derived key is too long')
  return Uint8Array.of(counter >>> 24, counter >>> 16, counter >>> 8, counter).subarray(4 - counterLength / 8)
}

/** Blocks of a pseudorandom function until there are enough. The fixed input is the Derivation Data as it stands (§4.6). */
function blocks(request: DeriveRequest, block: (counter: Uint8Array, previous: Uint8Array) => Uint8Array): Uint8Array {
  const parts: Uint8Array[] = []
  let previous: Uint8Array = request.iv ?? new Uint8Array(0)
  for (let bytes = 0, counter = 1; bytes < request.lengthBytes; counter += 1) {
    previous = block(counterOctets(request.parameters, counter), previous)
    parts.push(previous)
    bytes += previous.length
  }
  return concatenated(...parts)
}

function counterMode(request: DeriveRequest): Uint8Array {
  const prf = pseudorandomFunction(request)
  const fixed = fixedInput(request)
  return blocks(request, (counter) => prf(counter, fixed))
}

function feedbackMode(request: DeriveRequest): Uint8Array {
  const prf = pseudorandomFunction(request)
  const fixed = fixedInput(request)
  return blocks(request, (counter, previous) => prf(previous, counter, fixed))
}

function doublePipelineMode(request: DeriveRequest): Uint8Array {
  const prf = pseudorandomFunction(request)
  const fixed = fixedInput(request)
  let pipeline = fixed
  return blocks(request, (counter) => {
    pipeline = prf(pipeline)
    return prf(pipeline, counter, fixed)
  })
}

/** The half that a base key is; undefined where it cannot be read as that half. */
function halfOf({ bytes, algorithm }: BaseKey, half: 'private' | 'public'): UsableKey | undefined {
  const form = { keyMaterial: bytes, cryptographicAlgorithm: algorithm as CryptographicAlgorithm | undefined }
  try {
    return half === 'private'
      ? usablePrivateKey({ ...form, objectType: ObjectType.PrivateKey, keyFormatType: KeyFormatType.PKCS_8 })
      : usablePublicKey({ ...form, objectType: ObjectType.PublicKey, keyFormatType: KeyFormatType.X_509 })
  } catch (error) {
    if (error instanceof KeyFormatError) return undefined
    throw error
  }
}

/** Diffie-Hellman, of curves or of numbers, between a private key and another's public key, in either order. */
function agreed({ keys }: DeriveRequest): Uint8Array {
  if (keys.length !== 2) throw new KeyUseError('invalidParameter', 'A private and a public key are needed')
  const privateKey = keys.map((key) => halfOf(key, 'private')).find((key) => key !== undefined)?.key
  const publicKey = keys.map((key) => halfOf(key, 'public')).find((key) => key !== undefined)?.key
  if (privateKey === undefined || publicKey === undefined) {
    throw new KeyUseError('invalidKey', 'A private and a public key are needed')
  }
  try {
    return plainBytes(diffieHellman({ privateKey, publicKey }))
  } catch {
    // Keys of two groups, or of no agreement at all: the library's text is of no use to a peer.
    throw new KeyUseError('invalidKey', 'The keys agree on nothing')
  }
}

const methods: ReadonlyMap<number, (request: DeriveRequest) => Uint8Array> = new Map([
  [M.PBKDF2, pbkdf2],
  [M.HASH, hashed],
  [M.HMAC, hmacked],
  [M.ENCRYPT, encrypted],
  [M.NIST800_108_C, counterMode],
  [M.NIST800_108_F, feedbackMode],
  [M.NIST800_108_DPI, doublePipelineMode],
  [M.AsymmetricKey, agreed],
])

/**
 * Derives so many bytes. Throws AlgorithmError for a method or parameters that are not there, KeyUseError
 * (`missingParameter`, `invalidParameter`, `invalidKey`; `invalidLength` where the method gives less than is asked for).
 * KMIP 1.4 §4.6.
 */
export function deriveKey(request: DeriveRequest): Uint8Array {
  const method = methods.get(request.method)
  if (method === undefined) throw new AlgorithmError('unsupportedParameter', 'The derivation method is not supported')
  const { lengthBytes } = request
  if (!Number.isInteger(lengthBytes) || lengthBytes < 1 || lengthBytes > lengthBytesMax) {
    throw new KeyUseError('invalidLength', 'The length of the derived key is out of range')
  }
  const output = method(request)
  if (output.length < lengthBytes) {
    throw new KeyUseError('invalidLength', 'The cryptographic length exceeds the output of the derivation method')
  }
  return output.slice(0, lengthBytes)
}
