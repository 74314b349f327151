/**
 * Domains: parts of the server whose users and objects see nothing of one another. What it is: their records, and making,
 * renaming and removing them. The domain `root` is always there, has no record, and is the only one that others are made
 * in. What it is not: the wall between domains (`permissions.ts`).
 */
import type { Clock } from '#actor/clock'
import { type Entropy, uniqueIdentifier } from '#actor/entropy'
import type { Store, Stored, Table } from '#store/store'
import { AdministrationError } from './administration-error.ts'
import { authorityTable } from './authority-records.ts'
import { connectionTable } from './connections.ts'
import { clientTable, isNamePart, rootDomain, userTable } from './principals.ts'
import { profileTable } from './profiles.ts'
import { newRecord } from './records.ts'
import { tokenTable } from './tokens.ts'
import { groupTable } from './user-groups.ts'

/** A domain other than root. Key of its record: its identifier. */
export interface DomainRecord {
  readonly id: string
  readonly name: string
  /** Seconds since 1970. */
  readonly createdSeconds: number
  readonly updatedSeconds: number
}

/** Domains by identifier. */
export const domainTable: Table<DomainRecord> = {
  name: 'domain',
  index: ({ name }) => [{ field: 'name', value: name }],
  claims: ({ name }) => [{ field: 'name', value: name }],
}

export interface DomainContext {
  readonly store: Store
  readonly clock: Clock
  readonly entropy: Entropy
}

/** Makes a domain. @throws AdministrationError of kind invalid, already exists; StoreUnavailable */
export async function createDomain(name: string, { store, clock, entropy }: DomainContext): Promise<DomainRecord> {
  checkName(name)
  const createdSeconds = clock.nowSeconds()
  const id = uniqueIdentifier(clock, entropy)
  const record = { id, name, createdSeconds, updatedSeconds: createdSeconds }
  if ((await store.commit([newRecord(domainTable.name, id, record)])).done) return record
  throw taken(name)
}

/** The domain with this identifier or, when there is none, with this name. @throws AdministrationError of kind not found */
export function getDomain(idOrName: string, store: Store): Stored<DomainRecord> {
  const found = store.read(domainTable, idOrName) ?? domainNamed(idOrName, store)
  if (found !== undefined) return found
  throw new AdministrationError('not found', `There is no domain ${JSON.stringify(idOrName)}`)
}

/** The identifier of a domain that is given by identifier or name, `root` too. @throws AdministrationError of kind not found */
export function domainId(idOrName: string, store: Store): string {
  return idOrName === rootDomain ? rootDomain : getDomain(idOrName, store).key
}

/** Gives a domain another name. @throws AdministrationError of kind not found, invalid, already exists, conflict */
export async function renameDomain(idOrName: string, name: string, context: DomainContext): Promise<DomainRecord> {
  checkName(name)
  const { key, revision, value: previous } = getDomain(idOrName, context.store)
  const value = { ...previous, name, updatedSeconds: context.clock.nowSeconds() }
  const { done } = await context.store.commit([{ table: domainTable.name, key, revision, previous, value }])
  if (done) return value
  if (domainNamed(name, context.store) !== undefined) throw taken(name)
  throw new AdministrationError('conflict', 'The domain was changed by somebody else meanwhile', 'Try again.')
}

/**
 * Removes an empty domain.
 * @param holdsObjects whether objects belong to the domain: asked, because objects are not this file's
 * @throws AdministrationError of kind not found, conflict
 */
export async function deleteDomain(
  idOrName: string,
  holdsObjects: (id: string) => boolean,
  { store }: DomainContext,
): Promise<void> {
  const { key, revision, value: previous } = getDomain(idOrName, store)
  const inDomain = { all: [{ field: 'domain', equals: key }], any: [], offset: 0, limit: 1 }
  const holds = <T>(table: Table<T>): boolean => store.find(table, inDomain).total > 0
  const left = [
    ...(holds(userTable) ? ['users'] : []),
    ...(holds(clientTable) ? ['clients'] : []),
    // Interfaces may trust its CAs, and its tokens may register clients: what is gone shall vouch for nobody.
    ...(holds(authorityTable) ? ['CAs'] : []),
    ...(holds(tokenTable) ? ['registration tokens'] : []),
    ...(holds(groupTable) ? ['groups'] : []),
    ...(holds(connectionTable) ? ['connections'] : []),
    ...(holds(profileTable) ? ['profiles of clients'] : []),
    ...(holdsObjects(key) ? ['keys'] : []),
  ]
  if (left.length > 0) {
    throw new AdministrationError('conflict', `The domain still has ${left.join(', ')}`, 'Remove them first.')
  }
  const { done } = await store.commit([{ table: domainTable.name, key, revision, previous, value: undefined }])
  if (!done)
    throw new AdministrationError('conflict', 'The domain was changed by somebody else meanwhile', 'Try again.')
}

function domainNamed(name: string, store: Store): Stored<DomainRecord> | undefined {
  const [key] = store.find(domainTable, { all: [{ field: 'name', equals: name }], any: [], offset: 0, limit: 1 }).keys
  return key === undefined ? undefined : store.read(domainTable, key)
}

function checkName(name: string): void {
  if (isNamePart(name) && name !== rootDomain) return
  throw new AdministrationError(
    'invalid',
    'A domain name has 1 to 255 characters, without | and controls, and is not root',
  )
}

function taken(name: string): AdministrationError {
  return new AdministrationError('already exists', `There is a domain ${JSON.stringify(name)} already`)
}
