/** Commands of users and of groups, and the log-in of users to the administration. */
import * as Type from 'typebox'
import type { AdminContext } from '#admin/command'
import { type CommandRow, command, listOf, nothing, optional, pageOf, pageParameters, required } from '#admin/command'
import { Refused } from '#admin/failure'
import { closeAllTo } from '#admin/grants'
import { pageOfTable, stampFields, stampsOf } from '#admin/resource'
import { domainId } from '#identity/domains'
import { accessField } from '#identity/permissions'
import { ownerNameOf, rootDomain, type UserRecord, userTable } from '#identity/principals'
import { changePassword, createUser, deleteUser, getUser, modifyUser, type UsersObjects } from '#identity/users'
import { objectTable } from '#operations/object-table'

const user = Type.Object({
  user_id: Type.String({ description: 'Connection and identifier: `local|…`' }),
  username: Type.String(),
  source: Type.String({ description: 'As certificates and credentials name the user: `local|joe`' }),
  connection: Type.String(),
  email: Type.Optional(Type.String()),
  administrator: Type.Boolean(),
  groups: Type.Array(Type.String()),
  disabled: Type.Boolean(),
  ...stampFields,
})

const resource = (record: UserRecord) => ({
  user_id: `${record.connection}|${record.id}`,
  username: record.name,
  source: ownerNameOf(record),
  connection: record.connection,
  ...(record.email === undefined ? {} : { email: record.email }),
  administrator: record.administrator,
  groups: [...record.groups],
  disabled: record.disabled ?? false,
  ...stampsOf(record),
})

const which = required(Type.String({ description: 'Identifier or name of the user' }), { flag: 'id', short: 'i' })
const password = Type.String({ description: 'Password; @file reads it from a file' })
const settings = {
  email: optional(Type.String({ description: 'Email address; empty for none' }), { short: 'e' }),
  administrator: optional(Type.Boolean({ description: 'Whether the user administers the domain' }), { short: 'a' }),
  groups: optional(Type.Array(Type.String(), { description: 'Groups of the user, with commas between them' }), {
    short: 'g',
  }),
  disabled: optional(Type.Boolean({ description: 'Whether nothing is open to the user' })),
}

/** What objects have of a user: it may own some, and others may be opened to it. */
const objectsOf = ({ services }: AdminContext): UsersObjects => ({
  owns(user) {
    const { store } = services
    const owner = ownerNameOf(user)
    const { keys } = store.find(objectTable, {
      all: [{ field: accessField, equals: owner }],
      any: [],
      offset: 0,
      limit: Number.MAX_SAFE_INTEGER,
    })
    return keys.some((key) => store.read(objectTable, key)?.value.owner === owner)
  },
  close: (user) => closeAllTo(user.domain, ownerNameOf(user), services),
})

