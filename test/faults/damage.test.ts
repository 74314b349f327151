/**
 * A store that was changed behind the server's back: cut off, lost, bits turned over, records exchanged. What it is: what a start
 * says, what is answered of the rest, and that nothing false ever is. What it is not: a repair.
 */
import assert from 'node:assert/strict'
import { cpSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { createClient } from '#client/client'
import { ConnectionLost, KmipResponseError } from '#client/errors'
import { ResultReason, State } from '#kmip/enums'
import { encodeRecordKey } from '#store/keys'
import { openFile, openTables } from '#store/lmdb/environment'
import { type RunningServer, startRefused, startServerProcess } from '#test/running-server'
import { seededRandom } from '#test/seeded-random'
import { type Promised, promisedObject, verify } from './ledger.ts'
import { create, register } from './load.ts'

const pageBytes = 4096
const kept: Promised[] = []
let base = ''
let copies = 0

before(async () => {
  base = await mkdtemp(join(tmpdir(), 'kmipd-damage-'))
  const server = await startServerProcess({ directory: join(base, 'whole') })
  await using client = createClient(server.connection)
  for (let count = 0; count < 40; count += 1) {
    const material = Buffer.alloc(32, count)
    const name = `object ${count}`
    const { uniqueIdentifier } = await register(client, material, name)
    await client.get({ uniqueIdentifier })
    kept.push(promisedObject(uniqueIdentifier, { state: State.PreActive, name }, material))
  }
  assert.equal(await server.stop(), 0)
})
after(() => rm(base, { recursive: true, force: true }))

/** A copy of the data directory, damaged. */
const damaged = async (damage: (file: string) => unknown): Promise<string> => {
  copies += 1
  const directory = join(base, `copy ${copies}`)
  cpSync(join(base, 'whole'), directory, { recursive: true })
  await damage(join(directory, 'store.mdb'))
  return directory
}

/** A start that must be refused. Gives the reason. */
const refusedStart = async (directory: string): Promise<string> => {
  const failure = await startRefused(directory)
  assert.deepEqual([failure.code, failure.signal], [78, null], failure.stdout)
  const last = failure.stdout.trim().split('\n').at(-1) ?? ''
  return String((JSON.parse(last) as { readonly reason: unknown }).reason)
}

describe('a store that has lost a part', () => {
  const half = (file: string): number => Math.floor(statSync(file).size / 2)
  const losses: Readonly<Record<string, (file: string) => void>> = {
    // The last pages alone may be free ones, which nobody misses.
    'a quarter of it': (file) => truncateSync(file, Math.floor((statSync(file).size * 3) / 4)),
    'half of it': (file) => truncateSync(file, half(file)),
    'all but its head': (file) => truncateSync(file, 2 * pageBytes),
    'all but some bytes': (file) => truncateSync(file, 100),
    everything: (file) => truncateSync(file, 0),
  }
  for (const [what, lose] of Object.entries(losses)) {
    test(`${what}: the start is refused, says what to do, and touches nothing`, async () => {
      const directory = await damaged(lose)
      const file = join(directory, 'store.mdb')
      const left = await readFile(file)
      assert.match(
        await refusedStart(directory),
        /store\.mdb was cut off: \d+ bytes are missing at its end.*restore a backup/,
      )
      assert.ok(left.equals(await readFile(file)))
    })
  }

  test('the whole file: no new store takes its place unseen', async () => {
    const directory = await damaged((file) => rmSync(file))
    assert.match(await refusedStart(directory), /is of an older one, with all keys: restore a backup/)
    assert.match(await refusedStart(directory), /restore a backup/, 'nor at the second start')
  })
})

/** Starts a server on damaged data and asks for all, as long as it lives. Gives what became of it; @throws for a false answer */
const outcomeOf = async (directory: string): Promise<string> => {
  let server: RunningServer
  try {
    server = await startServerProcess({ directory })
  } catch (error) {
    assert.match(String(error), /does not serve/)
    return 'refused'
  }
  const client = createClient(server.connection)
  try {
    for (const promised of kept) {
      const verdict = await verify(client, promised)
      // What is not found or does not open is said to be so; another key or state never takes its place.
      if (verdict !== undefined) assert.match(verdict, /: (?:GeneralFailure|ItemNotFound)$|^its name finds nothing$/)
    }
    return 'serves'
  } catch (error) {
    if (!(error instanceof ConnectionLost)) throw error
    return 'ends'
  } finally {
    client.transport.destroy()
    await server.kill()
  }
}

/** Asks for everything: what is answered must be right. Gives how many are not served. */
const unserved = async (directory: string): Promise<number> => {
  await using server = await startServerProcess({ directory })
  await using client = createClient(server.connection)
  let count = 0
  for (const promised of kept) {
    const verdict = await verify(client, promised)
    if (verdict === undefined) continue
    count += 1
    assert.match(verdict, /GeneralFailure/, 'refused as a failure of the server, and not answered with something else')
  }
  const told = server.failures.map((line) => JSON.stringify(line))
  assert.equal(told.length >= count, true)
  for (const line of told) assert.match(line, /does not open: changed behind the server.*restore a backup/)
  await create(client)
  return count
}

/** Changes the sealed bytes of records in a file that no server has open. */
const changeRecords = async (
  path: string,
  objects: readonly Promised[],
  change: (bytes: Buffer, promised: Promised) => void,
): Promise<void> => {
  const file = openFile(dirname(path), 2 ** 30)
  const { records } = openTables(file, ['object']).get('object') ?? assert.fail('there are objects')
  for (const promised of objects) {
    const key = encodeRecordKey(promised.uniqueIdentifier)
    const bytes = Buffer.from(records.getBinary(key) ?? assert.fail('the record is there'))
    change(bytes, promised)
    file.root.transactionSync(() => records.putSync(key, bytes))
  }
  await file.root.close()
}

describe('a store that was changed', () => {
  test('records exchanged: neither is served, all others are', async () => {
    const [one, other] = kept.slice(7, 9)
    assert.ok(one !== undefined && other !== undefined)
    const records = new Map<string, Buffer>()
    const directory = await damaged(async (path) => {
      await changeRecords(path, [one, other], (bytes, { uniqueIdentifier }) => {
        records.set(uniqueIdentifier, Buffer.from(bytes))
      })
      await changeRecords(path, [one, other], (bytes, promised) => {
        const exchanged = records.get((promised === one ? other : one).uniqueIdentifier)
        assert.equal(exchanged?.length, bytes.length)
        exchanged?.copy(bytes)
      })
    })
    assert.equal(await unserved(directory), 2)
  })

  test('a bit turned over anywhere in records: they are not served, all others are', async () => {
    const random = seededRandom(3)
    const targets = kept.slice(0, 24)
    const directory = await damaged((path) =>
      changeRecords(path, targets, (bytes) => {
        const at = random.below(bytes.length)
        bytes[at] = (bytes[at] ?? 0) ^ (1 << random.below(8))
      }),
    )
    assert.equal(await unserved(directory), targets.length)
  })

  test('bits turned over anywhere in the file: it is refused, or ends, or serves; nothing false is ever answered', async () => {
    const outcomes: string[] = []
    for (let seed = 1; seed <= 5; seed += 1) {
      const random = seededRandom(seed)
      const directory = await damaged((path) => {
        const bytes = readFileSync(path)
        for (let flip = 0; flip < 40; flip += 1) {
          const at = random.below(bytes.length)
          bytes[at] = (bytes[at] ?? 0) ^ (1 << random.below(8))
        }
        writeFileSync(path, bytes)
      })
      outcomes.push(await outcomeOf(directory))
    }
    assert.equal(outcomes.length, 5)
  })

  test('a refusal of damage says nothing of it to the client', async () => {
    const [one] = kept
    assert.ok(one !== undefined)
    const directory = await damaged((path) =>
      changeRecords(path, [one], (bytes) => {
        bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1
      }),
    )
    await using server = await startServerProcess({ directory })
    await using client = createClient(server.connection)
    await assert.rejects(client.get({ uniqueIdentifier: one.uniqueIdentifier }), (error: unknown) => {
      assert.ok(error instanceof KmipResponseError)
      assert.equal(error.reason, ResultReason.GeneralFailure)
      assert.doesNotMatch(error.message, /seal|record|changed|damaged|lmdb/i)
      return true
    })
  })
})
