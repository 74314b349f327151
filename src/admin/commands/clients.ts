/** Commands of clients: their registration by a token, or of a certificate that they have; what is registered, and its end. */
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
import { pageOfTable, resourceFields, resourceOf, timeText } from '#admin/resource'
import { AdministrationError } from '#identity/administration-error'
import { parseCertificate } from '#identity/certificates'
import { shownDeviceCredential } from '#identity/device-credential'
import { type ClientRecord, certificateUserFields, clientTable, rootDomain } from '#identity/principals'
import {
  getClient,
  registerCertificate,
  registerWithToken,
  removeClient,
  setClientStatus,
} from '#identity/registration'
import type { Stored } from '#store/store'

const client = Type.Object({
  ...resourceFields,
  name: Type.String(),
  user: Type.Union([Type.String(), Type.Null()], {
    description: 'connection|name of its user; null: registered without one in mode tls-pw-opt',
  }),
  state: Type.String({ description: 'active, disabled or revoked' }),
  cert_user_field: Type.Union([Type.String(), Type.Null()]),
  profile: Type.Union([Type.String(), Type.Null()]),
  token_id: Type.Union([Type.String(), Type.Null()]),
  auto_registered_in_mode: Type.Union([Type.String(), Type.Null()], {
    description: 'Mode of the interface that registered it when it connected',
  }),
  device_credential: Type.Union([Type.Record(Type.String(), Type.String()), Type.Null()], {
    description: 'What its device must say, without the password',
  }),
  subject: Type.String(),
  issuer: Type.String(),
  serial_number: Type.String(),
  fingerprint: Type.String({ description: 'SHA-256 of its certificate' }),
  not_before: Type.String({ format: 'date-time' }),
  not_after: Type.String({ format: 'date-time' }),
})

const resource = ({ key, value }: Stored<ClientRecord>) => {
  const { subject, issuer, serialHex } = parseCertificate(value.certificate)
  const { deviceCredential, userKey } = value
  return {
    ...resourceOf(value.domain, 'kmip', 'kmip_client', value.clientId, value),
    name: value.name,
    user: userKey === undefined ? null : shownUser(userKey),
    state: value.status,
    cert_user_field: value.userField ?? null,
    profile: value.profile ?? null,
    token_id: value.tokenId ?? null,
    auto_registered_in_mode: value.mode ?? null,
    device_credential: deviceCredential === undefined ? null : { ...shownDeviceCredential(deviceCredential) },
    subject: subject.text,
    issuer: issuer.text,
    serial_number: serialHex,
    fingerprint: key,
    not_before: timeText(value.notBeforeSeconds),
    not_after: timeText(value.notAfterSeconds),
  }
}

/** `local|joe` of the root domain, `domain|local|joe` of another. */
const shownUser = (userKey: string): string =>
  userKey.startsWith(`${rootDomain}|`) ? userKey.slice(rootDomain.length + 1) : userKey

const which = required(Type.String({ description: 'Identifier, name or fingerprint of the client' }), { short: 'i' })
const name = required(Type.String({ description: 'What people call the client' }), { short: 'n' })

const stored = ({ domain, services }: AdminContext, id: string) => getClient(services.store, domain, id)

