/**
 * Groups of users: names to which permissions on keys are granted. What it is: their records, and who is in them. What it is
 * not: what a group may do (`permissions.ts`). Who is in a group stands in the users' records.
 */
import type { Clock } from '#actor/clock'
import type { Change, Store, Stored, Table } from '#store/store'
import { AdministrationError } from './administration-error.ts'
import { isNamePart, type UserRecord, userTable } from './principals.ts'
import { changeOf, changeRecord, newRecord } from './records.ts'

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

/**
 * Removes a group; its users are in it no longer. The group goes last, so that what is cut short is done again by the same command,
 * and goes only as it was before its users left: whoever enters meanwhile names its record, and is taken out too.
 * @throws AdministrationError of kind not found; StoreUnavailable
 */
export async function deleteGroup(domain: string, name: string, { store, clock }: GroupContext): Promise<void> {
  for (;;) {
    const found = getGroup(domain, name, store)
    const all = [{ field: 'group', equals: found.key }]
    for (const user of store.find(userTable, { all, any: [], offset: 0, limit: Number.MAX_SAFE_INTEGER }).keys)
      await leave(user, name, { store, clock })
    if ((await store.commit([changeOf(groupTable, found, undefined)])).done) return
  }
}

/** Who is removed meanwhile is in no group. */
async function leave(user: string, group: string, context: GroupContext): Promise<void> {
  try {
    await setMembership(user, group, false, context)
  } catch (error) {
    if (!(error instanceof AdministrationError && error.kind === 'not found')) throw error
  }
}

/** Takes a user into a group, or out of it. @throws AdministrationError of kind not found, invalid, conflict */
export async function setMembership(
  user: string,
  group: string,
  member: boolean,
  { store, clock }: GroupContext,
): Promise<void> {
  const next = (record: UserRecord): UserRecord => {
    if (record.groups.includes(group) === member) return record
    const groups = member ? [...record.groups, group] : record.groups.filter((name) => name !== group)
    if (member) checkGroupCount(groups)
    return { ...record, groups, updatedSeconds: clock.nowSeconds() }
  }
  const beside = ({ domain }: UserRecord) => (member ? [unchanged(getGroup(domain, group, store))] : [])
  await changeRecord(store, userTable, user, 'user', next, beside)
}

/**
 * What belongs into the commit by which a user enters groups: their records as they are. A group that is removed meanwhile is then
 * a conflict, and leaves no membership behind that the next group of its name would inherit.
 * @throws AdministrationError of kind invalid for a group that is not there
 */
export function entered(
  { domain, groups }: UserRecord,
  before: readonly string[],
  store: Store,
): readonly Change<GroupRecord>[] {
  return groups
    .filter((name) => !before.includes(name))
    .map((name) => {
      const found = store.read(groupTable, groupKey(domain, name))
      if (found !== undefined) return unchanged(found)
      const text = `There is no group ${JSON.stringify(name)} in the domain`
      throw new AdministrationError('invalid', text, 'Make it first.')
    })
}

const unchanged = (group: Stored<GroupRecord>): Change<GroupRecord> => changeOf(groupTable, group, group.value)

/** @throws AdministrationError of kind invalid when they are more than a user can be in */
export function checkGroupCount(groups: readonly string[]): void {
  if (groups.length > groupsPerUserMax)
    throw new AdministrationError('invalid', `A user can be in ${groupsPerUserMax} groups`)
}
