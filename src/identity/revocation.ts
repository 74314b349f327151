/**
 * Revocation: certificates that are good no longer before their time is over. What it is: revocation lists (CRLs) of external
 * authorities, which an administrator brings; revocation of certificates that a local authority issued, and the list that it
 * signs; and the mark that both leave on registered clients, which the session's check reads at every request, also where
 * TLS resumes a session and looks at nothing. What it is not: the fetching of lists.
 */
import { X509Certificate } from 'node:crypto'
import type { Store, Stored } from '#store/store'
import { AdministrationError } from './administration-error.ts'
import { administered, getAuthority, type IdentityContext } from './authorities.ts'
import {
  type AuthorityRecord,
  authorityTable,
  type IssuedRecord,
  issuedTable,
  nameDigest,
  type RevocationRecord,
  revocationTable,
} from './authority-records.ts'
import { parseCertificate } from './certificates.ts'
import { chainLengthMax, isRoot } from './chain.ts'
import { type ClientRecord, clientTable } from './principals.ts'
import { changeRecord, findRecord } from './records.ts'
import { createRevocationList, parseRevocationList, type Revoked, revocationListToPem } from './revocation-list.ts'

/** Reasons by the names that administrators give, with the codes of RFC 5280 §5.3.1. */
export const revocationReasons = {
  unspecified: 0,
  keyCompromise: 1,
  cACompromise: 2,
  affiliationChanged: 3,
  superseded: 4,
  cessationOfOperation: 5,
  privilegeWithdrawn: 9,
} as const
export type RevocationReason = keyof typeof revocationReasons

const issuersMax = 16
const pageKeys = 500
/** Of one local authority, on the list that it signs. */
const revokedMax = 20_000

/**
 * Takes the revocation list of an external authority, in place of the one that is there, and marks the clients whom it names.
 * Resolves after the disk has both.
 * @param bytes DER or PEM
 * @returns the record, and the fingerprints of clients that are refused from now on
 * @throws AdministrationError `not found`, `invalid`, or `conflict` for a list older than the present one; StoreUnavailable
 */
export async function setRevocationList(
  { store, clock }: Pick<IdentityContext, 'store' | 'clock'>,
  domain: string,
  identifier: string,
  bytes: Uint8Array,
): Promise<{ readonly stored: Stored<RevocationRecord>; readonly refused: readonly string[] }> {
  const authority = getAuthority(store, domain, identifier)
  if (authority.value.kind === 'local')
    throw new AdministrationError(
      'invalid',
      'a local CA writes its own revocation list',
      'Revoke one of its certificates: kmipctl ca certs revoke --id ID',
    )
  const { der, ...list } = administered(() => parseRevocationList(bytes, authority.value.certificate))
  const now = clock.nowSeconds()
  for (;;) {
    const present = store.read(revocationTable, authority.key)
    // An old list would let back in whom a newer one keeps out.
    if (present !== undefined && list.thisUpdateSeconds < present.value.thisUpdateSeconds)
      throw new AdministrationError('conflict', 'this revocation list is older than the present one')
    const createdSeconds = present?.value.createdSeconds ?? now
    const value: RevocationRecord = { domain, list: der, ...list, createdSeconds, updatedSeconds: now }
    const { revision, value: previous } = present ?? { revision: 0, value: undefined }
    const result = await store.commit([{ table: revocationTable.name, key: authority.key, revision, previous, value }])
    if (!result.done) continue
    const refused = await markClients(store, authority, new Set(list.serials))
    return { stored: { key: authority.key, revision: revision + 1, value }, refused }
  }
}

/**
 * Revokes a certificate that a local authority issued, for ever.
 * @param identifier its fingerprint, or its serial number in hexadecimal
 * @returns the record, and the fingerprint of its client when that is refused from now on
 * @throws AdministrationError `not found`; StoreUnavailable
 */
