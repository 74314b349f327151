/**
 * How a password protects a PKCS#12 container: the encryption of its bags and the code over the whole. What it is: PBES2 with
 * AES-256 and PBKDF2 (RFC 8018 §6.2) to write, what else other tools write to read, a bound on the iterations that a
 * container may ask for. What it is not: the container's structure (pkcs12.ts). RFC 7292 §5, §6, appendices B and C.
 */

import { createCipheriv, createDecipheriv, createHmac, hash, pbkdf2Sync } from 'node:crypto'
import { type BerElement, childrenOf, octetsOf, primitiveOf, smallIntegerOf } from './ber.ts'
import { derElement, derInteger, tagObjectIdentifier, tagOctetString, tagSequence } from './der.ts'
import { KeyFormatError, KeyUseError } from './errors.ts'
import { randomOctets } from './generate.ts'
import { concatenated } from './octets.ts'
import { constantTimeEqual } from './secret.ts'

/** A password, and how many iterations all derivations of one container may have together. */
export class ContainerPassword {
  /** As PBKDF2 takes it. */
  readonly octets: Uint8Array
  /** As the derivation of RFC 7292 appendix B takes it: UTF-16, big-endian, with a zero behind it. */
  readonly utf16: Uint8Array
  #iterationsLeft: number

  constructor(octets: Uint8Array, iterationsMax: number) {
    this.octets = octets
    this.utf16 = utf16Of(octets)
    this.#iterationsLeft = iterationsMax
  }

