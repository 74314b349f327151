/**
 * A process that brings a store up to a later schema, and dies within the transaction that it is told. What it is: a row of
 * `steps` as an upgrade has it, in a process that is there to be killed. What it is not: a test.
 */

import { argv, kill, pid } from 'node:process'
import { fileURLToPath } from 'node:url'
import { openFile } from '#store/lmdb/environment'
import { storeLimits } from '#store/lmdb/open'
import { prepareSchema, type Step, schemaNewest } from '#store/lmdb/schema'
import type { Table } from '#store/store'
import { others, type Thing, things } from '#test/store/things'
import { openSealer } from './sealer.ts'

/** Steps of a time to come: one that needs the indexes of all tables anew, behind those of today. */
export const laterSteps: readonly Step[] = Array.from({ length: schemaNewest }, (_, index) => ({
  to: index + 2,
  what: `made up ${index + 2}`,
  rebuildsIndexes: true,
}))

/** The tables with another entry in the index of each record, and one that is there no more. */
export const laterTables = [things, others].map((table) => ({
  ...table,
  index: (thing: Thing) => [
    ...thing.entries.filter(({ field }) => field !== 'old'),
    { field: 'content', value: String(thing.content) },
  ],
})) as unknown as readonly Table<never>[]

/** Brings up the store of a folder; kills this process within transaction `deadly`, when there are so many. */
export async function upgrade(directory: string, deadly = 0): Promise<readonly string[]> {
  const file = openFile(directory, storeLimits.mapSizeBytes)
  const { root } = file
  const transaction = root.transactionSync.bind(root)
  let count = 0
  root.transactionSync = (action) =>
    transaction(() => {
      const result = action()
      count += 1
      if (count === deadly) kill(pid, 'SIGKILL')
      return result
    })
  const told: string[] = []
  prepareSchema(file, {
    sealer: openSealer(directory),
    tables: laterTables,
    stepsForward: laterSteps,
    tell: (text) => told.push(text),
  })
  await root.close()
  return told
}

if (argv[1] === fileURLToPath(import.meta.url)) await upgrade(argv[2] ?? '', Number(argv[3]))
