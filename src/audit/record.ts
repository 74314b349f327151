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
  /** Full name of a user whom somebody said to be who did not prove it. */
  readonly claimed?: string | undefined
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

/** Members of text, in the order in which a line has them behind its request. */
const textMembers = [
  'user',
  'client',
  'certificate',
  'claimed',
  'domain',
  'address',
  'operation',
  'wrappedUnder',
  'result',
  'reason',
] as const satisfies readonly (keyof AuditRecord)[]

/** Text that stands in JSON as it is: most names and all identifiers of ours. */
const plain = /^[\w |.:-]*$/
const quoted = (text: string): string => {
  const cut = text.length > textMax ? text.slice(0, textMax) : text
  return plain.test(cut) ? `"${cut}"` : JSON.stringify(cut)
}

let lastMs = Number.NaN
let lastTime = ''
/** Many lines are of one millisecond. */
const timeOf = (atMs: number): string => {
  if (atMs !== lastMs) {
    lastMs = atMs
    lastTime = new Date(atMs).toISOString()
  }
  return lastTime
}

/** Members as they were last written: many lines in a row are of one client, or one operation. */
const lastMembers: Partial<Record<(typeof textMembers)[number], { readonly value: string; readonly text: string }>> = {}

/** What of a record is the same each time that the same sender is given the same answer. */
export type AuditedAnswer = Omit<AuditRecord, 'event' | 'atMs' | 'request'>

/** The record as JSON text. */
export const bodyOf = (record: AuditRecord): string => {
  const { event, atMs, request } = record
  const named = request === undefined ? '' : `,"request":${quoted(request)}`
  return `{"time":"${timeOf(atMs)}","event":"${event}"${named}${endOf(record)}`
}

let lastStart:
  | { readonly event: AuditRecord['event']; readonly atMs: number; readonly front: string; readonly bytes: Uint8Array }
  | undefined

/**
 * The start of a record, up to the number in the name of its request, as JSON text in UTF-8. Not to be changed.
 * @param front what the name has before the number: plain text
 */
export const startOf = (event: AuditRecord['event'], atMs: number, front: string): Uint8Array => {
  if (lastStart?.atMs !== atMs || lastStart.event !== event || lastStart.front !== front) {
    const text = `{"time":"${timeOf(atMs)}","event":"${event}","request":"${front}`
    lastStart = { event, atMs, front, bytes: Buffer.from(text) }
  }
  return lastStart.bytes
}

/** The end of a record, behind the name of its request, as JSON text. */
export const endOf = (record: AuditedAnswer): string => {
  const { objects, found } = record
  let body = ''
  for (const name of textMembers) {
    const value = record[name]
    if (value === undefined) continue
    const known = lastMembers[name]
    if (known !== undefined && known.value === value) body += known.text
    else {
      const text = `,"${name}":${quoted(value)}`
      lastMembers[name] = { value, text }
      body += text
    }
  }
  const count = found ?? objects?.length ?? 0
  if (objects !== undefined && objects.length > 0) {
    body += `,"objects":[${objects.slice(0, objectsMax).map(quoted).join(',')}]`
  }
  if (found !== undefined || count > objectsMax) body += `,"found":${count}`
  return `${body}}`
}
