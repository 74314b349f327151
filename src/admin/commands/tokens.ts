/** Commands of registration tokens: who has one may register clients with it. */
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
} from '#admin/command'
import { noTime, pageOfTable, resourceFields, resourceOf, secondsOf, timeText } from '#admin/resource'
import { getProfile } from '#identity/profiles'
import {
  createToken,
  deleteToken,
  getToken,
  type NewToken,
  profileLabel,
  type TokenRecord,
  tokenTable,
} from '#identity/tokens'

const token = Type.Object({
  ...resourceFields,
  token: Type.Optional(Type.String({ description: 'The token itself: shown once, when it is made' })),
  valid_until: Type.String({ format: 'date-time', description: `${noTime}: for ever` }),
  max_clients: Type.Integer({ description: '-1: any number' }),
  cert_duration: Type.Integer({ description: 'Days that the certificates of its clients are valid' }),
  clients_registered: Type.Integer(),
  ca_id: Type.String({ description: 'The local CA that issues for it' }),
  label: Type.Union([Type.Record(Type.String(), Type.String()), Type.Null()]),
})

const resource = (record: TokenRecord, text?: string) => ({
  ...resourceOf(record.domain, 'clientmgmt', 'tokens', record.id, record),
  ...(text === undefined ? {} : { token: text }),
  valid_until: record.validUntilSeconds === undefined ? noTime : timeText(record.validUntilSeconds),
  max_clients: record.maxClients,
  cert_duration: record.certDurationDays,
  clients_registered: record.clientsRegistered,
  ca_id: record.caId,
  label: record.label ?? null,
})

const which = required(Type.String({ description: 'Identifier of the token' }), { short: 'i' })

const properties = {
  ca_id: optional(
    Type.String({
      description: "Local CA that issues for it; the server's own, or the domain's oldest, when not given",
    }),
  ),
  cert_duration: optional(
    Type.Integer({ description: 'Days that the certificates of its clients are valid, 730 when not given' }),
  ),
  max_clients: optional(
    Type.Integer({ description: 'How many clients may be registered with it; -1, any number, when not given' }),
  ),
  valid_until: optional(
    Type.String({ description: 'Until when it may be used, as 2027-01-31T00:00:00Z; for ever when not given' }),
  ),
}

interface Wanted {
  readonly ca_id: string | undefined
  readonly cert_duration: number | undefined
  readonly max_clients: number | undefined
  readonly valid_until: string | undefined
}

const make = async (values: Wanted, label: NewToken['label'], { domain, services }: AdminContext) => {
  const until = values.valid_until
  const made = await createToken(services, {
    domain,
    label,
    caId: values.ca_id,
    certDurationDays: values.cert_duration,
    maxClients: values.max_clients,
    validUntilSeconds: until === undefined || until === noTime ? undefined : secondsOf('valid_until', until),
  })
  return resource(made.record, made.token)
}

export const tokenCommands: readonly CommandRow[] = [
  command({
    verbs: ['clientmgmt', 'tokens', 'create'],
    method: 'POST',
    path: '/client-management/tokens',
    summary: 'Make a registration token; it is shown this once',
    example: 'clientmgmt tokens create --max-clients 10 --cert-duration 365',
    parameters: {
      ...properties,
      label: optional(Type.Record(Type.String(), Type.String(), { description: 'Names and values, as JSON' })),
    },
    result: token,
    who: 'administrator',
    handle: (values, context) => make(values, values.label, context),
  }),
  command({
    verbs: ['clientmgmt', 'tokens', 'list'],
    method: 'GET',
    path: '/client-management/tokens',
    summary: 'List the registration tokens',
    example: 'clientmgmt tokens list --limit 50',
    parameters: pageParameters,
    result: listOf(token),
    who: 'administrator',
    handle: (values, { domain, services: { store } }) =>
      pageOfTable(store, tokenTable, [{ field: 'domain', equals: domain }], pageOf(values), ({ value }) =>
        resource(value),
      ),
  }),
  command({
    verbs: ['clientmgmt', 'tokens', 'get'],
    method: 'GET',
    path: '/client-management/tokens/:id',
    summary: 'Show a registration token, without the token itself',
    example: 'clientmgmt tokens get --id dd8289f4-adbe-412f-9191-320bf2bac847',
    parameters: { id: which },
    result: token,
    who: 'administrator',
    handle: (values, { domain, services: { store } }) => resource(getToken(store, domain, values.id).value),
  }),
  command({
    verbs: ['clientmgmt', 'tokens', 'delete'],
    method: 'DELETE',
    path: '/client-management/tokens/:id',
    summary: 'Remove a registration token; clients registered with it stay',
    example: 'clientmgmt tokens delete --id dd8289f4-adbe-412f-9191-320bf2bac847',
    parameters: { id: which },
    result: nothing,
    who: 'administrator',
    async handle(values, { domain, services: { store } }) {
      await deleteToken(store, domain, values.id)
      return null
    },
  }),
  command({
    verbs: ['kmip', 'createkmipregtoken'],
    method: 'POST',
    path: '/kmip/regtokens',
    summary: 'Make a registration token for clients of a profile; it is shown this once',
    example: 'kmip createkmipregtoken -p kmipprofile1',
    parameters: {
      profile_name: required(Type.String({ description: 'Name of the profile' }), { short: 'p' }),
      ...properties,
    },
    result: token,
    who: 'administrator',
    handle(values, context) {
      const profile = getProfile(context.services.store, context.domain, values.profile_name).value
      return make(values, { [profileLabel]: profile.name }, context)
    },
  }),
]
