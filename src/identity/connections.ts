/**
 * Connections: directories whose users log in here. What it is: their records, and making, changing and removing them. What
 * it is not: the way to a directory (`ldap.ts`), or users (`users.ts`). The connection `local` is always there and has no
 * record: its passwords are kept here.
 */
import type { Clock } from '#actor/clock'
import { type Entropy, uniqueIdentifier } from '#actor/entropy'
import type { Store, Stored, Table } from '#store/store'
import { AdministrationError } from './administration-error.ts'
import { CertificateError, certificatesFromPem } from './certificates.ts'
import { isNamePart, localConnection, userTable } from './principals.ts'
import { changeOf, changeRecord, newRecord } from './records.ts'

/** What an administrator says of a directory. Names without units are LDAP's own. */
export interface LdapSettings {
  /** `ldap://host:port` or `ldaps://host:port`. */
  readonly serverUrl: string
  /** The entry below which users are looked for. */
  readonly rootDn: string
  /** The attribute that holds the user name. */
  readonly uidField: string
  /** What an entry must match beside its name, RFC 4515; empty: nothing. */
  readonly searchFilter: string
  /** Who searches; empty: nobody, the directory lets everybody search. */
  readonly bindDn: string
  /** A secret: in no answer and no log. */
  readonly bindPassword: string
  /** TLS begins within a plain connection (RFC 4511 §4.14). */
  readonly startTls: boolean
  /** PEM of the authorities of the directory's certificate; empty: those of the system. */
  readonly rootCas: string
  /** The directory's certificate is not looked at: for trials. */
  readonly insecureSkipVerify: boolean
  /** For all that one log-in asks of the directory. */
  readonly timeoutMs: number
}

/** A directory. Key of its record: `connectionKey`. */
export interface ConnectionRecord extends LdapSettings {
  readonly id: string
  readonly domain: string
  readonly name: string
  /** Seconds since 1970. */
  readonly createdSeconds: number
  readonly updatedSeconds: number
}

export const connectionTable: Table<ConnectionRecord> = {
  name: 'connection',
  index: ({ id, domain, name }) => [
    { field: 'id', value: id },
    { field: 'domain', value: domain },
    { field: 'name', value: name },
  ],
  claims: () => [],
}

export const ldapDefaults = {
  uidField: 'uid',
  searchFilter: '',
  bindDn: '',
  bindPassword: '',
  startTls: false,
  rootCas: '',
  insecureSkipVerify: false,
  timeoutMs: 5_000,
} as const satisfies Partial<LdapSettings>

export const ldapTimeoutMaxMs = 60_000

export interface ConnectionContext {
  readonly store: Store
  readonly clock: Clock
  readonly entropy: Entropy
}

/** The key of a connection's record: `root|corporate`. */
export function connectionKey(domain: string, name: string): string {
  return `${domain}|${name}`
}

/** Makes a connection. @throws AdministrationError `invalid`, `already exists`; StoreUnavailable */
export async function createConnection(
  { store, clock, entropy }: ConnectionContext,
  domain: string,
  name: string,
  settings: LdapSettings,
): Promise<ConnectionRecord> {
  if (!isNamePart(name) || name === localConnection || name.startsWith('group:'))
    throw new AdministrationError(
      'invalid',
      'a connection name has 1 to 255 characters, without | and controls, and is not local',
    )
  check(settings)
  const createdSeconds = clock.nowSeconds()
  const times = { createdSeconds, updatedSeconds: createdSeconds }
  const record: ConnectionRecord = { ...settings, id: uniqueIdentifier(clock, entropy), domain, name, ...times }
  const { done } = await store.commit([newRecord(connectionTable.name, connectionKey(domain, name), record)])
  if (done) return record
  throw new AdministrationError('already exists', `there is a connection ${JSON.stringify(name)} already`)
}

/** The connection with this name or identifier. @throws AdministrationError `not found` */
export function getConnection(store: Store, domain: string, nameOrId: string): Stored<ConnectionRecord> {
  const named = store.read(connectionTable, connectionKey(domain, nameOrId))
  if (named !== undefined) return named
  const all = [{ field: 'id', equals: nameOrId }]
  const [key] = store.find(connectionTable, { all, any: [], offset: 0, limit: 1 }).keys
  const found = key === undefined ? undefined : store.read(connectionTable, key)
  if (found?.value.domain === domain) return found
  throw new AdministrationError('not found', `there is no connection ${JSON.stringify(nameOrId)}`)
}

/**
 * Changes what is given. What was verified by the connection before counts no more.
 * @throws AdministrationError `invalid`, `not found`; StoreUnavailable
 */
export async function changeConnection(
  { store, clock }: Pick<ConnectionContext, 'store' | 'clock'>,
  domain: string,
  nameOrId: string,
  changes: Partial<LdapSettings>,
): Promise<ConnectionRecord> {
  const { key } = getConnection(store, domain, nameOrId)
  const { value } = await changeRecord(store, connectionTable, key, 'connection', (before) => {
    const after = { ...before, ...changes, updatedSeconds: clock.nowSeconds() }
    check(after)
    return after
  })
  return value
}

/** Removes a connection that has no users left here. @throws AdministrationError `not found`, `conflict`; StoreUnavailable */
export async function deleteConnection(store: Store, domain: string, nameOrId: string): Promise<void> {
  const found = getConnection(store, domain, nameOrId)
  const all = [{ field: 'connection', equals: found.key }]
  if (store.find(userTable, { all, any: [], offset: 0, limit: 1 }).total > 0)
    throw new AdministrationError('conflict', 'the connection still has users here', 'Remove them first.')
  const { done } = await store.commit([changeOf(connectionTable, found, undefined)])
  if (!done)
    throw new AdministrationError('conflict', 'the connection was changed by somebody else meanwhile', 'Try again.')
}

function check({
  serverUrl,
  rootDn,
  uidField,
  rootCas,
  startTls,
  bindDn,
  bindPassword,
  timeoutMs,
}: LdapSettings): void {
  const refuse = (message: string, remedy = ''): never => {
    throw new AdministrationError('invalid', message, remedy)
  }
  const url = URL.canParse(serverUrl) ? new URL(serverUrl) : undefined
  if (url === undefined || !['ldap:', 'ldaps:'].includes(url.protocol) || url.hostname === '')
    refuse('server_url is not ldap://host:port or ldaps://host:port')
  if (startTls && url?.protocol === 'ldaps:') refuse('ldaps has TLS already: start_tls is for ldap')
  if (rootDn === '') refuse('root_dn is empty')
  if (!/^[A-Za-z][\w.-]{0,127}$/.test(uidField)) refuse('uid_field is not the name of an attribute')
  // RFC 4513 §5.1.2: a name with an empty password binds as nobody, and says that it went well.
  if ((bindDn === '') !== (bindPassword === '')) refuse('bind_dn and bind_password go together')
  if (!Number.isSafeInteger(timeoutMs) || timeoutMs < 100 || timeoutMs > ldapTimeoutMaxMs)
    refuse(`the timeout is a whole number of milliseconds from 100 to ${ldapTimeoutMaxMs}`)
  try {
    if (rootCas !== '') certificatesFromPem(rootCas)
  } catch (error) {
    if (!(error instanceof CertificateError)) throw error
    refuse(`root_cas: ${error.message}`)
  }
}
