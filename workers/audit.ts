/**
 * The auditor's thread, and that of a check of the whole trail. What it is: the entry point and nothing else.
 */

import assert from 'node:assert/strict'
import { parentPort, workerData } from 'node:worker_threads'
import { systemClock } from '#actor/clock'
import { runAuditor } from '#audit/auditor'
import type { AuditTask } from '#audit/messages'
import { verifyTrail } from '#audit/verify'

assert(parentPort !== null, 'this is the entry of a worker thread')
const task = workerData as AuditTask
if (task.kind === 'write') runAuditor(parentPort, task, systemClock)
else parentPort.postMessage(verifyTrail(task), [])
