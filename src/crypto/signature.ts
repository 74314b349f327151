/**
 * Signatures: RSA with PKCS #1 v1.5 and PSS, ECDSA, DSA and EdDSA, over data in pieces or at once, or over its digest. What
 * it is not: encryption (rsa-encryption.ts), nor whether the key may sign. KMIP 1.4 §4.31, §4.32, §3.6; RFC 8017 §8.
 */

import {
  constants,
  createHash,
  createSign,
  createVerify,
  type KeyObject,
  privateEncrypt,
  publicDecrypt,
  sign,
  verify,
} from 'node:crypto'
import type { CryptographicParameters } from '#kmip/attribute-values'
import { DigitalSignatureAlgorithm, HashingAlgorithm, PaddingMethod } from '#kmip/enums'
import type { Family } from './asymmetric-key.ts'
import { hashName } from './digest.ts'
import { AlgorithmError, KeyUseError } from './errors.ts'
import type { KeyForm } from './key-format.ts'
import { type UsableKey, usablePrivateKey, usablePublicKey } from './key-use.ts'
import { concatenated, Gathered } from './octets.ts'
import { signDigest, verifyDigest } from './prehashed.ts'
import { rsaDefaults } from './rsa-encryption.ts'
import { checkEncoding, digestBytesOf, pssEncoded, pssVerified } from './rsa-padding.ts'
import { constantTimeEqual } from './secret.ts'
import { plainBytes } from './transparent.ts'

const D = DigitalSignatureAlgorithm
const H = HashingAlgorithm
const P = PaddingMethod

interface SchemeRow {
  readonly family: Family
  readonly hash?: number
  readonly padding?: PaddingMethod
}

const rsa = (hash: HashingAlgorithm): SchemeRow => ({ family: 'rsa', hash, padding: P.PKCS1V1_5 })

const schemes: ReadonlyMap<number, SchemeRow> = new Map<number, SchemeRow>([
  [D.MD2WithRSAEncryption, rsa(H.MD2)],
  [D.MD5WithRSAEncryption, rsa(H.MD5)],
  [D.SHA_1WithRSAEncryption, rsa(H.SHA_1)],
  [D.SHA_224WithRSAEncryption, rsa(H.SHA_224)],
  [D.SHA_256WithRSAEncryption, rsa(H.SHA_256)],
  [D.SHA_384WithRSAEncryption, rsa(H.SHA_384)],
  [D.SHA_512WithRSAEncryption, rsa(H.SHA_512)],
  [D.RSASSA_PSS, { family: 'rsa', padding: P.PSS }],
  [D.DSAWithSHA_1, { family: 'dsa', hash: H.SHA_1 }],
  [D.DSAWithSHA224, { family: 'dsa', hash: H.SHA_224 }],
  [D.DSAWithSHA256, { family: 'dsa', hash: H.SHA_256 }],
  [D.ECDSAWithSHA_1, { family: 'ec', hash: H.SHA_1 }],
  [D.ECDSAWithSHA224, { family: 'ec', hash: H.SHA_224 }],
  [D.ECDSAWithSHA256, { family: 'ec', hash: H.SHA_256 }],
  [D.ECDSAWithSHA384, { family: 'ec', hash: H.SHA_384 }],
  [D.ECDSAWithSHA512, { family: 'ec', hash: H.SHA_512 }],
  [D.SHA3_256WithRSAEncryption, rsa(H.SHA3_256)],
  [D.SHA3_384WithRSAEncryption, rsa(H.SHA3_384)],
  [D.SHA3_512WithRSAEncryption, rsa(H.SHA3_512)],
])

/** What is meant where the client does not say. */
export const signatureDefaults = { hashingAlgorithm: H.SHA_256, paddingMethod: P.PKCS1V1_5 } as const

/** What digested data was hashed with, by its bytes, where the client does not say. */
const hashByDigestBytes: ReadonlyMap<number, number> = new Map<number, number>([
  [20, H.SHA_1],
  [28, H.SHA_224],
  [32, H.SHA_256],
  [48, H.SHA_384],
  [64, H.SHA_512],
])

/** The bytes that a hash works on at once: KMIP 1.4 §3.6 makes them PSS's salt where none is asked for. */
const blockBytes: ReadonlyMap<number, number> = new Map([
  [H.SHA_384, 128],
  [H.SHA_512, 128],
  [H.SHA_512_224, 128],
  [H.SHA_512_256, 128],
  [H.SHA3_224, 144],
  [H.SHA3_256, 136],
  [H.SHA3_384, 104],
  [H.SHA3_512, 72],
])
const usualBlockBytes = 64

