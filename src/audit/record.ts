/**
 * What a line of the audit trail tells: when, who, what, which object, with which result. What it is: the members, and their
 * text, in which everything that a peer may have chosen is cut short. What it is not: the chain around it (`chain.ts`).
 */

/** What was done to an object, or asked for in vain. */
export interface AuditRecord {
  /** `operation`: over KMIP. `administration`: a command. `withdrawn`: what the lines of a request say did not come about. */
  readonly event: 'operation' | 'administration' | 'withdrawn'
  /** Milliseconds since 1970. */
  readonly atMs: number
  /** Lines of one request have the same, which no other request since the start of the server has. */
  readonly request?: string | undefined
  /** Full name of the user who acts, `local|kmip`; undefined where nobody was found. */
  readonly user?: string | undefined
  /** Identifier of the registered client. */
  readonly client?: string | undefined
  /** Fingerprint of a certificate by which nobody was found. */
  readonly certificate?: string | undefined
  readonly domain?: string | undefined
  /** Address of the peer. */
  readonly address?: string | undefined
  /** Name of the operation, or words of the command. */
  readonly operation?: string | undefined
  /** Unique Identifiers, or names of what a command is about. */
  readonly objects?: readonly string[] | undefined
  /** Unique Identifier of the key that a key was given wrapped under. */
  readonly wrappedUnder?: string | undefined
  /** How many objects there are, where not all are named. */
  readonly found?: number | undefined
  /** `success`, `failed`, `pending`, `undone`. */
  readonly result?: string | undefined
  /** Why not. */
  readonly reason?: string | undefined
}

/** A name that somebody else has chosen is told up to so many characters. */
const textMax = 128
/** Objects that one line names. */
const objectsMax = 16

/** The record as JSON text. */
export const bodyOf = ({ event, atMs, objects, found, ...texts }: AuditRecord): string => {
  let body = `{"time":"${new Date(atMs).toISOString()}","event":"${event}"`
  for (const [name, value] of Object.entries(texts)) {
    if (value !== undefined) body += `,"${name}":${JSON.stringify(value.slice(0, textMax))}`
  }
  const count = found ?? objects?.length ?? 0
  if (objects !== undefined && objects.length > 0) {
    body += `,"objects":${JSON.stringify(objects.slice(0, objectsMax).map((name) => name.slice(0, textMax)))}`
  }
  if (found !== undefined || count > objectsMax) body += `,"found":${count}`
  return `${body}}`
}
