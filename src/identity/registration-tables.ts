/**
 * The tables of registration, for whoever opens a store. What it is: a list. What it is not: the records, which each file of
 * the folder defines.
 */
import type { Table } from '#store/store'
import { authorityTable, issuedTable, revocationTable } from './authority-records.ts'
import { profileTable } from './profiles.ts'
import { tokenTable } from './tokens.ts'

// Tables of unlike values stand in one list; the store asks each for its own values only.
export const registrationTables = [
  authorityTable,
  issuedTable,
  revocationTable,
  tokenTable,
  profileTable,
] as unknown as readonly Table<never>[]
