/**
 * The first start (and what each later start looks after): the local CA, the server's certificate, the bootstrap client and
 * the first users. What it is: made once, so that a crash between two steps leaves what the next start completes: the store
 * is asked first, files are written from it. What it is not: the root key (crypto/key-file.ts) or registration by hand.
 *
 *     store   certificate/authority   the CA with its key, and when the first start was done
 *             certificate/server      the server's, with its key; server-rsa beside it when asked for
 *             user/root|local|kmip, user/root|local|admin, client/<fingerprint>
 *     files   bootstrap/ca.pem  client.pem  client.key  admin-password      0600 in a folder of 0700
 *
 * Records are sealed. Once the first start is done, its users, client and files are the administrator's: what is removed
 * stays removed. Only the server's certificate, and a missing ca.pem (which is no secret), are made again.
 */
import {
  chmodSync,
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { platform } from 'node:process'
import type { Clock } from '#actor/clock'
import type { Entropy } from '#actor/entropy'
import type { Change, Store, Stored, Table } from '#store/store'
import {
  addressBytes,
  type CertificateWithKey,
  createAuthority,
  isDnsName,
  issueClientCertificate,
  issueServerCertificate,
  privateKeyPem,
} from './authority.ts'
import { certificateFingerprint, certificateToPem, parseCertificate } from './certificates.ts'
import { hashPassword } from './login.ts'
import { clientTable, localConnection, rootDomain, type UserName, userKey, userTable } from './principals.ts'
import { newRecord } from './records.ts'
import { clientRecord } from './registration.ts'
import { newUser } from './users.ts'

/** A certificate of the server's own, with its private key. Keys: `authority`, `server`, `server-rsa`. */
export interface OwnCertificate extends CertificateWithKey {
  /** What a server certificate was asked for: when it changes, a new one is issued. */
  readonly names: readonly string[]
  /** On the authority: when the first start was complete, in seconds since 1970. */
  readonly firstStartSeconds?: number
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
  /** Also an RSA certificate, for clients that know no other (the TLS profile `compatible`). */
  readonly rsaToo: boolean
}

/** The server's certificate and key for a TLS listener, PEM. The key is a secret. */
export interface ServerPems {
  readonly certificatePem: string
  readonly privateKeyPem: string
}

export interface Bootstrapped {
  /** Paths of the files that this start made. */
  readonly made: readonly string[]
  readonly authorityPem: string
  /** One of each key type. */
  readonly servers: readonly ServerPems[]
  /** The names that they are for. */
  readonly names: readonly string[]
}

/** A data directory that has lost its store. */
export class BootstrapRefused extends Error {
  override readonly name = 'BootstrapRefused'
}

/** A server certificate is replaced when less than this is left of it. */
const renewalSeconds = 60 * 86_400
const adminPasswordBytes = 24
const authorityKey = 'authority'

const localUser = (user: string): UserName => ({ domain: rootDomain, connection: localConnection, user })
const clientUser = localUser('kmip')
const adminUser = localUser('admin')

/**
 * Makes what is missing and gives the TLS material.
 * @throws BootstrapRefused, StoreUnavailable, StoreDamaged, and errors of the file system
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
  const authorityPem = certificateToPem(authority.value.certificate)
  if (missing('ca.pem')) write('ca.pem', authorityPem)
  if (authority.value.firstStartSeconds === undefined) {
    await addAdministrator(options, write)
    await addClient(options, authority.value, write)
    await markFirstStart(options, authority)
  }
  const servers = [pemsOf(await ownServerCertificate(options, authority.value, 'ec'))]
  if (options.rsaToo) servers.push(pemsOf(await ownServerCertificate(options, authority.value, 'rsa')))
  return { made, authorityPem, servers, names: serverNames(options) }
}

const pemsOf = (pair: CertificateWithKey): ServerPems => ({
  certificatePem: certificateToPem(pair.certificate),
  privateKeyPem: privateKeyPem(pair),
})

/** The CA: the store's, or a new one that the store has before anything is signed with it. */
const ownAuthority = async ({
  directory,
  store,
  clock,
  entropy,
}: BootstrapOptions): Promise<Stored<OwnCertificate>> => {
  const stored = store.read(certificateTable, authorityKey)
  if (stored !== undefined) return stored
  // It is written once the store has the CA: the store that had it is gone, and a new one would hide that.
  if (existsSync(join(directory, 'bootstrap', 'ca.pem'))) {
    throw new BootstrapRefused(
      `the store in ${directory} is new and ${join(directory, 'bootstrap')} is of an older one, with all keys: restore a backup; or, to begin anew without them, move both away`,
    )
  }
  // Luck in the name keeps the CAs of two servers apart in a client's trust store.
  const label = Buffer.from(entropy.bytes(4)).toString('hex')
  const subject = { CN: `kmipd CA ${label}`, O: 'kmipd' }
  const value: OwnCertificate = { ...createAuthority(subject, clock.nowSeconds(), entropy), names: [] }
  await commitAll(store, [newRecord(certificateTable.name, authorityKey, value)])
  return storedAuthority(store)
}

const storedAuthority = (store: Store): Stored<OwnCertificate> => {
  const stored = store.read(certificateTable, authorityKey)
  if (stored === undefined) throw new TypeError('the CA was removed during the start')
  return stored
}

/** Notes that users, client and files were made, so that no later start makes them again. */
const markFirstStart = async ({ store, clock }: BootstrapOptions, authority: Stored<OwnCertificate>): Promise<void> => {
  const { key, revision, value: previous } = authority
  const value = { ...previous, firstStartSeconds: clock.nowSeconds() }
  await commitAll(store, [{ table: certificateTable.name, key, revision, previous, value }])
}

/** The server's certificate: a new one when there is none, when it ends soon, or when the names have changed. */
const ownServerCertificate = async (
  options: BootstrapOptions,
  authority: CertificateWithKey,
  keyType: 'ec' | 'rsa',
): Promise<CertificateWithKey> => {
  const { store, clock, entropy } = options
  const now = clock.nowSeconds()
  const names = serverNames(options)
  const key = keyType === 'ec' ? 'server' : 'server-rsa'
  const stored = store.read(certificateTable, key)
  if (stored !== undefined && lasts(stored.value, authority, now) && stored.value.names.join() === names.join()) {
    return stored.value
  }
  const value: OwnCertificate = { ...issueServerCertificate(authority, names, now, entropy, keyType), names }
  const { revision, value: previous } = stored ?? { revision: 0, value: undefined }
  await commitAll(store, [{ table: certificateTable.name, key, revision, previous, value }])
  return value
}

/** Whether a certificate has time left, or as much as the CA can give: a new one at every start would help nobody. */
const lasts = ({ certificate }: OwnCertificate, authority: CertificateWithKey, nowSeconds: number): boolean => {
  const { notAfterSeconds } = parseCertificate(certificate)
  const { notAfterSeconds: authorityEnd } = parseCertificate(authority.certificate)
  return notAfterSeconds - nowSeconds > renewalSeconds || notAfterSeconds === authorityEnd
}

/**
 * The names of the server's certificate, each once. The machine's own name is left out when a certificate cannot have it:
 * some machines are called what no name server would, and must start nevertheless.
 */
const serverNames = ({ hostName, certificateNames }: BootstrapOptions): string[] => {
  const own = hostName.toLowerCase()
  const usable = isDnsName(own) || addressBytes(own) !== undefined ? [own] : []
  return [...new Set(['localhost', ...usable, '127.0.0.1', '::1', ...certificateNames])]
}

type WriteFile = (name: string, content: string) => void

/** The administrator with a random password. The file is there before the user: a password that nobody knows opens nothing. */
const addAdministrator = async ({ store, clock, entropy }: BootstrapOptions, write: WriteFile): Promise<void> => {
  if (store.read(userTable, userKey(adminUser)) !== undefined) return
  const password = Buffer.from(entropy.bytes(adminPasswordBytes)).toString('base64url')
  write('admin-password', `${password}\n`)
  const user = { administrator: true, password: await hashPassword(password, entropy) }
  const record = newUser(adminUser, user, { clock, entropy })
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
  write('client.key', privateKeyPem(issued))
  const client = clientRecord(
    { certificate: issued.certificate, user: clientUser, name: 'bootstrap' },
    { clock, entropy },
  )
  await commitAll(store, [
    newRecord(userTable.name, userKey(clientUser), newUser(clientUser, { administrator: false }, { clock, entropy })),
    newRecord(clientTable.name, certificateFingerprint(issued.certificate), client),
  ])
}

/** Nobody else writes while a server starts: a conflict means that the store is not what it was a moment ago. */
const commitAll = async (store: Store, changes: readonly Change[]): Promise<void> => {
  const result = await store.commit(changes)
  if (!result.done) throw new TypeError(`the record ${result.key} of ${result.table} changed during the start`)
}

/** Writes a file that only its owner reads, whole or not at all. */
const writeOwnerOnly = (path: string, content: string): void => {
  const folder = dirname(path)
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  chmodSync(folder, 0o700)
  const temporary = `${path}.new`
  // What an unfinished start left there may have another mode, which opening it would keep.
  rmSync(temporary, { force: true })
  const file = openSync(temporary, 'wx', 0o600)
  try {
    writeSync(file, content)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
  renameSync(temporary, path)
  // Windows cannot open a folder, and needs no such thing.
  if (platform === 'win32') return
  for (const changed of [folder, dirname(folder)]) {
    const opened = openSync(changed, 'r')
    try {
      fsyncSync(opened)
    } finally {
      closeSync(opened)
    }
  }
}
