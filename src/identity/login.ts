/**
 * Proof of who somebody is, beyond the certificate: user names with passwords. What it is: local users checked with
 * argon2id, users of other connections by their directory, failures slowed, and first log-ins given a record. What it is
 * not: a decision whom a session acts as (`session-identity.ts`), LDAP itself (`ldap.ts`), or a device's credential.
 */
import { argon2, createHmac, timingSafeEqual } from 'node:crypto'
import type { Clock } from '#actor/clock'
import type { Entropy } from '#actor/entropy'
import type { Store, Stored } from '#store/store'
import { type AttemptCounts, Attempts } from './attempts.ts'
import { connectionKey } from './connections.ts'
import {
  findUser,
  localConnection,
  type PasswordHash,
  parseUserName,
  type UserName,
  type UserRecord,
  userKey,
  userTable,
} from './principals.ts'
import { newUser } from './users.ts'

/** A credential of a request's header, as decoded. */
export interface PresentedCredential {
  readonly credentialType: number
  readonly credentialValue: unknown
}

/** A password has at most this many UTF-8 bytes; a longer one is refused before any work. */
export const passwordBytesMax = 1_024

/** OWASP's second choice for argon2id: 19 MiB and 2 passes. About 30 ms here (2 cores), on a pool thread. */
const cost = { memoryKiB: 19_456, passes: 2, parallelism: 1 } as const
const saltBytes = 16
const hashBytes = 32

/**
 * The hash of a new password, with a fresh salt.
 * @throws RangeError when the password is empty or longer than `passwordBytesMax`.
 */
export async function hashPassword(password: string, entropy: Entropy): Promise<PasswordHash> {
  if (!isPossible(password)) throw new RangeError(`a password has 1 to ${passwordBytesMax} bytes`)
  const salt = entropy.bytes(saltBytes)
  const hash = await compute(password, { ...cost, salt }, hashBytes)
  return { algorithm: 'argon2id', ...cost, salt, hash }
}

/** Whether a password has this hash; the time does not tell how much of it was right. */
export async function passwordMatches(password: string, stored: PasswordHash): Promise<boolean> {
  if (!isPossible(password)) return false
  const hash = await compute(password, stored, stored.hash.length)
  return timingSafeEqual(hash, stored.hash)
}

/** A user name with its password, as presented: nothing of it is verified. */
export interface UsernameAndPassword {
  readonly username: string
  readonly password: string
}

/** Whether a credential's value is that of KMIP 1.4 Table 4, with the password that the table leaves optional. */
export function isUsernameAndPassword(value: unknown): value is UsernameAndPassword {
  const fields: { username?: unknown; password?: unknown } = typeof value === 'object' && value !== null ? value : {}
  return typeof fields.username === 'string' && typeof fields.password === 'string'
}

/** Where users of other connections than the local one prove their passwords. */
export interface Directories {
  /**
   * Whether the password is the user's. False too when the connection is not there, or its server cannot be asked, of which
   * the operator is told.
   */
  passwordMatches(name: UserName, password: string): Promise<boolean>
  /** Rises when the connection is changed: what was verified by it then counts no more. */
  generationOf(connection: string): number
}

export interface LoginOptions {
  readonly store: Store
  readonly clock: Clock
  readonly entropy: Entropy
  readonly directories: Directories
  /** How long a session may trust a password that was right, so that its cost is paid once. */
  readonly rememberMs: number
  readonly attempts?: AttemptCounts
}

/** A user who has proved to be it. */
export interface LoggedIn {
  readonly user: Stored<UserRecord>
  /** Of the user's connection, when it was asked. */
  readonly generation: number
}

/** Verifies user names and passwords, for sessions and for administrators alike. */
export class Login {
  readonly rememberMs: number
  readonly #options: LoginOptions
  readonly #attempts: AttemptCounts
  /** Of digests that sessions keep of passwords: worth nothing outside this process. */
  readonly #digestKey: Uint8Array
  /** Stands in for the hash of a user that is not there or has no password, so that both cost the same. */
  readonly #decoy: PasswordHash

  constructor(options: LoginOptions) {
    const { clock, entropy, rememberMs } = options
    this.rememberMs = rememberMs
    this.#options = options
    this.#attempts = options.attempts ?? new Attempts(clock)
    this.#digestKey = entropy.bytes(digestKeyBytes)
    this.#decoy = { algorithm: 'argon2id', ...cost, salt: entropy.bytes(saltBytes), hash: entropy.bytes(hashBytes) }
  }

