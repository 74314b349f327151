/** Commands of connections: directories (LDAP) whose users log in here. */
import { Type } from 'typebox'
import {
  type CommandRow,
  command,
  listOf,
  nothing,
  optional,
  pageOf,
  pageParameters,
  required,
  type Values,
} from '#admin/command'
import { pageOfTable, resourceFields, resourceOf } from '#admin/resource'
import { AdministrationError } from '#identity/administration-error'
import {
  type ConnectionRecord,
  changeConnection,
  connectionTable,
  createConnection,
  deleteConnection,
  getConnection,
  type LdapSettings,
  ldapDefaults,
  ldapTimeoutMaxMs,
} from '#identity/connections'
import { DirectoryUnavailable, testDirectory } from '#identity/ldap'

const connection = Type.Object({
  ...resourceFields,
  name: Type.String(),
  server_url: Type.String(),
  root_dn: Type.String(),
  uid_field: Type.String(),
  search_filter: Type.String(),
  bind_dn: Type.String(),
  start_tls: Type.Boolean(),
  root_cas: Type.String({ description: 'PEM' }),
  insecure_skip_verify: Type.Boolean(),
  timeout_ms: Type.Integer(),
})

/** Without the password: it is shown to nobody. */
const resource = (record: ConnectionRecord) => ({
  ...resourceOf(record.domain, 'admin', 'connections', record.id, record),
  name: record.name,
  server_url: record.serverUrl,
  root_dn: record.rootDn,
  uid_field: record.uidField,
  search_filter: record.searchFilter,
  bind_dn: record.bindDn,
  start_tls: record.startTls,
  root_cas: record.rootCas,
  insecure_skip_verify: record.insecureSkipVerify,
  timeout_ms: record.timeoutMs,
})

const which = required(Type.String({ description: 'Name or identifier of the connection' }), {
  flag: 'name',
  short: 'n',
})

const serverUrl = Type.String({ description: 'ldap://host:port or ldaps://host:port' })
const rootDn = Type.String({ description: 'The entry below which users are looked for' })

const properties = {
  uid_field: optional(
    Type.String({ description: `Attribute of the user name, ${ldapDefaults.uidField} when not given` }),
  ),
  search_filter: optional(Type.String({ description: 'What an entry must match beside its name, as in RFC 4515' })),
  bind_dn: optional(Type.String({ description: 'Who searches; without it, nobody' })),
  bind_password: optional(Type.String({ description: 'Its password' }), { secret: true }),
  start_tls: optional(Type.Boolean({ description: 'Whether TLS begins within a plain connection' })),
  root_cas: optional(Type.String({ description: "CAs of the directory's certificate, PEM" }), {
    flag: 'root-cas-file',
    file: 'text',
  }),
  insecure_skip_verify: optional(
    Type.Boolean({ description: "Not to look at the directory's certificate: for trials" }),
  ),
  timeout_ms: optional(
    Type.Integer({
      minimum: 100,
      maximum: ldapTimeoutMaxMs,
      description: `For all that a log-in asks of the directory, ${ldapDefaults.timeoutMs} when not given`,
    }),
  ),
}

type Given = Values<typeof properties> & {
  readonly server_url: string | undefined
  readonly root_dn: string | undefined
}

/** What was given, without what was not. */
const settingsOf = (values: Given): Partial<LdapSettings> => {
  const all = {
    serverUrl: values.server_url,
    rootDn: values.root_dn,
    uidField: values.uid_field,
    searchFilter: values.search_filter,
    bindDn: values.bind_dn,
    bindPassword: values.bind_password,
    startTls: values.start_tls,
    rootCas: values.root_cas,
    insecureSkipVerify: values.insecure_skip_verify,
    timeoutMs: values.timeout_ms,
  }
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined)) as Partial<LdapSettings>
}

export const connectionCommands: readonly CommandRow[] = [
  command({
    verbs: ['connections', 'create'],
    method: 'POST',
    path: '/connections',
    summary: 'Let the users of a directory log in here',
    example:
      'connections create -n corporate --server-url ldaps://ldap.example --root-dn ou=people,dc=example --bind-dn cn=reader,dc=example --bind-password @password.txt',
    parameters: {
      name: required(Type.String({ description: 'What stands in front of its users: corporate|joe' }), { short: 'n' }),
      server_url: required(serverUrl),
      root_dn: required(rootDn),
      ...properties,
    },
    result: connection,
    who: 'administrator',
    async handle(values, { domain, services }) {
      const { server_url, root_dn } = values
      const settings = { ...ldapDefaults, serverUrl: server_url, rootDn: root_dn, ...settingsOf(values) }
      return resource(await createConnection(services, domain, values.name, settings))
    },
  }),
  command({
    verbs: ['connections', 'list'],
    method: 'GET',
    path: '/connections',
    summary: 'List the connections beside local',
    example: 'connections list',
    parameters: pageParameters,
    result: listOf(connection),
    who: 'administrator',
    handle: (values, { domain, services: { store } }) =>
      pageOfTable(store, connectionTable, [{ field: 'domain', equals: domain }], pageOf(values), ({ value }) =>
        resource(value),
      ),
  }),
  command({
    verbs: ['connections', 'get'],
    method: 'GET',
    path: '/connections/:connection',
    summary: 'Show a connection',
    example: 'connections get -n corporate',
    parameters: { connection: which },
    result: connection,
    who: 'administrator',
    handle: (values, { domain, services: { store } }) =>
      resource(getConnection(store, domain, values.connection).value),
  }),
  command({
    verbs: ['connections', 'modify'],
    method: 'PATCH',
    path: '/connections/:connection',
    summary: 'Change a connection; its users have to prove their passwords again',
    example: 'connections modify -n corporate --timeout-ms 2000',
    parameters: { connection: which, server_url: optional(serverUrl), root_dn: optional(rootDn), ...properties },
    result: connection,
    who: 'administrator',
    handle: async (values, { domain, services }) =>
      resource(await changeConnection(services, domain, values.connection, settingsOf(values))),
  }),
  command({
    verbs: ['connections', 'test'],
    method: 'POST',
    path: '/connections/:connection/test',
    summary: 'Ask the directory of a connection for its root entry',
    example: 'connections test -n corporate',
    parameters: { connection: which },
    result: Type.Object({ connection_ok: Type.Boolean() }),
    who: 'administrator',
    async handle(values, { domain, services: { store, clock } }) {
      const { value } = getConnection(store, domain, values.connection)
      try {
        await testDirectory(value, clock)
        return { connection_ok: true }
      } catch (error) {
        if (!(error instanceof DirectoryUnavailable)) throw error
        throw new AdministrationError('unavailable', error.message, error.remedy)
      }
    },
  }),
  command({
    verbs: ['connections', 'delete'],
    method: 'DELETE',
    path: '/connections/:connection',
    summary: 'Remove a connection that has no users left here',
    example: 'connections delete -n corporate',
    parameters: { connection: which },
    result: nothing,
    who: 'administrator',
    async handle(values, { domain, services: { store } }) {
      await deleteConnection(store, domain, values.connection)
      return null
    },
  }),
]
