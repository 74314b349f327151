/**
 * The errors that crypto/ raises, each plain enough to cross a thread. What it is: the classes, and their reading and
 * writing as plain data. What it is not: result reasons; whoever calls knows the operation and picks the reason.
 * No message here ever holds key material: messages are fixed texts and numbers.
 */

/** What is wrong with a key: its bytes, its format, or the compression that was asked for its point. */
export type KeyFormatErrorKind = 'invalid' | 'unsupported' | 'unsupportedCompression'

/** A key that cannot be read, or cannot be given in the format that was asked for (KMIP 1.4 §11.1, §11.14). */
export class KeyFormatError extends Error {
  override readonly name = 'KeyFormatError'
  readonly kind: KeyFormatErrorKind
  constructor(kind: KeyFormatErrorKind, message: string) {
    super(message)
    this.kind = kind
  }
}

/** What is wrong with a request to make a key. */
export type AlgorithmErrorKind =
  | 'unsupportedAlgorithm'
  | 'unsupportedLength'
  | 'unsupportedCurve'
  | 'unsupportedParameter'

/** A key that cannot be generated: its algorithm, length, curve or parameters are not among the rows. */
export class AlgorithmError extends Error {
  override readonly name = 'AlgorithmError'
  readonly kind: AlgorithmErrorKind
  constructor(kind: AlgorithmErrorKind, message: string) {
    super(message)
    this.kind = kind
  }
}

/** Why a key could not be wrapped or unwrapped; `integrity` is a wrapped key that its wrapping key does not open. */
export type KeyWrapErrorKind = 'invalid' | 'unsupported' | 'integrity'

/** Wrapping or unwrapping failed. */
export class KeyWrapError extends Error {
  override readonly name = 'KeyWrapError'
  readonly kind: KeyWrapErrorKind
  constructor(kind: KeyWrapErrorKind, message: string) {
    super(message)
    this.kind = kind
  }
}

/**
 * What is wrong with the use of a key: `missingIV` and `invalidIV` its initialization vector, counter or nonce;
 * `invalidTagLength`, `invalidLength` the length of a tag, of the data; `missingParameter`, `invalidParameter` the
 * cryptographic parameters; `invalidKey` the key is not one for this use; `failed` all that depends on secret bytes.
 */
export type KeyUseErrorKind =
  | 'missingIV'
  | 'invalidIV'
  | 'invalidTagLength'
  | 'invalidLength'
  | 'missingParameter'
  | 'invalidParameter'
  | 'invalidKey'
  | 'failed'

/** Encrypting, decrypting, signing, deriving, splitting or joining failed. Every `failed` has the same text. */
export class KeyUseError extends Error {
  override readonly name = 'KeyUseError'
  readonly kind: KeyUseErrorKind
  constructor(kind: KeyUseErrorKind, message = 'The cryptographic operation failed') {
    super(message)
    this.kind = kind
  }
}

/** A job that died with its worker, or failed inside the cryptographic library; the message says nothing of the inside. */
export class CryptoFailure extends Error {
  override readonly name = 'CryptoFailure'
  /** For the log: the code or class of the error inside. */
  readonly detail: string
  constructor(detail: string, message = 'The cryptographic job failed') {
    super(message)
    this.detail = detail
  }
}

/** Too many jobs wait already: the caller answers that the server is busy. */
export class CryptoBusy extends Error {
  override readonly name = 'CryptoBusy'
  constructor() {
    super('Too many cryptographic jobs are waiting')
  }
}

/** An error as plain data, for the way back from a worker. */
export interface PlainCryptoError {
  readonly name: string
  readonly kind: string
  readonly message: string
}

/** The plain form of an error; of one of unknown class only the code or class is left, for its text may tell of the inside. */
export function plainCryptoError(error: unknown): PlainCryptoError {
  if (
    error instanceof KeyFormatError ||
    error instanceof AlgorithmError ||
    error instanceof KeyWrapError ||
    error instanceof KeyUseError
  )
    return { name: error.name, kind: error.kind, message: error.message }
  return { name: 'CryptoFailure', kind: detailOf(error), message: '' }
}

/** The code, or else the class, of an error. */
function detailOf(error: unknown): string {
  if (error instanceof CryptoFailure) return error.detail
  if (!(error instanceof Error)) return typeof error
  return 'code' in error && typeof error.code === 'string' ? error.code : error.name
}

/** The error that a plain form stands for; what is not known becomes a CryptoFailure. */
export function revivedCryptoError(plain: PlainCryptoError): Error {
  if (plain.name === 'KeyFormatError') return new KeyFormatError(plain.kind as KeyFormatErrorKind, plain.message)
  if (plain.name === 'AlgorithmError') return new AlgorithmError(plain.kind as AlgorithmErrorKind, plain.message)
  if (plain.name === 'KeyWrapError') return new KeyWrapError(plain.kind as KeyWrapErrorKind, plain.message)
  if (plain.name === 'KeyUseError') return new KeyUseError(plain.kind as KeyUseErrorKind, plain.message)
  return new CryptoFailure(plain.kind)
}
