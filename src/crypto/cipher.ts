/**
 * Symmetric encryption and decryption, in pieces or at once. What it is: a row (cipher-rows.ts), a padding and an
 * initialization vector put to work. What it is not: RSA (rsa-encryption.ts), nor a judgement of a mode: ECB is served
 * where it is asked for. KMIP 1.4 §4.29, §4.30, §3.6.
 */

import { type CipherGCM, createCipheriv, createDecipheriv, type DecipherGCM } from 'node:crypto'
import type { TransformOptions } from 'node:stream'
import type { CryptographicParameters } from '#kmip/attribute-values'
import { type CipherRow, cipherDefaults, cipherRow } from './cipher-rows.ts'
import { KeyUseError } from './errors.ts'
import { randomOctets } from './generate.ts'
import { KeptCipher } from './kept-cipher.ts'
import type { KeyForm } from './key-format.ts'
import { symmetricBytes } from './key-use.ts'
import { concatenated, Gathered } from './octets.ts'
import { type PaddingRow, paddingOf, unpadded } from './padding.ts'
import { plainBytes } from './transparent.ts'

/** What a cipher needs beside the data. */
export interface CipherOptions {
  readonly key: KeyForm
  readonly parameters: CryptographicParameters
  /** IV/Counter/Nonce. */
  readonly iv?: Uint8Array | undefined
  /** Authenticated Encryption Additional Data. */
  readonly aad?: Uint8Array | undefined
  /** Authenticated Encryption Tag, to be checked by decryption. */
  readonly tag?: Uint8Array | undefined
  /** Of this key, where it encrypts again and again in this thread. It does not cross to another. */
  readonly kept?: KeptCipher | undefined
}

/** A cipher at work: pieces in, pieces out. */
export interface CipherStream {
  /** The initialization vector, where it was made here. */
  readonly iv?: Uint8Array
  update(data: Uint8Array): Uint8Array
  /** The rest. Decryption takes the tag here, if it was not known at the start. */
  final(tag?: Uint8Array): { readonly data: Uint8Array; readonly tag?: Uint8Array }
}

const none = new Uint8Array(0)

/** Everything about one use of a cipher that is settled before the first byte. */
interface Settled {
  readonly row: CipherRow
  readonly padding: PaddingRow | undefined
  /** As the library wants it. */
  readonly iv: Uint8Array | null
  /** As the client is told, where it was made here. */
  readonly madeIv?: Uint8Array
  readonly tagBytes: number
  readonly aad: Uint8Array | undefined
}

function settle(options: CipherOptions, encrypting: boolean): Settled {
  const { key, parameters, aad } = options
  // The key's own algorithm rules: parameters that name another, of a MAC perhaps, do not make it a key of that one.
  const algorithm = key.cryptographicAlgorithm ?? parameters.cryptographicAlgorithm
  if (algorithm === undefined) throw new KeyUseError('missingParameter', 'The cryptographic algorithm is not known')
  const { blockCipherMode } = parameters
  const row = cipherRow(algorithm, blockCipherMode, symmetricBytes(key))
  const { paddingMethod, paddingMethodOfNamedMode } = cipherDefaults
  const usual = blockCipherMode === undefined ? paddingMethod : paddingMethodOfNamedMode
  const padding = row.padded ? paddingOf(parameters.paddingMethod ?? usual) : undefined
  if (aad !== undefined && aad.length > 0 && row.tagBytes === undefined) {
    throw new KeyUseError('invalidParameter', 'The block cipher mode authenticates no additional data')
  }
  return { row, padding, ...ivFor(row, options, encrypting), tagBytes: tagBytesFor(row, parameters), aad }
}

/** The initialization vector that the client gave, or asked to be made. */
function ivFor(
  row: CipherRow,
  { iv, parameters }: CipherOptions,
  encrypting: boolean,
): { readonly iv: Uint8Array | null; readonly madeIv?: Uint8Array } {
  if (row.iv === undefined) return { iv: null }
  if (iv !== undefined) return { iv: wholeIv(row, iv, parameters) }
  if (!encrypting || parameters.randomIv !== true) {
    throw new KeyUseError('missingIV', 'The initialization vector is missing')
  }
  const length = (parameters.ivLength ?? row.iv.usual * 8) / 8
  // Before so many bytes are drawn: the client may have asked for any number.
  checkIvLength(row, length)
  const madeIv = randomOctets(length)
  return { iv: wholeIv(row, madeIv, parameters), madeIv }
}

