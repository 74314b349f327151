/** A thread that kills its process some time after it was woken. What it is not: a test. */
import { workerData } from 'node:worker_threads'

const { alarm, microseconds } = workerData as { readonly alarm: Int32Array; readonly microseconds: number }

Atomics.wait(alarm, 0, 0)
const untilMs = performance.now() + microseconds / 1000
while (performance.now() < untilMs);
process.kill(process.pid, 'SIGKILL')
