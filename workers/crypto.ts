/**
 * The crypto worker: a thread that does the jobs of a task and gives their outcomes. What it is not: a place for logic
 * (src/crypto/worker-task.ts has it).
 */

import { prepareWorker, runTask } from '#crypto/worker-task'

prepareWorker()

export default runTask
