/**
 * The first start (and what each later start looks after): the local CA, the server's certificate, the bootstrap client and
 * the first users. What it is: made once, so that a crash between two steps leaves what the next start completes: the store
 * is asked first, files are written from it. What it is not: the root key (crypto/key-file.ts) or registration by hand.
 *
 *     store   certificate/authority   the CA with its key          sealed, like every record
 *             certificate/server      the server's, with its key
 *             user/root|local|kmip, user/root|local|admin, client/<fingerprint>
 *     files   bootstrap/ca.pem  client.pem  client.key  admin-password      0600 in a folder of 0700
 */
import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, renameSync, writeSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Clock } from '#actor/clock'
import type { Entropy } from '#actor/entropy'
import type { Change, Store, Table } from '#store/store'
import {
  type CertificateWithKey,
  createAuthority,
  issueClientCertificate,
  issueServerCertificate,
} from './authority.ts'
import { certificateFingerprint, certificateToPem, parseCertificate } from './certificates.ts'
import { hashPassword } from './login.ts'
import {
  clientTable,
  localConnection,
  rootDomain,
  type UserName,
  type UserRecord,
  userKey,
  userTable,
} from './principals.ts'
import { clientRecord, newRecord } from './registration.ts'

/** A certificate of the server's own, with its private key. Keys: `authority`, `server`. */
export interface OwnCertificate extends CertificateWithKey {
  /** What a server certificate was asked for: when it changes, a new one is issued. */
  readonly names: readonly string[]
}

/** The server's own certificates. */
export const certificateTable: Table<OwnCertificate> = { name: 'certificate', index: () => [], claims: () => [] }

export interface BootstrapOptions {
  readonly directory: string
  readonly store: Store
  readonly clock: Clock
  readonly entropy: Entropy
  readonly hostName: string
  /** Names for the server certificate beside localhost, its addresses and the host's name. */
  readonly certificateNames: readonly string[]
}

export interface Bootstrapped {
  /** Paths of the files that this start made. */
  readonly made: readonly string[]
  readonly authorityPem: string
  readonly server: { readonly certificatePem: string; readonly privateKeyPem: string }
}

/** A server certificate is replaced when less than this is left of it. */
const renewalSeconds = 60 * 86_400
const adminPasswordBytes = 24

const localUser = (user: string): UserName => ({ domain: rootDomain, connection: localConnection, user })
const clientUser = localUser('kmip')
const adminUser = localUser('admin')

/**
 * Makes what is missing and gives the TLS material.
 * @throws StoreUnavailable, StoreDamaged, and errors of the file system
 */
export const bootstrap = async (options: BootstrapOptions): Promise<Bootstrapped> => {
  const { directory } = options
  const made: string[] = []
  const write = (name: string, content: string): void => {
    const path = join(directory, 'bootstrap', name)
    writeOwnerOnly(path, content)
    made.push(path)
  }
  const missing = (name: string): boolean => !existsSync(join(directory, 'bootstrap', name))
  const authority = await ownAuthority(options)
  const authorityPem = certificateToPem(authority.certificate)
  if (missing('ca.pem')) write('ca.pem', authorityPem)
  await addAdministrator(options, write)
  await addClient(options, authority, write)
  const server = await ownServerCertificate(options, authority)
  return {
    made,
    authorityPem,
    server: { certificatePem: certificateToPem(server.certificate), privateKeyPem: privateKeyToPem(server.privateKey) },
  }
}

/** The CA: the store's, or a new one that the store has before anything is signed with it. */
const ownAuthority = async ({ store, clock, entropy, hostName }: BootstrapOptions): Promise<CertificateWithKey> => {
  const stored = store.read(certificateTable, 'authority')
  if (stored !== undefined) return stored.value
  const subject = { CN: `kmipd CA of ${hostName}`.slice(0, 64), O: 'kmipd' }
  const value: OwnCertificate = { ...createAuthority(subject, clock.nowSeconds(), entropy), names: [] }
  await commitAll(store, [newRecord(certificateTable.name, 'authority', value)])
  return value
}

