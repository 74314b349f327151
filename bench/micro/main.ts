/**
 * Times the codec: decoding and encoding of each kind of message, and the framer. What it is: a figure to compare with the
 * same machine's figure of yesterday. What it is not: a measurement of a server (kmip-bench).
 */
import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { Bench } from 'tinybench'
import { readRequest, readResponse, writeRequest, writeResponse } from '#kmip/message'
import { Tag } from '#kmip/tags'
import { newestVersion } from '#kmip/versions'
import { BinaryReader, BinaryWriter } from '#ttlv/binary'
import { Framer } from '#ttlv/framer'
import { messagePairs } from './messages.ts'

const { values } = parseArgs({
  options: { time: { type: 'string', default: '300' }, filter: { type: 'string' }, json: { type: 'string' } },
})
const timeMs = Number(values.time)
if (!Number.isFinite(timeMs) || timeMs <= 0) throw new Error(`--time ${values.time} is not a number of milliseconds`)

/** One call of a task is so many operations: the clock costs about as much as one of them. */
const repeats = 100
const limits = { nestingDepthMax: 32, itemCountMax: 100_000 }
/** Takes every result, so that no work can be left out as unused. */
let sink = 0

const tasks: (readonly [name: string, operation: () => number])[] = messagePairs.flatMap(
  ({ kind, request, response }) => {
    const requestMessage = readRequest(new BinaryReader(request, limits))
    const responseMessage = readResponse(new BinaryReader(response, limits))
    return [
      [`decode ${kind} request`, () => readRequest(new BinaryReader(request, limits)).batchItem.length],
      [
        `encode ${kind} response`,
        () => {
          const writer = new BinaryWriter(newestVersion)
          writeResponse(writer, responseMessage)
          return writer.bytes().length
        },
      ],
      [
        `encode ${kind} request`,
        () => {
          const writer = new BinaryWriter(newestVersion)
          writeRequest(writer, requestMessage)
          return writer.bytes().length
        },
      ],
      [`decode ${kind} response`, () => readResponse(new BinaryReader(response, limits)).batchItem.length],
    ] as const
  },
)
const framer = new Framer(Tag.RequestMessage, 1_000_000)
const whole = messagePairs[0]?.request ?? Buffer.alloc(0)
const halves = [whole.subarray(0, whole.length >> 1), whole.subarray(whole.length >> 1)]
for (const [name, chunks] of [
  ['frame a whole request', [whole]],
  ['frame a request in halves', halves],
] as const) {
  tasks.push([
    name,
    () => {
      for (const chunk of chunks) framer.push(chunk)
      return framer.next()?.length ?? 0
    },
  ])
}

const bench = new Bench({ time: timeMs, warmupTime: timeMs / 3, throws: true })
for (const [name, operation] of tasks) {
  if (values.filter !== undefined && !name.includes(values.filter)) continue
  bench.add(name, () => {
    for (let count = 0; count < repeats; count += 1) sink += operation()
  })
}
await bench.run()

const rows = bench.tasks.flatMap(({ name, result }) =>
  // Milliseconds a call, as microseconds an operation.
  result.state === 'completed'
    ? [
        {
          name,
          p50Us: (result.latency.p50 * 1000) / repeats,
          p99Us: (result.latency.p99 * 1000) / repeats,
          rmePercent: result.latency.rme,
        },
      ]
    : [],
)
if (rows.length !== bench.tasks.length || rows.length === 0)
  throw new Error('a task did not complete, or the filter leaves none')
if (sink <= 0) throw new Error('the operations gave nothing')
process.stdout.write(
  `${'operation'.padEnd(36)} ${'p50 us'.padStart(9)} ${'p99 us'.padStart(9)} ${'+- %'.padStart(7)}\n`,
)
for (const row of rows) {
  process.stdout.write(
    `${row.name.padEnd(36)} ${row.p50Us.toFixed(3).padStart(9)} ${row.p99Us.toFixed(3).padStart(9)} ${row.rmePercent.toFixed(2).padStart(7)}\n`,
  )
}
if (values.json !== undefined)
  writeFileSync(values.json, `${JSON.stringify({ node: process.version, repeats, rows }, undefined, 2)}\n`)
