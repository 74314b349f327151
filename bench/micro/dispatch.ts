/**
 * Times src/server/dispatch.ts with all that is beneath it and the session above it: one request of each kind on a store on
 * the disk, without sockets and without TLS. What it is: what a server adds to a bare echo. What it is not: latency under load
 * (kmip-bench load). Audit is off: it has a thread of its own, and waits for the disk.
 */
import { aesKey, hmacKey } from '#bench/preload'
import { requestsOf, type ScenarioName, type Supplies, scenarioOf } from '#bench/scenarios/index'
import { newestVersion } from '#kmip/versions'
import type { Answer } from '#server/connection'
import { openServerParts, type ServerParts } from './server-parts.ts'
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
/** Of these, what is answered again from memory as long as nothing that it tells of has changed. */
const keptCases: readonly ScenarioName[] = ['discover-versions', 'query', 'get', 'get-attributes', 'locate']
const dataSize = 64
/** Sessions whose Creates wait for the disk together. */
const createsTogether = 64

const activeKey = async (parts: ServerParts, kind: 'aes' | 'hmac'): Promise<string> => {
  const made = kind === 'aes' ? await parts.ask('Create', aesKey) : await parts.ask('Register', hmacKey)
  const { uniqueIdentifier } = made as { readonly uniqueIdentifier: string }
  await parts.ask('Activate', { uniqueIdentifier })
  return uniqueIdentifier
}

const sizeOf = ({ bytes }: Answer): number => bytes.length

/** A server, and the requests that it is asked. */
interface Asked {
  readonly parts: ServerParts
  requests(name: ScenarioName, batch: number): Uint8Array[]
}

const openAsked = async (count: number, flags: readonly string[]): Promise<Asked> => {
  const parts = await openServerParts(['--audit', 'off', ...flags])
  const objects = await parts.makeKeys(count)
  const keys = { aes: await activeKey(parts, 'aes'), hmac: await activeKey(parts, 'hmac') }
  const supplies: Supplies = { objects, keys, dataSize }
  const requests = (name: ScenarioName, batch: number): Uint8Array[] =>
    requestsOf(scenarioOf(name), supplies, { version: newestVersion }, batch)
  // The first Get of an object clears Fresh, durably: that is not what is timed.
  await Promise.all(requests('get', 64).map(async (message) => parts.answer(message)))
  return { parts, requests }
}

const taskOf = ({ parts, requests }: Asked, name: string, operation: ScenarioName, batch: number): Task => {
  const messages = requests(operation, batch)
  let at = 0
  return {
    name,
    ...(batch === 1 ? {} : { operations: batch }),
    run: () => {
      at += 1
      const answer = parts.answer(messages[at % messages.length] ?? new Uint8Array(0))
      // Most are answered at once; what is not is waited for, which costs a turn of the loop.
      return answer instanceof Promise ? answer.then(sizeOf) : sizeOf(answer)
    },
  }
}

/** A task a kind of request; the objects are asked for in turn. */
export const open = async ({ objects: count }: SuiteOptions): Promise<Suite> => {
  const anew = await openAsked(count, ['--answer-cache-bytes-max', '0'])
  const kept = await openAsked(count, [])
  const [create = new Uint8Array(0)] = anew.requests('create', 1)
  const tasks: Task[] = [
    ...cases.map(([name, batch]) => taskOf(anew, batch === 1 ? name : `${name} x${batch}, an item`, name, batch)),
    ...keptCases.map((name) => taskOf(kept, `${name}, a kept answer`, name, 1)),
    {
      name: `create, one of ${createsTogether} at once`,
      operations: createsTogether,
      run: async () => {
        const answers = await Promise.all(
          Array.from({ length: createsTogether }, async () => anew.parts.answer(create)),
        )
        return answers.reduce((sum, answer) => sum + sizeOf(answer), 0)
      },
    },
  ]
  return {
    tasks,
    async close() {
      await anew.parts.close()
      await kept.parts.close()
    },
  }
}