/** The server's certificate: a new one when there is none, when it ends soon, or when the names have changed. */
const ownServerCertificate = async (
  { store, clock, entropy, hostName, certificateNames }: BootstrapOptions,
  authority: CertificateWithKey,
): Promise<CertificateWithKey> => {
  const now = clock.nowSeconds()
  const names = [...new Set(['localhost', hostName, '127.0.0.1', '::1', ...certificateNames])]
  const stored = store.read(certificateTable, 'server')
  const lasts =
    stored !== undefined && parseCertificate(stored.value.certificate).notAfterSeconds - now > renewalSeconds
  if (lasts && stored.value.names.join() === names.join()) return stored.value
  const value: OwnCertificate = { ...issueServerCertificate(authority, names, now, entropy), names }
  const { revision, value: previous } = stored ?? { revision: 0, value: undefined }
  await commitAll(store, [{ table: certificateTable.name, key: 'server', revision, previous, value }])
  return value
}

type WriteFile = (name: string, content: string) => void

/** The administrator with a random password. The file is there before the user: a password that nobody knows opens nothing. */
const addAdministrator = async ({ store, clock, entropy }: BootstrapOptions, write: WriteFile): Promise<void> => {
  if (store.read(userTable, userKey(adminUser)) !== undefined) return
  const password = Buffer.from(entropy.bytes(adminPasswordBytes)).toString('base64url')
  write('admin-password', `${password}\n`)
  const record = { ...userRecord(adminUser, clock, true), password: await hashPassword(password, entropy) }
  await commitAll(store, [newRecord(userTable.name, userKey(adminUser), record)])
}

/** The user `kmip` and its client. User and client are one commit, so that the files are whole when the user is there. */
const addClient = async (
  { store, clock, entropy }: BootstrapOptions,
  authority: CertificateWithKey,
  write: WriteFile,
): Promise<void> => {
  if (store.read(userTable, userKey(clientUser)) !== undefined) return
  const issued = issueClientCertificate(authority, { CN: clientUser.user, O: 'kmipd' }, clock.nowSeconds(), entropy)
  write('client.pem', certificateToPem(issued.certificate))
  write('client.key', privateKeyToPem(issued.privateKey))
  const client = clientRecord(
    { certificate: issued.certificate, user: clientUser, name: 'bootstrap' },
    { clock, entropy },
  )
  await commitAll(store, [
    newRecord(userTable.name, userKey(clientUser), userRecord(clientUser, clock, false)),
    newRecord(clientTable.name, certificateFingerprint(issued.certificate), client),
  ])
}

const userRecord = ({ domain, connection, user }: UserName, clock: Clock, administrator: boolean): UserRecord => ({
  domain,
  connection,
  name: user,
  administrator,
  createdSeconds: clock.nowSeconds(),
})

/** Nobody else writes while a server starts: a conflict means that the store is not what it was a moment ago. */
const commitAll = async (store: Store, changes: readonly Change[]): Promise<void> => {
  const result = await store.commit(changes)
  if (!result.done) throw new TypeError(`the record ${result.key} of ${result.table} changed during the start`)
}

/** Writes a file that only its owner reads, whole or not at all. */
const writeOwnerOnly = (path: string, content: string): void => {
  const folder = dirname(path)
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const temporary = `${path}.new`
  const file = openSync(temporary, 'w', 0o600)
  try {
    writeSync(file, content)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
  renameSync(temporary, path)
  const opened = openSync(folder, 'r')
  try {
    fsyncSync(opened)
  } finally {
    closeSync(opened)
  }
}

/** PKCS#8 DER as PEM. */
const privateKeyToPem = (der: Uint8Array): string => {
  const lines =
    Buffer.from(der)
      .toString('base64')
      .match(/.{1,64}/g) ?? []
  return `-----BEGIN PRIVATE KEY-----\n${lines.join('\n')}\n-----END PRIVATE KEY-----\n`
}
