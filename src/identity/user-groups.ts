/**
 * Groups of users: names to which permissions on keys are granted. What it is: their records, and who is in them. What it is
 * not: what a group may do (`permissions.ts`). Who is in a group stands in the users' records.
 */
import type { Clock } from '#actor/clock'
import type { Store, Stored, Table } from '#store/store'
import { AdministrationError } from './administration-error.ts'
import { isNamePart, userTable } from './principals.ts'
import { changeRecord, newRecord, removeRecord } from './records.ts'

/** Groups that a user can be in. */
const groupsPerUserMax = 64

/** A group. Key of its record: `groupKey`. */
export interface GroupRecord {
  readonly domain: string
  readonly name: string
  readonly description?: string
  /** Seconds since 1970. */
  readonly createdSeconds: number
  readonly updatedSeconds: number
}

/** Groups by `groupKey`. */
export const groupTable: Table<GroupRecord> = {
  name: 'group',
  index: ({ domain }) => [{ field: 'domain', value: domain }],
  claims: () => [],
}

/** The key of a group's record: `root|staff`. */
export function groupKey(domain: string, name: string): string {
  return `${domain}|${name}`
}

interface GroupContext {
  readonly store: Store
  readonly clock: Clock
}

/** Makes a group. @throws AdministrationError of kind invalid, already exists; StoreUnavailable */
export async function createGroup(
  domain: string,
  name: string,
  description: string | undefined,
  { store, clock }: GroupContext,
): Promise<GroupRecord> {
  if (!isNamePart(name)) {
    throw new AdministrationError('invalid', 'A group name has 1 to 255 characters, without | and controls')
  }
  const createdSeconds = clock.nowSeconds()
  const record: GroupRecord = {
    domain,
    name,
    ...(description === undefined ? {} : { description }),
    createdSeconds,
    updatedSeconds: createdSeconds,
  }
  if ((await store.commit([newRecord(groupTable.name, groupKey(domain, name), record)])).done) return record
  throw new AdministrationError('already exists', `There is a group ${JSON.stringify(name)} already`)
}

/** A group of a domain. @throws AdministrationError of kind not found */
export function getGroup(domain: string, name: string, store: Store): Stored<GroupRecord> {
  const found = store.read(groupTable, groupKey(domain, name))
  if (found !== undefined) return found
  throw new AdministrationError('not found', `There is no group ${JSON.stringify(name)} in the domain`)
}

/** Removes a group; its users are in it no longer. @throws AdministrationError of kind not found */
export async function deleteGroup(domain: string, name: string, { store, clock }: GroupContext): Promise<void> {
  const { key } = getGroup(domain, name, store)
  // The group first: from then on nobody enters it.
  await removeRecord(store, groupTable, key)
  const all = [{ field: 'group', equals: key }]
  for (const user of store.find(userTable, { all, any: [], offset: 0, limit: Number.MAX_SAFE_INTEGER }).keys) {
    await setMembership(user, name, false, { store, clock })
  }
}

/** Takes a user into a group, or out of it. @throws AdministrationError of kind not found, invalid, conflict */
export async function setMembership(
  user: string,
  group: string,
  member: boolean,
  { store, clock }: GroupContext,
): Promise<void> {
  await changeRecord(store, userTable, user, 'user', (record) => {
    if (record.groups.includes(group) === member) return record
    const groups = member ? [...record.groups, group] : record.groups.filter((name) => name !== group)
    if (member) checkGroupCount(groups)
    return { ...record, groups, updatedSeconds: clock.nowSeconds() }
  })
}

/** @throws AdministrationError of kind invalid when they are more than a user can be in */
export function checkGroupCount(groups: readonly string[]): void {
  if (groups.length > groupsPerUserMax)
    throw new AdministrationError('invalid', `A user can be in ${groupsPerUserMax} groups`)
}
