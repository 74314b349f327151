/**
 * Users: their records, and making, changing and removing them. What it is: rules of what a user may be. What it is not: the
 * check of a password (`login.ts`), or what a user may do (`permissions.ts`).
 */
import type { Clock } from '#actor/clock'
import { type Entropy, uniqueIdentifier } from '#actor/entropy'
import type { Store, Stored } from '#store/store'
import { AdministrationError } from './administration-error.ts'
import { hashPassword, passwordBytesMax, passwordMatches } from './login.ts'
import {
  clientTable,
  isNamePart,
  localConnection,
  type PasswordHash,
  parseUserName,
  type UserName,
  type UserRecord,
  userKey,
  userTable,
} from './principals.ts'
import { changeRecord, findRecord, newRecord, removeRecord } from './records.ts'
import { checkGroupCount, entered } from './user-groups.ts'

export interface UserContext {
  readonly store: Store
  readonly clock: Clock
  readonly entropy: Entropy
  /** A new password has at least this many characters. */
  readonly passwordLengthMin: number
}

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
  { clock, entropy }: Pick<UserContext, 'clock' | 'entropy'>,
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

/** What an administrator says of a user; what is undefined stays as it is. */
export interface UserSettings {
  readonly password?: string | undefined
  readonly email?: string | undefined
  readonly administrator?: boolean | undefined
  readonly groups?: readonly string[] | undefined
  readonly disabled?: boolean | undefined
}

/** Makes a local user. @throws AdministrationError of kind invalid, already exists; StoreUnavailable */
export async function createUser(
  name: string,
  domain: string,
  settings: UserSettings,
  context: UserContext,
): Promise<UserRecord> {
  if (!isNamePart(name)) {
    throw new AdministrationError('invalid', 'A user name has 1 to 255 characters, without | and controls')
  }
  const named = { domain, connection: localConnection, user: name }
  const { store } = context
  const password = settings.password === undefined ? undefined : await checkedHash(settings.password, context)
  const made = newUser(
    named,
    { administrator: settings.administrator ?? false, ...(password === undefined ? {} : { password }) },
    context,
  )
  const record = withSettings(made, settings, undefined, context)
  const key = userKey(named)
  for (;;) {
    const result = await store.commit([newRecord(userTable.name, key, record), ...entered(record, [], store)])
    if (result.done) return record
    // A group that another has just entered, or removed, is looked at again.
    if (result.table === userTable.name)
      throw new AdministrationError('already exists', `There is a user ${JSON.stringify(name)} already`)
  }
}

/**
 * A user of a domain by identifier, `connection|identifier`, or name in any of its forms.
 * @throws AdministrationError of kind not found
 */
export function getUser(idOrName: string, domain: string, store: Store): Stored<UserRecord> {
  const byId = findRecord(store, userTable, { domain, id: idOrName.split('|').at(-1) ?? '' })
  if (byId !== undefined) return byId
  const name = parseUserName(idOrName, domain)
  const byName = name?.domain === domain ? store.read(userTable, userKey(name)) : undefined
  if (byName !== undefined) return byName
  throw new AdministrationError('not found', `There is no user ${JSON.stringify(idOrName)} in the domain`)
}

/** Changes a user. @throws AdministrationError of kind not found, invalid, conflict; StoreUnavailable */
export async function modifyUser(
  idOrName: string,
  domain: string,
  settings: UserSettings,
  context: UserContext,
): Promise<Stored<UserRecord>> {
  const { store } = context
  const { key, value } = getUser(idOrName, domain, store)
  if (settings.password !== undefined && value.connection !== localConnection) {
    throw new AdministrationError('invalid', 'Only local users have their password here', 'Change it in the directory.')
  }
  const hash = settings.password === undefined ? undefined : await checkedHash(settings.password, context)
  return changeRecord(
    store,
    userTable,
    key,
    'user',
    (user) => withSettings(user, settings, hash, context),
    (before, after) => entered(after, before.groups, store),
  )
}

/** Changes the password of a user who knows the one of now. @throws AdministrationError of kind forbidden, invalid */
export async function changePassword(key: string, current: string, next: string, context: UserContext): Promise<void> {
  const user = context.store.read(userTable, key)?.value
  if (user?.password === undefined || !(await passwordMatches(current, user.password))) {
    throw new AdministrationError('forbidden', 'The current password is not right')
  }
  await modifyUser(user.id, user.domain, { password: next }, context)
}

/** What objects have of a user: asked, because objects are not this file's. */
export interface UsersObjects {
  readonly owns: (user: UserRecord) => boolean
  /** Takes from it what owners have opened to it. */
  readonly close: (user: UserRecord) => Promise<void>
}

/**
 * Removes a user. A user of the same name would be the owner of its keys, so that one who has keys or clients stays, unless
 * it is forced. Keys of others that were opened to it are closed.
 * @throws AdministrationError of kind not found, conflict; StoreUnavailable
 */
export async function deleteUser(
  idOrName: string,
  domain: string,
  force: boolean,
  objects: UsersObjects,
  { store }: UserContext,
): Promise<Stored<UserRecord>> {
  const found = getUser(idOrName, domain, store)
  const clients = store.find(clientTable, { all: [{ field: 'user', equals: found.key }], any: [], offset: 0, limit: 1 })
  const left = [...(clients.total > 0 ? ['clients'] : []), ...(objects.owns(found.value) ? ['keys'] : [])]
  if (left.length > 0 && !force) {
    throw new AdministrationError(
      'conflict',
      `The user still has ${left.join(' and ')}`,
      'Remove them first, disable the user instead, or force it: the next user of this name is then their owner.',
    )
  }
  // First, so that what is cut short is done again by the same command.
  await objects.close(found.value)
  await removeRecord(store, userTable, found.key)
  return found
}

function withSettings(
  user: UserRecord,
  settings: UserSettings,
  hash: PasswordHash | undefined,
  { clock }: UserContext,
): UserRecord {
  const {
    email = user.email,
    administrator = user.administrator,
    groups = user.groups,
    disabled = user.disabled,
  } = settings
  checkEmail(email)
  checkGroupCount(groups)
  const { email: _email, disabled: _disabled, ...others } = user
  return {
    ...others,
    administrator,
    groups: [...new Set(groups)],
    ...(hash === undefined ? {} : { password: hash }),
    ...(email === undefined || email === '' ? {} : { email }),
    ...(disabled === true ? { disabled } : {}),
    updatedSeconds: clock.nowSeconds(),
  }
}

function checkEmail(email: string | undefined): void {
  if (email === undefined || email === '' || /^[^\s@\p{Cc}]{1,64}@[^\s@\p{Cc}]{1,255}$/u.test(email)) return
  throw new AdministrationError('invalid', 'This is not an email address')
}

async function checkedHash(
  password: string,
  { entropy, passwordLengthMin }: Pick<UserContext, 'entropy' | 'passwordLengthMin'>,
): Promise<PasswordHash> {
  if (Array.from(password).length < passwordLengthMin || Buffer.byteLength(password) > passwordBytesMax) {
    throw new AdministrationError(
      'invalid',
      `A password has ${passwordLengthMin} characters to ${passwordBytesMax} bytes`,
    )
  }
  return hashPassword(password, entropy)
}
