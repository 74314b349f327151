/**
 * Every table of the store. What it is: the one list for whoever opens the store. What it is not: a table; each is defined where
 * its values are.
 */
import { auditTable } from '#audit/anchor'
import { certificateTable } from '#identity/bootstrap'
import { connectionTable } from '#identity/connections'
import { domainTable } from '#identity/domains'
import { interfaceTable } from '#identity/interfaces'
import { licenceTable } from '#identity/licence'
import { clientTable, userTable } from '#identity/principals'
import { registrationTables } from '#identity/registration-tables'
import { groupTable } from '#identity/user-groups'
import { objectTable } from '#operations/object-table'
import type { Table } from '#store/store'

/** Tables of unlike values stand in one list; the store asks each for its own values only. */
export const tables = [
  objectTable,
  clientTable,
  userTable,
  groupTable,
  domainTable,
  certificateTable,
  ...registrationTables,
  interfaceTable,
  connectionTable,
  licenceTable,
  auditTable,
] as unknown as readonly Table<never>[]
