/**
 * KMIP interfaces as administered records. What it is: what an interface is asked to be, its names, defaults and rules, and
 * the certificate that a local CA gives it. What it is not: a listener (server/interface.ts), or the change of one that runs
 * (server/interfaces.ts).
 *
 *   interface/<name>              `kmip` is made at the first start; what of it nobody has set follows the server's settings
 *   certificate/interface|<name>  a server certificate of its own, when it has attributes or a CA of its own
 */
import type { Clock } from '#actor/clock'
import { type Entropy, uniqueIdentifier } from '#actor/entropy'
import type { Change, Store, Stored, Table } from '#store/store'
import { AdministrationError } from './administration-error.ts'
import { administered, authorityTable, getAuthority } from './authorities.ts'
import { addressBytes, type CertificateWithKey, isDnsName, issueServerCertificate } from './authority.ts'
import { certificateTable, type OwnCertificate } from './bootstrap.ts'
import { parseCertificate } from './certificates.ts'
import { type CertificateUserField, type InterfaceMode, isNamePart, rootDomain } from './principals.ts'
import { changeOf, newRecord } from './records.ts'
import { assertUsable, tokenOf } from './tokens.ts'

/** The oldest TLS that an interface speaks, as administrators write it. */
export const tlsVersionNames = {
  tls_1_0: 'TLSv1',
  tls_1_1: 'TLSv1.1',
  tls_1_2: 'TLSv1.2',
  tls_1_3: 'TLSv1.3',
} as const
export type TlsVersionName = keyof typeof tlsVersionNames

/** Versions that are there for appliances that know no better. */
export const deprecatedTlsVersions: ReadonlySet<TlsVersionName> = new Set(['tls_1_0', 'tls_1_1'])

/** What the certificate of an interface says, beside the server's own names: the reference's `local_auto_gen_attributes`. */
export interface CertificateAttributes {
  readonly cn?: string
  readonly dns_names?: readonly string[]
  readonly ip_addresses?: readonly string[]
  readonly email_addresses?: readonly string[]
  readonly names?: readonly CertificateName[]
  readonly uid?: string
}

/** One subject name: country, state, place, organization and its unit. */
export interface CertificateName {
  readonly C?: string
  readonly ST?: string
  readonly L?: string
  readonly O?: string
  readonly OU?: string
}

/** An interface. Key of its record: its name. What is absent follows the server's settings. */
export interface InterfaceRecord {
  readonly id: string
  readonly name: string
  readonly port?: number
  /** An address, or `all`. */
  readonly networkInterface?: string
  readonly mode?: InterfaceMode
  readonly minimumTlsVersion?: TlsVersionName
  readonly hardDelete?: boolean
  /** Names the user in certificates that are registered automatically. */
  readonly certUserField: CertificateUserField
  /** Identifiers of authorities whose clients may come. */
  readonly trustedLocal: readonly string[]
  readonly trustedExternal: readonly string[]
  /** Identifier of the local authority that signs the interface's certificate. */
  readonly autoGenCaId: string
  readonly certificateAttributes?: CertificateAttributes
  readonly autoRegistration: boolean
  /** Identifier of the registration token that automatic registrations are counted on. */
  readonly tokenId?: string
  /** Seconds since 1970. */
  readonly createdSeconds: number
  readonly updatedSeconds: number
}

/** Interfaces by name. */
export const interfaceTable: Table<InterfaceRecord> = {
  name: 'interface',
  index: ({ id, name }) => [
    { field: 'id', value: id },
    { field: 'name', value: name },
    { field: 'kind', value: 'kmip' },
  ],
  claims: () => [],
}

/** The interface that is there from the first start on. */
export const firstInterface = 'kmip'

/** What an administrator gives; what is absent stays, or has its default. */
export interface InterfaceChange {
  readonly port?: number | undefined
  readonly networkInterface?: string | undefined
  readonly mode?: InterfaceMode | undefined
  readonly minimumTlsVersion?: TlsVersionName | undefined
  readonly hardDelete?: boolean | undefined
  readonly certUserField?: CertificateUserField | undefined
  /** Identifiers, URIs or names of authorities of the root domain, or identifiers of other domains' ones. */
  readonly trustedLocal?: readonly string[] | undefined
  readonly trustedExternal?: readonly string[] | undefined
  readonly autoGenCaId?: string | undefined
  readonly certificateAttributes?: CertificateAttributes | undefined
  readonly autoRegistration?: boolean | undefined
  /** The text of a registration token. */
  readonly registrationToken?: string | undefined
}

