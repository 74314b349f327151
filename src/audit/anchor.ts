/**
 * Where the audit trail was, as the store keeps it: sealed, so that lines that are cut off at the trail's end are missed. What
 * it is: the record. What it is not: who writes it (`open.ts`).
 */
import type { Table } from '#store/store'
import type { Head } from './chain.ts'

export const auditTable: Table<Head> = { name: 'audit', index: () => [], claims: () => [] }

/** Its only record. */
export const anchorKey = 'head'