function checkIvLength({ iv }: CipherRow, bytes: number): void {
  const { min = 0, max = 0, step = 1 } = iv ?? {}
  if (bytes < min || bytes > max || (bytes - min) % step !== 0) throw wrongIvLength()
}

const wrongIvLength = (): KeyUseError =>
  new KeyUseError('invalidIV', 'The initialization vector does not have a length of the block cipher mode')

/** The library's form of an initialization vector: a nonce gets its counter. RFC 3686 §4, RFC 8439 §2.3. */
function wholeIv(row: CipherRow, iv: Uint8Array, parameters: CryptographicParameters): Uint8Array {
  checkIvLength(row, iv.length)
  if ((parameters.ivLength ?? iv.length * 8) !== iv.length * 8) throw wrongIvLength()
  if (row.counter === undefined || iv.length === 16) return iv
  const whole = new Uint8Array(16)
  const room = whole.length - iv.length
  const counter = parameters.initialCounterValue ?? 0
  const counterMax = room < 4 ? 2 ** (room * 8) - 1 : 0xffffffff
  if (counter < 0 || counter > counterMax) {
    throw new KeyUseError('invalidParameter', 'The initial counter value does not fit behind the nonce')
  }
  for (let index = 0; index < Math.min(room, 4); index += 1) {
    const at = row.counter === 'behind' ? whole.length - 1 - index : index
    whole[at] = (counter >>> (8 * index)) & 0xff
  }
  whole.set(iv, row.counter === 'behind' ? 0 : room)
  return whole
}

function tagBytesFor({ tagBytes }: CipherRow, { tagLength }: CryptographicParameters): number {
  if (tagBytes === undefined) return 0
  const length = tagLength ?? tagBytes.at(-1) ?? 0
  if (!tagBytes.includes(length)) {
    throw new KeyUseError('invalidTagLength', 'The tag length is not one of the block cipher mode')
  }
  return length
}

/** The types tell of the tag's length for ciphers that they know by name only. */
function libraryOptions({ tagBytes }: Settled): TransformOptions {
  const options: TransformOptions & { readonly authTagLength?: number } =
    tagBytes === 0 ? {} : { authTagLength: tagBytes }
  return options
}

function libraryCipher(settled: Settled, plaintextBytes?: number): CipherGCM {
  const { row, iv, aad, tagBytes } = settled
  // The functions that other ciphers lack are not called for them.
  const cipher = createCipheriv(row.libraryName, row.key, iv, libraryOptions(settled)) as CipherGCM
  if (row.padded) cipher.setAutoPadding(false)
  if (tagBytes > 0 && aad !== undefined) cipher.setAAD(aad, aadOptions(plaintextBytes))
  return cipher
}

function libraryDecipher(settled: Settled, plaintextBytes?: number, tag?: Uint8Array): DecipherGCM {
  const { row, iv, aad, tagBytes } = settled
  const decipher = createDecipheriv(row.libraryName, row.key, iv, libraryOptions(settled)) as DecipherGCM
  if (row.padded) decipher.setAutoPadding(false)
  // CCM wants the tag before all else.
  if (tag !== undefined && tagBytes > 0) decipher.setAuthTag(tag)
  if (tagBytes > 0 && aad !== undefined) decipher.setAAD(aad, aadOptions(plaintextBytes))
  return decipher
}

/** The length in advance is for CCM alone. */
const aadOptions = (plaintextLength: number | undefined) => (plaintextLength === undefined ? {} : { plaintextLength })

/** Runs a step of the library; what it says of the inside stays here. */
function guarded<Value>(step: () => Value): Value {
  try {
    return step()
  } catch {
    throw new KeyUseError('failed')
  }
}

function checkWholeBlocks({ row, padding }: Settled, bytes: number): void {
  if (row.padded && padding === undefined && bytes % row.blockBytes !== 0) {
    throw new KeyUseError('invalidLength', 'The data is not a multiple of the block length')
  }
}

/**
 * Starts an encryption. Throws AlgorithmError for what the library has not, KeyUseError: `missingIV`, `invalidIV`,
 * `invalidTagLength`, `invalidParameter`, `invalidKey`. `final` throws KeyUseError (`invalidLength`) for data that is not
 * whole blocks where there is no padding. KMIP 1.4 §4.29.
 */
