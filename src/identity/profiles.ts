/**
 * Profiles of clients: the properties by which `kmip register` makes a client. What it is: their records, the subject of the
 * certificates that they lead to, and the user whom that subject names. What it is not: the registration (`registration.ts`).
 */
import { uniqueIdentifier } from '#actor/entropy'
import type { Store, Stored, Table } from '#store/store'
import { AdministrationError } from './administration-error.ts'
import { administered, asAdministered, type IdentityContext } from './authorities.ts'
import { writeName } from './authority.ts'
import { parseCertificateRequest } from './certificate-request.ts'
import { namedUser } from './certificate-user.ts'
import { type DistinguishedName, parseName } from './certificates.ts'
import { type DeviceCredential, deviceCredentialOf } from './device-credential.ts'
import type { NameFieldLabel, NameFields } from './names.ts'
import { type CertificateUserField, certificateUserFields, findUser, isNamePart, type UserName } from './principals.ts'
import { findRecord, newRecord, removeRecord } from './records.ts'

/** What a certificate request is made of when the profile brings none, and the field of the subject that each becomes. */
export const subjectProperties = {
  csr_cn: 'CN',
  csr_org_name: 'O',
  csr_uid: 'UID',
  csr_org_unit: 'OU',
  csr_email: 'E',
  csr_city: 'L',
  csr_state: 'ST',
  csr_country: 'C',
} as const satisfies Record<string, NameFieldLabel>
type SubjectProperty = keyof typeof subjectProperties

/** Properties as administrators give them. */
export type ProfileProperties = {
  readonly [Property in SubjectProperty | 'csr']?: string
} & { readonly cert_user_field?: CertificateUserField }

/** A profile. Key of its record: its identifier. */
export interface ProfileRecord {
  readonly id: string
  readonly domain: string
  /** One profile of a domain has it. */
  readonly name: string
  /** As given. */
  readonly properties: ProfileProperties
  /** What Device credentials of its clients must say. A secret. */
  readonly deviceCredential?: DeviceCredential
  /** Seconds since 1970. */
  readonly createdSeconds: number
  /** Seconds since 1970. */
  readonly updatedSeconds: number
}

export const profileTable: Table<ProfileRecord> = {
  name: 'client-profile',
  index: ({ domain, name }) => [
    { field: 'domain', value: domain },
    { field: 'name', value: name },
  ],
  claims: ({ domain, name }) => [{ field: 'name', value: `${domain}|${name}` }],
}

/** Whether a user can be one of a registration: the store's, or one whom a connection knows. */
export type KnowsUser = (name: UserName) => boolean | Promise<boolean>

/** A profile to be made. */
export interface NewProfile {
  readonly domain: string
  readonly name: string
  readonly properties: Readonly<Record<string, unknown>>
  readonly deviceCredential?: Readonly<Record<string, unknown>> | undefined
}

const subjectPropertyNames = Object.keys(subjectProperties) as SubjectProperty[]
const propertyNames: readonly string[] = ['cert_user_field', 'csr', ...subjectPropertyNames]

/**
 * Makes a profile. The user whom it names must be there. Resolves after the disk has it.
 * @param knowsUser the store's users when not given
 * @throws AdministrationError `invalid`, `not found` (the user), `already exists`; StoreUnavailable
 */
export async function createProfile(
  { store, clock, entropy }: IdentityContext,
  { domain, name, properties: given, deviceCredential }: NewProfile,
  knowsUser?: KnowsUser,
): Promise<ProfileRecord> {
  if (!isNamePart(name))
    throw new AdministrationError('invalid', 'a profile name has 1 to 255 characters, without | and controls')
  const properties = checkedProperties(given)
  const now = clock.nowSeconds()
  const record: ProfileRecord = {
    id: uniqueIdentifier(clock, entropy),
    domain,
    name,
    properties,
    ...(deviceCredential === undefined ? {} : { deviceCredential: deviceCredentialOf(deviceCredential) }),
    createdSeconds: now,
    updatedSeconds: now,
  }
  await profileUser(store, record, await profileSubject(properties), knowsUser)
  const result = await store.commit([newRecord(profileTable.name, record.id, record)])
  if (result.done) return record
  throw new AdministrationError('already exists', `another profile is called ${JSON.stringify(name)}`)
}