/** DigestInfo before the digest. RFC 8017 §9.2, note 1, with the object identifiers of RFC 8702 for SHA-3. */
const digestInfoHeads: ReadonlyMap<number, string> = new Map([
  [H.MD5, '3020300c06082a864886f70d020505000410'],
  [H.SHA_1, '3021300906052b0e03021a05000414'],
  [H.RIPEMD_160, '3021300906052b2403020105000414'],
  [H.SHA_224, '302d300d06096086480165030402040500041c'],
  [H.SHA_256, '3031300d060960864801650304020105000420'],
  [H.SHA_384, '3041300d060960864801650304020205000430'],
  [H.SHA_512, '3051300d060960864801650304020305000440'],
  [H.SHA_512_224, '302d300d06096086480165030402050500041c'],
  [H.SHA_512_256, '3031300d060960864801650304020605000420'],
  [H.SHA3_224, '302d300d06096086480165030402070500041c'],
  [H.SHA3_256, '3031300d060960864801650304020805000420'],
  [H.SHA3_384, '3041300d060960864801650304020905000430'],
  [H.SHA3_512, '3051300d060960864801650304020a05000440'],
])

/** What to sign, and how: data, or its digest. */
export interface SignRequest {
  readonly key: KeyForm
  readonly parameters: CryptographicParameters
  readonly data?: Uint8Array | undefined
  readonly digestedData?: Uint8Array | undefined
}

/** What to check. */
export interface VerifyRequest extends SignRequest {
  readonly signature: Uint8Array
}

/** What is signed. */
type SignedInput = Pick<SignRequest, 'data' | 'digestedData'>

/** A signature at work. `final` takes the signature that is to be checked, where there is one to be checked. */
interface PieceStream<Final> {
  readonly update: (data: Uint8Array) => void
  readonly final: Final
  /** In place of `final`, where all work with the key is left to the end: what that work is then done on, here or in a worker. */
  readonly input?: () => SignedInput
}
export type SignStream = PieceStream<() => Uint8Array>
export type VerifyStream = PieceStream<(signature: Uint8Array) => boolean>

function schemeOf({ family }: UsableKey, parameters: CryptographicParameters): SchemeRow {
  if (family !== 'rsa' && family !== 'ec' && family !== 'dsa' && family !== 'edwards') {
    throw new KeyUseError('invalidKey', 'The key is not one for this operation')
  }
  const { digitalSignatureAlgorithm, hashingAlgorithm, paddingMethod } = parameters
  const named = digitalSignatureAlgorithm === undefined ? undefined : schemes.get(digitalSignatureAlgorithm)
  if (digitalSignatureAlgorithm !== undefined && named === undefined) {
    throw new AlgorithmError('unsupportedParameter', 'The digital signature algorithm is not supported')
  }
  if (named !== undefined && named.family !== family) {
    throw new KeyUseError('invalidParameter', 'The digital signature algorithm is not one of the key')
  }
  const hash = named?.hash ?? hashingAlgorithm
  if (hash !== undefined) hashName(hash)
  const scheme = { family, ...(hash === undefined ? {} : { hash }) }
  if (family !== 'rsa') return scheme
  const padding = named?.padding ?? paddingMethod ?? signatureDefaults.paddingMethod
  if (padding !== P.PSS && padding !== P.PKCS1V1_5) {
    throw new AlgorithmError('unsupportedParameter', 'The padding method is not supported for signatures')
  }
  if (padding === P.PSS) checkEncoding(parameters)
  return { ...scheme, padding }
}

/**
 * The parameters, completed with what the key says of its signatures. Throws KeyUseError (`invalidParameter`) where they contradict it.
 * RFC 4055 §3.1.
 */
function parametersFor({ pss }: UsableKey, parameters: CryptographicParameters): CryptographicParameters {
  if (pss === undefined) return parameters
  const { hash, maskHash, saltBytesMin } = pss
  const { digitalSignatureAlgorithm = D.RSASSA_PSS, paddingMethod = P.PSS, hashingAlgorithm = hash } = parameters
  const { maskGeneratorHashingAlgorithm = maskHash, saltLength = saltBytesMin } = parameters
  const isBound =
    digitalSignatureAlgorithm === D.RSASSA_PSS &&
    paddingMethod === P.PSS &&
    (hash === undefined || hashingAlgorithm === hash) &&
    (maskHash === undefined || maskGeneratorHashingAlgorithm === maskHash) &&
    saltLength >= saltBytesMin
  if (!isBound) throw new KeyUseError('invalidParameter', 'The key is for PSS with other parameters alone')
  return { ...parameters, paddingMethod, hashingAlgorithm, maskGeneratorHashingAlgorithm }
}

const usualHash = ({ hash = signatureDefaults.hashingAlgorithm }: SchemeRow): number => hash

