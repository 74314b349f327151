/**
 * A server without sockets, filled, and the requests that suites ask it: those of kmip-bench load. What it is not: a suite.
 * Audit is off: it has a thread of its own, and waits for the disk.
 */
import { aesKey, hmacKey } from '#bench/preload'
import { requestsOf, type ScenarioName, type Supplies, scenarioOf } from '#bench/scenarios/index'
import { newestVersion } from '#kmip/versions'
import { type Answer, bytesOf } from '#server/connection'
import { openServerParts, type ServerParts } from './server-parts.ts'
import type { Task } from './suite.ts'

const dataSize = 64

const activeKey = async (parts: ServerParts, kind: 'aes' | 'hmac'): Promise<string> => {
  const made = kind === 'aes' ? await parts.ask('Create', aesKey) : await parts.ask('Register', hmacKey)
  const { uniqueIdentifier } = made as { readonly uniqueIdentifier: string }
  await parts.ask('Activate', { uniqueIdentifier })
  return uniqueIdentifier
}

const sizeOf = (answer: Answer): number => bytesOf(answer).length

/** A server, and the requests that it is asked. */
export interface Asked {
  readonly parts: ServerParts
  readonly requests: (name: ScenarioName, batch: number) => Uint8Array[]
}

/** Starts one with so many keys, with more flags of `kmipd serve`. */
export const openAsked = async (count: number, flags: readonly string[]): Promise<Asked> => {
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

/** Asks for one operation, of each object in turn where it is about objects. */
export const taskOf = ({ parts, requests }: Asked, name: string, operation: ScenarioName, batch: number): Task => {
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