/** What stands before the name in the address of a profile: a name may have colons itself. */
const addressPattern = /^kmipd:[^:]*:kmip:kmip_profile:/

/** The profile with this name, identifier or address. @throws AdministrationError `not found` */
export function getProfile(store: Store, domain: string, identifier: string): Stored<ProfileRecord> {
  const found =
    findRecord(store, profileTable, { domain, name: identifier }) ??
    store.read(profileTable, identifier) ??
    findRecord(store, profileTable, { domain, name: identifier.replace(addressPattern, '') })
  if (found?.value.domain === domain) return found
  throw new AdministrationError('not found', `there is no profile ${JSON.stringify(identifier)}`)
}

/** Removes a profile; its clients stay. @throws AdministrationError `not found`; StoreUnavailable */
export async function deleteProfile(store: Store, domain: string, identifier: string): Promise<void> {
  await removeRecord(store, profileTable, getProfile(store, domain, identifier).key)
}

/** The subject that certificates of a profile have. @throws AdministrationError `invalid` */
export async function profileSubject(properties: ProfileProperties): Promise<DistinguishedName> {
  const { csr } = properties
  if (csr === undefined)
    return administered(() => parseName(new Uint8Array(writeName(subjectFields(properties)).toSchema().toBER())))
  try {
    return parseName((await parseCertificateRequest(Buffer.from(csr), 'pem')).subject)
  } catch (error) {
    throw asAdministered(error)
  }
}

/** The fields of a subject, from properties that bring no request of their own. */
export function subjectFields(properties: ProfileProperties): NameFields {
  const fields: { [Label in NameFieldLabel]?: string } = {}
  for (const property of subjectPropertyNames) {
    const value = properties[property]
    if (value !== undefined) fields[subjectProperties[property]] = value
  }
  return fields
}

/**
 * The user whom a profile's certificates name.
 * @throws AdministrationError `invalid` when they name none, or one of a domain that the profile's may not speak for;
 *   `not found` when the user does not exist
 */
export async function profileUser(
  store: Store,
  { domain, properties }: Pick<ProfileRecord, 'domain' | 'properties'>,
  subject: DistinguishedName,
  knowsUser: KnowsUser = (name) => findUser(store, name) !== undefined,
): Promise<UserName> {
  const name = namedUser(subject, properties.cert_user_field ?? 'CN', domain)
  if (await knowsUser(name)) return name
  throw new AdministrationError(
    'not found',
    `the user ${JSON.stringify(`${name.connection}|${name.user}`)} does not exist`,
    'Create the user first, or name another in the field of the subject that cert_user_field says.',
  )
}

/** @throws AdministrationError `invalid` */
function checkedProperties(given: Readonly<Record<string, unknown>>): ProfileProperties {
  const properties: Record<string, string> = {}
  for (const [name, value] of Object.entries(given)) {
    if (!propertyNames.includes(name))
      throw new AdministrationError(
        'invalid',
        `a profile has no property ${JSON.stringify(name)}`,
        `Its properties are ${propertyNames.join(', ')}.`,
      )
    if (typeof value !== 'string') throw new AdministrationError('invalid', `${name} of a profile is a text`)
    // A file made from a form has empty texts for what was not filled in.
    if (value !== '') properties[name] = value
  }
  const { cert_user_field: field, csr } = properties
  if (field !== undefined && !certificateUserFields.some((known) => known === field))
    throw new AdministrationError('invalid', `cert_user_field is one of ${certificateUserFields.join(', ')}`)
  if (csr !== undefined && subjectPropertyNames.some((name) => properties[name] !== undefined))
    throw new AdministrationError('invalid', 'a profile has a csr or properties for one, not both')
  return properties
}
