/**
 * Registration of client certificates. What it is: binding a certificate to a user, by an administrator's hand or with a
 * registration token and its profile, and undoing it. What it is not: the registration of who connects with a certificate
 * of a trusted CA (`auto-registration.ts`), the trust in a certificate (that is the TLS listener's CA list), or the
 * session's check (`identify`).
 */
import { generateKeyPair } from 'node:crypto'
import { promisify } from 'node:util'
import type { Clock } from '#actor/clock'
import { type Entropy, uniqueIdentifier } from '#actor/entropy'
import type { Store, Stored } from '#store/store'
import { AdministrationError } from './administration-error.ts'
import { administered, asAdministered, authorityTable, type IdentityContext, issueCertificate } from './authorities.ts'
import { nameDigest } from './authority-records.ts'
import { certificateRequestToPem, createCertificateRequest, parseCertificateRequest } from './certificate-request.ts'
import { namedUser } from './certificate-user.ts'
import { certificatesFromPem, certificateToPem, type DistinguishedName, parseCertificate } from './certificates.ts'
import {
  type CertificateUserField,
  type ClientRecord,
  clientTable,
  findClient,
  findUser,
  isNamePart,
  ownerName,
  parseUserName,
  rootDomain,
  type UserName,
  userKey,
} from './principals.ts'
import { getProfile, type KnowsUser, type ProfileRecord, profileUser, subjectFields } from './profiles.ts'
import { changeRecord, findRecord, newRecord, removeRecord } from './records.ts'
import { issuerOfGood, markIfRevoked } from './revocation.ts'
import { assertUsable, profileLabel, spent, tokenOf } from './tokens.ts'

/** What a registration needs to know. */
export interface Registration
  extends Pick<ClientRecord, 'userField' | 'deviceCredential' | 'tokenId' | 'profile' | 'mode'> {
  /** DER. */
  readonly certificate: Uint8Array
  /** The user that the client acts as; must exist. Undefined: none, for `tls-pw-opt` alone. */
  readonly user: UserName | undefined
  /** What administrators call the client; no other client of the domain has it. */
  readonly name: string
  /** The domain of a client without a user; else the user's. */
  readonly domain?: string
}

/**
 * The record of a new client, not yet stored. For callers that store it together with other records.
 * @throws AdministrationError `invalid` when the name is none; CertificateError when the certificate cannot be read
 */
export function clientRecord(
  { certificate, user, name, domain, ...details }: Registration,
  context: { readonly clock: Clock; readonly entropy: Entropy },
): ClientRecord {
  if (!isNamePart(name))
    throw new AdministrationError('invalid', 'a client name has 1 to 255 characters, without | and controls')
  const { notBeforeSeconds, notAfterSeconds, issuer, serialHex } = parseCertificate(certificate)
  const ofDomain = user?.domain ?? domain
  if (ofDomain === undefined) throw new TypeError('a client without a user needs a domain')
  return {
    clientId: uniqueIdentifier(context.clock, context.entropy),
    domain: ofDomain,
    name,
    userKey: user && userKey(user),
    ...details,
    status: 'active',
    certificate: Uint8Array.from(certificate),
    issuerDigest: nameDigest(issuer.der),
    serialHex,
    notBeforeSeconds,
    notAfterSeconds,
    createdSeconds: context.clock.nowSeconds(),
  }
}

/**
 * Registers a client certificate for a user. Resolves after the disk has it.
 * @param knowsUser the store's users when not given
 * @throws AdministrationError `not found` when the user is missing, `already exists` when the certificate or the name is
 *   registered
 * @throws CertificateError when the certificate cannot be read.
 * @throws StoreUnavailable
 */
export async function registerClient(
  registration: Registration,
  context: IdentityContext,
  knowsUser: KnowsUser = (name) => findUser(context.store, name) !== undefined,
): Promise<Stored<ClientRecord>> {
  const { store } = context
  const { user } = registration
  const value = clientRecord(registration, context)
  const key = parseCertificate(registration.certificate).fingerprint
  if (user !== undefined && !(await knowsUser(user)))
    throw new AdministrationError('not found', `there is no user ${ownerName(user)}`, 'Create the user first.')
  const result = await store.commit([newRecord(clientTable.name, key, value)])
  if (result.done) return { key, revision: findClient(store, key)?.revision ?? 1, value }
  throw takenBy(store, key, registration.name)
}

