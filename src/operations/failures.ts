/** What the errors of cryptography and certificates mean to a client: one row a kind (KMIP 1.4 §11). Not the errors themselves. */
import { AlgorithmError, CryptoBusy, CryptoFailure, KeyFormatError, KeyUseError, KeyWrapError } from '#crypto/run'
import { CertificateError } from '#identity/certificates'
import { ResultReason } from '#kmip/enums'
import { KmipError } from '#kmip/errors'

const reasonsByKind: Readonly<Record<string, number>> = {
  invalid: ResultReason.InvalidField,
  unsupported: ResultReason.KeyFormatTypeNotSupported,
  unsupportedCompression: ResultReason.KeyCompressionTypeNotSupported,
}

/** The published test cases want these two told apart from what fails in computing. */
const reasonsByUse: Readonly<Record<string, number>> = {
  missingIV: ResultReason.InvalidMessage,
  invalidTagLength: ResultReason.GeneralFailure,
}

/** The refusal that an error of these classes stands for, or undefined for an error that is not the client's affair. */
export const kmipErrorOfFailure = (error: unknown): KmipError | undefined => {
  if (error instanceof KeyFormatError)
    return new KmipError(reasonsByKind[error.kind] ?? ResultReason.InvalidField, error.message)
  if (error instanceof AlgorithmError) return new KmipError(ResultReason.InvalidField, error.message)
  if (error instanceof KeyUseError) {
    return new KmipError(reasonsByUse[error.kind] ?? ResultReason.CryptographicFailure, error.message)
  }
  if (error instanceof CertificateError) return new KmipError(ResultReason.InvalidField, error.message)
  if (error instanceof KeyWrapError || error instanceof CryptoFailure)
    return new KmipError(ResultReason.CryptographicFailure)
  if (error instanceof CryptoBusy) return new KmipError(ResultReason.GeneralFailure, 'The server is busy; try again')
  return undefined
}

/** The error of a computation as §11.30 to §11.38 have it: whatever is wrong with it is a Cryptographic Failure. */
export const computingError = (error: unknown): unknown => {
  if (error instanceof AlgorithmError || error instanceof KeyFormatError) {
    return new KmipError(ResultReason.CryptographicFailure, error.message)
  }
  return kmipErrorOfFailure(error) ?? error
}
