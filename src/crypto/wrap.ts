/**
 * Wrapping keys under AES keys. What it is: AES Key Wrap (RFC 3394) and AES Key Wrap with Padding (RFC 5649), as rows by
 * Block Cipher Mode. What it is not: the Encoding Option (the caller hands the bytes that are to be wrapped), MACs and
 * signatures over wrapped keys, other ciphers. KMIP 1.4 §2.1.5, §2.1.6, §9.1.3.2.14.
 */

import { type CipherGCM, createCipheriv, createDecipheriv } from 'node:crypto'
import { BlockCipherMode } from '#kmip/enums'
import { KeyWrapError } from './errors.ts'

interface WrapRow {
  readonly value: BlockCipherMode
  readonly name: string
  /** The library's cipher for a wrapping key of so many bytes. */
  readonly cipher: (keyBytes: number) => string
  /** Initial value, fixed by the RFC. */
  readonly initialValue: Uint8Array
  readonly plainBytesMin: number
  /** The plain text is a multiple of so many bytes. */
  readonly plainStep: number
  readonly wrappedBytesMin: number
}

const rows: readonly WrapRow[] = [
  {
    value: BlockCipherMode.NISTKeyWrap,
    name: 'NISTKeyWrap',
    cipher: (keyBytes) => `id-aes${keyBytes * 8}-wrap`,
    initialValue: new Uint8Array(8).fill(0xa6), // RFC 3394 §2.2.3.1
    plainBytesMin: 16,
    plainStep: 8,
    wrappedBytesMin: 24,
  },
  {
    value: BlockCipherMode.AESKeyWrapPadding,
    name: 'AESKeyWrapPadding',
    cipher: (keyBytes) => `id-aes${keyBytes * 8}-wrap-pad`,
    initialValue: Uint8Array.of(0xa6, 0x59, 0x59, 0xa6), // RFC 5649 §3
    plainBytesMin: 1,
    plainStep: 1,
    wrappedBytesMin: 16,
  },
]

/** Wrapping methods by Block Cipher Mode number. */
export const wrapRows: ReadonlyMap<number, WrapRow> = new Map(rows.map((row) => [row.value, row]))

const aesKeyBytes: ReadonlySet<number> = new Set([16, 24, 32])

/** What to wrap, or to unwrap, and how. NISTKeyWrap is meant where the client names no mode. */
export interface WrapRequest {
  readonly blockCipherMode?: BlockCipherMode | undefined
  /** An AES key. */
  readonly wrappingKey: Uint8Array
  readonly data: Uint8Array
}

function rowOf({ blockCipherMode = BlockCipherMode.NISTKeyWrap, wrappingKey }: WrapRequest): WrapRow {
  const row = wrapRows.get(blockCipherMode)
  if (row === undefined) throw new KeyWrapError('unsupported', 'The block cipher mode wraps no keys')
  if (!aesKeyBytes.has(wrappingKey.length)) throw new KeyWrapError('invalid', 'The wrapping key is not an AES key')
  return row
}

/**
 * Wraps bytes. Throws KeyWrapError: `unsupported` for a mode without a row, `invalid` for a wrapping key that is not of AES
 * or data of a length that the mode does not take (NISTKeyWrap: multiples of 8, at least 16). RFC 3394 §2.2.1, RFC 5649 §4.1.
 */
export function wrapKey(request: WrapRequest): Uint8Array {
  const row = rowOf(request)
  const { wrappingKey, data } = request
  if (data.length < row.plainBytesMin || data.length % row.plainStep !== 0) {
    throw new KeyWrapError('invalid', `A key of that length cannot be wrapped with ${row.name}`)
  }
  const cipher = createCipheriv(row.cipher(wrappingKey.length), wrappingKey, row.initialValue)
  return joined(cipher, data)
}

/**
 * Unwraps bytes. Throws KeyWrapError as `wrapKey` does, and `integrity` where the wrapping key does not open them. RFC 3394
 * §2.2.2, RFC 5649 §4.2.
 */
export function unwrapKey(request: WrapRequest): Uint8Array {
  const row = rowOf(request)
  const { wrappingKey, data } = request
  if (data.length < row.wrappedBytesMin || data.length % 8 !== 0) {
    throw new KeyWrapError('invalid', `The wrapped key does not have a length of ${row.name}`)
  }
  const decipher = createDecipheriv(row.cipher(wrappingKey.length), wrappingKey, row.initialValue)
  try {
    return joined(decipher, data)
  } catch {
    // The library's text says no more than this one does.
    throw new KeyWrapError('integrity', 'The wrapping key does not open the wrapped key')
  }
}

function joined(cipher: Pick<CipherGCM, 'update' | 'final'>, data: Uint8Array): Uint8Array {
  const head: Uint8Array = cipher.update(data)
  const tail: Uint8Array = cipher.final()
  const whole = new Uint8Array(head.length + tail.length)
  whole.set(head)
  whole.set(tail, head.length)
  head.fill(0)
  return whole
}