/** Why a client could not be stored. */
function takenBy(store: Store, fingerprint: string, name: string): AdministrationError {
  return new AdministrationError(
    'already exists',
    findClient(store, fingerprint) === undefined
      ? `another client is called ${JSON.stringify(name)}`
      : 'this certificate is registered already',
  )
}

/** A certificate to be registered by an administrator's hand. */
export interface GivenCertificate {
  readonly domain: string
  readonly name: string
  readonly pem: string
  /** The user that it acts as; without it, the one whom `userField` of the certificate names. */
  readonly user?: string | undefined
  /** `CN` when neither it nor `user` is given. */
  readonly userField?: CertificateUserField | undefined
}

/**
 * Registers a certificate that a client has already, for a user of the domain (the root domain may name others').
 * @throws AdministrationError `invalid`, `forbidden` (it is revoked, or another domain's), `not found`, `already exists`;
 *   StoreUnavailable
 */
export async function registerCertificate(
  context: IdentityContext,
  { domain, name, pem, user: text, userField = 'CN' }: GivenCertificate,
  knowsUser?: KnowsUser,
): Promise<Stored<ClientRecord>> {
  const [certificate] = administered(() => certificatesFromPem(pem))
  if (certificate === undefined) throw new AdministrationError('invalid', 'a certificate is needed')
  const { subject } = administered(() => parseCertificate(certificate))
  assertOfDomain(issuerOfGood(context.store, certificate)?.value.domain, domain)
  const registration = { certificate, name, ...boundTo(subject, domain, text, userField) }
  const { key } = await registerClient(registration, context, knowsUser)
  await markIfRevoked(context.store, key, certificate)
  return getClient(context.store, registration.user.domain, key)
}

/**
 * Who registers another domain's certificate would have its client's keys: what a CA has issued is for its own domain to
 * register. CAs of the root domain issue for all, and who administers root may take any.
 * @param issuer domain of the CA that signed it; undefined: none here has
 * @throws AdministrationError `forbidden`
 */
function assertOfDomain(issuer: string | undefined, domain: string): void {
  if (issuer === undefined || [rootDomain, issuer].includes(domain) || issuer === rootDomain) return
  throw new AdministrationError(
    'forbidden',
    'the certificate is issued by a CA of another domain',
    'Issue one by a CA of this domain: kmipctl ca certs issue --csr-file FILE',
  )
}

/** The user whom an administrator names, or whom the certificate does. @throws AdministrationError `invalid` */
function boundTo(
  subject: DistinguishedName,
  domain: string,
  text: string | undefined,
  userField: CertificateUserField,
): { readonly user: UserName; readonly userField?: CertificateUserField } {
  if (text === undefined) return { user: namedUser(subject, userField, domain), userField }
  const user = parseUserName(text, domain)
  if (user === undefined || (domain !== rootDomain && user.domain !== domain))
    throw new AdministrationError('invalid', `${JSON.stringify(text)} names no user of the domain`)
  return { user }
}

/** What `kmip register` answers. The key is a secret, and is kept nowhere. */
export interface RegisteredClient {
  readonly clientId: string
  /** PEM. */
  readonly cert: string
  /** PEM: the authority that signed it. */
  readonly clientCa: string
  /** PEM. */
  readonly csr: string
  /** PEM, PKCS#1; undefined when the profile's request came with a key that is elsewhere. */
  readonly key: string | undefined
}

const clientKeyBits = 2_048
/** Each round that fails is a client that another has registered with the same token. */
const roundsMax = 1_000
const newKeyPair = promisify(generateKeyPair)

/**
 * Registers a client by a token that names a profile: makes its key (unless the profile brings a request), issues its
 * certificate and counts it on the token. Resolves after the disk has it.
 * @param knowsUser the store's users when not given
 * @throws AdministrationError `forbidden` (the token), `not found` (its profile, user or authority), `already exists` (the
 *   name), `invalid`; StoreUnavailable
 */
