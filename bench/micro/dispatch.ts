/**
 * Times src/server/dispatch.ts with all that is beneath it and the session above it: one request of each kind on a store on
 * the disk, without sockets and without TLS. What it is: what a server adds to a bare echo. What it is not: answers that are
 * kept (known-answers.ts), or latency under load (kmip-bench load).
 */
import type { ScenarioName } from '#bench/scenarios/index'
import { bytesOf } from '#server/connection'
import { openAsked, taskOf } from './asked.ts'
import type { Suite, SuiteOptions, Task } from './suite.ts'

/** What is asked, with so many items in a message. */
const cases: readonly (readonly [ScenarioName, batch: number])[] = [
  ['discover-versions', 1],
  ['query', 1],
  ['get', 1],
  ['get', 64],
  ['get-attributes', 1],
  ['locate', 1],
  ['encrypt-cbc', 1],
  ['encrypt-gcm', 1],
  ['mac', 1],
  ['hash', 1],
]
/** Sessions whose Creates wait for the disk together. */
const createsTogether = 64

/** A task a kind of request, decided anew each time; the objects are asked for in turn. */
export const open = async ({ objects }: SuiteOptions): Promise<Suite> => {
  const asked = await openAsked(objects, ['--answer-cache-bytes-max', '0'])
  const [create = new Uint8Array(0)] = asked.requests('create', 1)
  const tasks: Task[] = [
    ...cases.map(([name, batch]) => taskOf(asked, batch === 1 ? name : `${name} x${batch}, an item`, name, batch)),
    {
      name: `create, one of ${createsTogether} at once`,
      operations: createsTogether,
      run: async () => {
        const answers = await Promise.all(
          Array.from({ length: createsTogether }, async () => asked.parts.answer(create)),
        )
        return answers.reduce((sum, answer) => sum + bytesOf(answer).length, 0)
      },
    },
  ]
  return { tasks, close: () => asked.parts.close() }
}
