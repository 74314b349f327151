/**
 * The thread that looks through a store. What it is: the entry point and nothing else. It ends by itself.
 */

import assert from 'node:assert/strict'
import { parentPort, workerData } from 'node:worker_threads'
import { type CheckTask, runCheck } from '#backup/check-task'
import type { CheckAnswer } from '#backup/check-thread'
import { tables } from '#src/tables'
import { StoreRefused } from '#store/store'

assert(parentPort !== null, 'this is the entry of a worker thread')
let answer: CheckAnswer
try {
  answer = { report: await runCheck(workerData as CheckTask, tables) }
} catch (error) {
  if (!(error instanceof StoreRefused)) throw error
  answer = { refused: error.message }
}
parentPort.postMessage(answer, [])
