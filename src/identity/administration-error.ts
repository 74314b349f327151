/**
 * What an administrator asked for and cannot have. What it is: the one error of everything that is administered (users,
 * clients, tokens, interfaces, authorities), with its kind, its text and its remedy. What it is not: an error of KMIP, or one
 * of the machine; the administration interface turns kinds into status codes.
 */

/** The kinds: what to do about the error differs, and so does the status code. */
export const administrationErrorKinds = [
  'not found',
  'already exists',
  'invalid',
  'forbidden',
  'conflict',
  'unavailable',
] as const
export type AdministrationErrorKind = (typeof administrationErrorKinds)[number]

/** The text names what is wrong and the remedy what to do; neither ever holds a secret. */
export class AdministrationError extends Error {
  override readonly name = 'AdministrationError'
  readonly kind: AdministrationErrorKind
  /** What the administrator can do about it; empty when the text says it. */
  readonly remedy: string

  constructor(kind: AdministrationErrorKind, message: string, remedy = '', options: ErrorOptions = {}) {
    super(message, options)
    this.kind = kind
    this.remedy = remedy
  }
}
