/**
 * A look through a store by a thread of its own, so that those who are served meanwhile do not wait. What it is: the thread's
 * start, its answer and its end. What it is not: the look.
 */

import { Worker } from 'node:worker_threads'
import type { Entropy } from '#actor/entropy'
import { type Keyring, sealKeyBytes } from '#crypto/seal'
import type { StoreReport } from '#store/lmdb/check'
import type { CheckTask } from './check-task.ts'
import { BackupRefused } from './refused.ts'

/** What the thread answers. */
export type CheckAnswer = { readonly report: StoreReport } | { readonly refused: string }

/** The task of a look, with the keys in a form that can be handed over. */
export function checkTask(kind: CheckTask['kind'], path: string, keyring: Keyring, entropy: Entropy): CheckTask {
  const key = entropy.bytes(sealKeyBytes)
  return { kind, path, keyring: keyring.sealUnder(key, entropy), key }
}

/**
 * Has a thread look through a store.
 * @throws BackupRefused with what the thread says when the store cannot be looked at
 */
export async function checkInThread(task: CheckTask): Promise<StoreReport> {
  // The entry lies beside `src` both in the repository (.ts) and where it was compiled (.js).
  const suffix = import.meta.url.slice(import.meta.url.lastIndexOf('.'))
  const entry = new URL(`../../workers/check${suffix}`, import.meta.url)
  const worker = new Worker(entry, { name: 'check', workerData: task, execArgv: [] })
  return new Promise((resolve, reject) => {
    worker.on('message', (answer: CheckAnswer) =>
      'report' in answer ? resolve(answer.report) : reject(new BackupRefused(answer.refused)),
    )
    worker.on('error', reject)
    worker.on('exit', () => reject(new BackupRefused('the thread that looked through the store has ended')))
  })
}
