/**
 * TLS 1.2 sessions that are kept by their identifier (RFC 5246 §7.3), for clients that know no tickets: the library keeps none by
 * itself. What it is: the sessions of one listener, bounded in number and age. What it is not: tickets (`tls.ts`), which all
 * sessions of TLS 1.3 travel in.
 *
 * A session is asked for when its handshake is done, and the library asks for sessions only once there are some: as long as it does, it
 * walks through every Client Hello first, and with a listener for new sessions it would write out every ticket of TLS 1.3 as well.
 */
import type { Server, TLSSocket } from 'node:tls'
import type { Clock } from '#actor/clock'
import { DerCursor, derTag } from '#identity/der'

/** A TLS session that is kept by its identifier. */
export interface KeptSession {
  /** Base64. */
  readonly id: string
  readonly data: Uint8Array
}

/** The sessions of a listener that are kept. */
export interface KeptSessions {
  /** Keeps one that was made by another listener of the same interface. */
  readonly keep: (session: KeptSession) => void
  /** Forgets them all: a resumed session is not looked at by rules that have come since. */
  readonly forget: () => void
}

/**
 * Keeps the sessions of a listener.
 * @param capacity sessions kept; the oldest makes room.
 * @param onKept told of each that was made here
 */
export function rememberSessions(
  server: Server,
  capacity: number,
  lifetimeSeconds: number,
  clock: Clock,
  onKept: (session: KeptSession) => void = () => undefined,
): KeptSessions {
  if (capacity === 0 || lifetimeSeconds === 0) return { keep: () => undefined, forget: () => undefined }
  const sessions = new Map<string, { readonly data: Buffer; readonly untilMs: number }>()
  const found = (id: Buffer, done: (error: Error | null, data: Buffer | null) => void): void => {
    const key = id.toString('base64')
    const kept = sessions.get(key)
    const live = kept !== undefined && clock.monotonicMs() < kept.untilMs
    if (kept !== undefined && !live) sessions.delete(key)
    done(null, live ? kept.data : null)
  }
  const keep = ({ id, data }: KeptSession): void => {
    const [oldest] = sessions.size >= capacity ? sessions.keys() : []
    if (oldest !== undefined) sessions.delete(oldest)
    sessions.set(id, { data: Buffer.from(data), untilMs: clock.monotonicMs() + lifetimeSeconds * 1000 })
    if (server.listenerCount('resumeSession') === 0) server.on('resumeSession', found)
  }
  server.on('secureConnection', (socket: TLSSocket) => {
    const session = newSessionOf(socket)
    if (session === undefined) return
    keep(session)
    onKept(session)
  })
  return { keep, forget: () => sessions.clear() }
}

/** The session that a handshake has made, where it has an identifier: not with TLS 1.3, nor for a client that was given a ticket. */
function newSessionOf(socket: TLSSocket): KeptSession | undefined {
  if (socket.getProtocol() === 'TLSv1.3' || socket.isSessionReused()) return undefined
  const data = socket.getSession()
  if (data === undefined) return undefined
  const id = identifierOf(data)
  return id.length === 0 ? undefined : { id: Buffer.from(id).toString('base64'), data }
}

/** Of a session as the library writes it: SEQUENCE { INTEGER format, INTEGER version, OCTET STRING suite, OCTET STRING identifier, … } */
function identifierOf(data: Buffer): Uint8Array {
  const session = new DerCursor(data).enter(derTag.sequence)
  session.take(derTag.integer)
  session.take(derTag.integer)
  session.take(derTag.octetString)
  return session.take(derTag.octetString).content
}
