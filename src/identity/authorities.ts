/**
 * Certificate authorities as administered records. What it is: local ones, which have their key here and issue, among them
 * the one that the first start made; external ones, whose certificate alone is here and which interfaces may trust; and the
 * certificates that local ones have issued. What it is not: the writing of certificates (`authority.ts`), or revocation
 * (`revocation.ts`).
 */
import assert from 'node:assert/strict'
import { createHash, createPublicKey, generateKeyPair, type KeyObject, X509Certificate } from 'node:crypto'
import { promisify } from 'node:util'
import type { Clock } from '#actor/clock'
import type { Entropy } from '#actor/entropy'
import type { Change, Store, Stored } from '#store/store'
import { AdministrationError } from './administration-error.ts'
import {
  authorityDays,
  type CertificateWithKey,
  createAuthorityOf,
  issueRequestedCertificate,
  type RequestedCertificate,
} from './authority.ts'
import {
  type AuthorityRecord,
  authorityTable,
  type IssuedRecord,
  issuedTable,
  revocationTable,
} from './authority-records.ts'
import { certificateTable } from './bootstrap.ts'
import { parseCertificateRequest } from './certificate-request.ts'
import { CertificateError, certificatesFromPem, type ParsedCertificate, parseCertificate } from './certificates.ts'
import { isRoot } from './chain.ts'
import { type NameFields, nameFields } from './names.ts'
import { isNamePart, rootDomain } from './principals.ts'
import { changeOf, findRecord, newRecord } from './records.ts'

export { type AuthorityRecord, authorityTable, type IssuedRecord, issuedTable } from './authority-records.ts'

/** What is needed to make and to change. */
export interface IdentityContext {
  readonly store: Store
  readonly clock: Clock
  readonly entropy: Entropy
}

/** A local authority to be made. */
export interface NewAuthority {
  readonly domain: string
  readonly subject: NameFields
  /** The subject's common name when it is not given. */
  readonly name?: string | undefined
  readonly algorithm?: 'ECDSA' | 'RSA' | undefined
  readonly durationDays?: number | undefined
}

export const authorityDaysMax = 36_525
const authorityRsaBits = 3_072
const requestedRsaBitsMin = 2_048
/** Of one domain, that are looked at for the oldest: nobody keeps so many. */
const authoritiesMax = 1_000

/** The identifier of an authority: UUID version 8 (RFC 9562 §5.8) of the first bits of its certificate's SHA-256. */
export function authorityId(certificate: Uint8Array): string {
  const bytes = createHash('sha256').update(certificate).digest()
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x80
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80
  const hex = bytes.toString('hex')
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)].join('-')
}

/**
 * Gives the authority of the first start its record among the others. Done at every start, and of effect at the first.
 * @returns its identifier
 * @throws StoreUnavailable
 */
export async function adoptOwnAuthority(store: Store, clock: Clock): Promise<string> {
  const own = store.read(certificateTable, 'authority')
  if (own === undefined) throw new TypeError('the first start has not made the CA yet')
  const { certificate, privateKey } = own.value
  const id = authorityId(certificate)
  if (store.read(authorityTable, id) !== undefined) return id
  const seconds = clock.nowSeconds()
  const name = commonName(parseCertificate(certificate))
  const value = { kind: 'local', domain: rootDomain, name, certificate, privateKey, builtIn: true } as const
  const times = { createdSeconds: seconds, updatedSeconds: seconds }
  const result = await store.commit([newRecord(authorityTable.name, id, { ...value, ...times })])
  if (!result.done && store.read(authorityTable, id) === undefined)
    throw new TypeError(`the name ${JSON.stringify(name)} of the server's own CA is another authority's`)
  return id
}

/**
 * Makes a local authority with a key of its own. Resolves after the disk has it.
 * @throws AdministrationError `invalid` or `already exists`; StoreUnavailable
 */
export async function createLocalAuthority(
  { store, clock, entropy }: IdentityContext,
  { domain, subject, name = subject.CN, algorithm = 'ECDSA', durationDays = authorityDays }: NewAuthority,
): Promise<Stored<AuthorityRecord>> {
  const days = wholeDays(durationDays, authorityDaysMax, 'the duration of a CA')
  if (name === undefined) throw new AdministrationError('invalid', 'a CA needs a common name')
  const keys = await keyPairs[algorithm]()
  const made = administered(() => createAuthorityOf(keys, subject, clock.nowSeconds(), entropy, days))
  return addAuthority(store, clock, { ...made, kind: 'local', domain, name })
}

const newKeyPair = promisify(generateKeyPair)
const keyPairs: Record<'ECDSA' | 'RSA', () => Promise<{ publicKey: KeyObject; privateKey: KeyObject }>> = {
  ECDSA: () => newKeyPair('ec', { namedCurve: 'P-256' }),
  RSA: () => newKeyPair('rsa', { modulusLength: authorityRsaBits }),
}