export interface InterfaceContext {
  readonly store: Store
  readonly clock: Clock
  readonly entropy: Entropy
}

/** What a change of an interface is: the record as it will be, and what is to be stored, all or nothing. */
export interface InterfaceCommit {
  readonly record: InterfaceRecord
  readonly changes: readonly Change[]
  /** A certificate of its own that the change makes. */
  readonly certificate: CertificateWithKey | undefined
}

/** What an interface is in full. */
export interface EffectiveInterface {
  readonly port: number
  readonly networkInterface: string
  readonly mode: InterfaceMode
  readonly minimumTlsVersion: TlsVersionName
  readonly hardDelete: boolean
}

/** The interfaces that run, as those see them who administer. */
export interface InterfaceActors {
  /** What of a record is open, as the server's settings have it. */
  effective(record: InterfaceRecord): EffectiveInterface
  /** Makes an interface, which listens when this resolves. @throws AdministrationError */
  create(change: InterfaceChange & { readonly port: number }, name?: string): Promise<InterfaceRecord>
  /** Changes one that runs; sessions that it still allows go on. @throws AdministrationError */
  modify(nameOrId: string, change: InterfaceChange): Promise<InterfaceRecord>
  /** Removes one; its sessions end after what they have asked. @throws AdministrationError */
  remove(nameOrId: string): Promise<void>
  /** Looks at trust and sessions again: authorities or revocation lists have changed. */
  review(): Promise<void>
  /** Ends the sessions of a client that was removed or disabled. */
  endSessionsOf(fingerprint: string): void
}

/** The record of the first interface, which follows the settings in everything. Of effect at the first start. */
export async function ensureFirstInterface(
  { store, clock, entropy }: InterfaceContext,
  authorityId: string,
): Promise<void> {
  if (store.read(interfaceTable, firstInterface) !== undefined) return
  const record = blank(firstInterface, authorityId, clock, entropy)
  await store.commit([newRecord(interfaceTable.name, firstInterface, record)])
}

const blank = (name: string, authorityId: string, clock: Clock, entropy: Entropy): InterfaceRecord => ({
  id: uniqueIdentifier(clock, entropy),
  name,
  certUserField: 'CN',
  trustedLocal: [authorityId],
  trustedExternal: [],
  autoGenCaId: authorityId,
  autoRegistration: false,
  createdSeconds: clock.nowSeconds(),
  updatedSeconds: clock.nowSeconds(),
})

/**
 * A new interface, not yet stored.
 * @param authorityId of the server's own CA
 * @param name `kmip_<network interface>_<port>` when none is given
 * @throws AdministrationError `invalid`, `already exists`, `not found`
 */
export function newInterface(
  context: InterfaceContext,
  authorityId: string,
  serverNames: readonly string[],
  change: InterfaceChange & { readonly port: number },
  name = `kmip_${change.networkInterface ?? 'all'}_${change.port}`,
): InterfaceCommit {
  const { store, clock, entropy } = context
  if (!isNamePart(name))
    throw new AdministrationError('invalid', 'an interface name has 1 to 255 characters, without | and controls')
  if (store.read(interfaceTable, name) !== undefined)
    throw new AdministrationError('already exists', `there is an interface ${JSON.stringify(name)} already`)
  const record = changed(context, blank(name, authorityId, clock, entropy), {
    networkInterface: 'all',
    mode: 'tls-cert-pw-opt',
    minimumTlsVersion: 'tls_1_2',
    ...defined(change),
  })
  const certificate = certificateChange(context, undefined, record, serverNames)
  return commitOf(newRecord(interfaceTable.name, name, record), record, certificate)
}

/**
 * A change of an interface, not yet stored.
 * @throws AdministrationError `invalid`, `not found`
 */
export function changedInterface(
  context: InterfaceContext,
  before: Stored<InterfaceRecord>,
  serverNames: readonly string[],
  change: InterfaceChange,
): InterfaceCommit {
  const record = changed(context, before.value, change)
  return commitOf(
    changeOf(interfaceTable, before, record),
    record,
    certificateChange(context, before.value, record, serverNames),
  )
}