export function openEncryption(options: CipherOptions): CipherStream {
  const settled = settle(options, true)
  const { row, padding, madeIv, tagBytes } = settled
  let bytes = 0
  const pieces = new Gathered()
  const cipher = row.whole ? undefined : guarded(() => libraryCipher(settled))

  function last(): { data: Uint8Array; tag?: Uint8Array } {
    checkWholeBlocks(settled, bytes)
    const all = pieces.take()
    return guarded(() => {
      const own = cipher ?? libraryCipher(settled, all.length)
      const tail = padding === undefined ? all : padding.tail(bytes % row.blockBytes, row.blockBytes)
      const data = concatenated(own.update(tail), own.final())
      return tagBytes === 0 ? { data } : { data, tag: Uint8Array.from(own.getAuthTag()) }
    })
  }

  return {
    ...(madeIv === undefined ? {} : { iv: madeIv }),
    update(data) {
      bytes += data.length
      if (cipher !== undefined) return guarded(() => concatenated(cipher.update(data)))
      pieces.add(data)
      return none
    },
    final: last,
  }
}

/**
 * The same for all data at once, in fewer steps: what small data costs is the steps.
 * @throws what `openEncryption` and its `final` throw
 */
export function encryptAtOnce(
  options: CipherOptions,
  data: Uint8Array,
): { readonly data: Uint8Array; readonly iv?: Uint8Array; readonly tag?: Uint8Array } {
  const settled = settle(options, true)
  const { row, padding, madeIv, tagBytes } = settled
  checkWholeBlocks(settled, data.length)
  return guarded(() => {
    const { kept } = options
    const tail = padding === undefined ? none : padding.tail(data.length % row.blockBytes, row.blockBytes)
    if (row.chained === true && kept instanceof KeptCipher && settled.iv !== null) {
      const encrypted = kept.encrypt(row, settled.iv, data, tail)
      return { data: plainBytes(encrypted), ...(madeIv === undefined ? {} : { iv: madeIv }) }
    }
    const cipher = row.whole ? libraryCipher(settled, data.length) : libraryCipher(settled)
    const head = cipher.update(tail.length === 0 ? data : concatenated(data, tail))
    const rest = cipher.final()
    return {
      data: rest.length === 0 ? plainBytes(head) : concatenated(head, rest),
      ...(madeIv === undefined ? {} : { iv: madeIv }),
      ...(tagBytes === 0 ? {} : { tag: plainBytes(cipher.getAuthTag()) }),
    }
  })
}

/**
 * Starts a decryption. Throws what `openEncryption` throws. With a mode that authenticates, nothing leaves before `final`
 * has checked the tag; where no tag is given, the data ends with it. `final` throws KeyUseError: `invalidLength`, and
 * `failed`, always alike, for a wrong key, padding or tag. KMIP 1.4 §4.30.
 */
export function openDecryption(options: CipherOptions): CipherStream {
  const settled = settle(options, false)
  const { row, padding, tagBytes } = settled
  const whole = row.whole || tagBytes > 0
  let bytes = 0
  const pieces = new Gathered()
  let held: Uint8Array = none
  const decipher = whole ? undefined : guarded(() => libraryDecipher(settled))

  /** The last block stays here until it is known to be the last: it holds the padding. */
  function released(output: Uint8Array): Uint8Array {
    if (padding === undefined) return output
    const all = concatenated(held, output)
    const keep = Math.max(0, all.length - row.blockBytes)
    held = all.slice(keep)
    return all.subarray(0, keep)
  }

  return {
    update(data) {
      bytes += data.length
      if (decipher !== undefined) return released(guarded(() => concatenated(decipher.update(data))))
      pieces.add(data)
      return none
    },
    final(givenTag) {
      checkWholeBlocks(settled, bytes)
      if (decipher === undefined) {
        return { data: decryptedWhole(settled, pieces.take(), givenTag ?? options.tag) }
      }
      const rest = released(guarded(() => concatenated(decipher.final())))
      if (padding === undefined || (bytes === 0 && padding.tail(0, row.blockBytes).length === 0)) return { data: rest }
      return { data: concatenated(rest, unpadded(padding, held)) }
    },
  }
}

function decryptedWhole(settled: Settled, all: Uint8Array, givenTag: Uint8Array | undefined): Uint8Array {
  const { tagBytes } = settled
  const end = givenTag === undefined ? all.length - tagBytes : all.length
  if (end < 0) throw new KeyUseError('failed')
  const tag = givenTag ?? all.subarray(end)
  if (tag.length !== tagBytes) {
    throw new KeyUseError('invalidTagLength', 'The tag does not have the tag length')
  }
  return guarded(() => {
    const decipher = libraryDecipher(settled, end, tag)
    return concatenated(decipher.update(all.subarray(0, end)), decipher.final())
  })
}