export const userCommands: readonly CommandRow[] = [
  command({
    verbs: ['users', 'create'],
    method: 'POST',
    path: '/usermgmt/users',
    summary: 'Make a local user',
    example: 'users create --name joe --password @joe.password --email joe@example.com',
    parameters: {
      username: required(Type.String({ description: 'Name of the user' }), { flag: 'name', short: 'n' }),
      password: optional(password, { short: 'p', secret: true }),
      ...settings,
    },
    result: user,
    who: 'administrator',
    handle: async ({ username, ...given }, { domain, services }) =>
      resource(await createUser(username, domain, given, services)),
  }),
  command({
    verbs: ['users', 'list'],
    method: 'GET',
    path: '/usermgmt/users',
    summary: 'List the users of the domain',
    example: 'users list --limit 50',
    parameters: {
      ...pageParameters,
      username: optional(Type.String({ description: 'Only users of this name' }), { flag: 'name', short: 'n' }),
      group: optional(Type.String({ description: 'Only users in this group' }), { short: 'g' }),
    },
    result: listOf(user),
    who: 'administrator',
    handle: (values, { domain, services: { store } }) =>
      pageOfTable(
        store,
        userTable,
        [
          { field: 'domain', equals: domain },
          ...(values.username === undefined ? [] : [{ field: 'name', equals: values.username }]),
          ...(values.group === undefined ? [] : [{ field: 'group', equals: `${domain}|${values.group}` }]),
        ],
        pageOf(values),
        ({ value }) => resource(value),
      ),
  }),
  command({
    verbs: ['users', 'get'],
    method: 'GET',
    path: '/usermgmt/users/:user',
    summary: 'Show a user',
    example: 'users get --id joe',
    parameters: { user: which },
    result: user,
    who: 'administrator',
    handle: (values, { domain, services: { store } }) => resource(getUser(values.user, domain, store).value),
  }),
  command({
    verbs: ['users', 'modify'],
    method: 'PATCH',
    path: '/usermgmt/users/:user',
    summary: 'Change a user; sessions and log-ins of the user are asked for the new password',
    example: 'users modify --id joe --groups staff,auditors',
    parameters: { user: which, password: optional(password, { short: 'p', secret: true }), ...settings },
    result: user,
    who: 'administrator',
    async handle({ user: id, ...given }, { domain, services }) {
      const { key, value } = await modifyUser(id, domain, given, services)
      services.bearerTokens.endOf(key)
      return resource(value)
    },
  }),
  command({
    verbs: ['users', 'delete'],
    method: 'DELETE',
    path: '/usermgmt/users/:user',
    summary: 'Remove a user who has no clients and no keys left',
    example: 'users delete --id joe',
    parameters: {
      user: which,
      force: optional(Type.Boolean({ description: 'Even when clients or keys are left' }), { short: 'f' }),
    },
    result: nothing,
    who: 'administrator',
    patient: true,
    async handle(values, context) {
      const { domain, services } = context
      const { key } = await deleteUser(values.user, domain, values.force ?? false, objectsOf(context), services)
      services.bearerTokens.endOf(key)
      return null
    },
  }),
  command({
    verbs: ['users', 'password'],
    method: 'POST',
    path: '/auth/changepw',
    summary: 'Change your own password',
    example: 'users password --password @old --new-password @new',
    parameters: {
      password: required(password, { short: 'p', secret: true }),
      new_password: required(password, { short: 'w', secret: true }),
    },
    result: nothing,
    who: 'user',
    async handle(values, { caller: { userKey, address }, services }) {
      if (userKey === undefined) {
        throw new Refused('invalid', 'The local socket has no password', 'users modify --password sets that of a user.')
      }
      // A log-in that was left open is a place to guess at, too.
      if (!(await services.login.admit(userKey, address)))
        throw new Refused('too_many_requests', 'Too many tries', 'Wait.')
      try {
        await changePassword(userKey, values.password, values.new_password, services)
      } catch (error) {
        services.login.failed(userKey, address)
        throw error
      }
      services.login.succeeded(userKey, address)
      services.bearerTokens.endOf(userKey)
      return null
    },
  }),
]

export const logInCommands: readonly CommandRow[] = [
  command({
    verbs: ['tokens', 'create'],
    method: 'POST',
    path: '/auth/tokens',
    summary: 'Log in: a short-lived token for a user name and a password',
    example: 'tokens create --username admin --password @data/bootstrap/admin-password',
    parameters: {
      username: required(Type.String({ description: 'User name, in any of its forms' }), { short: 'u' }),
      password: required(password, { short: 'p', secret: true }),
      domain: optional(Type.String({ description: 'Domain to administer; else that of the user' }), { short: 'd' }),
      auth_domain: optional(Type.String({ description: 'Domain of the user, when the user name does not say it' })),
    },
    result: Type.Object({
      jwt: Type.String({ description: 'The token: Authorization: Bearer …' }),
      token_type: Type.String(),
      duration: Type.Integer({ description: 'Seconds that it is good for' }),
    }),
    who: 'anyone',
    async handle({ username, password: secret, domain, auth_domain }, { caller, services }) {
      const { login, store, bearerTokens } = services
      // A domain that is not there is answered as a wrong password is: who guesses learns nothing.
      const home = auth_domain === undefined ? rootDomain : knownDomain(auth_domain, services)
      const found = await login.verify({ username, password: secret }, home ?? '\0', caller.address)
      // What was changed while the password was proved counts: a log-in would outlive the old one.
      if (found === undefined || home === undefined || !login.stillHolds(found)) {
        throw new Refused(
          'unauthenticated',
          'User name or password is not right',
          'After several tries, each waits longer.',
        )
      }
      const { key, value } = found.user
      const administered = domain === undefined || domain === '' ? value.domain : domainId(domain, store)
      if (administered !== value.domain && (value.domain !== rootDomain || !value.administrator)) {
        throw new Refused('forbidden', 'Only administrators of the root domain administer another domain')
      }
      const jwt = bearerTokens.issue({ userKey: key, domain: administered })
      return { jwt, token_type: 'Bearer', duration: bearerTokens.lifetimeSeconds }
    },
  }),
]

const knownDomain = (idOrName: string, { store }: AdminContext['services']): string | undefined => {
  try {
    return domainId(idOrName, store)
  } catch {
    return undefined
  }
}
