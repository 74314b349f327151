/**
 * Threads that die under load, each at a point of its way: the store's writer, and the auditor. The process must end plainly, since
 * nobody knows then what the disk holds: what was acknowledged is there at the next start, what was not is not told as done. What
 * it is not: a front (server/fronts.test.ts) or a crypto worker (parts.test.ts), which are replaced.
 */
import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { createClient } from '#client/client'
import { ConnectionLost, KmipResponseError } from '#client/errors'
import { ResultReason, State } from '#kmip/enums'
import { startServerProcess } from '#test/running-server'
import { brokenIn } from './administrator.ts'
import { deathEnvironment, type Point } from './death.ts'
import { type Promised, promisedObject, verify } from './ledger.ts'
import { create } from './load.ts'

const deaths: readonly (readonly [string, Point, RegExp])[] = [
  ['the store’s writer, before it has written', 'taken', /store's writer/],
  ['the store’s writer, before it has answered', 'committed', /store's writer/],
  ['the auditor, before it has written', 'lines taken', /auditor has ended by itself/],
  ['the auditor, in the midst of a write', 'lines torn', /auditor has ended by itself/],
  ['the auditor, before it has answered', 'lines synced', /auditor has ended by itself/],
]

/** As `main.ts` has it: what a supervisor of processes starts again. */
const failureExitCode = 70

/** A KMIP error that tells nothing of the inside, or the end of the session: never a success. */
const isPlain = (error: unknown): boolean => {
  if (error instanceof ConnectionLost) return true
  return (
    error instanceof KmipResponseError &&
    error.reason === ResultReason.GeneralFailure &&
    !/thread|writer|auditor/i.test(error.message)
  )
}

describe('a thread that dies', () => {
  for (const [what, point, words] of deaths) {
    test(`${what}: the server ends, says why, and has everything at the next start`, async () => {
      const base = await mkdtemp(join(tmpdir(), 'kmipd-thread-'))
      const [directory, armedBy] = [join(base, 'data'), join(base, 'armed')]
      const environment = deathEnvironment({ point, transaction: 20, microseconds: 0, of: 'thread', armedBy })
      const server = await startServerProcess({ directory, environment })
      const kept: Promised[] = []
      try {
        await writeFile(armedBy, '')
        const client = createClient(server.connection)
        const work = async (number: number): Promise<void> => {
          for (let count = 0; count < 1_000; count += 1) {
            const name = `${number}.${count}`
            const { uniqueIdentifier } = await create(client, name)
            kept.push(promisedObject(uniqueIdentifier, { state: State.PreActive, name }))
          }
        }
        const works = await Promise.allSettled([0, 1, 2, 3].map(work))
        await server.ended
        for (const ended of works) assert.ok(ended.status === 'rejected' && isPlain(ended.reason), 'everybody is told')
        assert.deepEqual([server.process.exitCode, server.process.signalCode], [failureExitCode, null])
        assert.match(JSON.stringify(server.log.slice(-8)), words)
        await client.close().catch((error: unknown) => assert.ok(error instanceof ConnectionLost))
        assert.ok(kept.length > 0)

        await using again = await startServerProcess({ directory })
        await using other = createClient(again.connection)
        for (const promised of kept) assert.equal(await verify(other, promised), undefined)
        assert.deepEqual(await brokenIn(again), [])
        await create(other)
      } finally {
        await server.kill()
        await rm(base, { recursive: true, force: true })
      }
    })
  }
})
