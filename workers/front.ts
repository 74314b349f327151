/**
 * A thread with listeners. What it is: the entry point and nothing else (src/front.ts has the composition).
 */

import assert from 'node:assert/strict'
import { parentPort, workerData } from 'node:worker_threads'
import { type FrontTask, runFront } from '#src/front'

assert(parentPort !== null, 'this is the entry of a worker thread')
await runFront(parentPort, workerData as FrontTask)