export async function revokeCertificate(
  { store, clock }: Pick<IdentityContext, 'store' | 'clock'>,
  domain: string,
  identifier: string,
  reason: RevocationReason = 'unspecified',
): Promise<{ readonly stored: Stored<IssuedRecord>; readonly refused: readonly string[] }> {
  const { key } = getIssued(store, domain, identifier)
  const now = clock.nowSeconds()
  const stored = await changeRecord(store, issuedTable, key, 'certificate', (issued) =>
    issued.revokedSeconds === undefined
      ? { ...issued, revokedSeconds: now, revocationReason: revocationReasons[reason] }
      : issued,
  )
  const client = store.read(clientTable, key)
  if (client === undefined) return { stored, refused: [] }
  await changeRecord(store, clientTable, key, 'client', revokedClient)
  return { stored, refused: [key] }
}

/** The certificate with this fingerprint or serial number that a local authority of the domain issued. @throws AdministrationError */
export function getIssued(store: Store, domain: string, identifier: string): Stored<IssuedRecord> {
  const text = identifier.replaceAll(':', '').toLowerCase()
  const found = store.read(issuedTable, text) ?? findRecord(store, issuedTable, { domain, serial: text })
  if (found?.value.domain === domain) return found
  throw new AdministrationError('not found', `there is no certificate ${JSON.stringify(identifier)}`)
}

/**
 * The authority here that has signed a certificate; the root domain's first where two have one key. Undefined when none has.
 * @throws CertificateError when it cannot be read
 */
export function issuerOf(store: Store, certificate: Uint8Array): Stored<AuthorityRecord> | undefined {
  const signers = signersOf(store, certificate)
  return signers.find(({ value }) => value.domain === 'root') ?? signers[0]
}

/** The authorities here that have signed a certificate: several where two have one name and key. @throws CertificateError */
function signersOf(store: Store, certificate: Uint8Array): readonly Stored<AuthorityRecord>[] {
  const equals = nameDigest(parseCertificate(certificate).issuer.der)
  const all = [{ field: 'subject', equals }]
  return store
    .find(authorityTable, { all, any: [], offset: 0, limit: issuersMax })
    .keys.flatMap((key) => store.read(authorityTable, key) ?? [])
    .filter(({ value }) => hasSigned(value.certificate, certificate))
}

/**
 * The issuer here of a certificate that is to be registered.
 * @throws AdministrationError `forbidden` when it is revoked, or all that is known above it
 */
export function issuerOfGood(store: Store, certificate: Uint8Array): Stored<AuthorityRecord> | undefined {
  const issuer = issuerOf(store, certificate)
  if (issuer === undefined || !hasNoGoodChain(store, certificate)) return issuer
  const [which, remedy] = isNamedByAny(store, certificate)
    ? ['the certificate is revoked', 'Issue a new certificate.']
    : ['a CA above the certificate is revoked', 'Issue a certificate of another CA.']
  throw new AdministrationError('forbidden', which, remedy)
}

/** Looks again once a client is registered: a list that came meanwhile has not seen it. Resolves after the disk has it. */
export async function markIfRevoked(store: Store, fingerprint: string, certificate: Uint8Array): Promise<void> {
  if (isNamedByAny(store, certificate)) await changeClient(store, fingerprint, revokedClient)
}

/**
 * Whether a list here names a certificate of a chain, the client's own or that of a CA. Asked of what a handshake shows: a CA that
 * clients bring along need not be known here, only the one above it whose list names it.
 * @param chainOf gives it, DER; each is signed by the next one, or by an authority here
 */
export function isChainRevoked(store: Store, chainOf: () => readonly Uint8Array[]): boolean {
  // Where nobody has brought a list, which is the rule, a handshake costs no more for it: a chain is dear to read.
  const { total } = store.find(revocationTable, { all: [], any: [], offset: 0, limit: 1 })
  return total > 0 && chainOf().some((certificate) => isNamedByAny(store, certificate))
}

/** Whether an authority here that has signed a certificate has revoked it. */
const isNamedByAny = (store: Store, certificate: Uint8Array): boolean =>
  signersOf(store, certificate).some((signer) => isRevoked(store, signer, certificate))

