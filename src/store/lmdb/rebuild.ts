/**
 * All indexes made anew from the records. What it is: the step that an upgrade needs when only indexes have changed, in
 * transactions of bounded size; how far it has come is in the file, so that a start after a crash goes on from there. What it is
 * not: a repair of records, or something to be done while others have the file open.
 *
 *   meta   "rebuild"   JSON: the tables that are done, the one that is being made, whether its old index is gone, the last record
 *
 * What a removed record leaves behind (its last revision) is no index of anything that is there: it stays.
 */

import { decodeRecordKey, IndexKeys, indexKinds } from '#store/keys'
import { openRecord } from '#store/records'
import { type Sealer, StoreDamaged, type Table } from '#store/store'
import { type OpenFile, openTables, type TableFiles } from './environment.ts'

interface Progress {
  readonly done: readonly string[]
  readonly table: string
  readonly cleared: boolean
  /** The last record key that is done, in hexadecimal; empty before the first. */
  readonly after: string
}

/** What the indexes are made of. */
export interface RebuildOptions {
  readonly file: OpenFile
  readonly sealer: Sealer
  readonly tables: readonly Table<never>[]
  /** Told of progress, and of what is damaged, in words for the operator. */
  readonly tell: (text: string) => void
}

/** Bounds of one transaction: enough that the disk is seldom waited for, and little memory. */
const transactionRecordsMax = 2000
const transactionBytesMax = 16 * 2 ** 20
const transactionKeysGoneMax = 20_000
/** How many records lie between two words on progress. */
const toldEach = 100_000

const progressKey = Buffer.from('rebuild', 'latin1')
const nothing = Buffer.alloc(0)
const start: Progress = { done: [], table: '', cleared: false, after: '' }

/** Whether indexes are to be made anew, or half made. */
export function isRebuilding({ meta }: Pick<OpenFile, 'meta'>): boolean {
  return meta.getBinary(progressKey) !== undefined
}

/** Says that all indexes are to be made anew, from the beginning. Within the caller's transaction. */
export function markRebuild({ meta }: Pick<OpenFile, 'meta'>): void {
  note(meta, start)
}

/**
 * Makes the indexes anew, from where the file says that it was. A record that does not open, and a claim that another record
 * holds, are told of and left out: each is served as damaged, or found by its other entries.
 * @throws errors of the file system, the disk being full among them: the next call goes on
 */
export function rebuildIndexes(options: RebuildOptions): void {
  const { file, tables } = options
  const bytes = file.meta.getBinary(progressKey)
  let progress: Progress = bytes === undefined ? start : (JSON.parse(bytes.toString('utf8')) as Progress)
  const files = openTables(
    file,
    tables.map(({ name }) => name),
  )
  for (const table of tables) {
    const tableFiles = files.get(table.name)
    if (tableFiles === undefined || progress.done.includes(table.name)) continue
    if (progress.table !== table.name) progress = { ...start, done: progress.done, table: table.name }
    progress = clearIndex(options, tableFiles, progress)
    fillIndex(options, table, tableFiles, progress)
    progress = { ...start, done: [...progress.done, table.name] }
    file.root.transactionSync(() => note(file.meta, progress))
  }
  file.root.transactionSync(() => file.meta.removeSync(progressKey))
}

function clearIndex({ file }: RebuildOptions, { index }: TableFiles, progress: Progress): Progress {
  if (progress.cleared) return progress
  const parts = [
    { start: Buffer.of(0), end: Buffer.of(indexKinds.gone) },
    { start: Buffer.of(indexKinds.gone + 1), end: Buffer.of(255) },
  ]
  for (const part of parts) {
    for (;;) {
      const keys = [...index.getKeys({ ...part, limit: transactionKeysGoneMax })]
      if (keys.length === 0) break
      file.root.transactionSync(() => keys.forEach((key) => void index.removeSync(key)))
    }
  }
  const cleared = { ...progress, cleared: true }
  file.root.transactionSync(() => note(file.meta, cleared))
  return cleared
}

function fillIndex(options: RebuildOptions, table: Table<never>, files: TableFiles, progress: Progress): void {
  const { file, sealer, tell } = options
  const keys = new IndexKeys(sealer, table.name)
  let { after } = progress
  let count = 0
  for (;;) {
    const batch = batchOf(files, after)
    const last = batch.at(-1)
    if (last === undefined) break
    after = last.key.toString('hex')
    file.root.transactionSync(() => {
      for (const { key, value } of batch) putEntries({ table, keys, files, sealer, tell }, key, value)
      note(file.meta, { ...progress, after })
    })
    const told = Math.floor(count / toldEach)
    count += batch.length
    if (Math.floor(count / toldEach) > told) tell(`The index of ${table.name}: ${count} records are in it`)
  }
  if (count > 0) tell(`The index of ${table.name} is made anew: ${count} records`)
}

function batchOf({ records }: TableFiles, after: string): readonly { readonly key: Buffer; readonly value: Buffer }[] {
  const batch: { readonly key: Buffer; readonly value: Buffer }[] = []
  let bytes = 0
  // The least key behind another is that one and a zero byte.
  const range = after === '' ? {} : { start: Buffer.concat([Buffer.from(after, 'hex'), Buffer.of(0)]) }
  for (const entry of records.getRange({ ...range, limit: transactionRecordsMax })) {
    batch.push(entry)
    bytes += entry.value.length
    if (bytes > transactionBytesMax) break
  }
  return batch
}

interface Filling {
  readonly table: Table<never>
  readonly keys: IndexKeys
  readonly files: TableFiles
  readonly sealer: Sealer
  readonly tell: (text: string) => void
}

function putEntries({ table, keys, files: { index }, sealer, tell }: Filling, key: Buffer, record: Buffer): void {
  const name = decodeRecordKey(key)
  let value: never
  try {
    value = openRecord<never>(sealer, table.name, name, record).value
  } catch (error) {
    if (!(error instanceof StoreDamaged)) throw error
    tell(`Left out of the index: ${error.message}`)
    return
  }
  for (const entry of table.index(value)) index.putSync(Buffer.concat([keys.posting(entry), key]), nothing)
  for (const entry of table.claims(value)) {
    const claim = keys.claim(entry)
    const holder = index.getBinary(claim)
    if (holder === undefined || holder.equals(key)) index.putSync(claim, key)
    else
      tell(
        `Left out of the index of ${table.name}: a claim of ${JSON.stringify(name)} that ${JSON.stringify(decodeRecordKey(holder))} holds`,
      )
  }
}

function note(meta: OpenFile['meta'], progress: Progress): void {
  meta.putSync(progressKey, Buffer.from(JSON.stringify(progress), 'utf8'))
}
