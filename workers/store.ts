/**
 * The store actor's thread. What it is: the entry point and nothing else. Never to be terminated: the owner closes it.
 */

import assert from 'node:assert/strict'
import { parentPort, workerData } from 'node:worker_threads'
import type { WriterSettings } from '#store/lmdb/messages'
import { runWriter } from '#store/lmdb/writer'

assert(parentPort !== null, 'this is the entry of a worker thread')
runWriter(parentPort, workerData as WriterSettings)
