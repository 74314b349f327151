/**
 * One use of a key over several requests: Init Indicator, pieces, Final Indicator. What it is: the state between the pieces,
 * in place, for it cannot cross a thread; work that is done at the end alone is left as a job, which can: RSA takes seconds with long keys. What it is not: Correlation Values, their owners and their bounds; whoever holds
 * streams bounds their number, their age and the bytes given to each, for some modes keep all pieces to the end (CCM, XTS,
 * RSA, EdDSA, and decryption that authenticates). KMIP 1.4 §4.29 to §4.34, §4.37.
 */

import { createHash } from 'node:crypto'
import { type CipherOptions, openDecryption, openEncryption } from './cipher.ts'
import { hashName } from './digest.ts'
import { isWhole } from './encrypt.ts'
import { KeyUseError, plainCryptoError, revivedCryptoError } from './errors.ts'
import type { CryptoJob } from './jobs.ts'
import type { KeyForm } from './key-format.ts'
import { openMac } from './mac.ts'
import { concatenated, Gathered } from './octets.ts'
import { constantTimeEqual } from './secret.ts'
import { openSignature, openVerification } from './signature.ts'
import { plainBytes } from './transparent.ts'

/** What a stream does. */
export type StreamKind = 'encrypt' | 'decrypt' | 'sign' | 'verifySignature' | 'mac' | 'verifyMac' | 'hash'

/** What a stream is opened with. */
export interface StreamOptions extends Omit<CipherOptions, 'key'> {
  readonly kind: StreamKind
  /** Absent for `hash` only. */
  readonly key?: KeyForm | undefined
}

/** What a stream ends with; which fields are there, its kind tells. */
export interface StreamResult {
  readonly data?: Uint8Array
  readonly tag?: Uint8Array
  readonly signature?: Uint8Array
  readonly mac?: Uint8Array
  readonly digest?: Uint8Array
  readonly valid?: boolean
  /** What is still to be done: its result is the stream's. */
  readonly left?: CryptoJob<'encrypt' | 'decrypt' | 'sign' | 'verifySignature'>
}

/** A stream. After `final`, or after an error, it is to be thrown away. */
export interface CryptoStream {
  /** The initialization vector, where it was made here. */
  readonly iv?: Uint8Array
  /** Takes a piece; gives what is ready of the result, which may be nothing. */
  update(data: Uint8Array): Uint8Array
  /** Takes the last piece; `expected` is the tag, the signature or the code that is to be checked. */
  final(last?: Uint8Array, expected?: Uint8Array): StreamResult
}

const none = new Uint8Array(0)

/** A stream that says nothing before its end. */
function quiet(
  update: (data: Uint8Array) => void,
  final: (expected: Uint8Array | undefined) => StreamResult,
): CryptoStream {
  return {
    update(data) {
      update(data)
      return none
    },
    final(last, expected) {
      if (last !== undefined) update(last)
      return final(expected)
    },
  }
}

/** RSA and key wrap take all at once. */
function gathered(kind: 'encrypt' | 'decrypt', options: CipherOptions): CryptoStream {
  const pieces = new Gathered()
  return quiet(
    (data) => pieces.add(data),
    () => ({ left: { kind, ...options, data: pieces.take() } }),
  )
}

function needed(expected: Uint8Array | undefined, what: string): Uint8Array {
  if (expected === undefined) throw new KeyUseError('missingParameter', `The ${what} to be checked is missing`)
  return expected
}

function openCipherStream(kind: 'encrypt' | 'decrypt', options: CipherOptions): CryptoStream {
  if (isWhole(options)) return gathered(kind, options)
  const stream = kind === 'encrypt' ? openEncryption(options) : openDecryption(options)
  return {
    ...(stream.iv === undefined ? {} : { iv: stream.iv }),
    update: (data) => stream.update(data),
    final(last, expected) {
      const head = last === undefined ? none : stream.update(last)
      const { data, tag } = stream.final(expected)
      return { data: concatenated(head, data), ...(tag === undefined ? {} : { tag }) }
    },
  }
}

/**
 * Opens a stream. Throws, here and from its methods, what the same work throws at once: AlgorithmError, KeyUseError,
 * KeyFormatError; KeyUseError (`missingParameter`) for a key or an expected value that is not there; CryptoFailure where the library failed.
 */
export function openStream(options: StreamOptions): CryptoStream {
  const stream = said(() => openOwn(options))
  return {
    ...stream,
    update: (data) => said(() => stream.update(data)),
    final: (last, expected) => said(() => stream.final(last, expected)),
  }
}

/** Runs a step with the errors that it would have had on its way through a worker. */
function said<Value>(step: () => Value): Value {
  try {
    return step()
  } catch (error) {
    throw revivedCryptoError(plainCryptoError(error))
  }
}

function openOwn({ kind, key, ...options }: StreamOptions): CryptoStream {
  const { parameters } = options
  if (kind === 'hash') {
    if (parameters.hashingAlgorithm === undefined) {
      throw new KeyUseError('missingParameter', 'The hashing algorithm is missing')
    }
    const hash = createHash(hashName(parameters.hashingAlgorithm))
    return quiet(
      (data) => void hash.update(data),
      () => ({ digest: plainBytes(hash.digest()) }),
    )
  }
  if (key === undefined) throw new KeyUseError('missingParameter', 'The key is missing')
  if (kind === 'encrypt' || kind === 'decrypt') return openCipherStream(kind, { key, ...options })
  if (kind === 'sign') {
    const { update, final, input } = openSignature(key, parameters)
    return quiet(update, () =>
      input === undefined ? { signature: final() } : { left: { kind, key, parameters, ...input() } },
    )
  }
  if (kind === 'verifySignature') {
    const { update, final, input } = openVerification(key, parameters)
    return quiet(update, (expected) => {
      const signature = needed(expected, 'signature')
      return input === undefined
        ? { valid: final(signature) }
        : { left: { kind, key, parameters, ...input(), signature } }
    })
  }
  const stream = openMac(key, parameters)
  if (kind === 'mac') return quiet(stream.update, () => ({ mac: stream.final() }))
  return quiet(stream.update, (expected) => ({
    valid: constantTimeEqual(stream.final(), needed(expected, 'message authentication code')),
  }))
}
