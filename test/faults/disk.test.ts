/**
 * A disk that is full, for real: a small file system, and a limit on the size of files. What it is: what a client is told, what
 * goes on meanwhile, and what is there afterwards. What it is not: the store's own reserve (store/lmdb/lmdb.test.ts).
 */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { rmSync, statfsSync, statSync, writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { getuid } from 'node:process'
import { describe, test } from 'node:test'
import { type Client, createClient } from '#client/client'
import { KmipResponseError } from '#client/errors'
import { ResultReason, State } from '#kmip/enums'
import { type RunningServer, startRefused, startServerProcess } from '#test/running-server'
import { type Promised, promisedObject, verify } from './ledger.ts'
import { register } from './load.ts'

/** A way in which a disk gets full, and room again. */
interface Way {
  readonly prepare: (directory: string) => void
  readonly fill: (server: RunningServer) => void
  readonly free: (server: RunningServer) => void
  readonly tidy: (directory: string) => void
  /** Whether it is full for a server that is started later, too. */
  readonly lasts: boolean
}

const nothing = (): void => undefined
const limitFiles = ({ process }: RunningServer, bytes: number | 'unlimited'): void =>
  void execFileSync('prlimit', [`--fsize=${bytes}:unlimited`, '--pid', String(process.pid)])

const ballast = (directory: string): string => join(directory, 'ballast')

const ways: Record<string, Way> = {
  'a limit on the size of files': {
    prepare: nothing,
    fill: (server) => limitFiles(server, statSync(join(server.directory, 'store.mdb')).size),
    // The limit goes with the process.
    free: (server) => {
      if (server.alive) limitFiles(server, 'unlimited')
    },
    tidy: nothing,
    lasts: false,
  },
}
// To mount is root's alone.
if (getuid?.() === 0) {
  ways['a small file system'] = {
    prepare: (directory) => void execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=24m', 'kmipd-test', directory]),
    fill: ({ directory }) => {
      const { bavail, bsize } = statfsSync(directory)
      writeFileSync(ballast(directory), Buffer.alloc(bavail * bsize))
    },
    free: ({ directory }) => rmSync(ballast(directory)),
    tidy: (directory) => void execFileSync('umount', ['--lazy', directory]),
    lasts: true,
  }
}

const refusal = async (request: Promise<unknown>): Promise<KmipResponseError | undefined> => {
  try {
    await request
    return undefined
  } catch (error) {
    if (error instanceof KmipResponseError) return error
    throw error
  }
}

/** Registers keys until one is refused, or so many are there. */
const registerUntilRefused = async (client: Client, kept: Promised[]): Promise<KmipResponseError | undefined> => {
  for (let count = 0; count < 500; count += 1) {
    const material = Buffer.alloc(32, count)
    let uniqueIdentifier = ''
    const refused = await refusal(register(client, material).then((made) => ({ uniqueIdentifier } = made)))
    if (refused !== undefined) return refused
    kept.push(promisedObject(uniqueIdentifier, { state: State.PreActive }, material))
  }
  return undefined
}

const verdicts = async (client: Client, kept: readonly Promised[]): Promise<readonly string[]> => {
  const all = await Promise.all(kept.map((promised) => verify(client, promised)))
  return all.filter((verdict) => verdict !== undefined)
}

describe('a full disk', () => {
  for (const [name, way] of Object.entries(ways)) {
    test(`${name}: changes are refused, reads go on, room is used again, and nothing is lost`, async () => {
      const directory = await mkdtemp(join(tmpdir(), 'kmipd-disk-'))
      way.prepare(directory)
      const kept: Promised[] = []
      let server = await startServerProcess({ directory })
      try {
        let client = createClient(server.connection)
        const first = Buffer.alloc(32, 255)
        const { uniqueIdentifier } = await register(client, first)
        kept.push(promisedObject(uniqueIdentifier, { state: State.PreActive }, first))
        way.fill(server)
        const refused = await registerUntilRefused(client, kept)
        assert.equal(refused?.reason, ResultReason.GeneralFailure)
        assert.match(refused.message, /try again/)
        assert.doesNotMatch(refused.message, /disk|space|LMDB|store/, 'what is full is not for clients')
        assert.ok(server.alive, 'service goes on')
        assert.deepEqual(await verdicts(client, kept), [], 'what was acknowledged can be read')
        const told = server.failures.map((line) => JSON.stringify(line))
        assert.ok(told.length > 0)
        for (const line of told) assert.match(line, /disk is full: free space for the data directory/)
        way.free(server)
        const { uniqueIdentifier: later } = await register(client, first)
        kept.push(promisedObject(later, { state: State.PreActive }, first))
        assert.equal(
          (await client.locate({})).uniqueIdentifier.length,
          kept.length,
          'nothing of what was refused is there',
        )
        await client.close()
        await server.kill()
        server = await startServerProcess({ directory })
        client = createClient(server.connection)
        assert.deepEqual(await verdicts(client, kept), [], 'and after a kill')
        await client.close()
        assert.equal(await server.stop(), 0)
      } finally {
        await server.kill()
        way.tidy(directory)
        await rm(directory, { recursive: true, force: true })
      }
    })

    test(`${name}: a server that is to end does so, and what was acknowledged is there`, async () => {
      const directory = await mkdtemp(join(tmpdir(), 'kmipd-disk-'))
      way.prepare(directory)
      const kept: Promised[] = []
      let server = await startServerProcess({ directory })
      try {
        const client = createClient(server.connection)
        way.fill(server)
        await registerUntilRefused(client, kept)
        await client.close()
        await server.stop()
        if (way.lasts) {
          rmSync(ballast(directory))
          way.fill(server)
          // Not 78, behind which nobody tries again: there may be room later.
          assert.equal((await startRefused(directory)).code, 70)
        }
        way.free(server)
        server = await startServerProcess({ directory })
        const again = createClient(server.connection)
        assert.deepEqual(await verdicts(again, kept), [])
        await again.close()
        assert.equal(await server.stop(), 0)
      } finally {
        await server.kill()
        way.tidy(directory)
        await rm(directory, { recursive: true, force: true })
      }
    })
  }
})
