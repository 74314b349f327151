/** Another front thread for the tests: reads, or commits, what it is told, and answers with what it saw. */

import assert from 'node:assert/strict'
import { parentPort, workerData } from 'node:worker_threads'
import type { FrontChannel } from '#store/lmdb/messages'
import { openFront, storeLimits } from '#store/lmdb/open'
import { create, tables, things } from '#test/store/things'
import { openSealer } from './sealer.ts'

/** What the thread is asked: to read a key or its revision, to create a record, which changes of others it was told of, or to end. */
export type Ask =
  | { readonly read: string }
  | { readonly revision: string }
  | { readonly create: string }
  | 'told'
  | 'end'

const { directory, channel } = workerData as { directory: string; channel: FrontChannel }
const store = openFront({ directory, sealer: openSealer(directory), tables, limits: storeLimits, channel })

const told: string[] = []
store.onChanged((table, key) => told.push(`${table} ${key}`))

async function answer(ask: Ask): Promise<unknown> {
  if (ask === 'end') {
    parentPort?.close()
    return store.close()
  }
  if (ask === 'told') return told
  if ('revision' in ask) return store.revision(things, ask.revision)
  if ('read' in ask) return store.read(things, ask.read)?.value.content
  return store.commit([create(ask.create, { entries: [], content: 'from another thread' })])
}

assert(parentPort !== null, 'this is the entry of a worker thread')
parentPort.on('message', (ask: Ask) => {
  void answer(ask).then((seen) => {
    if (ask !== 'end') parentPort?.postMessage(seen, [])
  })
})
