/**
 * The whole store, looked through. What it is: every record opened and every index entry compared, on one view of the file, so
 * that a running server need not stop. What it is not: a repair; it writes nothing. It keeps its thread busy to its end: a
 * running server has it done by a thread of its own.
 *
 * Each entry that a record must have is looked up, and the entries are counted: where none is missing and the counts agree, the
 * index holds exactly what the records say.
 */

import { decodeRecordKey, encodeRecordKey, IndexKeys, indexKinds } from '#store/keys'
import { openRecord } from '#store/records'
import { type IndexEntry, type Sealer, StoreDamaged, type Table } from '#store/store'
import type { Bytes, OpenFile } from './environment.ts'
import { schemaVersion } from './schema.ts'

/** What a look through a store has found. */
export interface StoreReport {
  readonly schema: number
  /** Number of the last transaction of the file that was looked at. */
  readonly transaction: number
  /** Records of each table. */
  readonly records: Readonly<Record<string, number>>
  /** What is wrong, the first hundred; each says where. No secret is among it. */
  readonly faults: readonly string[]
  readonly faultsTotal: number
}

const faultsMax = 100
const binary = { encoding: 'binary', keyEncoding: 'binary' } as const

/** How many records each table of a file has, without a look at any. */
export function countRecords({ root }: Pick<OpenFile, 'root'>): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {}
  for (const name of databaseNames(root)) {
    const [, table] = /^record\/(.+)$/.exec(name) ?? []
    if (table !== undefined) counts[table] = database(root, name)?.getKeysCount() ?? 0
  }
  return counts
}

/**
 * Looks through a file. Records of tables that are not given are faults: this version does not know them.
 * @param sealer the keys that the records were sealed with
 */
export function checkStore(file: OpenFile, sealer: Sealer, tables: readonly Table<never>[]): StoreReport {
  file.root.resetReadTxn()
  const faults = new Faults()
  const known = new Map(tables.map((table) => [table.name, table]))
  const records: Record<string, number> = {}
  const { lastTxnId } = file.root.getStats() as { readonly lastTxnId: number }
  for (const [name, count] of Object.entries(countRecords(file))) {
    records[name] = count
    const table = known.get(name)
    const files = { records: database(file.root, `record/${name}`), index: database(file.root, `index/${name}`) }
    if (table === undefined) {
      if (count > 0) faults.add(`the table ${name} is not known to this version`)
    } else if (files.records === undefined || files.index === undefined) faults.add(`the table ${name} has no index`)
    else checkTable({ table, sealer, faults, records: files.records, index: files.index })
  }
  return {
    schema: schemaVersion(file) ?? 0,
    transaction: lastTxnId,
    records,
    faults: faults.list,
    faultsTotal: faults.total,
  }
}

class Faults {
  readonly list: string[] = []
  total = 0

  add(text: string): void {
    this.total++
    if (this.list.length < faultsMax) this.list.push(text)
  }
}

interface TableParts {
  readonly table: Table<never>
  readonly sealer: Sealer
  readonly faults: Faults
  readonly records: Bytes
  readonly index: Bytes
}

function checkTable(parts: TableParts): void {
  const { table, sealer, faults, records, index } = parts
  const keys = new IndexKeys(sealer, table.name)
  const counts = { postings: 0, numbers: 0, claims: 0 }
  for (const { key, value } of records.getRange()) {
    const text = decodeRecordKey(key)
    if (!encodeRecordKey(text).equals(key)) faults.add(`${table.name}: a record has a key that is none of ours`)
    let opened: never
    try {
      opened = openRecord<never>(sealer, table.name, text, value).value
    } catch (error) {
      if (!(error instanceof StoreDamaged)) throw error
      faults.add(error.message)
      continue
    }
    checkEntries(parts, keys, key, opened, counts)
  }
  const extra = (kind: keyof typeof indexKinds, expected: number): void => {
    const there = index.getKeysCount({ start: Buffer.of(indexKinds[kind]), end: Buffer.of(indexKinds[kind] + 1) })
    // What is missing was told already; more than that is told as a number.
    if (there > expected) faults.add(`${table.name}: the index has ${there - expected} ${kind} of no record`)
  }
  extra('postings', counts.postings)
  extra('numbers', counts.numbers)
  extra('claims', counts.claims)
  for (const key of index.getKeys({ start: Buffer.of(indexKinds.gone), end: Buffer.of(indexKinds.gone + 1) }))
    if (records.doesExist(key.subarray(1)))
      faults.add(`${table.name}: the record ${named(key.subarray(1))} is there and counts as removed`)
}

function checkEntries(
  { table, faults, index }: TableParts,
  keys: IndexKeys,
  key: Buffer,
  value: never,
  counts: { postings: number; numbers: number; claims: number },
): void {
  for (const entry of once(table.index(value), (each) => keys.posting(each))) {
    const posting = Buffer.concat([entry, key])
    if (!index.doesExist(posting)) faults.add(`${table.name}: the index lacks an entry of ${named(key)}`)
    else if (posting[0] === indexKinds.numbers) counts.numbers++
    else counts.postings++
  }
  for (const claim of once(table.claims(value), (each) => keys.claim(each))) {
    const holder = index.getBinary(claim)
    if (holder === undefined) faults.add(`${table.name}: the index lacks a claim of ${named(key)}`)
    else {
      if (claim[0] === indexKinds.postings) counts.postings++
      else counts.claims++
      if (!holder.equals(key)) faults.add(`${table.name}: a claim of ${named(key)} is held by ${named(holder)}`)
    }
  }
}

/** Keys of entries, each once. */
function once(entries: readonly IndexEntry[], keyOf: (entry: IndexEntry) => Buffer): Iterable<Buffer> {
  return new Map(entries.map((entry) => [keyOf(entry).toString('latin1'), keyOf(entry)])).values()
}

function named(key: Uint8Array): string {
  return JSON.stringify(decodeRecordKey(key))
}

function databaseNames(root: OpenFile['root']): string[] {
  return [...root.getKeys()].map((key) => key.toString('latin1').replace(/\0$/, ''))
}

/** A database of the file; undefined when a file that is opened for reading has none of that name. */
function database(root: OpenFile['root'], name: string): Bytes | undefined {
  const found: Bytes | undefined = root.openDB<Buffer, Buffer>({ name, ...binary })
  return found
}
