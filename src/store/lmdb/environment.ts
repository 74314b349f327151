/**
 * The LMDB environment of one thread. What it is: the one set of options under which every thread opens the file, the
 * databases in it, and the fresh view that each read begins with. What it is not: reading or writing records.
 *
 *   store.mdb    meta                schema version, verifier (`schema.ts`)
 *                record/<table>      record key ─▶ record                    (`keys.ts` and `records.ts` draw both)
 *                index/<table>       postings, claims, last revisions of removed records
 *
 * All threads use the same options: within a process the first opener decides. `overlappingSync: false`, so that no thread
 * sees a change before it is on disk. Never set: noSync, noMetaSync, noMemInit, useWritemap, cache, encryptionKey.
 */

import assert from 'node:assert/strict'
import { chmodSync } from 'node:fs'
import { join } from 'node:path'
import { type Database, open, type RootDatabase } from 'lmdb'
import { StoreRefused } from '#store/store'
import { assertWhole, withAdvice } from './whole.ts'

export type Bytes = Database<Buffer, Buffer>

/** The two databases of a table. */
export interface TableFiles {
  readonly records: Bytes
  readonly index: Bytes
}

/** An open file, before its tables are. */
export interface OpenFile {
  readonly root: RootDatabase<Buffer, Buffer>
  readonly meta: Bytes
}

const fileName = 'store.mdb'
const databasesMax = 128
const readersMax = 256
const binary = { encoding: 'binary', keyEncoding: 'binary' } as const

/** The store's file in a data directory. */
export function storeFile(directory: string): string {
  return join(directory, fileName)
}

/** Address space for a look at a file: not disk, not memory. */
const viewMapBytes = 2 ** 40

/**
 * Opens a file that nobody writes, for reading alone. To be closed with `root.close()`.
 * @param path of the file itself
 * @throws StoreRefused when it is no store
 */
export function openView(path: string): OpenFile {
  assertWhole(path)
  try {
    const root = open<Buffer, Buffer>({ path, readOnly: true, ...optionsOf(viewMapBytes) })
    const meta = root.openDB<Buffer, Buffer>({ name: 'meta', ...binary }) as Bytes | undefined
    if (meta !== undefined) return { root, meta }
    void root.close()
  } catch (cause) {
    throw new StoreRefused(`${path} cannot be read as a store: ${withAdvice(String(cause))}`, { cause })
  }
  throw new StoreRefused(`${path} is not a store of this server`)
}

/**
 * Opens (or makes) the file. To be closed with `root.close()`.
 * @param mapSizeBytes address space to reserve; the file itself is only as large as what it holds.
 * @throws StoreRefused when there is a file that is no store, or one that this process may not open.
 */
export function openFile(directory: string, mapSizeBytes: number): OpenFile {
  const path = storeFile(directory)
  assertWhole(path)
  try {
    const root = open<Buffer, Buffer>({ path, ...optionsOf(mapSizeBytes) })
    return { root, meta: root.openDB<Buffer, Buffer>({ name: 'meta', ...binary }) }
  } catch (cause) {
    throw new StoreRefused(`${path} cannot be opened as a store: ${withAdvice(String(cause))}`, { cause })
  }
}

function optionsOf(mapSizeBytes: number) {
  return {
    noSubdir: true,
    overlappingSync: false,
    mapSize: mapSizeBytes,
    maxDbs: databasesMax,
    maxReaders: readersMax,
    ...binary,
  } as const
}

/** Makes the files their owner's alone, wherever the directory lies and whatever the process's mask is. */
export function restrictFiles(directory: string): void {
  for (const path of [storeFile(directory), `${storeFile(directory)}-lock`]) chmodSync(path, 0o600)
}

/** Opens the databases of each table; makes those that are absent. */
export function openTables({ root }: OpenFile, tableNames: readonly string[]): ReadonlyMap<string, TableFiles> {
  assert(tableNames.length * 2 < databasesMax, 'too many tables for one file')
  const files = new Map<string, TableFiles>()
  for (const name of tableNames) {
    assert(/^[A-Za-z][A-Za-z0-9-]*$/.test(name), 'a table name is one word')
    assert(!files.has(name), `two tables are named ${name}`)
    files.set(name, {
      records: root.openDB<Buffer, Buffer>({ name: `record/${name}`, ...binary }),
      index: root.openDB<Buffer, Buffer>({ name: `index/${name}`, ...binary }),
    })
  }
  return files
}
