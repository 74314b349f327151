/** Commands of KMIP interfaces: only administrators of the root domain have them, for an interface serves every domain. */
import { Type } from 'typebox'
import {
  type AdminContext,
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
import { pageOfList, stampFields, stampsOf, uriOf } from '#admin/resource'
import { authorityTable } from '#identity/authorities'
import {
  allInterfaces,
  type CertificateAttributes,
  getInterface,
  type InterfaceChange,
  type InterfaceRecord,
  type TlsVersionName,
  tlsVersionNames,
} from '#identity/interfaces'
import { certificateUserFields, interfaceModes, rootDomain } from '#identity/principals'
import type { Store } from '#store/store'

const versionNames = Object.keys(tlsVersionNames) as TlsVersionName[]
const text = Type.String({ maxLength: 255 })

const certificateName = Type.Object(
  {
    C: Type.Optional(text),
    ST: Type.Optional(text),
    L: Type.Optional(text),
    O: Type.Optional(text),
    OU: Type.Optional(text),
  },
  { additionalProperties: false },
)

/** What the certificate of an interface says. */
const attributes = {
  cn: Type.Optional(text),
  dns_names: Type.Optional(Type.Array(text, { maxItems: 64 })),
  ip_addresses: Type.Optional(Type.Array(text, { maxItems: 64 })),
  email_addresses: Type.Optional(Type.Array(text, { maxItems: 1 })),
  names: Type.Optional(Type.Array(certificateName, { maxItems: 1 })),
  uid: Type.Optional(text),
}

const kmipInterface = Type.Object({
  id: Type.String(),
  name: Type.String(),
  mode: Type.String(),
  cert_user_field: Type.String(),
  auto_gen_ca_id: Type.String({ description: "The local CA that signs the interface's certificate" }),
  trusted_cas: Type.Object({
    local: Type.Array(Type.String()),
    external: Type.Optional(Type.Array(Type.String())),
  }),
  ...stampFields,
  default_connection: Type.String({ description: 'Where user names without a connection belong' }),
  port: Type.Integer(),
  network_interface: Type.String(),
  interface_type: Type.String(),
  kmip_enable_hard_delete: Type.Integer({ description: '1: Destroy leaves nothing of an object' }),
  minimum_tls_version: Type.String(),
  local_auto_gen_attributes: Type.Object({ ...attributes, generated: Type.Boolean() }),
  auto_registration: Type.Boolean(),
  registration_token: Type.Optional(Type.String({ description: 'The token, in the answer to who has just given it' })),
})

const caUri = (store: Store, kind: 'localca' | 'externalca', id: string): string =>
  uriOf(store.read(authorityTable, id)?.value.domain ?? rootDomain, 'ca', kind, id)

const noName = { C: '', ST: '', L: '', O: '', OU: '' }

const resource = ({ services: { store, interfaces } }: AdminContext, record: InterfaceRecord, token?: string) => {
  const { id, name, certUserField, trustedLocal, trustedExternal, autoGenCaId, certificateAttributes: said } = record
  const { port, networkInterface, mode, minimumTlsVersion, hardDelete } = interfaces.effective(record)
  const plain = { cn: 'localhost', email_addresses: [], names: [noName] }
  return {
    id,
    name,
    mode,
    cert_user_field: certUserField,
    auto_gen_ca_id: caUri(store, 'localca', autoGenCaId),
    trusted_cas: {
      local: trustedLocal.map((each) => caUri(store, 'localca', each)),
      ...(trustedExternal.length === 0
        ? {}
        : { external: trustedExternal.map((each) => caUri(store, 'externalca', each)) }),
    },
    ...stampsOf(record),
    default_connection: 'local_account',
    port,
    network_interface: networkInterface,
    interface_type: 'kmip',
    kmip_enable_hard_delete: hardDelete ? 1 : 0,
    minimum_tls_version: minimumTlsVersion,
    local_auto_gen_attributes: { ...plain, ...mutable(said), generated: false },
    auto_registration: record.autoRegistration,
    ...(token === undefined ? {} : { registration_token: token }),
  }
}

/** A copy whose arrays an answer may own. */
const mutable = ({ names, dns_names, ip_addresses, email_addresses, ...rest }: CertificateAttributes = {}) => ({
  ...rest,
  ...(names === undefined ? {} : { names: names.map((name) => ({ ...noName, ...name })) }),
  ...(dns_names === undefined ? {} : { dns_names: [...dns_names] }),
  ...(ip_addresses === undefined ? {} : { ip_addresses: [...ip_addresses] }),
  ...(email_addresses === undefined ? {} : { email_addresses: [...email_addresses] }),
})

const which = required(Type.String({ description: 'Name or identifier of the interface' }), {
  flag: 'name',
  short: 'n',
})

/** What can be said of an interface when it is made and later. */
const properties = {
  network_interface: optional(Type.String({ description: 'all, or one address of the machine' }), { short: 'i' }),
  mode: optional(
    Type.Union(
      interfaceModes.map((mode) => Type.Literal(mode)),
      { description: `What a session must show: ${interfaceModes.join(', ')}` },
    ),
    { short: 'm' },
  ),
  minimum_tls_version: optional(
    Type.Union(
      versionNames.map((version) => Type.Literal(version)),
      { description: `The oldest TLS that is spoken: ${versionNames.join(', ')}; 1.0 and 1.1 are no longer safe` },
    ),
    { short: 'e' },
  ),
  cert_user_field: optional(
    Type.Union(
      certificateUserFields.map((field) => Type.Literal(field)),
      { description: 'Which part of a certificate names the user when it registers by connecting' },
    ),
    { short: 'u' },
  ),
  auto_registration: optional(
    Type.Boolean({
      description: 'Whether certificates of trusted CAs are registered when they connect; needs a token',
    }),
    { short: 'a' },
  ),
  registration_token: optional(Type.String({ description: 'The token that such registrations are counted on' }), {
    short: 'r',
    secret: true,
  }),
  kmip_enable_hard_delete: optional(
    Type.Union([Type.Literal(0), Type.Literal(1)], {
      description: '1: Destroy leaves nothing of an object; 0: what is known of it stays',
    }),
  ),
  trusted_local_cas: optional(
    Type.Array(Type.String(), {
      description: 'Local CAs whose clients may come; they take the place of the present ones',
    }),
  ),
  trusted_external_cas: optional(
    Type.Array(Type.String(), { description: 'External CAs whose clients may come; likewise' }),
  ),
  auto_gen_ca_id: optional(Type.String({ description: "The local CA that signs the interface's certificate" })),
  local_auto_gen_attributes: optional(
    Type.Object(attributes, { description: "What the interface's certificate says beside the server's own names" }),
    { flag: 'local-auto-gen-attributes-file', file: 'json' },
  ),
}

const port = Type.Integer({ minimum: 1, maximum: 65_535, description: 'Port to listen on' })

const changeOf = (
  values: Partial<Values<typeof properties>> & { readonly port?: number | undefined },
): InterfaceChange => ({
  port: values.port,
  networkInterface: values.network_interface,
  mode: values.mode,
  minimumTlsVersion: values.minimum_tls_version,
  certUserField: values.cert_user_field,
  autoRegistration: values.auto_registration,
  registrationToken: values.registration_token,
  hardDelete: values.kmip_enable_hard_delete === undefined ? undefined : values.kmip_enable_hard_delete === 1,
  trustedLocal: values.trusted_local_cas,
  trustedExternal: values.trusted_external_cas,
  autoGenCaId: values.auto_gen_ca_id,
  certificateAttributes: values.local_auto_gen_attributes,
})

export const interfaceCommands: readonly CommandRow[] = [
  command({
    verbs: ['interfaces', 'create'],
    method: 'POST',
    path: '/interfaces',
    summary: 'Make a KMIP interface, which listens at once',
    example: 'interfaces create -o 5697 -y kmip',
    parameters: {
      port: required(port, { short: 'o' }),
      interface_type: optional(Type.Literal('kmip', { description: 'kmip: the only kind' }), {
        flag: 'type',
        short: 'y',
      }),
      name: optional(Type.String({ description: 'kmip_<network interface>_<port> when not given' }), { short: 'n' }),
      ...properties,
    },
    result: kmipInterface,
    who: 'administrator',
    rootOnly: true,
    async handle(values, context) {
      const change = { ...changeOf(values), port: values.port }
      const record = await context.services.interfaces.create(change, values.name)
      return resource(context, record, values.registration_token)
    },
  }),
  command({
    verbs: ['interfaces', 'list'],
    method: 'GET',
    path: '/interfaces',
    summary: 'List the KMIP interfaces',
    example: 'interfaces list',
    parameters: pageParameters,
    result: listOf(kmipInterface),
    who: 'administrator',
    rootOnly: true,
    handle: (values, context) =>
      pageOfList(allInterfaces(context.services.store), pageOf(values), (record) => resource(context, record)),
  }),
  command({
    verbs: ['interfaces', 'get'],
    method: 'GET',
    path: '/interfaces/:interface',
    summary: 'Show a KMIP interface',
    example: 'interfaces get -n kmip',
    parameters: { interface: which },
    result: kmipInterface,
    who: 'administrator',
    rootOnly: true,
    handle: (values, context) => resource(context, getInterface(context.services.store, values.interface).value),
  }),
  command({
    verbs: ['interfaces', 'modify'],
    method: 'PATCH',
    path: '/interfaces/:interface',
    summary: 'Change a KMIP interface while it runs; sessions that it still allows go on',
    example: 'interfaces modify -n kmip_all_5697 -e tls_1_2',
    parameters: { interface: which, port: optional(port, { short: 'o' }), ...properties },
    result: kmipInterface,
    who: 'administrator',
    rootOnly: true,
    async handle(values, context) {
      const record = await context.services.interfaces.modify(values.interface, changeOf(values))
      return resource(context, record, values.registration_token)
    },
  }),
  command({
    verbs: ['interfaces', 'delete'],
    method: 'DELETE',
    path: '/interfaces/:interface',
    summary: 'Remove a KMIP interface; its sessions end after what they have asked',
    example: 'interfaces delete -n kmip_all_5697',
    parameters: { interface: which },
    result: nothing,
    who: 'administrator',
    rootOnly: true,
    async handle(values, { services }) {
      await services.interfaces.remove(values.interface)
      return null
    },
  }),
]
