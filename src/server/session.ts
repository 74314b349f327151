/**
 * A peer's session, whatever it speaks: the answer to a request under the identity of now. What it is: the one rule of both
 * listeners (interface.ts, http.ts), with the registration of a certificate that is seen for the first time. What it is not:
 * a listener, or the decision whom a session acts as (identity/session-identity.ts).
 */
import type { Clock } from '#actor/clock'
import { awaitable, Later, type Soon } from '#actor/later'
import { AdministrationError } from '#identity/administration-error'
import type { UnknownCertificate } from '#identity/auto-registration'
import type { Login } from '#identity/login'
import type { CertificateUserField, ClientRecord } from '#identity/principals'
import {
  type CredentialRefusal,
  type IdentityRules,
  type Peer,
  refusalRemedies,
  SessionIdentity,
  type SessionRefusal,
} from '#identity/session-identity'
import { ResultReason } from '#kmip/enums'
import { KmipError } from '#kmip/errors'
import type { Store } from '#store/store'
import { type Answer, type ConnectionHolders, LastAnswer, type Responder } from './connection.ts'
import type { Dispatcher } from './dispatch.ts'
import { binaryEncoding, type Encoding } from './encodings.ts'
import type { Entrance, EntranceLog } from './entrance.ts'
import { clientOf, type Holdings } from './holdings.ts'

/** What of an interface its sessions live by; changes while they live. */
export interface SessionRules extends IdentityRules {
  /** Undefined: certificates that are not registered have no service. */
  readonly autoRegistration: { readonly tokenId: string; readonly userField: CertificateUserField } | undefined
}

/** Where sessions of a listener take their answers from. */
export interface SessionParts {
  readonly dispatcher: Dispatcher
  readonly store: Store
  readonly clock: Clock
  readonly login: Login
  /** What all sessions of this thread hold in memory. */
  readonly requests: Holdings
  readonly answers: Holdings
  /** Where connections come in, and what of them came to nothing. */
  readonly entrance: Entrance
  /** Registers it. @throws AdministrationError when it cannot be */
  readonly autoRegister: (unknown: UnknownCertificate) => Promise<unknown>
  /** Why nobody has service now (a licence that is over), or undefined. */
  readonly closed: () => KmipError | undefined
  readonly log: SessionLog
}

/** What the log is told of a client that has no service, or of a request that has none. */
export interface SessionLog extends EntranceLog {
  /** Whether the log is to be told of messages now. */
  tellsMessages(): boolean
  /** A message was answered. Nothing secret of either may be kept. */
  exchanged(request: Uint8Array, answer: Uint8Array, encoding: Encoding): void
  clientRefused(event: {
    readonly address: string
    readonly fingerprint: string
    readonly reason: SessionRefusal
    readonly remedy: string
  }): void
  credentialRefused(event: {
    readonly address: string
    /** What administrators call the client. */
    readonly client: string
    readonly reason: CredentialRefusal
  }): void
  autoRegistrationEnded(event: {
    readonly address: string
    readonly fingerprint: string
    /** Undefined: it is registered. */
    readonly refused: { readonly reason: string; readonly remedy: string } | undefined
  }): void
}

/** A peer with the certificate that its handshake has shown. */
export interface ShownPeer extends Peer {
  /** DER, or undefined when it showed none or has gone. Asked for where it is needed: no session keeps its own copy. */
  readonly certificate: () => Uint8Array | undefined
  /** Whether a revocation list names a CA above it. */
  readonly isBelowRevoked: boolean
}

const notServed = new KmipError(ResultReason.AuthenticationNotSuccessful)

/** One TLS session's side of the requests that come in it. */
export class PeerSession implements Responder {
  readonly peer: ShownPeer
  /** Whether the session should not have come about, as a handshake with a revocation list would have it. */
  readonly isRevoked: boolean
  readonly #parts: SessionParts
  readonly #rules: () => SessionRules
  readonly #identity: SessionIdentity
  /** Done once in a session's life, whatever comes of it. */
  #registration: Promise<void> | undefined

