/** Commands of the certificates that local CAs issue, and of revocation lists. */
import { Type } from 'typebox'
import {
  type AdminContext,
  type CommandRow,
  command,
  listOf,
  optional,
  pageOf,
  pageParameters,
  required,
} from '#admin/command'
import { pageOfTable, resourceFields, resourceOf, stampFields, stampsOf, timeText } from '#admin/resource'
import { AdministrationError } from '#identity/administration-error'
import { getAuthority, issueRequest } from '#identity/authorities'
import { type IssuedRecord, issuedTable, type RevocationRecord, revocationTable } from '#identity/authority-records'
import { certificateToPem, parseCertificate } from '#identity/certificates'
import {
  getIssued,
  type RevocationReason,
  revocationListOf,
  revocationReasons,
  revokeCertificate,
  setRevocationList,
} from '#identity/revocation'
import type { Stored } from '#store/store'

const certificate = Type.Object({
  ...resourceFields,
  ca_id: Type.String(),
  subject: Type.String(),
  serial_number: Type.String(),
  purpose: Type.String({ description: 'client or server' }),
  not_before: Type.String({ format: 'date-time' }),
  not_after: Type.String({ format: 'date-time' }),
  revoked_at: Type.Union([Type.String({ format: 'date-time' }), Type.Null()]),
  cert: Type.String({ description: 'PEM' }),
})

const resource = ({ key, value }: Stored<IssuedRecord>) => {
  const { subject, notBeforeSeconds, notAfterSeconds } = parseCertificate(value.certificate)
  return {
    ...resourceOf(value.domain, 'ca', 'certs', key, {
      createdSeconds: value.createdSeconds,
      updatedSeconds: value.revokedSeconds ?? value.createdSeconds,
    }),
    ca_id: value.authorityId,
    subject: subject.text,
    serial_number: value.serialHex,
    purpose: value.purpose,
    not_before: timeText(notBeforeSeconds),
    not_after: timeText(notAfterSeconds),
    revoked_at: value.revokedSeconds === undefined ? null : timeText(value.revokedSeconds),
    cert: certificateToPem(value.certificate),
  }
}

const list = Type.Object({
  ca_id: Type.String(),
  ...stampFields,
  this_update: Type.String({ format: 'date-time' }),
  next_update: Type.Union([Type.String({ format: 'date-time' }), Type.Null()]),
  revoked_count: Type.Integer(),
})

const which = required(Type.String({ description: 'Fingerprint (SHA-256) or serial number of the certificate' }), {
  short: 'i',
})
const ca = required(Type.String({ description: 'Identifier or name of the CA' }), { short: 'i' })
const certOut = { cert: { flag: 'cert-out-file', description: 'File for the certificate' } }
const certDurationDays = 730

/** Sessions of whom a list names end now; listeners hear of the list before the command is answered. */
const told = async (refused: readonly string[], { services }: AdminContext): Promise<void> => {
  for (const fingerprint of refused) services.interfaces.endSessionsOf(fingerprint)
  await services.interfaces.review()
}

