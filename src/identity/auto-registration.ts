/**
 * Registration by connecting: a certificate that a CA trusted by the interface has signed, and that nobody has registered, is
 * registered for the user whom it names. What it is: that decision and its commit, counted on the interface's registration
 * token. What it is not: the trust in the certificate's chain and dates (TLS has looked at them), or the session.
 *
 * Who vouches for a certificate decides whom it may name: a CA of the root domain any user, a CA of another domain the users
 * of that domain alone. So the CA that signed it must be known here, not only one above it.
 */
import type { Store, Stored } from '#store/store'
import { AdministrationError } from './administration-error.ts'
import { administered, type IdentityContext } from './authorities.ts'
import { namedUser } from './certificate-user.ts'
import { type ParsedCertificate, parseCertificate } from './certificates.ts'
import { nameFields } from './names.ts'
import {
  type CertificateUserField,
  type ClientRecord,
  clientTable,
  findClient,
  findUser,
  type InterfaceMode,
  isNamePart,
  ownerName,
  rootDomain,
  type UserName,
} from './principals.ts'
import { getProfile, type KnowsUser, type ProfileRecord } from './profiles.ts'
import { findRecord, newRecord } from './records.ts'
import { clientRecord } from './registration.ts'
import { issuerOfGood, markIfRevoked } from './revocation.ts'
import { assertUsable, profileLabel, spent, type TokenRecord, tokenTable } from './tokens.ts'

/** A certificate that nobody has registered, as it came to an interface with auto registration. */
export interface UnknownCertificate {
  /** DER. TLS has found it signed by a CA that the interface trusts, and within its dates. */
  readonly certificate: Uint8Array
  /** The interface's registration token. */
  readonly tokenId: string
  /** The interface's `cert_user_field`; a profile of the token goes before it. */
  readonly userField: CertificateUserField
  readonly mode: InterfaceMode
}

/** Each round that fails is a client that another has registered. */
const roundsMax = 1_000

/**
 * Registers a certificate, or finds it registered. Under `tls-pw-opt` without a user: it is of use in no other mode then.
 * Resolves after the disk has it.
 * @param knowsUser the store's users when not given
 * @throws AdministrationError `forbidden` (the token, the CA, a revoked certificate), `invalid` (it names no user), `not found`
 *   (the user); StoreUnavailable
 */
export async function autoRegister(
  context: IdentityContext,
  { certificate, tokenId, userField: interfaceField, mode }: UnknownCertificate,
  knowsUser: KnowsUser = (name) => findUser(context.store, name) !== undefined,
): Promise<Stored<ClientRecord>> {
  const { store, clock } = context
  const parsed = administered(() => parseCertificate(certificate))
  const { fingerprint } = parsed
  const domain = domainVouchedFor(store, certificate)
  const token = tokenWith(store, tokenId, domain)
  const known = findClient(store, fingerprint)
  if (known !== undefined) return known
  // Before the work: a token that is spent shall have nobody ask directories, or make users' records.
  assertUsable(token.value, clock.nowSeconds())
  const profile = profileOf(store, token.value)
  const field = profile?.properties.cert_user_field ?? interfaceField
  const user = mode === 'tls-pw-opt' ? undefined : namedUser(parsed.subject, field, domain)
  await assertKnown(user, knowsUser)
  for (let round = 0; round < roundsMax; round++) {
    const present = findClient(store, fingerprint)
    if (present !== undefined) return present
    const registration = {
      certificate,
      user,
      domain,
      tokenId,
      mode,
      name: freeName(store, user?.domain ?? domain, parsed),
    }
    const record = clientRecord({ ...registration, ...detailsOf(profile) }, context)
    const counted = spent(tokenWith(store, tokenId, domain), clock.nowSeconds())
    const result = await store.commit([newRecord(clientTable.name, fingerprint, record), counted])
    if (result.done) await markIfRevoked(store, fingerprint, certificate)
    const stored = findClient(store, fingerprint)
    if (result.done && stored !== undefined) return stored
  }
  throw new AdministrationError('conflict', 'others register with this token all the time', 'Connect again.')
}

/** The domain of the CA that signed a certificate. @throws AdministrationError `forbidden` */
function domainVouchedFor(store: Store, certificate: Uint8Array): string {
  const issuer = issuerOfGood(store, certificate)
  if (issuer === undefined)
    throw new AdministrationError(
      'forbidden',
      'the CA that signed the certificate is not known here, only one above it',
      'Add the intermediate CA: kmipctl ca externals create --cert-file FILE',
    )
  return issuer.value.domain
}

function tokenWith(store: Store, tokenId: string, domain: string): Stored<TokenRecord> {
  const token = store.read(tokenTable, tokenId)
  if (token === undefined)
    throw new AdministrationError(
      'forbidden',
      'the registration token of the interface is gone',
      'Give the interface another: kmipctl interfaces modify -n NAME -a true -r TOKEN',
    )
  // A token of the root domain is for whoever the interface trusts; one of another domain for that domain's own.
  if (token.value.domain === rootDomain || token.value.domain === domain) return token
  throw new AdministrationError('forbidden', 'the registration token of the interface is of another domain')
}

function profileOf(store: Store, { domain, label }: TokenRecord): ProfileRecord | undefined {
  const name = label?.[profileLabel]
  return name === undefined ? undefined : getProfile(store, domain, name).value
}

function detailsOf(
  profile: ProfileRecord | undefined,
): Pick<ClientRecord, 'profile' | 'userField' | 'deviceCredential'> {
  if (profile === undefined) return {}
  const { name, properties, deviceCredential } = profile
  const { cert_user_field: userField } = properties
  return {
    profile: name,
    ...(userField === undefined ? {} : { userField }),
    ...(deviceCredential === undefined ? {} : { deviceCredential }),
  }
}

async function assertKnown(user: UserName | undefined, knowsUser: KnowsUser): Promise<void> {
  if (user === undefined || (await knowsUser(user))) return
  throw new AdministrationError(
    'not found',
    `the user ${JSON.stringify(ownerName(user))}, whom the certificate names, does not exist`,
    'Create the user, or let cert_user_field of the interface say where the certificate names one.',
  )
}

/** What the client is called: its common name, and more where another client has that name. */
function freeName(store: Store, domain: string, { subject, fingerprint }: ParsedCertificate): string {
  const { value } = subject.attributes.find(({ oid }) => oid === nameFields.CN.oid) ?? { value: '' }
  const short = fingerprint.slice(0, 16)
  if (!isNamePart(value)) return short
  if (findRecord(store, clientTable, { domain, name: value }) === undefined) return value
  return `${value.slice(0, 200)} ${short}`
}
