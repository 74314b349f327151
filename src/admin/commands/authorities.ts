/** Commands of certificate authorities: local ones, external ones, the certificates issued here, and revocation. */
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
import {
  type AuthorityRecord,
  addExternalAuthority,
  authorityTable,
  createLocalAuthority,
  deleteAuthority,
  getAuthority,
} from '#identity/authorities'
import { certificateToPem, parseCertificate } from '#identity/certificates'
import { allInterfaces } from '#identity/interfaces'
import type { Stored } from '#store/store'

const authority = Type.Object({
  ...resourceFields,
  name: Type.String(),
  subject: Type.String(),
  issuer: Type.String(),
  serial_number: Type.String(),
  fingerprint: Type.String({ description: 'SHA-256 of its certificate' }),
  not_before: Type.String({ format: 'date-time' }),
  not_after: Type.String({ format: 'date-time' }),
  built_in: Type.Boolean({ description: "true: the CA of the server's own certificate" }),
  cert: Type.String({ description: 'PEM' }),
})

const kinds = { local: 'localca', external: 'externalca' } as const

const resource = ({ key, value }: Stored<AuthorityRecord>) => {
  const { subject, issuer, serialHex, fingerprint, notBeforeSeconds, notAfterSeconds } = parseCertificate(
    value.certificate,
  )
  return {
    ...resourceOf(value.domain, 'ca', kinds[value.kind], key, value),
    name: value.name,
    subject: subject.text,
    issuer: issuer.text,
    serial_number: serialHex,
    fingerprint,
    not_before: timeText(notBeforeSeconds),
    not_after: timeText(notAfterSeconds),
    built_in: value.builtIn,
    cert: certificateToPem(value.certificate),
  }
}

const which = required(Type.String({ description: 'Identifier or name of the CA' }), { short: 'i' })
const certOut = { cert: { flag: 'cert-out-file', description: 'File for the certificate' } }

const remove = async (kind: AuthorityRecord['kind'], id: string, { domain, services }: AdminContext): Promise<null> => {
  const { key } = getAuthority(services.store, domain, id, kind)
  const user = allInterfaces(services.store).find(({ trustedLocal, trustedExternal, autoGenCaId }) =>
    [...trustedLocal, ...trustedExternal, autoGenCaId].includes(key),
  )
  if (user !== undefined)
    throw new AdministrationError(
      'conflict',
      `the interface ${JSON.stringify(user.name)} uses this CA`,
      'Give the interface other trusted CAs first: kmipctl interfaces modify --help',
    )
  await deleteAuthority(services.store, domain, key)
  return null
}

/** What list, get and delete are of both kinds. */
const rowsOf = (kind: AuthorityRecord['kind'], verb: 'locals' | 'externals'): readonly CommandRow[] => [
  command({
    verbs: ['ca', verb, 'list'],
    method: 'GET',
    path: `/ca/${verb}`,
    summary: `List the ${kind} CAs`,
    example: `ca ${verb} list`,
    parameters: pageParameters,
    result: listOf(authority),
    who: 'administrator',
    handle: (values, { domain, services: { store } }) =>
      pageOfTable(
        store,
        authorityTable,
        [
          { field: 'domain', equals: domain },
          { field: 'kind', equals: kind },
        ],
        pageOf(values),
        resource,
      ),
  }),
  command({
    verbs: ['ca', verb, 'get'],
    method: 'GET',
    path: `/ca/${verb}/:id`,
    summary: `Show a ${kind} CA with its certificate`,
    example: `ca ${verb} get --id NAME --cert-out-file ca.pem`,
    parameters: { id: which },
    result: authority,
    who: 'administrator',
    outFiles: certOut,
    handle: (values, { domain, services: { store } }) => resource(getAuthority(store, domain, values.id, kind)),
  }),
  command({
    verbs: ['ca', verb, 'delete'],
    method: 'DELETE',
    path: `/ca/${verb}/:id`,
    summary: `Remove a ${kind} CA that no interface uses`,
    example: `ca ${verb} delete --id NAME`,
    parameters: { id: which },
    result: nothing,
    who: 'administrator',
    handle: (values, context) => remove(kind, values.id, context),
  }),
]

const field = (description: string) => optional(Type.String({ description }))

export const authorityCommands: readonly CommandRow[] = [
  command({
    verbs: ['ca', 'locals', 'create'],
    method: 'POST',
    path: '/ca/locals',
    summary: 'Make a local CA, which issues certificates of clients and interfaces',
    example: 'ca locals create --cn "Storage CA" --org-name ACME',
    parameters: {
      cn: required(Type.String({ description: 'Common name of its certificate' }), { short: 'c' }),
      name: optional(Type.String({ description: 'What people call it; the common name when not given' }), {
        short: 'n',
      }),
      org_name: field('Organization'),
      org_unit: field('Organizational unit'),
      city: field('City'),
      state: field('State'),
      country: field('Country, two letters'),
      algorithm: optional(
        Type.Enum(['ECDSA', 'RSA'], { description: 'ECDSA (P-256), when not given, or RSA (3072 bits)' }),
      ),
      duration: optional(Type.Integer({ description: 'Days that its certificate is valid; ten years when not given' })),
    },
    result: authority,
    who: 'administrator',
    async handle(values, { domain, services }) {
      const { cn, name, algorithm, duration: durationDays } = values
      const fields = {
        CN: cn,
        O: values.org_name,
        OU: values.org_unit,
        L: values.city,
        ST: values.state,
        C: values.country,
      }
      const subject = Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined))
      return resource(await createLocalAuthority(services, { domain, subject, name, algorithm, durationDays }))
    },
  }),
  ...rowsOf('local', 'locals'),
  command({
    verbs: ['ca', 'externals', 'create'],
    method: 'POST',
    path: '/ca/externals',
    summary: 'Add the certificate of a CA that is elsewhere, for interfaces to trust',
    example: 'ca externals create --cert-file corporate-ca.pem',
    parameters: {
      cert: required(Type.String({ description: 'Certificate of the CA, PEM' }), {
        flag: 'cert-file',
        short: 'c',
        file: 'text',
      }),
      name: optional(Type.String({ description: 'What people call it; its common name when not given' }), {
        short: 'n',
      }),
    },
    result: authority,
    who: 'administrator',
    handle: async (values, { domain, services }) =>
      resource(await addExternalAuthority(services, domain, values.cert, values.name)),
  }),
  ...rowsOf('external', 'externals'),
]
