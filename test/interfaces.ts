/**
 * KMIP interfaces inside the test's process: real TLS on free ports, a store in memory, users and clients as the test wants
 * them. What it is: the parts of a server that decide who somebody is, put together as serve.ts does. What it is not: a
 * process, a store on disk, or an administration interface.
 */
import { SettableClock, systemClock } from '#actor/clock'
import { systemEntropy } from '#actor/entropy'
import { type Client, type ClientOptions, createClient } from '#client/client'
import { Attempts, attemptLimits } from '#identity/attempts'
import { adoptOwnAuthority } from '#identity/authorities'
import {
  type CertificateWithKey,
  createAuthority,
  issueClientCertificate,
  issueServerCertificate,
  privateKeyPem,
} from '#identity/authority'
import { autoRegister, type UnknownCertificate } from '#identity/auto-registration'
import { certificateTable } from '#identity/bootstrap'
import { certificateFingerprint, certificateToPem } from '#identity/certificates'
import { connectionTable } from '#identity/connections'
import { interfaceTable } from '#identity/interfaces'
import { LdapDirectories } from '#identity/ldap'
import { hashPassword, Login } from '#identity/login'
import type { NameFields } from '#identity/names'
import {
  type ClientRecord,
  clientTable,
  type UserName,
  type UserRecord,
  userKey,
  userTable,
} from '#identity/principals'
import { newRecord } from '#identity/records'
import { clientRecord } from '#identity/registration'
import { registrationTables } from '#identity/registration-tables'
import { newUser } from '#identity/users'
import { CredentialType, ResultReason } from '#kmip/enums'
import { objectTable } from '#operations/object-table'
import { Entrance } from '#server/entrance'
import { Holdings } from '#server/holdings'
import { InterfaceSet, type InterfaceSetLog, type InterfaceSetOptions } from '#server/interfaces'
import { SessionCount } from '#server/session-count'
import { MemoryStore } from '#store/memory'
import type { Table } from '#store/store'
import { openDispatcher } from '#test/dispatcher'

const tables = [
  objectTable,
  userTable,
  clientTable,
  certificateTable,
  interfaceTable,
  connectionTable,
  ...registrationTables,
] as unknown as readonly Table<never>[]

/** An event of the log: its name and what it says. */
export interface LoggedEvent {
  readonly event: keyof InterfaceSetLog | 'directoryUnavailable'
  readonly fields: Readonly<Record<string, unknown>>
}

/** A certificate with its key, as a client has it. */
export interface Identity {
  readonly cert: string
  readonly key: string
  readonly fingerprint: string
  readonly pair: CertificateWithKey
}

export interface InterfacesUnderTest extends AsyncDisposable {
  readonly store: MemoryStore
  readonly set: InterfaceSet
  /** What a listener beside the interfaces needs. */
  readonly listener: Pick<InterfaceSetOptions, 'limits' | 'parts' | 'clock' | 'log'>
  /** Of the first interface. */
  readonly port: number
  /** The server's own CA. */
  readonly authority: CertificateWithKey
  readonly events: readonly LoggedEvent[]
  /** Makes a user; gives the key of its record. */
  addUser(name: UserName, password?: string, others?: Partial<UserRecord>): Promise<string>
  /** A certificate of the server's CA, or of another, that nobody has registered. */
  issue(subject: NameFields, authority?: CertificateWithKey): Identity
  /** Registers a certificate; without a user as mode tls-pw-opt does. */
  register(identity: Identity, user: UserName | undefined, others?: Partial<ClientRecord>): Promise<void>
  /** A client with this certificate. */
  connect(identity: Identity | undefined, options?: Partial<ClientOptions>): Client
  /** The owner of an object. */
  ownerOf(uniqueIdentifier: string): string | undefined
}

const limits = {
  tlsProfile: 'modern',
  handshakeTimeoutMs: 5_000,
  keepAliveDelayMs: 60_000,
  tlsSessionLifetimeSeconds: 7_200,
  tlsSessionsCachedMax: 16,
  sessionsMax: 1_000,
  sessionsPerAddressMax: 1_000,
  failedSessionsPerAddressMax: 0,
  requestSizeMax: 65_536,
  unansweredRequestsMax: 64,
  unansweredBytesMax: 1_048_576,
  heldBytesPerClientMax: 1_048_576,
  heldBytesMax: 4_194_304,
  requestTimeoutMs: 10_000,
  idleTimeoutMs: 0,
} as const