/** The hash of digested data. Throws KeyUseError (`invalidLength`) where it is not of the hash that is named. */
function hashOfDigest({ hash }: SchemeRow, digest: Uint8Array): number | undefined {
  if (digest.length === 0 || (hash !== undefined && digestBytesOf(hash) !== digest.length)) {
    throw new KeyUseError('invalidLength', 'The digested data does not have the length of the hashing algorithm')
  }
  return hash ?? hashByDigestBytes.get(digest.length)
}

const modulusBitsOf = (key: KeyObject): number => key.asymmetricKeyDetails?.modulusLength ?? 0

/** Runs a step of the library; what it says of the inside stays here. */
function guarded(step: () => Uint8Array): Uint8Array {
  try {
    return plainBytes(step())
  } catch {
    throw new KeyUseError('failed')
  }
}

/** What PKCS #1 v1.5 signs. A digest of an unknown hash is signed as it is. RFC 8017 §9.2. */
function digestInfo(hash: number | undefined, digest: Uint8Array, modulusBits: number): Uint8Array {
  const head = hash === undefined ? '' : digestInfoHeads.get(hash)
  if (head === undefined) throw new AlgorithmError('unsupportedAlgorithm', 'The hash has no signatures with RSA')
  const info = concatenated(Uint8Array.from(Buffer.from(head, 'hex')), digest)
  if (info.length + 11 > Math.ceil(modulusBits / 8)) {
    throw new KeyUseError('invalidLength', 'The digested data is too long for the key')
  }
  return info
}

function pssHash(hash: number | undefined): number {
  if (hash === undefined) throw new KeyUseError('missingParameter', 'The hashing algorithm is missing')
  return hash
}

/** The salt that is asked for, else the specification's, as far as the key has room for it. KMIP 1.4 §3.6. */
function saltBytesFor(
  { saltLength }: CryptographicParameters,
  hash: number,
  maskHash: number,
  modulusBits: number,
): number {
  if (saltLength === undefined) {
    const room = Math.ceil((modulusBits - 1) / 8) - digestBytesOf(hash) - 2
    return Math.max(0, Math.min(blockBytes.get(maskHash) ?? usualBlockBytes, room))
  }
  if (saltLength < 0) throw new KeyUseError('invalidParameter', 'The salt length is below 0')
  return saltLength
}

function signRsa(
  { key, pss }: UsableKey,
  scheme: SchemeRow,
  parameters: CryptographicParameters,
  digest: Uint8Array,
  hash: number | undefined,
): Uint8Array {
  const modulusBits = modulusBitsOf(key)
  if (scheme.padding === P.PKCS1V1_5) {
    const info = digestInfo(hash, digest, modulusBits)
    return guarded(() => privateEncrypt({ key, padding: constants.RSA_PKCS1_PADDING }, info))
  }
  const ownHash = pssHash(hash)
  const maskHash = parameters.maskGeneratorHashingAlgorithm ?? rsaDefaults.maskGeneratorHashingAlgorithm
  hashName(maskHash)
  const saltBytes = Math.max(saltBytesFor(parameters, ownHash, maskHash, modulusBits), pss?.saltBytesMin ?? 0)
  const encoded = pssEncoded({ hash: ownHash, maskHash, saltBytes }, digest, modulusBits)
  return guarded(() => privateEncrypt({ key, padding: constants.RSA_NO_PADDING }, encoded))
}

function verifyRsa(
  key: KeyObject,
  scheme: SchemeRow,
  parameters: CryptographicParameters,
  digest: Uint8Array,
  hash: number | undefined,
  signature: Uint8Array,
): boolean {
  const modulusBits = modulusBitsOf(key)
  const bytes = Math.ceil(modulusBits / 8)
  const info = scheme.padding === P.PKCS1V1_5 ? digestInfo(hash, digest, modulusBits) : undefined
  if (signature.length !== bytes) return false
  const encoded = opened(key, signature)
  if (encoded === undefined) return false
  if (info !== undefined) {
    const fill = new Uint8Array(bytes - info.length - 3).fill(0xff)
    return constantTimeEqual(concatenated(Uint8Array.of(0, 1), fill, Uint8Array.of(0), info), encoded)
  }
  const ownHash = pssHash(hash)
  const { maskGeneratorHashingAlgorithm: named, saltLength: saltBytes } = parameters
  if (named !== undefined) hashName(named)
  // Where the mask's hash is not named, the specification's default and that of every library are both taken.
  const maskHashes = named === undefined ? [rsaDefaults.maskGeneratorHashingAlgorithm, ownHash] : [named]
  return maskHashes.some((maskHash) =>
    pssVerified({ hash: ownHash, maskHash, saltBytes }, digest, encoded, modulusBits),
  )
}

/** What a signature stands for; undefined for a number above the modulus. */
function opened(key: KeyObject, signature: Uint8Array): Uint8Array | undefined {
  try {
    return plainBytes(publicDecrypt({ key, padding: constants.RSA_NO_PADDING }, signature))
  } catch {
    return undefined
  }
}