const commitOf = (
  change: Change<InterfaceRecord>,
  record: InterfaceRecord,
  certificate: Change<OwnCertificate> | undefined,
): InterfaceCommit => ({
  record,
  changes: certificate === undefined ? [change] : [change, certificate],
  certificate: certificate?.value,
})

/**
 * A new certificate for an interface whose own ends soon, or whose server has other names; nothing when it lasts.
 * @throws AdministrationError `not found` when its CA is gone
 */
export function renewedInterface(
  context: InterfaceContext,
  record: InterfaceRecord,
  serverNames: readonly string[],
): readonly Change[] {
  const own = context.store.read(certificateTable, certificateKey(record.name))?.value
  if (own === undefined) return []
  const { notAfterSeconds } = parseCertificate(own.certificate)
  const lasts = notAfterSeconds - context.clock.nowSeconds() > renewalSeconds
  const isForNames = serverNames.every((name) => own.names.includes(name))
  const change = lasts && isForNames ? undefined : certificateChange(context, undefined, record, serverNames)
  return change === undefined ? [] : [change]
}

/** A certificate is replaced when less than this is left of it. */
const renewalSeconds = 60 * 86_400

/** The interface with this name or identifier. @throws AdministrationError `not found` */
export function getInterface(store: Store, nameOrId: string): Stored<InterfaceRecord> {
  const all = [{ field: 'id', equals: nameOrId }]
  const [key = nameOrId] = store.find(interfaceTable, { all, any: [], offset: 0, limit: 1 }).keys
  const found = store.read(interfaceTable, key)
  if (found !== undefined) return found
  throw new AdministrationError('not found', `there is no interface ${JSON.stringify(nameOrId)}`)
}

/** Every interface, the first one first. */
export function allInterfaces(store: Store): readonly InterfaceRecord[] {
  const { keys } = store.find(interfaceTable, {
    all: [{ field: 'kind', equals: 'kmip' }],
    any: [],
    offset: 0,
    limit: interfacesMax,
  })
  const records = keys.flatMap((key) => store.read(interfaceTable, key)?.value ?? [])
  return records.toSorted((a, b) => Number(b.name === firstInterface) - Number(a.name === firstInterface))
}

/** More ports than anybody needs; each costs memory for its TLS. */
export const interfacesMax = 256

/** The removal of an interface, with its certificate. @throws AdministrationError `conflict` for the first one */
export function interfaceRemoval(store: Store, found: Stored<InterfaceRecord>): readonly Change[] {
  if (found.key === firstInterface)
    throw new AdministrationError('conflict', `the interface ${firstInterface} cannot be removed`, 'Modify it instead.')
  const certificate = store.read(certificateTable, certificateKey(found.key))
  return [
    changeOf(interfaceTable, found, undefined),
    ...(certificate === undefined ? [] : [changeOf(certificateTable, certificate, undefined)]),
  ]
}

/** The certificate of its own that an interface has, or undefined: then it shows the server's. */
export function interfaceCertificate(store: Store, name: string): CertificateWithKey | undefined {
  return store.read(certificateTable, certificateKey(name))?.value
}

/** DER of the authorities whose clients may come. */
export function trustedCertificates(store: Store, { trustedLocal, trustedExternal }: InterfaceRecord): Uint8Array[] {
  return [...trustedLocal, ...trustedExternal].flatMap((id) => store.read(authorityTable, id)?.value.certificate ?? [])
}

const certificateKey = (name: string): string => `interface|${name}`

