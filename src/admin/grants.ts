/**
 * What of keys is opened to others than their owner: giving it and taking it, and taking all of it from who goes. What it is not:
 * the decision about access (`identity/permissions.ts`), or a command.
 */
import { nextSlice } from '#actor/slices'
import { AdministrationError } from '#identity/administration-error'
import { type Permission, permissionNames } from '#identity/principals'
import { changeRecord } from '#identity/records'
import type { ManagedObject } from '#objects/managed-object'
import { domainField, objectTable } from '#operations/object-table'
import type { Store, Stored, Term } from '#store/store'
import type { AdminServices } from './services.ts'

/** Records that are read before others have the thread. */
const readsPerTurn = 64

/** The objects that have all of some entries, each as it is when its turn comes. */
export async function* objectsWith(store: Store, all: readonly Term[]): AsyncGenerator<Stored<ManagedObject>> {
  const query = { all, any: [], offset: 0, limit: Number.MAX_SAFE_INTEGER }
  const { keys } = await store.findInTurns(objectTable, query)
  for (const [index, id] of keys.entries()) {
    if (index % readsPerTurn === readsPerTurn - 1) await nextSlice('administration')
    const stored = store.read(objectTable, id)
    if (stored !== undefined) yield stored
  }
}

/** The object with a name added to these permissions, or taken from them; without empty ones. */
export const withPermissions = (
  object: ManagedObject,
  names: readonly Permission[],
  who: string,
  granted: boolean,
): ManagedObject => {
  const next: Record<string, readonly string[]> = { ...object.permissions }
  for (const name of names) {
    const others = (next[name] ?? []).filter((each) => each !== who)
    next[name] = granted ? [...others, who] : others
  }
  const { permissions: _, ...rest } = object
  const left = Object.entries(next).filter(([, each]) => each.length > 0)
  return left.length === 0 ? rest : { ...rest, permissions: Object.fromEntries(left) }
}

/**
 * Closes every key of a domain to a user or a group: a name that is given again is not that of who had it before. Looks at all
 * keys, because the index knows of those alone that may be read.
 */
export const closeAllTo = async (
  domain: string,
  who: string,
  { store, objectsChanged }: Pick<AdminServices, 'store' | 'objectsChanged'>,
): Promise<void> => {
  for await (const { key, value: previous } of objectsWith(store, [{ field: domainField, equals: domain }])) {
    if (!isOpenTo(previous, who)) continue
    try {
      const { value } = await changeRecord(store, objectTable, key, 'key', (object) =>
        isOpenTo(object, who) ? withPermissions(object, permissionNames, who, false) : object,
      )
      objectsChanged([{ previous, value }])
    } catch (error) {
      // What was destroyed meanwhile is open to nobody.
      if (!(error instanceof AdministrationError && error.kind === 'not found')) throw error
    }
  }
}

const isOpenTo = ({ permissions }: ManagedObject, who: string): boolean =>
  permissions !== undefined && Object.values(permissions).some((names) => names.includes(who))
