/**
 * Users: their records, and making, changing and removing them. What it is: rules of what a user may be. What it is not: the
 * check of a password (`login.ts`), or what a user may do (`permissions.ts`).
 */
import type { Clock } from '#actor/clock'
import { type Entropy, uniqueIdentifier } from '#actor/entropy'
import type { PasswordHash, UserName, UserRecord } from './principals.ts'

/** What of a new user is not its name. */
export interface NewUser {
  readonly administrator: boolean
  readonly password?: PasswordHash
  readonly groups?: readonly string[]
  readonly email?: string
}

/** The record of a new user, not yet stored. */
export function newUser(
  { domain, connection, user }: UserName,
  { administrator, password, groups, email }: NewUser,
  { clock, entropy }: { readonly clock: Clock; readonly entropy: Entropy },
): UserRecord {
  const createdSeconds = clock.nowSeconds()
  return {
    id: uniqueIdentifier(clock, entropy),
    domain,
    connection,
    name: user,
    administrator,
    groups: groups ?? [],
    ...(password === undefined ? {} : { password }),
    ...(email === undefined ? {} : { email }),
    createdSeconds,
    updatedSeconds: createdSeconds,
  }
}