/**
 * Adds the certificate of an authority that is elsewhere. Resolves after the disk has it.
 * @param pem one certificate, of an authority
 * @throws AdministrationError `invalid` or `already exists`; StoreUnavailable
 */
export async function addExternalAuthority(
  { store, clock }: Omit<IdentityContext, 'entropy'>,
  domain: string,
  pem: string,
  givenName?: string,
): Promise<Stored<AuthorityRecord>> {
  const certificates = administered(() => certificatesFromPem(pem))
  const [certificate] = certificates
  if (certificate === undefined || certificates.length > 1)
    throw new AdministrationError('invalid', 'one certificate is needed', 'Add each certificate of a chain by itself.')
  const parsed = administered(() => parseCertificate(certificate))
  assertVerifies(certificate)
  // Old roots are of X.509 version 1, which has no place to say that they are authorities.
  if (!parsed.isAuthority && !isRoot(certificate))
    throw new AdministrationError('invalid', 'this is not the certificate of an authority')
  const name = givenName ?? commonName(parsed)
  return addAuthority(store, clock, { kind: 'external', domain, name, certificate })
}

/** @throws AdministrationError `invalid` for a certificate with which the TLS library could verify nothing */
function assertVerifies(certificate: Uint8Array): void {
  try {
    assert(new X509Certificate(certificate).publicKey.type === 'public')
  } catch (error) {
    throw new AdministrationError('invalid', 'the certificate has a key that TLS does not know', '', { cause: error })
  }
}

async function addAuthority(
  store: Store,
  clock: Clock,
  authority: Omit<AuthorityRecord, 'builtIn' | 'createdSeconds' | 'updatedSeconds'>,
): Promise<Stored<AuthorityRecord>> {
  const { name, certificate } = authority
  if (!isNamePart(name))
    throw new AdministrationError('invalid', 'the name of a CA has 1 to 255 characters, without | and controls')
  const seconds = clock.nowSeconds()
  const value = { ...authority, builtIn: false, createdSeconds: seconds, updatedSeconds: seconds }
  const id = authorityId(certificate)
  const result = await store.commit([newRecord(authorityTable.name, id, value)])
  const stored = store.read(authorityTable, id)
  if (result.done && stored !== undefined) return stored
  const known = stored === undefined ? `another CA is called ${JSON.stringify(name)}` : 'this CA is there already'
  throw new AdministrationError('already exists', known)
}

/**
 * The authority with this identifier (as such, or at the end of a URI) or name.
 * @param domain whose authorities are looked at
 * @throws AdministrationError `not found`
 */
export function getAuthority(
  store: Store,
  domain: string,
  identifier: string,
  kind?: AuthorityRecord['kind'],
): Stored<AuthorityRecord> {
  const id = identifier.slice(identifier.lastIndexOf(':') + 1)
  const named = kind === undefined ? { domain, name: identifier } : { domain, name: identifier, kind }
  const found = store.read(authorityTable, id) ?? findRecord(store, authorityTable, named)
  if (found !== undefined && found.value.domain === domain && (kind === undefined || found.value.kind === kind))
    return found
  throw new AdministrationError('not found', `there is no CA ${JSON.stringify(identifier)}`)
}

/**
 * The authority that issues when nobody names one: the server's own in the root domain, the oldest local one in another.
 * @throws AdministrationError `not found` when the domain has none
 */
export function defaultAuthority(store: Store, domain: string): Stored<AuthorityRecord> {
  const all = [
    { field: 'domain', equals: domain },
    { field: 'kind', equals: 'local' },
  ]
  const { keys } = store.find(authorityTable, { all, any: [], offset: 0, limit: authoritiesMax })
  const authorities = keys.flatMap((key) => store.read(authorityTable, key) ?? [])
  const [first] = authorities.toSorted(
    ({ value: a }, { value: b }) => Number(b.builtIn) - Number(a.builtIn) || a.createdSeconds - b.createdSeconds,
  )
  if (first !== undefined) return first
  throw new AdministrationError(
    'not found',
    'the domain has no local CA',
    'Make one: kmipctl ca locals create --cn NAME',
  )
}

/**
 * Removes an authority; certificates that it has issued are not revoked by it, they are trusted no longer.
 * @throws AdministrationError `not found`, or `conflict` for the server's own; StoreUnavailable
 */
export async function deleteAuthority(
  store: Store,
  domain: string,
  identifier: string,
): Promise<Stored<AuthorityRecord>> {
  for (;;) {
    const found = getAuthority(store, domain, identifier)
    if (found.value.builtIn)
      throw new AdministrationError('conflict', "the CA of the server's own certificate cannot be removed")
    const list = store.read(revocationTable, found.key)
    const changes: Change[] = [changeOf(authorityTable, found, undefined)]
    if (list !== undefined) changes.push(changeOf(revocationTable, list, undefined))
    const result = await store.commit(changes)
    if (result.done) return found
  }
}

