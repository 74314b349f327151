/**
 * Errors of the administration as its interface tells them: `{code, message, remedy}`. What it is: the table of codes with
 * the status of HTTP and the exit code of the command, and the one way from any error to an answer. What it is not: the
 * errors themselves (`AdministrationError`).
 */
import type { AdministrationErrorKind } from '#identity/administration-error'
import { AdministrationError } from '#identity/administration-error'
import { StoreUnavailable } from '#store/store'

/** What is answered instead of a result. */
export interface Failure {
  readonly code: FailureCode
  readonly message: string
  /** What to do about it; empty when the message says it. */
  readonly remedy: string
}

interface FailureRow {
  readonly status: number
  readonly exitCode: number
}

/** By code: the status of HTTP, and what kmipctl exits with. */
export const failureRows = {
  usage: { status: 400, exitCode: 2 },
  invalid: { status: 400, exitCode: 2 },
  unauthenticated: { status: 401, exitCode: 3 },
  forbidden: { status: 403, exitCode: 3 },
  not_found: { status: 404, exitCode: 4 },
  already_exists: { status: 409, exitCode: 5 },
  conflict: { status: 409, exitCode: 5 },
  too_many_requests: { status: 429, exitCode: 6 },
  unavailable: { status: 503, exitCode: 6 },
  internal: { status: 500, exitCode: 1 },
} as const satisfies Record<string, FailureRow>

export type FailureCode = keyof typeof failureRows

const codeOfKind: Readonly<Record<AdministrationErrorKind, FailureCode>> = {
  'not found': 'not_found',
  'already exists': 'already_exists',
  invalid: 'invalid',
  forbidden: 'forbidden',
  conflict: 'conflict',
  unavailable: 'unavailable',
}

/** A refusal by the interface itself: of a log-in, of a value, of too many of them. */
export class Refused extends Error {
  override readonly name = 'Refused'
  readonly failure: Failure

  constructor(code: FailureCode, message: string, remedy = '') {
    super(message)
    this.failure = { code, message, remedy }
  }
}

/**
 * What a caller is told of an error. Errors that are not meant for callers give a correlation, which the log has too.
 * @param correlate notes an unforeseen error and gives its correlation
 */
export const failureOf = (error: unknown, correlate: (error: unknown) => string): Failure => {
  if (error instanceof Refused) return error.failure
  if (error instanceof AdministrationError) {
    return { code: codeOfKind[error.kind], message: error.message, remedy: error.remedy }
  }
  if (error instanceof StoreUnavailable) {
    return {
      code: 'unavailable',
      message: 'The store cannot take changes now',
      remedy: `Try again (${correlate(error)}).`,
    }
  }
  const correlation = correlate(error)
  return { code: 'internal', message: `The server failed (${correlation})`, remedy: 'Its log says more.' }
}