  /** Counts the iterations of a derivation. Throws KeyFormatError (`unsupported`) for more than are left. */
  spend(iterations: number): void {
    if (iterations < 1) throw malformed()
    this.#iterationsLeft -= iterations
    if (this.#iterationsLeft < 0) throw new KeyFormatError('unsupported', 'The container asks for too many iterations')
  }
}

const malformed = (): KeyFormatError => new KeyFormatError('invalid', 'The container is not PKCS#12')

const unknownScheme = (): KeyFormatError =>
  new KeyFormatError(
    'unsupported',
    'The container is protected in a way that is not supported (RC2, RC4, PBMAC1): export it anew with PBES2 and AES',
  )

/** Passwords are UTF-8; of one that is not, each byte is taken for a character, as OpenSSL does. */
function utf16Of(octets: Uint8Array): Uint8Array {
  const bytes = Buffer.from(octets.buffer, octets.byteOffset, octets.length)
  const text = bytes.toString('utf8')
  const isText = Buffer.from(text, 'utf8').equals(bytes)
  return Uint8Array.from(Buffer.from(`${isText ? text : bytes.toString('latin1')}\0`, 'utf16le').swap16())
}

/** Object identifiers, as the hex of their content. */
const oidPbes2 = '2a864886f70d01050d'
const oidPbkdf2 = '2a864886f70d01050c'
const oidHmacSha256 = '2a864886f70d0209'
const oidAes256Cbc = '60864801650304012a'
const oidSha256 = '608648016503040201'

/** PRFs of PBKDF2 (RFC 8018 appendix B.1): the hash of each HMAC. */
const prfHashes: ReadonlyMap<string, string> = new Map([
  ['2a864886f70d0207', 'sha1'],
  ['2a864886f70d0208', 'sha224'],
  [oidHmacSha256, 'sha256'],
  ['2a864886f70d020a', 'sha384'],
  ['2a864886f70d020b', 'sha512'],
])

/** Hashes of the code over the whole: the library's name, and the block that its derivation works on, in bytes. */
const macHashes: ReadonlyMap<string, { readonly name: string; readonly blockBytes: number }> = new Map([
  ['2b0e03021a', { name: 'sha1', blockBytes: 64 }],
  ['608648016503040204', { name: 'sha224', blockBytes: 64 }],
  [oidSha256, { name: 'sha256', blockBytes: 64 }],
  ['608648016503040202', { name: 'sha384', blockBytes: 128 }],
  ['608648016503040203', { name: 'sha512', blockBytes: 128 }],
])

interface CipherRow {
  readonly name: string
  readonly keyBytes: number
  readonly ivBytes: number
}

/** Ciphers of PBES2 (RFC 8018 appendix B.2, RFC 3565). */
const ciphers: ReadonlyMap<string, CipherRow> = new Map([
  ['2a864886f70d0307', { name: 'des-ede3-cbc', keyBytes: 24, ivBytes: 8 }],
  ['608648016503040102', { name: 'aes-128-cbc', keyBytes: 16, ivBytes: 16 }],
  ['608648016503040116', { name: 'aes-192-cbc', keyBytes: 24, ivBytes: 16 }],
  [oidAes256Cbc, { name: 'aes-256-cbc', keyBytes: 32, ivBytes: 16 }],
])

/** The encryption of RFC 7292 appendix C that is left: Triple DES with three keys, or with two. */
const oldCiphers: ReadonlyMap<string, CipherRow> = new Map([
  ['2a864886f70d010c0103', { name: 'des-ede3-cbc', keyBytes: 24, ivBytes: 8 }],
  ['2a864886f70d010c0104', { name: 'des-ede-cbc', keyBytes: 16, ivBytes: 8 }],
])

const oid = (hex: string): Uint8Array => derElement(tagObjectIdentifier, Uint8Array.from(Buffer.from(hex, 'hex')))
const derNull = Uint8Array.of(0x05, 0)
const octets = (content: Uint8Array): Uint8Array => derElement(tagOctetString, content)
const saltBytes = 16

/** The object identifier of an AlgorithmIdentifier, in hex, and its parameters. Throws KeyFormatError (`invalid`). */
function algorithmOf(element: BerElement | undefined): readonly [oid: string, parameters: BerElement | undefined] {
  const [identifier, parameters] = childrenOf(element)
  return [Buffer.from(primitiveOf(identifier, tagObjectIdentifier)).toString('hex'), parameters]
}

/** What was encrypted under a password: its AlgorithmIdentifier, and the ciphertext. */
export interface Encrypted {
  readonly algorithm: Uint8Array
  readonly ciphertext: Uint8Array
}

/** Encrypts after PBES2 with PBKDF2 (HMAC with SHA-256) and AES-256 in CBC. */
export function encryptUnderPassword(plain: Uint8Array, password: ContainerPassword, iterations: number): Encrypted {
  const salt = randomOctets(saltBytes)
  const iv = randomOctets(16)
  password.spend(iterations)
  const key = pbkdf2Sync(password.octets, salt, iterations, 32, 'sha256')
  const cipher = createCipheriv('aes-256-cbc', key, iv)
  const ciphertext = concatenated(cipher.update(plain), cipher.final())
  key.fill(0)
  const prf = derElement(tagSequence, oid(oidHmacSha256), derNull)
  const derivation = derElement(tagSequence, octets(salt), derInteger(BigInt(iterations)), prf)
  const parameters = derElement(
    tagSequence,
    derElement(tagSequence, oid(oidPbkdf2), derivation),
    derElement(tagSequence, oid(oidAes256Cbc), octets(iv)),
  )
  return { algorithm: derElement(tagSequence, oid(oidPbes2), parameters), ciphertext }
}

interface CipherKey {
  readonly row: CipherRow
  readonly key: Uint8Array
  readonly iv: Uint8Array
}

/**
 * Decrypts what is encrypted under a password. Throws KeyFormatError (`unsupported` for another scheme or too many
 * iterations, `invalid`), KeyUseError (`failed`) where the password does not open it.
 */
export function decryptUnderPassword(
  algorithm: BerElement | undefined,
  ciphertext: Uint8Array,
  password: ContainerPassword,
): Uint8Array {
  const [scheme, parameters] = algorithmOf(algorithm)
  const old = oldCiphers.get(scheme)
  if (scheme !== oidPbes2 && old === undefined) throw unknownScheme()
  const { row, key, iv } = old === undefined ? pbes2Key(parameters, password) : oldKey(old, parameters, password)
  if (iv.length !== row.ivBytes) throw malformed()
  try {
    const decipher = createDecipheriv(row.name, key, iv)
    return concatenated(decipher.update(ciphertext), decipher.final())
  } catch {
    // Whatever the library says, a wrong password and broken bytes look alike.
    throw new KeyUseError('failed')
  } finally {
    key.fill(0)
  }
}

function pbes2Key(parameters: BerElement | undefined, password: ContainerPassword): CipherKey {
  const [derivation, encryption] = childrenOf(parameters)
  const [derivationOid, derivationParameters] = algorithmOf(derivation)
  const [cipherOid, iv] = algorithmOf(encryption)
  const row = ciphers.get(cipherOid)
  if (derivationOid !== oidPbkdf2 || row === undefined) throw unknownScheme()
  const [salt, iterationCount, ...others] = childrenOf(derivationParameters)
  const prf = others.find(({ tag }) => tag === tagSequence)
  // RFC 8018 appendix A.2: HMAC with SHA-1 where none is named.
  const hashName = prf === undefined ? 'sha1' : prfHashes.get(algorithmOf(prf)[0])
  if (hashName === undefined) throw unknownScheme()
  const iterations = smallIntegerOf(iterationCount)
  password.spend(iterations)
  const key = pbkdf2Sync(password.octets, octetsOf(salt), iterations, row.keyBytes, hashName)
  return { row, key, iv: octetsOf(iv) }
}

function oldKey(row: CipherRow, parameters: BerElement | undefined, password: ContainerPassword): CipherKey {
  const [saltElement, iterationCount] = childrenOf(parameters)
  const salt = octetsOf(saltElement)
  const iterations = smallIntegerOf(iterationCount)
  const derive = (purpose: number, length: number): Uint8Array =>
    derived({ hashName: 'sha1', blockBytes: 64, purpose, length, salt, iterations, password })
  return { row, key: derive(1, row.keyBytes), iv: derive(2, row.ivBytes) }
}

interface Derivation {
  readonly hashName: string
  readonly blockBytes: number
  /** RFC 7292 appendix B.3: 1 for a key, 2 for an initialization vector, 3 for a code. */
  readonly purpose: number
  /** Bytes. */
  readonly length: number
  readonly salt: Uint8Array
  readonly iterations: number
  readonly password: ContainerPassword
}

/** `bytes`, again and again, up to the next whole number of blocks. */
function filled(bytes: Uint8Array, blockBytes: number): Uint8Array {
  const whole = new Uint8Array(Math.ceil(bytes.length / blockBytes) * blockBytes)
  for (let at = 0; at < whole.length; at += 1) whole[at] = bytes[at % bytes.length] ?? 0
  return whole
}

/** Each block of `blocks` plus `addend` plus 1, modulo 2^(8 * blockBytes), in place (RFC 7292 appendix B.2, step 6C). */
function addToBlocks(blocks: Uint8Array, addend: Uint8Array): void {
  for (let start = 0; start < blocks.length; start += addend.length) {
    let carry = 1
    for (let at = addend.length - 1; at >= 0; at -= 1) {
      carry += (blocks[start + at] ?? 0) + (addend[at] ?? 0)
      blocks[start + at] = carry & 0xff
      carry >>= 8
    }
  }
}

/** Bytes derived from a password. RFC 7292 appendix B.2, whose letters D, S, P, I, A and B are these names. */
function derived({ hashName, blockBytes, purpose, length, salt, iterations, password }: Derivation): Uint8Array {
  const diversifier = new Uint8Array(blockBytes).fill(purpose)
  const input = concatenated(filled(salt, blockBytes), filled(password.utf16, blockBytes))
  const output: Uint8Array[] = []
  for (let bytes = 0; bytes < length; ) {
    password.spend(iterations)
    let block: Uint8Array = hash(hashName, concatenated(diversifier, input), 'buffer')
    for (let round = 1; round < iterations; round += 1) block = hash(hashName, block, 'buffer')
    output.push(block)
    bytes += block.length
    addToBlocks(input, filled(block, blockBytes).subarray(0, blockBytes))
  }
  input.fill(0)
  return concatenated(...output).subarray(0, length)
}

/** The code over a container's content under a password, as the MacData that stands behind it. RFC 7292 §4. */
export function macData(content: Uint8Array, password: ContainerPassword, iterations: number): Uint8Array {
  const salt = randomOctets(saltBytes)
  const mac = macOf(content, { oid: oidSha256, salt, iterations }, password)
  const digest = derElement(tagSequence, derElement(tagSequence, oid(oidSha256), derNull), octets(mac))
  return derElement(tagSequence, digest, octets(salt), derInteger(BigInt(iterations)))
}

interface MacParameters {
  readonly oid: string
  readonly salt: Uint8Array
  readonly iterations: number
}

function macOf(content: Uint8Array, { oid, salt, iterations }: MacParameters, password: ContainerPassword): Uint8Array {
  const row = macHashes.get(oid)
  if (row === undefined) throw unknownScheme()
  const length = hash(row.name, new Uint8Array(0), 'buffer').length
  const { name: hashName, blockBytes } = row
  const key = derived({ hashName, blockBytes, purpose: 3, length, salt, iterations, password })
  const mac = createHmac(hashName, key).update(content).digest()
  key.fill(0)
  return mac
}

/**
 * Checks the code over a container's content. Throws KeyUseError (`failed`) where it is not that of the password,
 * KeyFormatError (`unsupported`, `invalid`).
 */
export function checkMacData(element: BerElement | undefined, content: Uint8Array, password: ContainerPassword): void {
  const [digestInfo, salt, iterationCount] = childrenOf(element)
  const [algorithm, digest] = childrenOf(digestInfo)
  const parameters = {
    oid: algorithmOf(algorithm)[0],
    salt: octetsOf(salt),
    // RFC 7292 §4: one where none is given.
    iterations: iterationCount === undefined ? 1 : smallIntegerOf(iterationCount),
  }
  const expected = octetsOf(digest)
  if (!constantTimeEqual(macOf(content, parameters, password), expected)) throw new KeyUseError('failed')
}