/** A certificate that was issued, and the change that keeps a record of it: to be committed before anybody has it. */
export interface Issued {
  readonly certificate: Uint8Array
  readonly fingerprint: string
  readonly change: Change<IssuedRecord>
}

/**
 * Issues a certificate for a key that others hold.
 * @throws AdministrationError `invalid` when the authority has no key here, or the subject cannot be written
 */
export function issueCertificate(
  { clock, entropy }: Omit<IdentityContext, 'store'>,
  { key: authority, value }: Stored<AuthorityRecord>,
  request: RequestedCertificate,
  days: number,
  purpose: 'client' | 'server' = 'client',
): Issued {
  const { privateKey, certificate: ownCertificate, domain } = value
  if (privateKey === undefined) throw new AdministrationError('invalid', 'an external CA issues no certificates here')
  const pair: CertificateWithKey = { certificate: ownCertificate, privateKey }
  const now = clock.nowSeconds()
  const whole = wholeDays(days, authorityDaysMax, 'the duration of a certificate')
  assertKeyOfUse(request.subjectPublicKeyInfo)
  const certificate = administered(() => issueRequestedCertificate(pair, request, now, entropy, whole, purpose))
  // A request may hold what no reader of certificates takes.
  const { fingerprint, serialHex } = administered(() => parseCertificate(certificate))
  const record = { authorityId: authority, domain, certificate, serialHex, purpose, createdSeconds: now }
  return { certificate, fingerprint, change: newRecord(issuedTable.name, fingerprint, record) }
}

/** @throws AdministrationError `invalid` for a key that no TLS session of a client could use */
function assertKeyOfUse(subjectPublicKeyInfo: Uint8Array): void {
  let key: KeyObject
  try {
    key = createPublicKey({ key: Buffer.from(subjectPublicKeyInfo), format: 'der', type: 'spki' })
  } catch (error) {
    throw new AdministrationError('invalid', 'the public key of the request cannot be read', '', { cause: error })
  }
  const { modulusLength = requestedRsaBitsMin } = key.asymmetricKeyDetails ?? {}
  if (modulusLength >= requestedRsaBitsMin) return
  throw new AdministrationError('invalid', `an RSA key of a certificate has at least ${requestedRsaBitsMin} bits`)
}

/** A certificate to be issued for a request. */
export interface WantedCertificate {
  readonly domain: string
  /** Identifier or name of a local authority of the domain. */
  readonly authority?: string | undefined
  /** PEM. */
  readonly csr: string
  readonly purpose?: 'client' | 'server' | undefined
  readonly days: number
}

/**
 * Issues a certificate for a request. Resolves after the disk has it.
 * @throws AdministrationError `invalid` or `not found`; StoreUnavailable
 */
export async function issueRequest(
  context: IdentityContext,
  { domain, authority: identifier, csr, purpose, days }: WantedCertificate,
): Promise<Stored<IssuedRecord>> {
  const { store } = context
  const authority =
    identifier === undefined ? defaultAuthority(store, domain) : getAuthority(store, domain, identifier, 'local')
  const { subject, subjectPublicKeyInfo, subjectAlternativeName } = await readRequest(csr)
  const request = { subject, subjectPublicKeyInfo, subjectAlternativeName }
  const { fingerprint, change } = issueCertificate(context, authority, request, days, purpose)
  const { done } = await store.commit([change])
  const stored = store.read(issuedTable, fingerprint)
  if (done && stored !== undefined) return stored
  throw new AdministrationError('conflict', 'the certificate could not be stored', 'Try again.')
}

async function readRequest(csr: string) {
  try {
    return await parseCertificateRequest(Buffer.from(csr), 'pem')
  } catch (error) {
    throw asAdministered(error)
  }
}

/** Runs what reads or writes certificates; an administrator gets its error as one of his. */
export function administered<T>(run: () => T): T {
  try {
    return run()
  } catch (error) {
    throw asAdministered(error)
  }
}

/** An error of reading or writing certificates as one of administration; others as they are. */
export function asAdministered(error: unknown): unknown {
  return error instanceof CertificateError ? new AdministrationError('invalid', error.message) : error
}

/** A number of days from 1 to a maximum. @throws AdministrationError `invalid` */
export function wholeDays(days: number, max: number, what: string): number {
  if (Number.isSafeInteger(days) && days >= 1 && days <= max) return days
  throw new AdministrationError('invalid', `${what} is a whole number of days from 1 to ${max}`)
}

/** What a certificate is called when nobody gives it a name. */
function commonName({ subject, fingerprint }: ParsedCertificate): string {
  const { value } = subject.attributes.find(({ oid }) => oid === nameFields.CN.oid) ?? { value: '' }
  return isNamePart(value) ? value : fingerprint.slice(0, 16)
}
