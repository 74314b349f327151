/**
 * Whom a session acts as, request by request. What it is: the interface modes as rows, the decision as a function of mode,
 * client, users and credentials, and the session's memory of what was decided and verified. What it is not: TLS, or the
 * proof of a password (`login.ts`).
 *
 *     mode              certificate    credential   acts as
 *     tls-pw-opt        registered     optional     the credential's user, else `global`
 *     tls-pw-req        registered     needed       the credential's user
 *     tls-cert-pw-opt   names a user   optional     the credential's user, else the certificate's
 *     tls-cert-and-pw   names a user   needed       the user that both name
 *
 * A client with a device credential must send it with every request, whatever the mode.
 */
import type { Clock } from '#actor/clock'
import { CredentialType, ResultReason } from '#kmip/enums'
import { KmipError } from '#kmip/errors'
import type { Store, Stored } from '#store/store'
import { type DeviceCredential, deviceCredentialMatches } from './device-credential.ts'
import {
  isUsernameAndPassword,
  type LoggedIn,
  type Login,
  type PresentedCredential,
  type UsernameAndPassword,
} from './login.ts'
import { globalOf } from './permissions.ts'
import {
  type ClientRecord,
  findClient,
  type InterfaceMode,
  ownerNameOf,
  type Principal,
  type Refusal,
  type UserRecord,
  userTable,
} from './principals.ts'

/** What a mode asks of a request, and who acts. */
interface ModeRow {
  /** Whether the certificate names a user, who then must be there. */
  readonly certificateNames: boolean
  readonly credential: 'optional' | 'needed'
  /** Whether the credential's user must be the certificate's. */
  readonly sameUser: boolean
}

const modeRows: Readonly<Record<InterfaceMode, ModeRow>> = {
  'tls-pw-opt': { certificateNames: false, credential: 'optional', sameUser: false },
  'tls-pw-req': { certificateNames: false, credential: 'needed', sameUser: false },
  'tls-cert-pw-opt': { certificateNames: true, credential: 'optional', sameUser: false },
  'tls-cert-and-pw': { certificateNames: true, credential: 'needed', sameUser: true },
}

/** Why a session has no service at all, and what an administrator does about it. */
export type SessionRefusal = Refusal | 'no certificate' | 'user disabled' | 'registered without a user'

export const refusalRemedies: Readonly<Record<SessionRefusal, string>> = {
  'no certificate': 'Give the client a certificate that is registered here',
  'not registered': 'Register the certificate, or switch on auto registration on the interface',
  'client disabled': 'Enable the client, or take its certificate out of use',
  'certificate revoked': 'Issue a new certificate, register it, and delete this client',
  'certificate not yet valid': 'Correct the clock of the client or the server, or issue a new certificate',
  'certificate expired': 'Issue and register a new certificate',
  'user removed': 'Create the user again, or delete the client and register it for another user',
  'user disabled': 'Enable the user',
  'registered without a user':
    'A client of mode tls-pw-opt serves no other mode: delete it and register its certificate with a user',
}

/** Why one request is not served, while the session goes on. */
export type CredentialRefusal =
  | 'a credential is needed'
  | 'user name or password are wrong'
  | 'the credential names another user'
  | 'the device credential is missing or wrong'
  | 'the credential is of a kind that nothing here can prove'

/** Of a certificate that is registered or not: why it has no service in a mode, or undefined. Pure. */
export function standingOf(
  mode: InterfaceMode,
  client: ClientRecord | undefined,
  user: UserRecord | undefined,
  nowSeconds: number,
): SessionRefusal | undefined {
  if (client === undefined) return 'not registered'
  if (client.status === 'revoked') return 'certificate revoked'
  if (client.status !== 'active') return 'client disabled'
  if (nowSeconds < client.notBeforeSeconds) return 'certificate not yet valid'
  if (nowSeconds > client.notAfterSeconds) return 'certificate expired'
  const withoutUser = client.userKey === undefined || client.mode === 'tls-pw-opt'
  if (withoutUser && mode !== 'tls-pw-opt') return 'registered without a user'
  if (!modeRows[mode].certificateNames) return undefined
  if (user === undefined) return 'user removed'
  return user.disabled === true ? 'user disabled' : undefined
}

/**
 * Whom a request acts as. Pure.
 * @param certificateUser the certificate's, in modes where it names one
 * @param credentialUser whose password was right, when one was sent
 */
export function decide(
  mode: InterfaceMode,
  client: ClientRecord,
  fingerprint: string,
  certificateUser: UserRecord | undefined,
  credentialUser: UserRecord | undefined,
): Principal | CredentialRefusal {
  const row = modeRows[mode]
  if (credentialUser === undefined) {
    if (row.credential === 'needed') return 'a credential is needed'
    return certificateUser === undefined
      ? anonymousOf(client, fingerprint)
      : principalOf(certificateUser, client, fingerprint)
  }
  if (certificateUser !== undefined) {
    // Domains are walls: a certificate of one says nothing for a user of another.
    if (credentialUser.domain !== certificateUser.domain) return 'the credential names another user'
    if (row.sameUser && ownerNameOf(credentialUser) !== ownerNameOf(certificateUser))
      return 'the credential names another user'
  }
  return principalOf(credentialUser, client, fingerprint)
}

