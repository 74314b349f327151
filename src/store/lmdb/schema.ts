/**
 * The schema of the file and the way forward from older ones. What it is: the version in the meta database, the steps that
 * bring an older file up, and the verifier that tells a wrong root key before anything is touched. What it is not: what a
 * schema contains (`environment.ts`, `keys.ts`, `records.ts` and docs/data.md draw it), or the making of indexes (`rebuild.ts`).
 *
 *   meta   "schema"     version, 4 bytes, big-endian
 *          "verifier"   a known text, sealed to this place
 *          "rebuild"    there only while the indexes are made anew
 *
 * To change what the file holds: one row more in `steps`, and one in docs/data.md. A row that changes only what is in an index
 * (the entries of a table, the form of their keys) needs no code: `{ to, what, rebuildsIndexes: true }`.
 */

import assert from 'node:assert/strict'
import { type Sealer, StoreRefused, type Table } from '#store/store'
import type { OpenFile } from './environment.ts'
import { isRebuilding, markRebuild, rebuildIndexes } from './rebuild.ts'

/** One step forward. */
export interface Step {
  /** The version that the file has after the step. */
  readonly to: number
  /** What it changes, for the operator. */
  readonly what: string
  /** Changes the file, in one transaction together with its version: all of it or nothing. */
  readonly run?: (file: OpenFile, sealer: Sealer) => void
  /**
   * All indexes are made anew from the records, once, after the last step: in many transactions, and a start after a crash goes on
   * from where they ended. What `run` did to records must then be done already.
   */
  readonly rebuildsIndexes?: true
}

/** The first version of the file. */
const firstVersion = 1
/** Every step from the first version to today's, in order. A released step never changes. */
const steps: readonly Step[] = [
  {
    to: 2,
    what: 'the index leaves out what is found without it: whole Names, claims among the postings, Digests',
    rebuildsIndexes: true,
  },
  {
    to: 3,
    what: 'the claim of a Name lies beside the entry of its value',
    rebuildsIndexes: true,
  },
]

const schemaKey = Buffer.from('schema', 'latin1')
const verifierKey = Buffer.from('verifier', 'latin1')
const verifierContext = Buffer.from('meta\0verifier', 'latin1')
const verifierText = Buffer.from('kmipd store', 'latin1')

/** The newest version of the file that this version of the server knows. */
export const schemaNewest = firstVersion + steps.length

/** The version of an open file; undefined when it is new. */
export function schemaVersion({ meta }: Pick<OpenFile, 'meta'>): number | undefined {
  return meta.getBinary(schemaKey)?.readUInt32BE(0)
}

/** Whether a file can be used as it is: of today's version, with no step under way. */
export function isUpToDate(file: Pick<OpenFile, 'meta'>): boolean {
  return schemaVersion(file) === schemaNewest && !isRebuilding(file)
}

/** What a file is made ready with. */
export interface SchemaOptions {
  readonly sealer: Sealer
  /** Every table that will be used. */
  readonly tables: readonly Table<never>[]
  /** Told, in words for the operator, of an upgrade and how it goes on. */
  readonly tell?: (text: string) => void
  /** Steps other than today's, for a test. */
  readonly stepsForward?: readonly Step[]
}

/**
 * Makes a new file ready, or checks an old one and brings it up to date. To be called before tables are opened, by the only
 * thread that has the file open. Keeps the thread busy to the end.
 * @returns the steps that were run, by `what`.
 * @throws StoreRefused when the file is of a newer version or sealed under other keys; it is then as it was.
 */
export function prepareSchema(
  file: OpenFile,
  { sealer, tables, tell = () => undefined, stepsForward = steps }: SchemaOptions,
): readonly string[] {
  stepsForward.forEach((step, index) =>
    assert(step.to === firstVersion + 1 + index, 'a step for each version, in order'),
  )
  const newest = firstVersion + stepsForward.length
  const version = schemaVersion(file)
  if (version === undefined) {
    file.root.transactionSync(() => {
      file.meta.putSync(verifierKey, Buffer.from(sealer.seal(verifierContext, verifierText)))
      file.meta.putSync(schemaKey, versionBytes(newest))
    })
    return []
  }
  if (version > newest)
    throw new StoreRefused(
      `the store is of schema ${version} and this version knows them up to ${newest}: start the version that wrote it, or a later one`,
    )
  verify(file, sealer)
  const due = stepsForward.filter((step) => step.to > version)
  if (due.length > 0)
    tell(
      `The store is brought from schema ${version} to ${newest}. Earlier versions will not open it: for a way back, keep a backup that was taken before`,
    )
  for (const step of due) {
    tell(`Schema ${step.to}: ${step.what}`)
    file.root.transactionSync(() => {
      step.run?.(file, sealer)
      // With the version, so that no earlier server serves a file whose indexes are half made.
      if (step.rebuildsIndexes) markRebuild(file)
      file.meta.putSync(schemaKey, versionBytes(step.to))
    })
  }
  if (isRebuilding(file)) rebuildIndexes({ file, sealer, tables, tell })
  return due.map((step) => step.what)
}

function verify(file: OpenFile, sealer: Sealer): void {
  const verifier = file.meta.getBinary(verifierKey)
  if (verifier === undefined)
    throw new StoreRefused('the store has a schema and no verifier: it is damaged; restore a backup')
  try {
    assert(verifierText.equals(sealer.open(verifierContext, verifier)))
  } catch (cause) {
    throw new StoreRefused('the store is sealed under other keys: wrong root key or keyring; nothing was touched', {
      cause,
    })
  }
}

function versionBytes(version: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(version)
  return bytes
}
