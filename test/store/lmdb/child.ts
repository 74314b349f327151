/**
 * A server's worth of writers in a process that is there to be killed. What it is: commits without end, each named on the
 * standard output once it is answered. What it is not: a test.
 */

import { writeSync } from 'node:fs'
import { argv } from 'node:process'
import { openStore, storeLimits } from '#store/lmdb/open'
import { change, create, present, tables, uuid } from '#test/store/things'
import { openSealer } from './sealer.ts'

const directory = argv[2] ?? ''
const store = await openStore({
  directory,
  sealer: openSealer(directory),
  tables,
  limits: storeLimits,
  onFault(fault) {
    throw fault
  },
})

/** Each writer makes a record and then changes the one that it made before, so that a lost change shows in the revision. */
async function write(writer: number): Promise<never> {
  for (let n = 0; ; n++) {
    const key = uuid(writer * 2 ** 32 + n)
    const entries = [{ field: 'writer', value: writer }]
    const made = create(key, { entries, claims: [{ field: 'key', value: key }], content: 'first' })
    const older = n === 0 ? undefined : present(store, uuid(writer * 2 ** 32 + n - 1))
    const changes = older === undefined ? [made] : [made, change(older, { ...older.value, content: 'second' })]
    if ((await store.commit(changes)).done) writeSync(1, `${writer} ${n}\n`)
  }
}

await Promise.all(Array.from({ length: 16 }, (_, writer) => write(writer)))
