/** What something that was thrown says. What it is not: what a client may read (kmip/errors.ts). */

/** The message of an error; anything may be thrown. */
export const errorText = (error: unknown): string => (error instanceof Error ? error.message : String(error))
