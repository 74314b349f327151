/** The table of Managed Objects: what the store indexes of them, and the entries that only one of them may hold. */
import { accessEntries, accessField } from '#identity/permissions'
import { domainOfOwner } from '#identity/principals'
import { claimsOf, entriesOf } from '#objects/locate-filter'
import type { ManagedObject } from '#objects/managed-object'
import type { Table } from '#store/store'

/** The name of the index field that holds the identifier of an object's domain. */
export const domainField = 'domain'

export const objectTable: Table<ManagedObject> = {
  name: 'object',
  index: (object) => [
    { field: domainField, value: domainOfOwner(object.owner) },
    ...accessEntries(object).map((value) => ({ field: accessField, value })),
    ...entriesOf(object),
  ],
  claims: claimsOf,
}
