/**
 * Registration tokens: who has one may register clients, so many, until then, with certificates of one authority. What it
 * is: their records, and the spending of one. What it is not: the registration (`registration.ts`), or tokens of log-in.
 *
 * The token itself is 48 random bytes as text, shown once, and kept only as its SHA-256: it is random, so that nothing slower
 * is needed, and what is in the store opens nothing.
 */
import { createHash, timingSafeEqual } from 'node:crypto'
import { uniqueIdentifier } from '#actor/entropy'
import type { Change, Store, Stored, Table } from '#store/store'
import { AdministrationError } from './administration-error.ts'
import { defaultAuthority, getAuthority, type IdentityContext, wholeDays } from './authorities.ts'
import { changeOf, findRecord, newRecord, removeRecord } from './records.ts'

/** A registration token. Key of its record: its identifier. */
export interface TokenRecord {
  readonly id: string
  readonly domain: string
  /** SHA-256 of the token's text. */
  readonly digest: Uint8Array
  /** Seconds since 1970; undefined: for ever. */
  readonly validUntilSeconds: number | undefined
  /** How many clients may be registered with it; -1: any number. */
  readonly maxClients: number
  /** Of the certificates that are issued for it. */
  readonly certDurationDays: number
  readonly clientsRegistered: number
  /** Identifier of the local authority that signs for it. */
  readonly caId: string
  readonly label: Readonly<Record<string, string>> | undefined
  /** Seconds since 1970. */
  readonly createdSeconds: number
  /** Seconds since 1970. */
  readonly updatedSeconds: number
}

export const tokenTable: Table<TokenRecord> = {
  name: 'registration-token',
  index: ({ domain, digest, caId }) => [
    { field: 'domain', value: domain },
    { field: 'digest', value: digest },
    { field: 'authority', value: caId },
  ],
  claims: () => [],
}

/** The label that ties a token to a profile of clients. */
export const profileLabel = 'KmipClientProfile'

export const tokenDefaults = { maxClients: -1, certDurationDays: 730 } as const
/** Certificates of clients live at most twenty years. */
export const certDurationDaysMax = 7_305
const tokenBytes = 48
const labelsMax = 32
const labelLengthMax = 255

/** A token to be made. */
export interface NewToken {
  readonly domain: string
  readonly validUntilSeconds?: number | undefined
  readonly maxClients?: number | undefined
  readonly certDurationDays?: number | undefined
  /** Identifier or name of a local authority of the domain. */
  readonly caId?: string | undefined
  readonly label?: Readonly<Record<string, string>> | undefined
}

/**
 * Makes a token. Resolves after the disk has it.
 * @returns its record, and its text, which is nowhere else
 * @throws AdministrationError `invalid` or `not found`; StoreUnavailable
 */
export async function createToken(
  { store, clock, entropy }: IdentityContext,
  { domain, validUntilSeconds, label, ...wanted }: NewToken,
): Promise<{ readonly token: string; readonly record: TokenRecord }> {
  const { maxClients = tokenDefaults.maxClients, certDurationDays = tokenDefaults.certDurationDays, caId } = wanted
  if (!Number.isSafeInteger(maxClients) || (maxClients < 1 && maxClients !== -1))
    throw new AdministrationError('invalid', 'max_clients is a whole number from 1 on, or -1 for any number')
  const now = clock.nowSeconds()
  if (validUntilSeconds !== undefined && validUntilSeconds <= now)
    throw new AdministrationError('invalid', 'valid_until is over already')
  const authority = caId === undefined ? defaultAuthority(store, domain) : getAuthority(store, domain, caId, 'local')
  const token = Buffer.from(entropy.bytes(tokenBytes)).toString('base64url')
  const record: TokenRecord = {
    id: uniqueIdentifier(clock, entropy),
    domain,
    digest: digestOf(token),
    validUntilSeconds,
    maxClients,
    certDurationDays: wholeDays(certDurationDays, certDurationDaysMax, 'cert_duration'),
    clientsRegistered: 0,
    caId: authority.key,
    label: label === undefined ? undefined : checkedLabel(label),
    createdSeconds: now,
    updatedSeconds: now,
  }
  const result = await store.commit([newRecord(tokenTable.name, record.id, record)])
  if (!result.done) throw new AdministrationError('conflict', 'the token could not be stored', 'Try again.')
  return { token, record }
}

/** The token with this identifier (as such, or at the end of a URI). @throws AdministrationError `not found` */
export function getToken(store: Store, domain: string, identifier: string): Stored<TokenRecord> {
  const found = store.read(tokenTable, identifier.slice(identifier.lastIndexOf(':') + 1))
  if (found?.value.domain === domain) return found
  throw new AdministrationError('not found', `there is no registration token ${JSON.stringify(identifier)}`)
}

/** Removes a token; clients registered with it stay. @throws AdministrationError `not found`; StoreUnavailable */
export async function deleteToken(store: Store, domain: string, identifier: string): Promise<void> {
  await removeRecord(store, tokenTable, getToken(store, domain, identifier).key)
}

/**
 * The token with this text, whatever its domain.
 * @throws AdministrationError `forbidden` when there is none; the text does not repeat it
 */
export function tokenOf(store: Store, token: string): Stored<TokenRecord> {
  const digest = digestOf(token)
  const found = findRecord(store, tokenTable, { digest })
  if (found !== undefined && timingSafeEqual(found.value.digest, digest)) return found
  throw new AdministrationError('forbidden', 'there is no such registration token', 'Ask an administrator for one.')
}

/**
 * The change that counts one more client on a token: committed together with the client, so that no more are registered than
 * the token allows, however many ask at once.
 * @throws AdministrationError `forbidden` when its time is over or its clients are all there
 */
export function spent(token: Stored<TokenRecord>, nowSeconds: number): Change<TokenRecord> {
  assertUsable(token.value, nowSeconds)
  const { clientsRegistered } = token.value
  return changeOf(tokenTable, token, {
    ...token.value,
    clientsRegistered: clientsRegistered + 1,
    updatedSeconds: nowSeconds,
  })
}

/** @throws AdministrationError `forbidden` when a token registers nobody any more */
export function assertUsable(
  { validUntilSeconds, maxClients, clientsRegistered }: TokenRecord,
  nowSeconds: number,
): void {
  if (validUntilSeconds !== undefined && nowSeconds > validUntilSeconds)
    throw new AdministrationError('forbidden', 'the registration token is no longer valid', 'Ask for another token.')
  if (maxClients !== -1 && clientsRegistered >= maxClients)
    throw new AdministrationError(
      'forbidden',
      `the registration token has registered its ${maxClients} clients`,
      'Ask for another token.',
    )
}

function checkedLabel(label: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const entries = Object.entries(label)
  const fits = (text: string): boolean => text.length <= labelLengthMax && text.isWellFormed()
  if (entries.length <= labelsMax && entries.every(([name, value]) => name !== '' && fits(name) && fits(value)))
    return { ...label }
  throw new AdministrationError(
    'invalid',
    `a label has at most ${labelsMax} names with values, each of at most ${labelLengthMax} characters`,
  )
}

function digestOf(token: string): Uint8Array {
  return new Uint8Array(createHash('sha256').update(token).digest())
}