/** Starts the first interface on a free port of this machine. */
export const startInterfaces = async (
  told: Partial<Pick<InterfaceSetOptions, 'onChanged' | 'onSessionsEnd'>> = {},
): Promise<InterfacesUnderTest> => {
  const store = new MemoryStore(tables)
  const context = { store, clock: systemClock, entropy: systemEntropy }
  const now = systemClock.nowSeconds()
  const authority = createAuthority({ CN: 'the CA' }, now, systemEntropy)
  await store.commit([newRecord(certificateTable.name, 'authority', { ...authority, names: [] })])
  const authorityId = await adoptOwnAuthority(store, systemClock)
  const serverNames = ['localhost', '127.0.0.1']
  const server = issueServerCertificate(authority, serverNames, now, systemEntropy)
  const { dispatcher } = openDispatcher({ store, clock: new SettableClock(systemClock.nowMs()) })
  const events: LoggedEvent[] = []
  const logged =
    (event: LoggedEvent['event']) =>
    (fields: object): void =>
      void events.push({ event, fields: { ...fields } })
  const log = {
    handshakeRefused: logged('handshakeRefused'),
    sessionOpened: logged('sessionOpened'),
    sessionEnded: logged('sessionEnded'),
    sessionsExhausted: logged('sessionsExhausted'),
    addressPaced: logged('addressPaced'),
    tellsMessages: () => false,
    exchanged: () => undefined,
    clientRefused: logged('clientRefused'),
    credentialRefused: logged('credentialRefused'),
    autoRegistrationEnded: logged('autoRegistrationEnded'),
    interfaceListens: logged('interfaceListens'),
    interfaceFailed: logged('interfaceFailed'),
    oldTlsSpoken: logged('oldTlsSpoken'),
  }
  const login = new Login({
    ...context,
    directories: new LdapDirectories({ store, clock: systemClock, onUnavailable: logged('directoryUnavailable') }),
    rememberMs: 60_000,
    // Tests are in a hurry, and all of them come from one address.
    attempts: new Attempts(systemClock, { ...attemptLimits, freePerUser: 1_000, freePerAddress: 1_000 }),
  })
  const listener = {
    limits,
    parts: {
      dispatcher,
      store,
      clock: systemClock,
      login,
      requests: new Holdings(limits),
      answers: new Holdings(limits),
      entrance: new Entrance(limits, systemClock, log),
      autoRegister: (unknown: UnknownCertificate) => autoRegister(context, unknown),
      closed: () => undefined,
      log,
    },
    clock: systemClock,
    log,
  }
  const set = new InterfaceSet({
    ...context,
    defaults: { host: '127.0.0.1', port: 0, mode: 'tls-cert-pw-opt', minTlsVersion: 'TLSv1.2' },
    ...listener,
    sessions: new SessionCount(),
    drainTimeoutMs: 2_000,
    servers: [{ certificatePem: certificateToPem(server.certificate), privateKeyPem: privateKeyPem(server) }],
    serverNames,
    authorityId,
    onChanged: told.onChanged ?? (() => undefined),
    onSessionsEnd: told.onSessionsEnd ?? (() => undefined),
  })
  const port = await set.start((reason) => {
    throw reason
  })
  const clients: Client[] = []
  return {
    store,
    set,
    listener,
    port,
    authority,
    events,
    async addUser(name, password, others = {}) {
      const hash = password === undefined ? undefined : await hashPassword(password, systemEntropy)
      const record = newUser(name, { administrator: false, ...(hash === undefined ? {} : { password: hash }) }, context)
      await store.commit([newRecord(userTable.name, userKey(name), { ...record, ...others })])
      return userKey(name)
    },
    issue(subject, by = authority) {
      const pair = issueClientCertificate(by, subject, now, systemEntropy)
      const { certificate } = pair
      return {
        cert: certificateToPem(certificate),
        key: privateKeyPem(pair),
        fingerprint: certificateFingerprint(certificate),
        pair,
      }
    },
    async register({ pair, fingerprint }, user, others = {}) {
      const domain = user?.domain ?? 'root'
      const name = `client ${fingerprint.slice(0, 8)}`
      const record = clientRecord({ certificate: pair.certificate, user, domain, name }, context)
      await store.commit([newRecord(clientTable.name, fingerprint, { ...record, ...others })])
    },
    connect(identity, options = {}) {
      const shown = identity === undefined ? {} : { cert: identity.cert, key: identity.key }
      const client = createClient({
        host: '127.0.0.1',
        port,
        ca: certificateToPem(authority.certificate),
        ...shown,
        ...options,
      })
      clients.push(client)
      return client
    },
    ownerOf: (uniqueIdentifier) => store.read(objectTable, uniqueIdentifier)?.value.owner,
    async [Symbol.asyncDispose]() {
      await Promise.all(clients.map((client) => client.close()))
      await set.stop()
    },
  }
}

/** A Username and Password credential. */
export const passwordCredential = (username: string, password: string) => ({
  credentialType: CredentialType.UsernameAndPassword,
  credentialValue: { username, password },
})

/** Whether an error is the answer Authentication Not Successful. */
export const isAuthenticationRefused = (error: unknown): boolean =>
  error instanceof Error && 'reason' in error && error.reason === ResultReason.AuthenticationNotSuccessful
