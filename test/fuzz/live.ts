/**
 * The command that sends faulty messages to a real server and says what came of them.
 *
 *     node test/fuzz/live.ts --messages 100000 --seed 1 --connections 32
 *
 * What it is: the command line and the report. What it is not: the run (run.ts). Exit code 1: something came that must not
 * be, or memory grew.
 */
import { parseArgs } from 'node:util'
import { startServerProcess } from '#test/running-server'
import { type FuzzReport, fuzz, type Memory } from './run.ts'

const { values } = parseArgs({
  options: {
    messages: { type: 'string', default: '100000' },
    seed: { type: 'string', default: '1' },
    connections: { type: 'string', default: '32' },
  },
})

/** The least of the last four samples may be so much more than the middle of the fourth to sixth. */
const growthMax = 1.25

/** Allocated memory rises and falls with the collection of garbage: what it falls back to tells whether it grows. */
const isFlat = (memory: readonly Memory[]): boolean => {
  const allocated = memory.map(({ anonymous }) => anonymous)
  const early = allocated.slice(3, 6).toSorted((left, right) => left - right)[1] ?? 0
  return Math.min(...allocated.slice(-4)) <= early * growthMax
}

const show = ({
  outcomes,
  reasons,
  findings,
  findingCount,
  memory,
  slowestMs,
  slowestRequest,
  connections,
}: FuzzReport) => {
  const table = (name: string, counts: Readonly<Record<string, number>>): void => {
    console.log(`\n${name}`)
    const rows = Object.entries(counts).toSorted(([, left], [, right]) => right - left)
    for (const [row, count] of rows) console.log(`${String(count).padStart(10)}  ${row}`)
  }
  table('answers', outcomes)
  table('failed batch items by Result Reason', reasons)
  console.log(`\n${connections} connections; slowest answer ${slowestMs.toFixed(0)} ms`)
  if (slowestMs > 1000) console.log(`    to ${slowestRequest}`)
  console.log(
    `memory, MiB resident (allocated): ${memory.map((now) => `${now.resident} (${now.anonymous})`).join(', ')}`,
  )
  console.log(isFlat(memory) ? 'memory is flat' : 'MEMORY GROWS')
  console.log(`${findingCount} findings`)
  for (const { what, request, answer } of findings) {
    console.log(`\n${what}\n    request ${request.slice(0, 2000)}\n    answer  ${answer.slice(0, 1000)}`)
  }
}

const server = await startServerProcess()
try {
  const beganMs = performance.now()
  const report = await fuzz(server, {
    messages: Number(values.messages),
    seed: Number(values.seed),
    connections: Number(values.connections),
    replyTimeoutMs: 5000,
    requestSizeMax: 1_048_576,
    onTenth: ({ sent, resident, anonymous }) =>
      console.log(
        `${sent} messages in ${((performance.now() - beganMs) / 1000).toFixed(0)} s: ${resident} (${anonymous}) MiB`,
      ),
  })
  show(report)
  process.exitCode = report.findingCount > 0 || !isFlat(report.memory) ? 1 : 0
} finally {
  await server.kill()
}
