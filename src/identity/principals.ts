/**
 * Who a caller can be. What it is: the names of users (domain > connection > user), the principal that a session acts as,
 * and the two tables behind it: users, and registered client certificates. What it is not: a decision about access
 * (`permissions.ts`), the proof of a password (`login.ts`), or the making of registrations (`registration.ts`).
 *
 *   client certificate ── SHA-256 ──▶ client record ── user ──▶ user record      root | local | kmip
 *                                                                                domain connection user
 */

import type { Store, Stored, Table } from '#store/store'
import type { DeviceCredential } from './device-credential.ts'

/** The domain that is there from the start; its users and objects are named without it. */
export const rootDomain = 'root'
/** The connection of users whose passwords this server keeps itself. */
export const localConnection = 'local'
/** The owner of objects that belong to nobody: every principal of the domain may use them. */
export const globalOwner = 'global'

/** What a principal may do to an object; each operation asks for one of them per object that it touches. */
export const permissionNames = [
  /** See that it is there, its attributes and its state. */
  'read',
  /** Obtain its value: Get, also wrapped. */
  'export',
  'encrypt',
  'decrypt',
  'sign',
  'verify',
  'mac',
  'derive',
  /** Wrap other objects with it, or unwrap them. */
  'wrap',
  'certify',
  'rekey',
  'activate',
  /** Add, change or delete attributes. */
  'modify',
  'archive',
  'revoke',
  'destroy',
] as const

export type Permission = (typeof permissionNames)[number]

/** Whom a session acts as. Plain data: it can travel to another thread. */
export interface Principal {
  /** `anonymous`: a registered client that nobody logged in on, in mode `tls-pw-opt`; it acts as `global`. */
  readonly kind: 'client' | 'anonymous'
  readonly domain: string
  /** The owner name of its user, `local|kmip`: owner of the objects that the session makes. */
  readonly user: string
  /** The groups of its user, by name. */
  readonly groups: readonly string[]
  /** Identifier of the registered client. */
  readonly clientId: string
  readonly administrator: boolean
  /** SHA-256 of the client's certificate, lower-case hexadecimal. */
  readonly fingerprint: string
}

/** A user's full name. */
export interface UserName {
  readonly domain: string
  readonly connection: string
  readonly user: string
}

/** A password as it is stored: the hash with everything that is needed to compute it again. */
export interface PasswordHash {
  readonly algorithm: 'argon2id'
  readonly memoryKiB: number
  readonly passes: number
  readonly parallelism: number
  readonly salt: Uint8Array
  readonly hash: Uint8Array
}

/** A user. Key of its record: `userKey` of its name. */
export interface UserRecord {
  /** Never changes and is never used again: what was granted to a user is not the next one's of that name. */
  readonly id: string
  readonly domain: string
  readonly connection: string
  readonly name: string
  /** Absent: no password opens this user. */
  readonly password?: PasswordHash
  /** May administer the server (users, clients, interfaces). It gives no access to objects: see `permissions.ts`. */
  readonly administrator: boolean
  /** Names of the groups that it is in, of its own domain. */
  readonly groups: readonly string[]
  readonly email?: string
  /** True: neither a log-in nor a certificate opens anything for this user. */
  readonly disabled?: boolean
  /** Seconds since 1970. */
  readonly createdSeconds: number
  readonly updatedSeconds: number
}

/** Which part of a certificate's subject names the user: the reference's `cert_user_field`. `E_ND`: E-mail up to its `@`. */
export const certificateUserFields = ['CN', 'SN', 'E', 'E_ND', 'UID', 'OU'] as const
export type CertificateUserField = (typeof certificateUserFields)[number]

/** What an interface wants of a session: a registered certificate always, a user by it, by a credential, or by both. */
export const interfaceModes = ['tls-pw-opt', 'tls-pw-req', 'tls-cert-pw-opt', 'tls-cert-and-pw'] as const
export type InterfaceMode = (typeof interfaceModes)[number]

/** A registered client. Key of its record: the fingerprint of its certificate. */
export interface ClientRecord {
  readonly clientId: string
  readonly domain: string
  /** What administrators call it; one client of a domain has it. */
  readonly name: string
  /** Key of its user's record; undefined: registered without a user under `tls-pw-opt`, and of use in no other mode. */
  readonly userKey: string | undefined
  /** Which part of the certificate names the user: its profile's, which goes before the interface's. */
  readonly userField?: CertificateUserField
  /** What a Device credential of its requests must say, when its profile has one. A secret. */
  readonly deviceCredential?: DeviceCredential
  /** Identifier of the token that it was registered with. */
  readonly tokenId?: string
  /** Name of its profile. */
  readonly profile?: string
  /** Mode of the interface that registered it by itself; absent: an administrator or a token's holder did. */
  readonly mode?: InterfaceMode
  /** `revoked`: its certificate is on a revocation list. */
  readonly status: 'active' | 'disabled' | 'revoked'
  /** DER. */
  readonly certificate: Uint8Array
  /** SHA-256 of the certificate's issuer (DER), lower-case hexadecimal: with the serial, what revocation lists name it by. */
  readonly issuerDigest?: string
  /** The certificate's serial number, lower-case hexadecimal. */
  readonly serialHex?: string
  /** Seconds since 1970. */
  readonly notBeforeSeconds: number
  /** Seconds since 1970. */
  readonly notAfterSeconds: number
  /** Seconds since 1970. */
  readonly createdSeconds: number
}

