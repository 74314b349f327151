/**
 * Result Reasons (KMIP 1.4 §9.1.3.2.29, §11): the one table, and the one error that carries them. What it is not: the
 * choice of a reason, which is each operation's, nor texts of inner errors, which go to the log alone.
 */
import { TtlvError, type TtlvFault } from '#ttlv/error'
import { enumerationRows, ResultReason } from './enums.ts'
import { inVersion, type Row } from './row.ts'
import { pathText } from './vocabulary.ts'

/** A reason as the table has it: what a client reads when nothing more is said, and what stands for it in versions without it. */
export interface ReasonRow {
  readonly reason: number
  readonly name: string
  readonly text: string
  readonly since: number
  readonly substitute: number
}

const reasonValues: readonly Row[] = enumerationRows.find((row) => row.name === 'ResultReason')?.values ?? []

/** Texts where the reason's own name says too little, and substitutes where General Failure says less than an older reason. */
const ours: Readonly<Record<number, { readonly text?: string; readonly substitute?: number }>> = {
  [ResultReason.ItemNotFound]: { text: 'The object does not exist' },
  [ResultReason.ResponseTooLarge]: { text: 'The response is larger than the Maximum Response Size of the request' },
  [ResultReason.AuthenticationNotSuccessful]: { text: 'The client or its credential is not known' },
  [ResultReason.InvalidMessage]: { text: 'The message cannot be read' },
  [ResultReason.OperationNotSupported]: { text: 'The operation is not supported' },
  [ResultReason.MissingData]: { text: 'Data is missing' },
  [ResultReason.InvalidField]: { text: 'A field of the request is not valid' },
  [ResultReason.FeatureNotSupported]: { text: 'The feature is not supported' },
  [ResultReason.CryptographicFailure]: { text: 'The cryptographic operation failed' },
  [ResultReason.IllegalOperation]: { text: 'The operation cannot be done with this object' },
  [ResultReason.PermissionDenied]: { text: 'Permission is denied' },
  [ResultReason.ObjectArchived]: { text: 'The object is archived; recover it first' },
  [ResultReason.IndexOutOfBounds]: { text: 'The object has as many instances of this attribute as the server allows' },
  [ResultReason.KeyFormatTypeNotSupported]: { text: 'The object cannot be given in this Key Format Type' },
  [ResultReason.GeneralFailure]: { text: 'The server could not answer; its log says why' },
  [ResultReason.Sensitive]: {
    text: 'The object is sensitive: it is given in wrapped form only',
    substitute: ResultReason.PermissionDenied,
  },
  [ResultReason.NotExtractable]: { text: 'The object is not extractable', substitute: ResultReason.PermissionDenied },
  [ResultReason.KeyWrapTypeNotSupported]: { substitute: ResultReason.FeatureNotSupported },
}

/** Every Result Reason, by its number. */
export const reasonRows: ReadonlyMap<number, ReasonRow> = new Map(
  reasonValues.map((row) => [
    row.value,
    {
      reason: row.value,
      name: row.name,
      text: ours[row.value]?.text ?? row.text,
      since: row.since,
      substitute: ours[row.value]?.substitute ?? ResultReason.GeneralFailure,
    },
  ]),
)

/** The reason that a version may carry: itself, or what stands for it there (CLIENTS rule: nothing newer than the request). */
export const reasonInVersion = (reason: number, version: number): number => {
  const row = reasonRows.get(reason)
  if (row === undefined) return ResultReason.GeneralFailure
  return inVersion(row, version) ? reason : row.substitute
}

/** A refusal that the client is told: a Result Reason and a Result Message fit for the wire. */
export class KmipError extends Error {
  override readonly name = 'KmipError'
  readonly reason: number
  /** Fields that go back in spite of the failure (Check, §4.10). */
  readonly payload: unknown

  /** @param text says what to do about it; holds nothing secret. Without it the reason's own text. */
  constructor(reason: number, text?: string, payload?: unknown) {
    super(text ?? reasonRows.get(reason)?.text ?? 'General Failure')
    this.reason = reason
    this.payload = payload
  }
}

const reasonOfFault: Readonly<Record<TtlvFault, number>> = {
  message: ResultReason.InvalidMessage,
  field: ResultReason.InvalidField,
  limit: ResultReason.InvalidMessage,
}

/** What a reader refused, as the client is told it: with the place, never with a value. */
export const kmipErrorOf = (error: TtlvError): KmipError => {
  const place = pathText(error.path)
  return new KmipError(reasonOfFault[error.fault], place === '' ? error.message : `${place}: ${error.message}`)
}
