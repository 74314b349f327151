/**
 * Whether somebody can be the user of a registration. What it is: the store's users, and those of directories, who get their
 * record when they are first named: clients, groups and permissions are of records. What it is not: a log-in (`login.ts`).
 */
import { AdministrationError } from './administration-error.ts'
import type { IdentityContext } from './authorities.ts'
import { DirectoryUnavailable } from './ldap.ts'
import { findUser, localConnection, type UserName, userKey, userTable } from './principals.ts'
import type { KnowsUser } from './profiles.ts'
import { newRecord } from './records.ts'
import { newUser } from './users.ts'

/** What a directory is asked. */
export interface UserDirectories {
  /** Whether the connection's directory has this user. @throws DirectoryUnavailable when it does not say */
  knows(name: UserName): Promise<boolean>
}

/**
 * Users of the store, and of directories, who then are the store's. The function throws AdministrationError `unavailable` when
 * a directory cannot be asked, and StoreUnavailable.
 */
export function knownUsers(context: IdentityContext, directories: UserDirectories): KnowsUser {
  const { store } = context
  return async (name) => {
    if (findUser(store, name) !== undefined) return true
    if (name.connection === localConnection || !(await asked(directories, name))) return false
    // A conflict means that another has just made it.
    await store.commit([newRecord(userTable.name, userKey(name), newUser(name, { administrator: false }, context))])
    return findUser(store, name) !== undefined
  }
}

async function asked(directories: UserDirectories, name: UserName): Promise<boolean> {
  try {
    return await directories.knows(name)
  } catch (error) {
    if (!(error instanceof DirectoryUnavailable)) throw error
    throw new AdministrationError('unavailable', `the connection ${name.connection}: ${error.message}`, error.remedy)
  }
}