/** Either data or digested data is there. Throws KeyUseError (`missingParameter`, `invalidParameter`). */
function checkData({ data, digestedData }: SignRequest): void {
  if (data !== undefined && digestedData !== undefined) {
    throw new KeyUseError('invalidParameter', 'Either data or digested data is to be given, not both')
  }
  if (data === undefined && digestedData === undefined) throw new KeyUseError('missingParameter', 'The data is missing')
}

/**
 * Signs. ECDSA and DSA signatures are the DER of (r, s). Throws AlgorithmError for what is not among the rows, KeyUseError
 * (`invalidKey`, `invalidLength`, `invalidParameter`, `missingParameter`, `failed`), KeyFormatError. KMIP 1.4 §4.31.
 */
export function computeSignature(request: SignRequest): Uint8Array {
  checkData(request)
  const { key: form, parameters, data, digestedData } = request
  if (digestedData === undefined) {
    const stream = openSignature(form, parameters)
    stream.update(data ?? new Uint8Array(0))
    return stream.final()
  }
  const usable = usablePrivateKey(form)
  const own = parametersFor(usable, parameters)
  const scheme = schemeOf(usable, own)
  const hash = hashOfDigest(scheme, digestedData)
  if (scheme.family === 'rsa') return signRsa(usable, scheme, own, digestedData, hash)
  return signDigest(usable, digestedData)
}

/** Starts a signature. Throws what `computeSignature` throws. KMIP 1.4 §4.31. */
export function openSignature(form: KeyForm, parameters: CryptographicParameters): SignStream {
  const usable = usablePrivateKey(form)
  const { key } = usable
  const own = parametersFor(usable, parameters)
  const scheme = schemeOf(usable, own)
  const hash = usualHash(scheme)
  if (scheme.family === 'rsa') {
    const { update, taken } = digested(hash)
    const final = () => signRsa(usable, scheme, own, taken(), hash)
    return { update, final, input: () => ({ digestedData: taken() }) }
  }
  if (scheme.family === 'edwards') {
    const { update, taken } = gathered()
    return { update, final: () => guarded(() => sign(null, taken(), key)), input: () => ({ data: taken() }) }
  }
  const signing = createSign(hashName(hash))
  return { update: (data) => void signing.update(data), final: () => guarded(() => signing.sign(key)) }
}

interface Taking {
  readonly update: (data: Uint8Array) => void
  readonly taken: () => Uint8Array
}

function digested(hash: number): Taking {
  const digest = createHash(hashName(hash))
  return { update: (data) => void digest.update(data), taken: () => plainBytes(digest.digest()) }
}

/** Ed25519 reads its message twice (RFC 8032 §5.1.6). */
function gathered(): Taking {
  const pieces = new Gathered()
  return { update: (data) => pieces.add(data), taken: () => pieces.take() }
}

/**
 * Whether a signature is valid; false also for bytes that are no signature. Throws as `computeSignature` does for a key or
 * parameters that check no signatures. KMIP 1.4 §4.32.
 */
export function verifySignature(request: VerifyRequest): boolean {
  checkData(request)
  const { key: form, parameters, data, digestedData, signature } = request
  if (digestedData === undefined) {
    const stream = openVerification(form, parameters)
    stream.update(data ?? new Uint8Array(0))
    return stream.final(signature)
  }
  const usable = usablePublicKey(form)
  const own = parametersFor(usable, parameters)
  const scheme = schemeOf(usable, own)
  const hash = hashOfDigest(scheme, digestedData)
  if (scheme.family === 'rsa') return verifyRsa(usable.key, scheme, own, digestedData, hash, signature)
  return verifyDigest(usable, digestedData, signature)
}

/** Starts the check of a signature. Throws what `verifySignature` throws. KMIP 1.4 §4.32. */
export function openVerification(form: KeyForm, parameters: CryptographicParameters): VerifyStream {
  const usable = usablePublicKey(form)
  const { key } = usable
  const own = parametersFor(usable, parameters)
  const scheme = schemeOf(usable, own)
  const hash = usualHash(scheme)
  if (scheme.family === 'rsa') {
    const { update, taken } = digested(hash)
    const final = (signature: Uint8Array) => verifyRsa(key, scheme, own, taken(), hash, signature)
    return { update, final, input: () => ({ digestedData: taken() }) }
  }
  if (scheme.family === 'edwards') {
    const { update, taken } = gathered()
    const final = (signature: Uint8Array) => verify(null, taken(), key, signature)
    return { update, final, input: () => ({ data: taken() }) }
  }
  const checking = createVerify(hashName(hash))
  return { update: (data) => void checking.update(data), final: (signature) => checking.verify(key, signature) }
}