export async function registerWithToken(
  context: IdentityContext,
  { name, token }: { readonly name: string; readonly token: string },
  knowsUser?: KnowsUser,
): Promise<RegisteredClient> {
  const { store, clock } = context
  const { value: found, key: tokenId } = tokenOf(store, token)
  const { domain, caId, certDurationDays, label } = found
  const now = clock.nowSeconds()
  // Before the work: whoever has a token that is spent shall not have keys made by it.
  assertUsable(found, now)
  assertFree(store, domain, name)
  const profile = profileOf(store, domain, label)
  const authority = store.read(authorityTable, caId)
  if (authority === undefined)
    throw new AdministrationError('not found', 'the CA of the registration token is gone', 'Make another token.')
  const request = await requestOf(profile)
  const { subject, subjectPublicKeyInfo, subjectAlternativeName } = request.parsed
  const requested = { subject, subjectPublicKeyInfo, subjectAlternativeName }
  const { certificate, fingerprint, change } = issueCertificate(context, authority, requested, certDurationDays)
  const user = await profileUser(store, profile, parseCertificate(certificate).subject, knowsUser)
  const { deviceCredential, properties } = profile
  const details = {
    tokenId,
    profile: profile.name,
    userField: properties.cert_user_field ?? 'CN',
    ...(deviceCredential === undefined ? {} : { deviceCredential }),
  }
  const client = clientRecord({ certificate, user, name, ...details }, context)
  for (let round = 0; round < roundsMax; round++) {
    const counted = spent(tokenOf(store, token), now)
    const result = await store.commit([newRecord(clientTable.name, fingerprint, client), counted, change])
    if (result.done) {
      const clientCa = certificateToPem(authority.value.certificate)
      return { clientId: client.clientId, cert: certificateToPem(certificate), clientCa, ...request.answered }
    }
    assertFree(store, client.domain, name)
  }
  throw new AdministrationError('conflict', 'others register with this token all the time', 'Try again.')
}

function assertFree(store: Store, domain: string, name: string): void {
  if (findRecord(store, clientTable, { domain, name }) === undefined) return
  throw new AdministrationError('already exists', `another client is called ${JSON.stringify(name)}`)
}

function profileOf(store: Store, domain: string, label: Readonly<Record<string, string>> | undefined): ProfileRecord {
  const name = label?.[profileLabel]
  if (name !== undefined) return getProfile(store, domain, name).value
  throw new AdministrationError(
    'invalid',
    'the registration token names no profile of clients',
    'Make one with kmipctl kmip createkmipregtoken -p PROFILE.',
  )
}

/** The request for a client's certificate: the profile's, or one for a key that is made now. */
async function requestOf({ properties }: ProfileRecord) {
  try {
    const { csr } = properties
    if (csr !== undefined) {
      const parsed = await parseCertificateRequest(Buffer.from(csr), 'pem')
      return { parsed, answered: { csr, key: undefined } }
    }
    const keys = await newKeyPair('rsa', { modulusLength: clientKeyBits })
    const der = createCertificateRequest(subjectFields(properties), keys)
    const key = keys.privateKey.export({ format: 'pem', type: 'pkcs1' })
    return { parsed: await parseCertificateRequest(der, 'der'), answered: { csr: certificateRequestToPem(der), key } }
  } catch (error) {
    throw asAdministered(error)
  }
}

/** The client with this identifier, name or fingerprint. @throws AdministrationError `not found` */
export function getClient(store: Store, domain: string, identifier: string): Stored<ClientRecord> {
  const id = identifier.slice(identifier.lastIndexOf(':') + 1)
  const found =
    findRecord(store, clientTable, { domain, clientId: id }) ??
    findRecord(store, clientTable, { domain, name: identifier }) ??
    findClient(store, id.toLowerCase())
  if (found?.value.domain === domain) return found
  throw new AdministrationError('not found', `there is no client ${JSON.stringify(identifier)}`)
}

/**
 * Lets a client in again, or keeps it out without forgetting it.
 * @throws AdministrationError `not found`, or `conflict` for one whose certificate is revoked; StoreUnavailable
 */
export async function setClientStatus(
  store: Store,
  domain: string,
  identifier: string,
  status: 'active' | 'disabled',
): Promise<Stored<ClientRecord>> {
  const { key } = getClient(store, domain, identifier)
  return changeRecord(store, clientTable, key, 'client', (client) => {
    if (client.status === 'revoked')
      throw new AdministrationError(
        'conflict',
        'the certificate of this client is revoked',
        'Register it with another.',
      )
    return client.status === status ? client : { ...client, status }
  })
}

/**
 * Removes a registration; sessions that are open are the connection actors' matter. Resolves after the disk has it.
 * @param fingerprint lower-case hexadecimal.
 * @returns false when there was none.
 * @throws StoreUnavailable
 */
export async function removeClient(fingerprint: string, store: Store): Promise<boolean> {
  return removeRecord(store, clientTable, fingerprint)
}