const principalOf = (user: UserRecord, { clientId }: ClientRecord, fingerprint: string): Principal => ({
  kind: 'client',
  domain: user.domain,
  user: ownerNameOf(user),
  groups: user.groups,
  clientId,
  administrator: user.administrator,
  fingerprint,
})

const anonymousOf = ({ domain, clientId }: ClientRecord, fingerprint: string): Principal => ({
  kind: 'anonymous',
  domain,
  user: globalOf(domain),
  groups: [],
  clientId,
  administrator: false,
  fingerprint,
})

/** Who sends a message: what the dispatcher asks once it has read the message's Authentication. */
export interface Caller {
  /** Whether Destroy leaves nothing of an object; undefined: as the server's settings say. */
  readonly hardDelete: boolean | undefined
  /** Whom a request without credentials acts as, where that is decided already and still holds. */
  readonly ownPrincipal?: Principal | undefined
  /**
   * Whom the request acts as. No promise where nothing has to be proved anew.
   * @throws KmipError Authentication Not Successful
   */
  principalOf(credentials: readonly PresentedCredential[]): Principal | Promise<Principal>
  /** It sent a message that could not be read. */
  sentUnreadable?(): void
}

/** What of an interface decides about identity; changes while sessions live, and holds from the next request on. */
export interface IdentityRules {
  readonly mode: InterfaceMode
  readonly hardDelete: boolean | undefined
}

/** A peer, as its TLS session shows it. */
export interface Peer {
  readonly address: string
  /** SHA-256 of its certificate, lower-case hexadecimal. */
  readonly fingerprint: string | undefined
}

export interface SessionIdentityOptions {
  readonly store: Store
  readonly clock: Clock
  readonly login: Login
  readonly peer: Peer
  readonly rules: () => IdentityRules
  readonly onCredentialRefused: (reason: CredentialRefusal, client: ClientRecord) => void
}

/** A credential that was right a short time ago. The password is not kept: the digest is keyed, with a key of this process. */
interface Remembered {
  readonly digest: string
  readonly proved: LoggedIn
  readonly untilMs: number
  /** What was decided of it, for as long as client, certificate's user and mode stay. */
  readonly basis: Basis
  readonly principal: Principal
}

/** What a decision rests on, beside a credential. */
interface Basis {
  readonly mode: InterfaceMode
  readonly client: Stored<ClientRecord>
  readonly certificateUser: Stored<UserRecord> | undefined
}

/** Users that take turns on one session, as a proxy's do, are remembered; more are proved anew. */
const rememberedMax = 8

/**
 * Whom requests without credentials act as, by the client's record as it was read: the sessions of a client share one principal, and so
 * what is kept for it, from the first request of each on. Clients exist that open a session for every request.
 */
const decidedFor = new WeakMap<Stored<ClientRecord>, { readonly basis: Basis; readonly principal: Principal }>()

const decidedBefore = ({ mode, client, certificateUser }: Basis): Principal | undefined => {
  const known = decidedFor.get(client)
  const holds = known?.basis.mode === mode && known.basis.certificateUser === certificateUser
  return holds ? known.principal : undefined
}

const keepDecided = (basis: Basis, principal: Principal): Principal => {
  decidedFor.set(basis.client, { basis, principal })
  return principal
}

/** The identity of one session. */
export class SessionIdentity implements Caller {
  readonly #options: SessionIdentityOptions
  #basis: Basis | undefined
  /** Whom a request without credentials acts as. */
  #ownPrincipal: Principal | undefined
  #remembered: readonly Remembered[] = []
  /** The client's record whose device credential was shown last. */
  #deviceProvedBy: Stored<ClientRecord> | undefined
  #unreadable = 0

  constructor(options: SessionIdentityOptions) {
    this.#options = options
  }

  get hardDelete(): boolean | undefined {
    return this.#options.rules().hardDelete
  }

  /** Messages that could not be read. */
  get unreadable(): number {
    return this.#unreadable
  }

  sentUnreadable(): void {
    this.#unreadable += 1
  }

  /** As of the last `standing`. */
  get ownPrincipal(): Principal | undefined {
    return this.#ownPrincipal
  }

  /**
   * Why the session has no service now, or undefined. To be asked before each request: what is removed, expired or disabled
   * serves no longer, and a resumed TLS session was looked at by nobody. Two reads of cached records; nothing is made when
   * nothing has changed.
   */
  standing(): SessionRefusal | undefined {
    const { store, clock, peer, rules } = this.#options
    if (peer.fingerprint === undefined) return 'no certificate'
    const { mode } = rules()
    const client = findClient(store, peer.fingerprint)
    const key = client?.value.userKey
    const named = key !== undefined && modeRows[mode].certificateNames
    const certificateUser = named ? store.read(userTable, key) : undefined
    const refusal = standingOf(mode, client?.value, certificateUser?.value, clock.nowSeconds())
    if (refusal !== undefined || client === undefined) {
      this.#forget()
      return refusal
    }
    const basis = this.#basis
    if (
      basis === undefined ||
      basis.mode !== mode ||
      basis.client.revision !== client.revision ||
      basis.certificateUser?.revision !== certificateUser?.revision ||
      basis.certificateUser?.key !== certificateUser?.key
    ) {
      this.#basis = { mode, client, certificateUser }
      this.#ownPrincipal = decidedBefore(this.#basis)
    }
    return undefined
  }