export const clientCommands: readonly CommandRow[] = [
  command({
    verbs: ['kmip', 'register'],
    method: 'POST',
    path: '/kmip/register',
    summary: 'Register a client by a token of a profile; its key is shown this once and kept nowhere',
    example: 'kmip register -n KmipClient2 -t TOKEN --kmipCertOutFile ClientCert.pem --kmipKeyOutFile ClientKey.pem',
    parameters: {
      name,
      reg_token: required(Type.String({ description: 'Token from kmip createkmipregtoken' }), {
        flag: 'token',
        short: 't',
        secret: true,
      }),
    },
    result: Type.Object({
      cert: Type.String({ description: 'PEM' }),
      client_ca: Type.String({ description: 'PEM of the CA that issued it' }),
      client_id: Type.String(),
      csr: Type.String({ description: 'PEM' }),
      key: Type.Optional(
        Type.String({ description: "PEM; absent when the profile's csr came with a key that is elsewhere" }),
      ),
    }),
    who: 'anyone',
    outFiles: {
      cert: { flag: 'kmipCertOutFile', description: 'File for the certificate' },
      key: { flag: 'kmipKeyOutFile', secret: true, description: 'File for the private key' },
      client_ca: { flag: 'kmipCaOutFile', description: 'File for the certificate of the CA' },
    },
    async handle(values, { services }) {
      const made = await registerWithToken(services, { name: values.name, token: values.reg_token }, services.knowsUser)
      const { cert, clientCa, clientId, csr, key } = made
      return { cert, client_ca: clientCa, client_id: clientId, csr, ...(key === undefined ? {} : { key }) }
    },
  }),
  command({
    verbs: ['kmip', 'createclient'],
    method: 'POST',
    path: '/kmip/clients',
    summary: 'Register a certificate that a client has already; its CA must be one that the interface trusts',
    example: 'kmip createclient -n array7 --cert-file array7.pem --cert-user-field CN',
    parameters: {
      name,
      certificate: required(Type.String({ description: 'Certificate of the client, PEM' }), {
        flag: 'cert-file',
        short: 'c',
        file: 'text',
      }),
      user: optional(
        Type.String({ description: 'User whom it acts as; without it, the one whom the certificate names' }),
        { short: 'u' },
      ),
      cert_user_field: optional(
        Type.Enum([...certificateUserFields], {
          description: 'Field of the certificate that names the user; CN when not given',
        }),
      ),
    },
    result: client,
    who: 'administrator',
    async handle(values, { domain, services }) {
      const { name: clientName, certificate: pem, user, cert_user_field: userField } = values
      if (user !== undefined && userField !== undefined)
        throw new AdministrationError('invalid', 'give a user or the field that names one, not both')
      return resource(
        await registerCertificate(services, { domain, name: clientName, pem, user, userField }, services.knowsUser),
      )
    },
  }),
  command({
    verbs: ['kmip', 'listclients'],
    method: 'GET',
    path: '/kmip/clients',
    summary: 'List the registered clients',
    example: 'kmip listclients --limit 50',
    parameters: pageParameters,
    result: listOf(client),
    who: 'administrator',
    handle: (values, { domain, services: { store } }) =>
      pageOfTable(store, clientTable, [{ field: 'domain', equals: domain }], pageOf(values), resource),
  }),
  command({
    verbs: ['kmip', 'getclient'],
    method: 'GET',
    path: '/kmip/clients/:id',
    summary: 'Show a registered client',
    example: 'kmip getclient --id KmipClient2',
    parameters: { id: which },
    result: client,
    who: 'administrator',
    handle: (values, context) => resource(stored(context, values.id)),
  }),
  command({
    verbs: ['kmip', 'modifyclient'],
    method: 'PATCH',
    path: '/kmip/clients/:id',
    summary: 'Keep a client out without forgetting it, or let it in again',
    example: 'kmip modifyclient --id KmipClient2 --enabled false',
    parameters: {
      id: which,
      enabled: required(Type.Boolean({ description: 'false: its sessions end, and it opens no others' }), {
        short: 'e',
      }),
    },
    result: client,
    who: 'administrator',
    async handle(values, { domain, services }) {
      const changed = await setClientStatus(services.store, domain, values.id, values.enabled ? 'active' : 'disabled')
      if (!values.enabled) services.interfaces.endSessionsOf(changed.key)
      return resource(changed)
    },
  }),
  command({
    verbs: ['kmip', 'deleteclient'],
    method: 'DELETE',
    path: '/kmip/clients/:id',
    summary: 'Remove a client; its sessions end, its keys stay with their owner',
    example: 'kmip deleteclient --id KmipClient2',
    parameters: { id: which },
    result: nothing,
    who: 'administrator',
    async handle(values, context) {
      const { key } = stored(context, values.id)
      await removeClient(key, context.services.store)
      context.services.interfaces.endSessionsOf(key)
      return null
    },
  }),
]