/** Whether every chain that is known here above a certificate has a revoked one in it: a CA may be certified by several. */
function hasNoGoodChain(store: Store, certificate: Uint8Array, depth = 0): boolean {
  const signers = signersOf(store, certificate)
  if (signers.some((signer) => isRevoked(store, signer, certificate))) return true
  // A root ends its chain, and so does a CA of which nobody above is known.
  if (depth === chainLengthMax || signers.length === 0 || isRoot(certificate)) return false
  return signers.every(({ value }) => hasNoGoodChain(store, value.certificate, depth + 1))
}

/** Whether the revocation lists here name a certificate of this authority. */
export function isRevoked(store: Store, { key, value }: Stored<AuthorityRecord>, certificate: Uint8Array): boolean {
  const { fingerprint, serialHex } = parseCertificate(certificate)
  if (value.kind === 'local') return store.read(issuedTable, fingerprint)?.value.revokedSeconds !== undefined
  return store.read(revocationTable, key)?.value.serials.includes(serialHex) ?? false
}

/**
 * The revocation list of an authority as PEM: of a local one as of now, of an external one as it was brought; undefined when
 * there is none.
 */
export function revocationListOf(
  { store, clock }: Pick<IdentityContext, 'store' | 'clock'>,
  { key, value }: Stored<AuthorityRecord>,
): string | undefined {
  const { certificate, privateKey } = value
  if (privateKey === undefined) {
    const brought = store.read(revocationTable, key)
    return brought && revocationListToPem(brought.value.list)
  }
  const all = [{ field: 'revoked', equals: key }]
  const { keys } = store.find(issuedTable, { all, any: [], offset: 0, limit: revokedMax })
  const revoked = keys.flatMap((each): Revoked[] => {
    const { serialHex, revokedSeconds, revocationReason: reason } = store.read(issuedTable, each)?.value ?? {}
    return serialHex === undefined || revokedSeconds === undefined ? [] : [{ serialHex, revokedSeconds, reason }]
  })
  return revocationListToPem(createRevocationList({ certificate, privateKey }, revoked, clock.nowSeconds()))
}

/** Whether this authority's key has signed a certificate, in this authority's name. */
function hasSigned(authority: Uint8Array, certificate: Uint8Array): boolean {
  try {
    const [issuer, issued] = [new X509Certificate(authority), new X509Certificate(certificate)]
    return issued.checkIssued(issuer) && issued.verify(issuer.publicKey)
  } catch {
    // What the TLS library cannot read, or verify, opens no session either: nobody has to be told.
    return false
  }
}

/** Marks the clients whose certificates this authority has revoked, and takes the mark from those that it names no longer. */
async function markClients(
  store: Store,
  { value: authority }: Stored<AuthorityRecord>,
  serials: ReadonlySet<string>,
): Promise<readonly string[]> {
  const equals = nameDigest(parseCertificate(authority.certificate).subject.der)
  const refused: string[] = []
  for (let offset = 0; ; offset += pageKeys) {
    const query = { all: [{ field: 'issuer', equals }], any: [], offset, limit: pageKeys }
    const { keys, total } = await store.findInTurns(clientTable, query)
    for (const key of keys) {
      const { certificate, serialHex = '', status } = store.read(clientTable, key)?.value ?? {}
      const revoked = serials.has(serialHex)
      if (certificate === undefined || revoked === (status === 'revoked')) continue
      // Another authority may have the same name: its clients are none of this one's business.
      if (!hasSigned(authority.certificate, certificate)) continue
      await changeClient(store, key, revoked ? revokedClient : releasedClient)
      if (revoked) refused.push(key)
    }
    if (offset + pageKeys >= total) return refused
  }
}

const revokedClient = (client: ClientRecord): ClientRecord =>
  client.status === 'revoked' ? client : { ...client, status: 'revoked' }

/** Whom a list names no longer was on hold. Whether it may come back is for an administrator to say. */
const releasedClient = (client: ClientRecord): ClientRecord =>
  client.status === 'revoked' ? { ...client, status: 'disabled' } : client

async function changeClient(store: Store, key: string, next: (client: ClientRecord) => ClientRecord): Promise<void> {
  try {
    await changeRecord(store, clientTable, key, 'client', next)
  } catch (error) {
    // Who was removed meanwhile needs no mark.
    if (!(error instanceof AdministrationError && error.kind === 'not found')) throw error
  }
}
