/**
 * The writer's LMDB environment with a death in it: SIGKILL at a point of a transaction (death.ts). What it is: a wrapper of
 * the real one, in the writer's thread. What it is not: a change of what is written.
 */
import { existsSync } from 'node:fs'
import { MessagePort, Worker } from 'node:worker_threads'
import type { OpenFile, TableFiles } from '#store/lmdb/environment'
import { openFile as openRealFile, openTables as openRealTables } from '#store/lmdb/environment'
import { type ArmedDeath, die as dieBy } from './death.ts'

const death = JSON.parse(process.env['FAULT_DEATH'] ?? '') as ArmedDeath
const { point, transaction, microseconds, armedBy } = death
let depth = 0
let transactions = 0
let puts = 0

const isDue = (): boolean => transactions === transaction
const die = (): void => dieBy(death)

// It waits beside this thread, which is busy in LMDB when the time comes.
const alarm = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT))
const killer = new Worker(new URL('./killer.ts', import.meta.url), {
  workerData: { alarm, microseconds },
  execArgv: [],
})
killer.unref()
const dieLater = (): void => {
  Atomics.store(alarm, 0, 1)
  Atomics.notify(alarm, 0)
}

/** As the real one; transactions pass the points. */
export const openFile = (directory: string, mapSizeBytes: number): OpenFile => {
  const file = openRealFile(directory, mapSizeBytes)
  const { root } = file
  const real = root.transactionSync.bind(root)
  const outer = <T>(run: () => T): T => {
    if (transactions > 0 || existsSync(armedBy)) transactions += 1
    puts = 0
    if (point === 'taken' && isDue()) die()
    const outcome = real(() => {
      const result = run()
      if (isDue() && point === 'written') die()
      if (isDue() && point === 'committing') dieLater()
      return result
    })
    if (point === 'committed' && isDue()) die()
    return outcome
  }
  root.transactionSync = <T>(run: () => T): T => {
    depth += 1
    try {
      return depth === 1 ? outer(run) : real(run)
    } finally {
      depth -= 1
    }
  }
  return file
}

/** As the real one; a transaction may end with its second put. */
export const openTables = (file: OpenFile, names: readonly string[]): ReadonlyMap<string, TableFiles> => {
  const tables = openRealTables(file, names)
  for (const files of tables.values()) {
    for (const database of [files.records, files.index]) {
      const put = database.putSync.bind(database)
      const putSync = (...given: Parameters<typeof put>): void => {
        put(...given)
        puts += 1
        // Some transactions put no more than one: the next that does is as good.
        if (point === 'writing' && transactions >= transaction && puts === 2) die()
      }
      Object.assign(database, { putSync })
    }
  }
  return tables
}

const post = Reflect.get(MessagePort.prototype, 'postMessage')
Object.assign(MessagePort.prototype, {
  postMessage(this: MessagePort, ...given: Parameters<MessagePort['postMessage']>): void {
    Reflect.apply(post, this, given)
    if (point === 'answered' && isDue()) dieLater()
  },
})