  /** As of the last `standing`, which must have found no refusal. */
  principalOf(credentials: readonly PresentedCredential[]): Principal | Promise<Principal> {
    const basis = this.#basis
    if (basis === undefined) throw new TypeError('a session without standing was asked whom it acts as')
    const { deviceCredential } = basis.client.value
    if (credentials.length > 0 || deviceCredential !== undefined) return this.#proved(basis, credentials)
    this.#ownPrincipal ??= keepDecided(basis, this.#decided(basis, undefined))
    return this.#ownPrincipal
  }

  #proved(basis: Basis, credentials: readonly PresentedCredential[]): Principal | Promise<Principal> {
    let presented: UsernameAndPassword | undefined
    let device: unknown
    for (const { credentialType, credentialValue } of credentials) {
      if (credentialType === CredentialType.UsernameAndPassword && presented === undefined) {
        presented = isUsernameAndPassword(credentialValue) ? credentialValue : this.#refuse(basis, wrongPassword)
      } else if (credentialType === CredentialType.Device && device === undefined) device = credentialValue
      else return this.#refuse(basis, 'the credential is of a kind that nothing here can prove')
    }
    const expected = basis.client.value.deviceCredential
    if (expected !== undefined || device !== undefined)
      return this.#provedWithDevice(basis, expected, device, presented)
    return presented === undefined ? this.#decided(basis, undefined) : this.#provedUser(basis, presented)
  }

  async #provedWithDevice(
    basis: Basis,
    expected: DeviceCredential | undefined,
    device: unknown,
    presented: UsernameAndPassword | undefined,
  ): Promise<Principal> {
    const { login, peer } = this.#options
    // A device's password can be guessed like a user's, and is slowed like it; who has shown it once waits no more.
    const counted = `device|${basis.client.value.clientId}`
    const known = this.#deviceProvedBy?.revision === basis.client.revision
    if (device !== undefined && !known && !(await login.admit(counted, peer.address)))
      return this.#refuse(basis, wrongDevice)
    if (expected === undefined || device === undefined || !deviceCredentialMatches(expected, device)) {
      this.#deviceProvedBy = undefined
      if (device !== undefined) login.failed(counted, peer.address)
      return this.#refuse(basis, wrongDevice)
    }
    if (!known) login.succeeded(counted, peer.address)
    this.#deviceProvedBy = basis.client
    return presented === undefined ? this.#decided(basis, undefined) : this.#provedUser(basis, presented)
  }

  #provedUser(basis: Basis, presented: UsernameAndPassword): Principal | Promise<Principal> {
    const { clock, login } = this.#options
    const digest = login.digestOf(presented)
    const remembered = this.#remembered.find((each) => each.digest === digest)
    if (remembered === undefined) return this.#verified(basis, presented, digest)
    const { proved, untilMs } = remembered
    if (clock.monotonicMs() < untilMs && login.stillHolds(proved)) {
      return remembered.basis === basis ? remembered.principal : this.#remember(basis, digest, proved, untilMs)
    }
    this.#remembered = this.#remembered.filter((each) => each !== remembered)
    return this.#verified(basis, presented, digest)
  }

  async #verified(basis: Basis, presented: UsernameAndPassword, digest: string): Promise<Principal> {
    const { clock, login, peer } = this.#options
    const proved = await login.verify(presented, basis.client.value.domain, peer.address)
    if (proved === undefined) return this.#refuse(basis, wrongPassword)
    return this.#remember(basis, digest, proved, clock.monotonicMs() + login.rememberMs)
  }

  #remember(basis: Basis, digest: string, proved: LoggedIn, untilMs: number): Principal {
    const principal = this.#decided(basis, proved.user.value)
    const others = this.#remembered.filter((each) => each.digest !== digest).slice(1 - rememberedMax)
    this.#remembered = [...others, { digest, proved, untilMs, basis, principal }]
    return principal
  }

  #decided(basis: Basis, user: UserRecord | undefined): Principal {
    const { mode, client, certificateUser } = basis
    // A client's record is kept under the fingerprint of its certificate.
    const decided = decide(mode, client.value, client.key, certificateUser?.value, user)
    return typeof decided === 'string' ? this.#refuse(basis, decided) : decided
  }

  /** One answer for whatever is wrong: what it is stands in the log alone. */
  #refuse({ client }: Basis, reason: CredentialRefusal): never {
    this.#options.onCredentialRefused(reason, client.value)
    throw new KmipError(ResultReason.AuthenticationNotSuccessful)
  }

  #forget(): void {
    this.#basis = undefined
    this.#ownPrincipal = undefined
    this.#remembered = []
    this.#deviceProvedBy = undefined
  }
}

const wrongPassword = 'user name or password are wrong'
const wrongDevice = 'the device credential is missing or wrong'
