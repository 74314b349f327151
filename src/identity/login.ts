/**
 * Proof of who somebody is, beyond the certificate. What it is: Username and Password credentials of KMIP's Authentication
 * field (KMIP 1.4 §2.1.2, §6.6) checked against local users with argon2id. What it is not: LDAP, device or attestation
 * credentials, which nothing here can prove, so that they are refused.
 *
 * Interface mode tls-cert-pw-opt: the certificate names the user and a credential is optional; one that is sent must be
 * right, and must name the same user.
 */

import { argon2, timingSafeEqual } from 'node:crypto'
import type { Entropy } from '#actor/entropy'
import { CredentialType } from '#kmip/enums'
import type { Store } from '#store/store'
import { findUser, localConnection, ownerName, type PasswordHash, type Principal, parseUserName } from './principals.ts'

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

/** Verifies credentials of requests. */
export class Login {
  readonly #store: Store
  /** Stands in for the hash of a user that is not there or has no password, so that both cost the same. */
  readonly #decoy: PasswordHash

  constructor(store: Store, entropy: Entropy) {
    this.#store = store
    this.#decoy = { algorithm: 'argon2id', ...cost, salt: entropy.bytes(saltBytes), hash: entropy.bytes(hashBytes) }
  }

  /**
   * Whether a credential is right, and is the principal's own. False means Authentication Not Successful (KMIP 1.4 §11).
   * Nothing of the credential is kept or logged.
   * @throws StoreDamaged when the user's record was changed behind the server's back.
   */
  async verifyCredential(credential: PresentedCredential, principal: Principal): Promise<boolean> {
    if (credential.credentialType !== CredentialType.UsernameAndPassword) return false
    const { username, password } = usernameAndPassword(credential.credentialValue)
    if (username === undefined || password === undefined) return false
    const name = parseUserName(username, principal.domain)
    const user = name?.connection === localConnection ? findUser(this.#store, name)?.value : undefined
    const matches = await passwordMatches(password, user?.password ?? this.#decoy)
    const own = name !== undefined && ownerName(name) === principal.user && name.domain === principal.domain
    return matches && own && user?.password !== undefined
  }
}

/** The fields of KMIP 1.4 Table 4, when they are what they should be. */
function usernameAndPassword(value: unknown): { username: string | undefined; password: string | undefined } {
  const fields: { username?: unknown; password?: unknown } = typeof value === 'object' && value !== null ? value : {}
  const text = (field: unknown) => (typeof field === 'string' ? field : undefined)
  return { username: text(fields.username), password: text(fields.password) }
}

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