  /**
   * The user whose password this is, or undefined: unknown, disabled, wrong, or tried too often. Failures are counted, and
   * make the next tries of the user at the address wait. Nothing of the password is kept or logged.
   * @param domain where a user name without one belongs
   * @throws StoreDamaged when the user's record was changed behind the server's back; StoreUnavailable
   */
  async verify(presented: UsernameAndPassword, domain: string, address: string): Promise<LoggedIn | undefined> {
    const name = parseUserName(presented.username, domain)
    // What is no name is counted under one name: it would be a way to fill the memory.
    const counted = name === undefined ? '|' : userKey(name)
    if (!(await this.#attempts.admit(counted, address))) return undefined
    const found = await this.#matching(name, presented.password)
    if (found === undefined || found.user.value.disabled === true) {
      this.#attempts.failed(counted, address)
      return undefined
    }
    this.#attempts.succeeded(counted, address)
    return found
  }

  /** Whether what was proved still counts: the user's record and its connection are what they were. */
  stillHolds({ user, generation }: LoggedIn): boolean {
    const { store, directories } = this.#options
    if (store.read(userTable, user.key)?.revision !== user.revision) return false
    return (
      generation ===
      (isLocal(user.value) ? 0 : directories.generationOf(connectionKey(user.value.domain, user.value.connection)))
    )
  }

  /** Waits its turn to guess at something else than a user's password: a device's. False: too many wait already. */
  admit(subject: string, address: string): Promise<boolean> {
    return this.#attempts.admit(subject, address)
  }

  /** Counts a wrong guess at it. */
  failed(subject: string, address: string): void {
    this.#attempts.failed(subject, address)
  }

  /** Says that it was right. */
  succeeded(subject: string, address: string): void {
    this.#attempts.succeeded(subject, address)
  }

  /** A short text that tells two passwords of users apart and says nothing of either outside this process. */
  digestOf({ username, password }: UsernameAndPassword): string {
    // The length keeps name and password apart, whatever either holds.
    return createHmac('sha256', this.#digestKey).update(`${username.length}|${username}${password}`).digest('base64')
  }

  async #matching(name: UserName | undefined, password: string): Promise<LoggedIn | undefined> {
    const { store, directories } = this.#options
    if (name !== undefined && name.connection !== localConnection) {
      const generation = directories.generationOf(connectionKey(name.domain, name.connection))
      const known = findUser(store, name)
      if (!isPossible(password) || !(await directories.passwordMatches(name, password))) return undefined
      return { user: known ?? (await this.#firstLogin(name)), generation }
    }
    const user = name === undefined ? undefined : findUser(store, name)
    const matches = await passwordMatches(password, user?.value.password ?? this.#decoy)
    return matches && user?.value.password !== undefined ? { user, generation: 0 } : undefined
  }

  /** A directory's user gets its record when it is first seen: groups and permissions are of records. */
  async #firstLogin(name: UserName): Promise<Stored<UserRecord>> {
    const { store, clock, entropy } = this.#options
    const record = newUser(name, { administrator: false }, { clock, entropy })
    // A conflict means that another session has just made it.
    await store.commit([{ table: userTable.name, key: userKey(name), revision: 0, previous: undefined, value: record }])
    const made = findUser(store, name)
    if (made === undefined) throw new TypeError('a user that was just made is not there')
    return made
  }
}

const digestKeyBytes = 32

const isLocal = ({ connection }: UserRecord): boolean => connection === localConnection

function isPossible(password: string): boolean {
  const length = password.length > passwordBytesMax ? Infinity : Buffer.byteLength(password)
  return length > 0 && length <= passwordBytesMax
}

type Parameters = Pick<PasswordHash, 'memoryKiB' | 'passes' | 'parallelism' | 'salt'>

function compute(
  password: string,
  { memoryKiB, passes, parallelism, salt }: Parameters,
  length: number,
): Promise<Buffer> {
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>()
  const parameters = { message: password, nonce: salt, memory: memoryKiB, passes, parallelism, tagLength: length }
  argon2('argon2id', parameters, (error, hash) => (error === null ? resolve(hash) : reject(error)))
  return promise
}