export const certificateCommands: readonly CommandRow[] = [
  command({
    verbs: ['ca', 'certs', 'issue'],
    method: 'POST',
    path: '/ca/certs',
    summary: 'Issue a certificate of a local CA for a request; it opens nothing until it is registered',
    example: 'ca certs issue --ca-id NAME --csr-file array7.csr --cert-out-file array7.pem',
    parameters: {
      ca_id: optional(
        Type.String({ description: "Local CA; the server's own, or the domain's oldest, when not given" }),
      ),
      csr: required(Type.String({ description: 'Certificate request, PEM' }), {
        flag: 'csr-file',
        short: 'c',
        file: 'text',
      }),
      purpose: optional(Type.Enum(['client', 'server'], { description: 'client when not given' })),
      duration: optional(Type.Integer({ description: `Days that it is valid; ${certDurationDays} when not given` })),
    },
    result: certificate,
    who: 'administrator',
    outFiles: certOut,
    async handle(values, { domain, services }) {
      const { ca_id: authority, csr, purpose, duration: days = certDurationDays } = values
      return resource(await issueRequest(services, { domain, authority, csr, purpose, days }))
    },
  }),
  command({
    verbs: ['ca', 'certs', 'list'],
    method: 'GET',
    path: '/ca/certs',
    summary: 'List the certificates that local CAs have issued for requests and clients',
    example: 'ca certs list --limit 50',
    parameters: pageParameters,
    result: listOf(certificate),
    who: 'administrator',
    handle: (values, { domain, services: { store } }) =>
      pageOfTable(store, issuedTable, [{ field: 'domain', equals: domain }], pageOf(values), resource),
  }),
  command({
    verbs: ['ca', 'certs', 'get'],
    method: 'GET',
    path: '/ca/certs/:id',
    summary: 'Show a certificate that a local CA has issued',
    example: 'ca certs get --id 4f1a90c2d3e45b67 --cert-out-file array7.pem',
    parameters: { id: which },
    result: certificate,
    who: 'administrator',
    outFiles: certOut,
    handle: (values, { domain, services: { store } }) => resource(getIssued(store, domain, values.id)),
  }),
  command({
    verbs: ['ca', 'certs', 'revoke'],
    method: 'POST',
    path: '/ca/certs/:id/revoke',
    summary: 'Revoke a certificate that a local CA has issued, for ever; sessions of its client end',
    example: 'ca certs revoke --id 4f1a90c2d3e45b67 --reason keyCompromise',
    parameters: {
      id: which,
      reason: optional(Type.Enum(Object.keys(revocationReasons), { description: 'unspecified when not given' })),
    },
    result: certificate,
    who: 'administrator',
    async handle(values, context) {
      const { domain, services } = context
      const reason = values.reason as RevocationReason | undefined
      const { stored, refused } = await revokeCertificate(services, domain, values.id, reason)
      await told(refused, context)
      return resource(stored)
    },
  }),
  command({
    verbs: ['ca', 'crls', 'set'],
    method: 'PUT',
    path: '/ca/crls/:id',
    summary: 'Give an external CA its revocation list (CRL); sessions of whom it names end',
    example: 'ca crls set --id "Corporate CA" --crl-file corporate.crl.pem',
    parameters: {
      id: ca,
      crl: required(Type.String({ description: 'Revocation list, PEM' }), {
        flag: 'crl-file',
        short: 'c',
        file: 'text',
      }),
    },
    result: list,
    who: 'administrator',
    async handle(values, context) {
      const { domain, services } = context
      const { stored, refused } = await setRevocationList(services, domain, values.id, Buffer.from(values.crl))
      await told(refused, context)
      return shownList(stored)
    },
  }),
  command({
    verbs: ['ca', 'crls', 'list'],
    method: 'GET',
    path: '/ca/crls',
    summary: 'List the revocation lists of external CAs',
    example: 'ca crls list',
    parameters: pageParameters,
    result: listOf(list),
    who: 'administrator',
    handle: (values, { domain, services: { store } }) =>
      pageOfTable(store, revocationTable, [{ field: 'domain', equals: domain }], pageOf(values), shownList),
  }),
  command({
    verbs: ['ca', 'crls', 'get'],
    method: 'GET',
    path: '/ca/crls/:id',
    summary: 'Show the revocation list of a CA: of a local one as of now, of an external one as it was given',
    example: 'ca crls get --id NAME --crl-out-file ca.crl',
    parameters: { id: ca },
    result: Type.Object({ ca_id: Type.String(), crl: Type.String({ description: 'PEM' }) }),
    who: 'administrator',
    outFiles: { crl: { flag: 'crl-out-file', description: 'File for the revocation list' } },
    handle(values, { domain, services }) {
      const authority = getAuthority(services.store, domain, values.id)
      const crl = revocationListOf(services, authority)
      if (crl === undefined) throw new AdministrationError('not found', 'this CA has no revocation list here')
      return { ca_id: authority.key, crl }
    },
  }),
]

function shownList({ key, value }: Stored<RevocationRecord>) {
  const { thisUpdateSeconds, nextUpdateSeconds, serials } = value
  return {
    ca_id: key,
    ...stampsOf(value),
    this_update: timeText(thisUpdateSeconds),
    next_update: nextUpdateSeconds === undefined ? null : timeText(nextUpdateSeconds),
    revoked_count: serials.length,
  }
}
