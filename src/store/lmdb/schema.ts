/**
 * The schema of the file and the way forward from older ones. What it is: the version in the meta database, the steps that
 * bring an older file up, and the verifier that tells a wrong root key before anything is touched. What it is not: what a
 * schema contains (`environment.ts`, `keys.ts`, `records.ts` and docs/data.md draw it).
 *
 *   meta   "schema"     version 4, big-endian
 *          "verifier"   a known text, sealed to this place
 */

import assert from 'node:assert/strict'
import { type Sealer, StoreRefused } from '#store/store'
import type { OpenFile } from './environment.ts'

/** One step forward. It runs within one transaction together with its version: all of it or nothing. */
export interface Step {
  /** The version that the file has after the step. */
  readonly to: number
  /** What it changes, for the operator. */
  readonly what: string
  readonly run: (file: OpenFile, sealer: Sealer) => void
}

/** The first version of the file. */
const firstVersion = 1
/** Every step from the first version to today's, in order. A released step never changes. */
const steps: readonly Step[] = []

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

/**
 * Makes a new file ready, or checks an old one and brings it up to date. To be called before tables are opened, by the only
 * thread that has the file open.
 * @returns the steps that were run, by `what`.
 * @throws StoreRefused when the file is of a newer version or sealed under other keys; it is then as it was.
 */
export function prepareSchema(
  file: OpenFile,
  sealer: Sealer,
  stepsForward: readonly Step[] = steps,
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
  for (const step of due) {
    file.root.transactionSync(() => {
      step.run(file, sealer)
      file.meta.putSync(schemaKey, versionBytes(step.to))
    })
  }
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
