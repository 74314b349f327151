/**
 * Who a session acts as, whatever it speaks: the answer to a request under the identity of now. What it is: the one rule of
 * both listeners (interface.ts, http.ts). What it is not: a listener.
 */
import type { Clock } from '#actor/clock'
import { identify, type Principal, type Refusal } from '#identity/principals'
import { ResultReason } from '#kmip/enums'
import { KmipError } from '#kmip/errors'
import type { Store } from '#store/store'
import type { Answer } from './connection.ts'
import type { Dispatcher } from './dispatch.ts'
import type { Encoding } from './encodings.ts'

/** Where sessions of a listener take their answers from. */
export interface SessionParts {
  readonly dispatcher: Dispatcher
  readonly store: Store
  readonly clock: Clock
  readonly log: SessionLog
}

/** What the log is told when a client has no service. */
export interface SessionLog {
  clientRefused(event: {
    readonly address: string
    readonly fingerprint: string
    readonly reason: Refusal | 'no certificate'
  }): void
}

/** A peer, as its TLS session shows it. */
export interface Peer {
  readonly address: string
  /** SHA-256 of its certificate, lower-case hexadecimal. */
  readonly fingerprint: string | undefined
}

/**
 * The answer to one message. Who the peer acts as is looked up for every request: what is removed or expired serves no longer.
 * @returns the answer, which is the last of the session when the peer has no service
 */
export const answerFor = async (
  { dispatcher, store, clock, log }: SessionParts,
  peer: Peer,
  message: Uint8Array,
  encoding: Encoding,
): Promise<Answer> => {
  const who = principalOf(store, clock, peer.fingerprint)
  if (typeof who !== 'string') return { bytes: await dispatcher.answer(message, who, encoding), last: false }
  log.clientRefused({ address: peer.address, fingerprint: peer.fingerprint ?? 'none', reason: who })
  const refused = new KmipError(ResultReason.AuthenticationNotSuccessful)
  return { bytes: await dispatcher.answer(message, refused, encoding), last: true }
}

const principalOf = (
  store: Store,
  clock: Clock,
  fingerprint: string | undefined,
): Principal | Refusal | 'no certificate' => {
  if (fingerprint === undefined) return 'no certificate'
  const identity = identify(store, fingerprint, clock.nowSeconds())
  return 'principal' in identity ? identity.principal : identity.refused
}