/** Users by `userKey`. */
export const userTable: Table<UserRecord> = {
  name: 'user',
  index: ({ id, domain, connection, name, groups }) => [
    { field: 'id', value: id },
    { field: 'domain', value: domain },
    { field: 'connection', value: `${domain}|${connection}` },
    { field: 'name', value: name },
    ...groups.map((group) => ({ field: 'group', value: `${domain}|${group}` })),
  ],
  claims: ({ id }) => [{ field: 'id', value: id }],
}

/** Registered clients by fingerprint. */
export const clientTable: Table<ClientRecord> = {
  name: 'client',
  index: ({ clientId, domain, name, userKey, issuerDigest, status, notAfterSeconds }) => [
    { field: 'clientId', value: clientId },
    { field: 'domain', value: domain },
    { field: 'name', value: name },
    ...(userKey === undefined ? [] : [{ field: 'user', value: userKey }]),
    ...(issuerDigest === undefined ? [] : [{ field: 'issuer', value: issuerDigest }]),
    { field: 'status', value: status },
    { field: 'notAfter', value: notAfterSeconds },
  ],
  claims: ({ clientId, domain, name }) => [
    { field: 'clientId', value: clientId },
    { field: 'name', value: `${domain}|${name}` },
  ],
}

/** Whether a text can be one part of a user's name: 1 to 255 characters, no `|`, no control character. */
export function isNamePart(text: string): boolean {
  return text.isWellFormed() && text.length <= 255 && /^[^|\p{Cc}]+$/u.test(text)
}

/**
 * Reads a user name as certificates, credentials and administrators write it. Domain and connection may be left out:
 * `joe`, `ldap1|joe`, `domain|ldap1|joe`, `domain||joe` (a local user of that domain).
 * @param domain where a name without a domain is looked for.
 * @returns undefined when the text is none of these.
 */
export function parseUserName(text: string, domain: string = rootDomain): UserName | undefined {
  const parts = text.split('|')
  if (parts.length > 3) return undefined
  const user = parts.at(-1) ?? ''
  const connection = parts.at(-2) ?? localConnection
  const named = { domain: parts.at(-3) ?? domain, connection: connection === '' ? localConnection : connection, user }
  // Only the long form may leave the connection empty: `|joe` names nothing.
  if (connection === '' && parts.length < 3) return undefined
  return isNamePart(named.domain) && isNamePart(named.connection) && isNamePart(user) ? named : undefined
}

/** The key of a user's record: `root|local|joe`. */
export function userKey({ domain, connection, user }: UserName): string {
  return `${domain}|${connection}|${user}`
}

/** The name of a user as owner of objects: `local|joe` in the root domain, `domain|local|joe` in another. */
export function ownerName(name: UserName): string {
  return name.domain === rootDomain ? `${name.connection}|${name.user}` : userKey(name)
}

/** The same of a user's record. */
export function ownerNameOf({ domain, connection, name }: UserRecord): string {
  return ownerName({ domain, connection, user: name })
}

/** The domain of an owner: `local|joe` and `global` are of root, `domain|local|joe` and `domain||global` of theirs. */
export function domainOfOwner(owner: string): string {
  const parts = owner.split('|')
  return parts.length === 3 ? (parts[0] ?? rootDomain) : rootDomain
}

/** The user with this name, or undefined. */
export function findUser(store: Store, name: UserName): Stored<UserRecord> | undefined {
  return store.read(userTable, userKey(name))
}

/** The registered client whose certificate has this fingerprint (lower-case hexadecimal), whatever its status, or undefined. */
export function findClient(store: Store, fingerprint: string): Stored<ClientRecord> | undefined {
  return store.read(clientTable, fingerprint)
}

/** Why a certificate gives no principal. */
export type Refusal =
  | 'not registered'
  | 'client disabled'
  | 'certificate revoked'
  | 'certificate not yet valid'
  | 'certificate expired'
  | 'user removed'

/**
 * Whom a certificate acts as now. Asked on every new session, resumed ones too: TLS does not look at dates or trust again
 * when a session is resumed, and a client may have been disabled since.
 * @param nowSeconds seconds since 1970.
 */
export function identify(
  store: Store,
  fingerprint: string,
  nowSeconds: number,
): { readonly principal: Principal } | { readonly refused: Refusal } {
  const client = findClient(store, fingerprint)?.value
  if (client === undefined) return { refused: 'not registered' }
  if (client.status === 'revoked') return { refused: 'certificate revoked' }
  if (client.status !== 'active') return { refused: 'client disabled' }
  if (nowSeconds < client.notBeforeSeconds) return { refused: 'certificate not yet valid' }
  if (nowSeconds > client.notAfterSeconds) return { refused: 'certificate expired' }
  const user = client.userKey === undefined ? undefined : store.read(userTable, client.userKey)?.value
  if (user === undefined || user.disabled === true) return { refused: 'user removed' }
  const name = { domain: user.domain, connection: user.connection, user: user.name }
  const { administrator, groups } = user
  const { clientId, domain } = client
  return { principal: { kind: 'client', domain, user: ownerName(name), groups, clientId, administrator, fingerprint } }
}
