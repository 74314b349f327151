/**
 * The same operations against PyKMIP's server on the same machine: one row an operation. What it is: how many times as fast
 * this project's server is. What it is not: a goal.
 */
import { v1_2 } from '#kmip/versions'
import type { Figures, Goal, GoalOptions } from './goals.ts'
import { rowsOf } from './goals.ts'
import type { Progress } from './load.ts'
import { startOwnServer } from './own-server.ts'
import { startPykmipServer } from './pykmip-server.ts'
import { operationsPerSecond, type Row } from './report.ts'
import { type ScenarioName, scenarioOf } from './scenarios/index.ts'

/** PyKMIP looks at every object when it locates, and has a thread for each session, of which one runs at a time. */
const objectCount = 200
const sessions = 4

const measure = async (operation: ScenarioName, options: GoalOptions, progress: Progress): Promise<Figures> => {
  const plan = { kind: 'operation', operation, dataSize: 64, batch: 1 } as const
  const few = { ...options, objectCount: Math.min(objectCount, options.objectCount) }
  const looked: Row[][] = []
  for (const start of [() => startOwnServer(options.serverFlags), startPykmipServer]) {
    const server = await start()
    try {
      looked.push(await rowsOf(few, server, [plan], sessions, progress, { withLimit: false, frame: { version: v1_2 } }))
    } finally {
      await server.stop()
    }
  }
  const [own = [], other = []] = looked.map((rows) => rows.map((row) => operationsPerSecond(row.measured)))
  const errors: Record<string, number> = {}
  for (const row of looked.flat())
    for (const [name, count] of Object.entries(row.measured.errors)) errors[name] = (errors[name] ?? 0) + count
  return {
    values: own.map((rate, run) => rate / (other[run] ?? Number.NaN)),
    details: {
      'ops/s': own,
      'PyKMIP ops/s': other,
      'p99 us': (looked[0] ?? []).map((row) => row.measured.latency.p99 / 1000),
      'PyKMIP p99 us': (looked[1] ?? []).map((row) => row.measured.latency.p99 / 1000),
    },
    note: `KMIP 1.2, ${sessions} sessions, ${few.objectCount} objects`,
    errors,
  }
}

const operations: readonly ScenarioName[] = [
  'discover-versions',
  'query',
  'create',
  'get',
  'get-attributes',
  'locate',
  'encrypt-cbc',
  'mac',
  'sign',
]

/** A row for each operation that both have. */
export const pykmipGoals: readonly Goal[] = operations.map((operation) => ({
  name: `pykmip-${operation}`,
  work: scenarioOf(operation).text,
  unit: "times PyKMIP's",
  command: () => `kmip-bench goals --pykmip --row pykmip-${operation}`,
  measure: (options, progress) => measure(operation, options, progress),
}))