  constructor(parts: SessionParts, peer: ShownPeer, rules: () => SessionRules) {
    this.peer = peer
    this.#parts = parts
    this.#rules = rules
    const { store, clock, login, log } = parts
    const onCredentialRefused = (reason: CredentialRefusal, { name }: ClientRecord): void =>
      log.credentialRefused({ address: peer.address, client: name, reason })
    this.#identity = new SessionIdentity({ store, clock, login, peer, rules, onCredentialRefused })
    // A client is registered by connecting: it need not ask for anything.
    const refusal = this.#identity.standing()
    this.isRevoked = peer.isBelowRevoked || refusal === 'certificate revoked'
    if (refusal === 'not registered' && !this.isRevoked) this.#registration = this.#register()
  }

  /** Messages that could not be read. */
  get unreadable(): number {
    return this.#identity.unreadable
  }

  /** What this session's client holds. */
  holders(): ConnectionHolders {
    const { requests, answers } = this.#parts
    const client = clientOf(this.peer)
    return { requests: requests.holderOf(client), answers: answers.holderOf(client) }
  }

  /**
   * The answer to one message, the last of the session when the peer has no service. Whom the peer acts as is looked at for
   * every request: what is removed or expired serves no longer.
   */
  answer(message: Uint8Array, encoding: Encoding = binaryEncoding): Soon<Answer> {
    const refusal = this.#identity.standing()
    if (refusal !== 'not registered') return this.#answerAs(refusal, message, encoding)
    this.#registration ??= this.#register()
    return this.#registration.then(() => awaitable(this.#answerAs(this.#identity.standing(), message, encoding)))
  }

  /** The answer to what is no message. */
  refusal(error: KmipError): Buffer {
    return this.#parts.dispatcher.refusal(error)
  }

  #answerAs(refusal: SessionRefusal | undefined, message: Uint8Array, encoding: Encoding): Soon<Answer> {
    const { dispatcher, log, closed } = this.#parts
    if (refusal !== undefined) {
      const { address, fingerprint = 'none' } = this.peer
      log.clientRefused({ address, fingerprint, reason: refusal, remedy: refusalRemedies[refusal] })
    }
    const caller = refusal === undefined ? (closed() ?? this.#identity) : notServed
    const bytes = dispatcher.answer(message, caller, encoding, this.peer)
    if (bytes instanceof Promise) return bytes.then((given) => this.#answered(refusal, message, given, encoding))
    if (!(bytes instanceof Later)) return this.#answered(refusal, message, bytes, encoding)
    if (refusal === undefined && !log.tellsMessages()) return bytes
    return bytes.map((given) => this.#answered(refusal, message, given, encoding))
  }

  #answered(refusal: SessionRefusal | undefined, message: Uint8Array, bytes: Buffer, encoding: Encoding): Answer {
    this.#parts.log.exchanged(message, bytes, encoding)
    return refusal === undefined ? bytes : new LastAnswer(bytes)
  }

  async #register(): Promise<void> {
    const { autoRegister, log } = this.#parts
    const { autoRegistration, mode } = this.#rules()
    const { fingerprint, address } = this.peer
    if (autoRegistration === undefined || fingerprint === undefined) return
    const certificate = this.peer.certificate()
    if (certificate === undefined) return
    try {
      await autoRegister({ certificate, mode, ...autoRegistration })
      log.autoRegistrationEnded({ address, fingerprint, refused: undefined })
    } catch (error) {
      // A failing store is met again, and told, by the request.
      const { message: reason, remedy } =
        error instanceof AdministrationError ? error : { message: String(error), remedy: 'Look at the store' }
      log.autoRegistrationEnded({ address, fingerprint, refused: { reason, remedy } })
    }
  }
}