function changed({ store, clock }: InterfaceContext, before: InterfaceRecord, given: InterfaceChange): InterfaceRecord {
  const { registrationToken, trustedLocal, trustedExternal, autoGenCaId, certificateAttributes, ...plain } = given
  const token = registrationToken === undefined ? undefined : tokenOf(store, registrationToken)
  if (token !== undefined) assertUsable(token.value, clock.nowSeconds())
  const ids = (names: readonly string[], kind: 'local' | 'external'): string[] => [
    ...new Set(names.map((name) => authorityOfAnyDomain(store, name, kind))),
  ]
  if (certificateAttributes !== undefined) checkAttributes(certificateAttributes)
  const after: InterfaceRecord = {
    ...before,
    ...defined(plain),
    ...(trustedLocal === undefined ? {} : { trustedLocal: ids(trustedLocal, 'local') }),
    ...(trustedExternal === undefined ? {} : { trustedExternal: ids(trustedExternal, 'external') }),
    ...(autoGenCaId === undefined ? {} : { autoGenCaId: getAuthority(store, rootDomain, autoGenCaId, 'local').key }),
    ...(certificateAttributes === undefined ? {} : { certificateAttributes }),
    ...(token === undefined ? {} : { tokenId: token.key }),
    updatedSeconds: clock.nowSeconds(),
  }
  const { port, networkInterface, autoRegistration, tokenId } = after
  if (port !== undefined && !(Number.isSafeInteger(port) && port >= 0 && port <= 65_535))
    throw new AdministrationError('invalid', 'a port is a whole number from 1 to 65535')
  if (
    networkInterface !== undefined &&
    networkInterface !== 'all' &&
    addressBytes(networkInterface) === undefined &&
    !isDnsName(networkInterface)
  )
    throw new AdministrationError('invalid', 'a network interface is all, or an address of this machine')
  if (autoRegistration && (tokenId === undefined || (given.autoRegistration === true && token === undefined)))
    throw new AdministrationError(
      'invalid',
      'auto registration needs a registration token',
      'Make one (kmipctl clientmgmt tokens create) and give it with -r.',
    )
  if (after.trustedLocal.length + after.trustedExternal.length === 0)
    throw new AdministrationError('invalid', 'an interface that trusts no CA would let nobody in')
  return after
}

/** An interface serves every domain: it may trust the CAs of each. @throws AdministrationError `not found` */
function authorityOfAnyDomain(store: Store, name: string, kind: 'local' | 'external'): string {
  const found = store.read(authorityTable, name.slice(name.lastIndexOf(':') + 1))
  return found?.value.kind === kind ? found.key : getAuthority(store, rootDomain, name, kind).key
}

function checkAttributes({ dns_names = [], ip_addresses = [] }: CertificateAttributes): void {
  const wrong = [
    ...dns_names.filter((name) => !isDnsName(name)),
    ...ip_addresses.filter((address) => addressBytes(address) === undefined),
  ]
  if (wrong.length > 0)
    throw new AdministrationError(
      'invalid',
      `not a name or an address: ${wrong.map((each) => JSON.stringify(each)).join(', ')}`,
    )
}

/** A new certificate when what it is made of is new; an interface without attributes and CA of its own shows the server's. */
function certificateChange(
  { store, clock, entropy }: InterfaceContext,
  before: InterfaceRecord | undefined,
  after: InterfaceRecord,
  serverNames: readonly string[],
): Change<OwnCertificate> | undefined {
  const { certificateAttributes: attributes, autoGenCaId } = after
  const authority = getAuthority(store, rootDomain, autoGenCaId, 'local').value
  if (authority.builtIn && attributes === undefined) return undefined
  if (before !== undefined && before.certificateAttributes === attributes && before.autoGenCaId === autoGenCaId)
    return undefined
  const { privateKey } = authority
  if (privateKey === undefined) throw new AdministrationError('invalid', 'an external CA issues no certificates here')
  const { cn, dns_names = [], ip_addresses = [], email_addresses = [], names: [name] = [], uid } = attributes ?? {}
  const names = [...new Set([...serverNames, ...dns_names, ...ip_addresses])]
  const [E] = email_addresses
  const subject = defined({ ...name, CN: cn ?? names[0], UID: uid, E })
  const filled = Object.fromEntries(Object.entries(subject).filter(([, value]) => value !== ''))
  const made = administered(() =>
    issueServerCertificate(
      { certificate: authority.certificate, privateKey },
      names,
      clock.nowSeconds(),
      entropy,
      'ec',
      filled,
    ),
  )
  const value: OwnCertificate = { ...made, names }
  const key = certificateKey(after.name)
  const stored = store.read(certificateTable, key)
  return stored === undefined ? newRecord(certificateTable.name, key, value) : changeOf(certificateTable, stored, value)
}

/** Without the members that are undefined. */
function defined<T extends object>(value: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  const entries = Object.entries(value).filter(([, member]) => member !== undefined)
  return Object.fromEntries(entries) as { [K in keyof T]: Exclude<T[K], undefined> }
}
