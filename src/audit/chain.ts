/**
 * The chain of the audit trail, line by line. What it is: how a line is made of what it tells and of the line before it, and
 * how it is read again; functions of values only. What it is not: files (`files.ts`), or what a line tells (`record.ts`).
 *
 *   {"sequence":7,"previous":"<SHA-256 of line 6>","time":"…", … }
 *   {"sequence":8,"previous":"<SHA-256 of line 7>","time":"…", … ,"mac":"<HMAC-SHA-256 of this line without its mac>"}
 *
 * Anybody can follow the hashes with no key. The last line of every write carries a MAC, which vouches through the hashes for
 * all lines before it: who can write to the files but does not have the store's keys can make no other chain that holds.
 * Hashes and MACs are in Base64url; a line is hashed as it stands in the file, in UTF-8, without its end of line.
 */
import { createHmac, hash } from 'node:crypto'

/** Where a chain has come to: what the next line goes on from. */
export interface Head {
  /** Of the last line; 0 before the first. */
  readonly sequence: number
  /** Hash of the last line; empty before the first. */
  readonly hash: string
}

/** A chain without a line. */
export const emptyChain: Head = { sequence: 0, hash: '' }

/** A key for MACs has this many bytes. */
export const auditKeyBytes = 32

const macPattern = /,"mac":"([\w-]{43})"\}$/

/** The hash of a line. */
export const hashOf = (line: string | Uint8Array): string => hash('sha256', line, 'base64url')

const macOf = (key: Uint8Array, text: string): string => createHmac('sha256', key).update(text).digest('base64url')

/**
 * The line that tells `body` behind `head`, without its end of line.
 * @param body an object as JSON text, with at least one member
 * @param key for the MAC of a line that is the last of a write
 */
export const lineOf = (head: Head, body: string, key?: Uint8Array): string => {
  const text = `{"sequence":${head.sequence + 1},"previous":"${head.hash}",${body.slice(1)}`
  return key === undefined ? text : `${text.slice(0, -1)},"mac":"${macOf(key, text)}"}`
}

/** A line as read: its place in the chain, what it tells, and what its MAC says. */
export interface ReadLine {
  readonly head: Head
  readonly previous: string
  readonly body: Readonly<Record<string, unknown>>
  readonly mac: 'none' | 'right' | 'wrong'
}

/** Reads a line, whatever it goes on from; undefined when it is none. */
export const readLine = (line: string, key: Uint8Array): ReadLine | undefined => {
  const body = objectOf(line)
  if (body === undefined) return undefined
  const { sequence, previous } = body
  if (typeof sequence !== 'number' || !Number.isSafeInteger(sequence) || typeof previous !== 'string') return undefined
  const mac = macPattern.exec(line)
  const right = mac === null ? undefined : macOf(key, `${line.slice(0, mac.index)}}`) === mac[1]
  return {
    head: { sequence, hash: hashOf(line) },
    previous,
    body,
    mac: right === undefined ? 'none' : right ? 'right' : 'wrong',
  }
}

/** Whether a line is the next one behind a head, and nobody else's. */
export const follows = ({ head, previous, mac }: ReadLine, before: Head): boolean =>
  head.sequence === before.sequence + 1 && previous === before.hash && mac !== 'wrong'

const objectOf = (line: string): Readonly<Record<string, unknown>> | undefined => {
  if (!line.startsWith('{"sequence":')) return undefined
  try {
    const value: unknown = JSON.parse(line)
    return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : undefined
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}
