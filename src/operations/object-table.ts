/** The table of Managed Objects: what the store indexes of them, and the entries that only one of them may hold. */
import { accessEntries, accessField } from '#identity/permissions'
import { claimsOf, entriesOf } from '#objects/locate-filter'
import type { ManagedObject } from '#objects/managed-object'
import type { Table } from '#store/store'

export const objectTable: Table<ManagedObject> = {
  name: 'object',
  index: (object) => [...accessEntries(object).map((value) => ({ field: accessField, value })), ...entriesOf(object)],
  claims: claimsOf,
}
