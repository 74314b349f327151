/**
 * The command that sends faulty messages to a real server and says what came of them.
 *
 *     node test/fuzz/live.ts --messages 100000 --seed 1 --connections 32
 *
 * What it is: the command line and the report. What it is not: the run (run.ts). Exit code 1: something came that must not
 * be, or memory grew.
 */
import { commandLine } from '#test/command-line'
import { startServerProcess } from '#test/running-server'
import { type FuzzReport, fuzz, type Memory } from './run.ts'

const values = commandLine({
  command: 'npm run fuzz:server',
  text: 'faulty messages to a real server',
  options: {
    messages: { type: 'string', default: '100000' },
    seed: { type: 'string', default: '1' },
    connections: { type: 'string', default: '32' },
  },
  numbers: { messages: 1, seed: 0, connections: 1 },
})

/** Allocated memory, in MiB, may be so much more after the fifth tenth than after the second: more messages tell more. */
const growthMax = 48

/**
 * Judged while no objects are made, and after the first tenth, which fills what has a bound. Later the store grows, and with
 * it the garbage of a Locate that reads it all: that memory is shown and not judged.
 */
const isFlat = (memory: readonly Memory[]): boolean => {
  const allocated = memory.map(({ anonymous }) => anonymous)
  return Math.min(...allocated.slice(4, 6)) <= Math.min(...allocated.slice(2, 4)) + growthMax
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

const server = await startServerProcess({ flags: ['--failed-sessions-per-address-max', '0'] })
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
