/** The battery on LMDB, and what only files and threads can show: reopening, damage, wrong keys, fresh views, kill -9. */

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execPath } from 'node:process'
import { createInterface } from 'node:readline'
import { after, describe, test } from 'node:test'
import { Worker } from 'node:worker_threads'
import { systemEntropy } from '#actor/entropy'
import { createKeyring, openKeyring } from '#crypto/seal'
import { encodeRecordKey, IndexKeys } from '#store/keys'
import { openFile, openTables } from '#store/lmdb/environment'
import { lockDirectory } from '#store/lmdb/lock'
import { packCommits } from '#store/lmdb/messages'
import { type LmdbStore, openStore, type StoreOptions, storeExists, storeLimits } from '#store/lmdb/open'
import { prepareSchema, type Step, schemaNewest } from '#store/lmdb/schema'
import { type Sealer, StoreDamaged, StoreFaulted, StoreRefused, StoreUnavailable } from '#store/store'
import { besideOthers } from '#test/actor/thread-work'
import { storeContract } from '#test/store/contract'
import { change, create, present, query, tables, things, uuid } from '#test/store/things'
import type { Ask } from './front-thread.ts'
import { openSealer } from './sealer.ts'

const base = mkdtempSync(join(tmpdir(), 'kmipd-store-'))
let directories = 0
const freshDirectory = () => join(base, String(directories++))
const nobodyFails = (fault: StoreFaulted) => {
  throw fault
}

async function openAt(directory: string, more: Partial<StoreOptions> = {}): Promise<LmdbStore> {
  const sealer = openSealer(directory)
  return openStore({ directory, sealer, tables, limits: storeLimits, onFault: nobodyFails, ...more })
}

after(() => rmSync(base, { recursive: true, force: true }))

storeContract('lmdb', () => openAt(freshDirectory()))

describe('lmdb long searches', () => {
  test('found in turns is what is found at once, and others have the thread in between', async () => {
    const store = await openAt(freshDirectory())
    const count = 7000
    for (let first = 0; first < count; first += 1000) {
      await store.commit(
        Array.from({ length: 1000 }, (_, index) => {
          const n = first + index
          const entries = [
            { field: 'parity', value: n % 2 },
            { field: 'third', value: String(n % 3) },
            { field: 'number', value: n },
          ]
          return create(uuid(n), { entries })
        }),
      )
    }
    const third = { field: 'third', equals: '0' }
    const searches = [
      query([third], { exclude: new Set([uuid(3)]) }),
      query([third, { field: 'parity', equals: 0 }], { descending: true, offset: 5, limit: 40 }),
      query([{ field: 'number', from: 100, to: 6500 }, third], { include: [uuid(1), uuid(9001)], offset: 2000 }),
      query([], { any: [third, { field: 'third', equals: '1' }], exclude: new Set([uuid(0)]), limit: 10_000 }),
    ]
    let turns = 0
    const counting = setInterval(() => (turns += 1), 0)
    for (const search of searches) {
      assert.deepEqual(await store.findInTurns(things, search), store.find(things, search))
    }
    clearInterval(counting)
    assert(turns > 0)
    const all = Array.from({ length: count }, (_, n) => uuid(n))
    const lists = [
      { terms: [], keys: all },
      { terms: [third], keys: all.filter((_, n) => n % 3 === 0) },
    ]
    for (const { terms, keys } of lists) {
      for (const offset of [0, 1, 2047, 2048, 2049, keys.length - 1, keys.length, keys.length + 1]) {
        for (const limit of [0, 1, 63, 64, 65, 2500, 10_000]) {
          for (const descending of [false, true]) {
            const page = (descending ? keys.toReversed() : keys).slice(offset, offset + limit)
            const found = await store.findInTurns(things, query(terms, { offset, limit, descending }))
            assert.deepEqual(
              found,
              { keys: page, total: keys.length },
              `${limit} from ${offset}, ${String(descending)}`,
            )
          }
        }
      }
    }
    await store.close()
  })
})

describe('lmdb large changes', () => {
  test('leave the disk to others in between', async () => {
    const store = await openAt(freshDirectory())
    const large = new Uint8Array(131_072)
    const tookMs = await besideOthers(async () => {
      const beganMs = performance.now()
      for (let n = 0; n < 4; n += 1) await store.commit([create(uuid(n), { entries: [], content: large })])
      return performance.now() - beganMs
    })
    // Each counts as more than five milliseconds of work, and rests for twenty times as long.
    assert.ok(tookMs > 3 * 100, `${tookMs} ms`)
    await store.close()
  })
})

describe('lmdb files', () => {
  test('reopening finds everything', async () => {
    const directory = freshDirectory()
    const store = await openAt(directory)
    const entries = [{ field: 'name', value: 'kept' }]
    await store.commit([create('k', { entries, claims: entries, content: new Uint8Array([1, 2]) })])
    await store.commit([change(present(store, 'k'), { entries, claims: entries, content: 'changed' })])
    await store.close()
    const again = await openAt(directory)
    assert.deepEqual(present(again, 'k'), {
      key: 'k',
      revision: 2,
      value: { entries, claims: entries, content: 'changed' },
    })
    assert.deepEqual(again.find(things, query([{ field: 'name', equals: 'kept' }])), { keys: ['k'], total: 1 })
    assert.equal((await again.commit([create('l', { entries: [], claims: entries })])).done, false)
    await again.close()
  })

  test('the data directory and its files are their owner’s', async () => {
    const directory = freshDirectory()
    const store = await openStore({
      directory: join(directory, 'made', 'by the store'),
      sealer: openSealer(directory),
      tables,
      limits: storeLimits,
      onFault: nobodyFails,
    })
    assert(storeExists(join(directory, 'made', 'by the store')))
    for (const name of ['.', 'store.mdb', 'store.mdb-lock', 'lock'])
      assert.equal(statSync(join(directory, 'made', 'by the store', name)).mode & 0o077, 0)
    await store.close()
  })

  test('neither values nor indexed terms lie in the file in clear', async () => {
    const directory = freshDirectory()
    const store = await openAt(directory)
    const marker = 'a-marker-that-nobody-writes-by-chance'
    const entries = [{ field: `${marker}-field`, value: `${marker}-value` }]
    for (let n = 0; n < 20; n++)
      await store.commit([create(uuid(n), { entries, claims: n === 0 ? entries : [], content: marker })])
    await store.close()
    for (const name of ['store.mdb', 'store.mdb-lock', 'keyring', 'lock'])
      assert(!existsSync(join(directory, name)) || !readFileSync(join(directory, name)).includes('a-marker'))
  })

  test('a second server on the same directory is refused, and the first goes on', async () => {
    const directory = freshDirectory()
    const store = await openAt(directory)
    await assert.rejects(openAt(directory), (error) => error instanceof StoreRefused && /in use/.test(error.message))
    const child = spawn(execPath, [join(import.meta.dirname, 'child.ts'), directory], {
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let said = ''
    child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()))
    const [code] = await once(child, 'exit')
    assert.notEqual(code, 0)
    assert.match(said, /in use by another server/)
    assert.equal((await store.commit([create('k', { entries: [] })])).done, true)
    await store.close()
    await (await openAt(directory)).close()
  })

  test('the lock goes with its holder', () => {
    const directory = mkdtempSync(join(base, 'lock-'))
    const lock = lockDirectory(directory)
    assert.throws(() => lockDirectory(directory), StoreRefused)
    lock.release()
    lockDirectory(directory).release()
    assert.throws(() => lockDirectory(join(directory, 'absent')), StoreRefused)
  })

  test('why a folder cannot be locked is told in the words of the system', () => {
    const file = join(base, 'no-folder')
    writeFileSync(file, '')
    assert.throws(() => lockDirectory(file), /cannot be taken: ENOTDIR/)
    assert.throws(() => lockDirectory(join(base, 'absent')), /cannot be taken: ENOENT/)
  })
})

describe('lmdb damage', () => {
  /** Changes the stored bytes of records behind the store's back, then opens it. */
  async function damage(meddle: (bytes: (key: string) => Buffer, put: (key: string, bytes: Buffer) => void) => void) {
    const directory = freshDirectory()
    const store = await openAt(directory)
    await store.commit(['a', 'b'].map((key) => create(key, { entries: [], content: key })))
    await store.commit([change(present(store, 'a'), { entries: [], content: 'a2' })])
    await store.commit([change(present(store, 'b'), { entries: [], content: 'b2' })])
    await store.close()
    const file = openFile(directory, storeLimits.mapSizeBytes)
    const records = openTables(file, ['things']).get('things')?.records
    assert(records !== undefined)
    meddle(
      (key) => records.getBinary(encodeRecordKey(key)) ?? assert.fail(`${key} is there`),
      (key, bytes) => records.putSync(encodeRecordKey(key), bytes),
    )
    await file.root.close()
    return openAt(directory)
  }

  test('records that changed places are refused', async () => {
    const store = await damage((bytes, put) => {
      const [a, b] = [bytes('a'), bytes('b')]
      put('a', b)
      put('b', a)
    })
    for (const key of ['a', 'b']) assert.throws(() => store.read(things, key), StoreDamaged)
    await store.close()
  })

  test('a search that the index can answer finds a record that does not open, as all others', async () => {
    const directory = freshDirectory()
    const store = await openAt(directory)
    const entries = (number: number) => [
      { field: 'kind', value: 'some' },
      { field: 'number', value: number },
    ]
    await store.commit(Array.from({ length: 200 }, (_, n) => create(uuid(n), { entries: entries(n) })))
    await store.close()
    const file = openFile(directory, storeLimits.mapSizeBytes)
    openTables(file, ['things'])
      .get('things')
      ?.records.putSync(encodeRecordKey(uuid(5)), Buffer.alloc(60, 1))
    await file.root.close()
    const again = await openAt(directory)
    const terms = [
      { field: 'kind', equals: 'some' },
      { field: 'number', from: 0, to: 198 },
    ]
    assert.equal(again.find(things, query(terms, { exclude: new Set([uuid(3)]) })).total, 198)
    assert.throws(() => again.read(things, uuid(5)), StoreDamaged)
    await again.close()
  })

  test('a record with any byte turned is refused, and no other', async () => {
    const length = await new Promise<number>((resolve) => {
      void damage((bytes) => resolve(bytes('a').length)).then((store) => store.close())
    })
    // The format, the revision, the key id, the salt, the counter, the text and the tag: a byte of each.
    for (const at of [0, 8, 12, 20, 36, 40, length - 1]) {
      const store = await damage((bytes, put) => {
        const changed = Buffer.from(bytes('a'))
        changed[at] = (changed[at] ?? 0) ^ 0x10
        put('a', changed)
      })
      assert.throws(() => store.read(things, 'a'), StoreDamaged)
      assert.equal(present(store, 'b').value.content, 'b2')
      await store.close()
    }
  })

  test('a record cut short is refused', async () => {
    const store = await damage((bytes, put) => put('a', bytes('a').subarray(0, 20)))
    assert.throws(() => store.read(things, 'a'), StoreDamaged)
    await store.close()
  })

  test('a store under other keys is refused and left as it was', async () => {
    const directory = freshDirectory()
    const store = await openAt(directory)
    await store.commit([create('k', { entries: [] })])
    await store.close()
    const before = readFileSync(join(directory, 'store.mdb'))
    const rootKey = systemEntropy.bytes(32)
    const sealer = openKeyring(rootKey, createKeyring(rootKey, systemEntropy), systemEntropy)
    await assert.rejects(
      openAt(directory, { sealer, tables: [...tables, { ...things, name: 'more' }] }),
      (error) => error instanceof StoreRefused && /wrong root key/.test(error.message),
    )
    assert(before.equals(readFileSync(join(directory, 'store.mdb'))))
    await (await openAt(directory)).close()
  })
})

describe('lmdb schema', () => {
  test('steps run once, in order, each with its version or not at all', async () => {
    const directory = freshDirectory()
    await (await openAt(directory)).close()
    const sealer = openSealer(directory)
    const run: number[] = []
    let fails = true
    const noted = Buffer.from('noted')
    const [next, last] = [schemaNewest + 1, schemaNewest + 2]
    // Steps from the first version on: those up to today's are done.
    const steps: readonly Step[] = Array.from({ length: last - 1 }, (_, index) => index + 2).map((to) => ({
      to,
      what: `to ${to}`,
      run(file) {
        file.meta.putSync(Buffer.concat([noted, Buffer.of(to)]), noted)
        run.push(to)
        if (to === last && fails) throw new Error('cut short')
      },
    }))
    const file = openFile(directory, storeLimits.mapSizeBytes)
    assert.throws(() => prepareSchema(file, { sealer, tables, stepsForward: steps }), /cut short/)
    assert.equal(file.meta.getBinary(Buffer.from('schema'))?.readUInt32BE(), next)
    assert.equal(file.meta.getBinary(Buffer.concat([noted, Buffer.of(last)])), undefined)
    fails = false
    assert.deepEqual(prepareSchema(file, { sealer, tables, stepsForward: steps }), [`to ${last}`])
    assert.deepEqual(prepareSchema(file, { sealer, tables, stepsForward: steps }), [])
    assert.deepEqual(run, [next, last, last])
    await file.root.close()
    // Today's version does not know them: the file is now of a newer one.
    await assert.rejects(
      openAt(directory),
      (error) => error instanceof StoreRefused && error.message.includes(`schema ${last}`),
    )
  })
})

describe('lmdb revisions', () => {
  test('a revision is told without opening the record, kept or not', async () => {
    const directory = freshDirectory()
    const sealer = openSealer(directory)
    let opened = 0
    const counted: Sealer = {
      seal: (context, plaintext) => sealer.seal(context, plaintext),
      open: (context, sealed) => {
        opened += 1
        return sealer.open(context, sealed)
      },
      hash: (term) => sealer.hash(term),
    }
    const store = await openAt(directory, { sealer: counted })
    await store.commit([create('k', { entries: [] })])
    assert.equal(store.revision(things, 'k'), 1)
    assert.equal(opened, 0)
    await store.commit([change(present(store, 'k'), { entries: [], content: 'large'.repeat(100_000) })])
    assert.equal(store.revision(things, 'k'), 2)
    assert.equal(opened, 1)
    await store.commit([create('l', { entries: [] })])
    assert.deepEqual([store.revision(things, 'k'), present(store, 'k').revision, opened], [2, 2, 2])
    assert.deepEqual([store.revision(things, 'k'), opened], [2, 2])
    await store.commit([change(present(store, 'k'), undefined)])
    assert.equal(store.revision(things, 'k'), undefined)
    await store.close()
    assert.throws(() => store.revision(things, 'k'), StoreUnavailable)
  })
})

describe('lmdb threads', () => {
  test('another thread sees a commit as soon as it is answered, and commits through the same writer', async () => {
    const directory = freshDirectory()
    const store = await openAt(directory)
    const channel = store.connect()
    const thread = new Worker(new URL('./front-thread.ts', import.meta.url), {
      workerData: { directory, channel },
      transferList: [channel.port],
    })
    const ask = async (message: Ask) => {
      thread.postMessage(message, [])
      return ((await once(thread, 'message')) as unknown[])[0]
    }
    await store.commit([create('shared', { entries: [], content: 0 })])
    for (let n = 0; n < 50; n++) {
      assert.equal(await ask({ revision: 'shared' }), n + 1)
      assert.equal(await ask({ read: 'shared' }), n)
      await store.commit([change(present(store, 'shared'), { entries: [], content: n + 1 })])
    }
    // What it keeps of a record is to go, also when nobody asks for it any more.
    for (let tries = 0; ((await ask('told')) as unknown[]).length < 50; tries += 1) assert.ok(tries < 1_000)
    assert.deepEqual(
      await ask('told'),
      Array.from({ length: 50 }, () => 'things shared'),
    )
    assert.deepEqual(await ask({ create: 'theirs' }), { done: true })
    assert.equal(present(store, 'theirs').value.content, 'from another thread')
    assert.deepEqual(await ask({ create: 'theirs' }), { done: false, table: 'things', key: 'theirs' })
    const ended = once(thread, 'exit')
    thread.postMessage('end' satisfies Ask, [])
    await ended
    await store.close()
  })

  test('what waits is bounded, in number and in bytes', async () => {
    const limits = { ...storeLimits, commitsWaitingMax: 4, commitBytesWaitingMax: 100_000 }
    const store = await openAt(freshDirectory(), { limits })
    const make = (key: string, content: unknown) => store.commit([create(key, { entries: [], content })])
    const results = await Promise.allSettled([1, 2, 3, 4, 5, 6].map((n) => make(String(n), n)))
    assert.deepEqual(
      results.map(({ status }) => status),
      ['fulfilled', 'fulfilled', 'fulfilled', 'fulfilled', 'rejected', 'rejected'],
    )
    const big = new Uint8Array(60_000)
    const bytes = await Promise.allSettled([make('x', big), make('y', big), make('z', 'small')])
    assert.deepEqual(
      bytes.map(({ status }) => status),
      ['fulfilled', 'rejected', 'fulfilled'],
    )
    for (const result of [...results, ...bytes])
      if (result.status === 'rejected') assert(result.reason instanceof StoreUnavailable)
    assert.deepEqual(await make('y', big), { done: true })
    await store.close()
  })

  test('closing finishes what was taken and takes nothing more', async () => {
    const directory = freshDirectory()
    const store = await openAt(directory)
    const taken = [1, 2, 3].map((n) => store.commit([create(uuid(n), { entries: [] })]))
    const closed = store.close()
    await assert.rejects(store.commit([create('late', { entries: [] })]), StoreUnavailable)
    assert((await Promise.all(taken)).every((result) => result.done))
    await closed
    assert.throws(() => store.read(things, uuid(1)), StoreUnavailable)
    const again = await openAt(directory)
    assert.equal(again.find(things, query([])).total, 3)
    await again.close()
  })
})

describe('lmdb faults', () => {
  test('a full disk refuses writes, reading goes on, and nothing of it is kept', async () => {
    const directory = freshDirectory()
    const first = await openAt(directory)
    await first.commit([create('k', { entries: [], content: 'kept' })])
    await first.close()
    // No disk has as much free as this store wants to keep free.
    const store = await openAt(directory, { limits: { ...storeLimits, diskReserveBytes: 2 ** 62 } })
    for (const key of ['l', 'm'])
      await assert.rejects(
        store.commit([create(key, { entries: [] })]),
        (error) => error instanceof StoreUnavailable && /disk is full/.test(error.message),
      )
    assert.equal(present(store, 'k').value.content, 'kept')
    assert.equal(store.read(things, 'l'), undefined)
    await store.close()
    const again = await openAt(directory)
    assert.equal((await again.commit([create('l', { entries: [] })])).done, true)
    await again.close()
  })

  test('a record lets go of no claim that another one holds', async () => {
    const directory = freshDirectory()
    const store = await openAt(directory)
    const name = { field: 'name', value: 'of a' }
    await store.commit([create('a', { entries: [name], claims: [name] })])
    await store.commit([create('b', { entries: [name] })])
    const { port } = store.connect()
    const none = { postingsGone: [], postingsCome: [], claimsCome: [] }
    // As the front of a record does that says it has the claim.
    const removal = { table: things.name, key: encodeRecordKey('b'), expected: 1, record: undefined, ...none }
    const packed = packCommits([
      { id: 1, changes: [{ ...removal, claimsGone: [new IndexKeys(openSealer(directory), things.name).claim(name)] }] },
    ])
    const answered = new Promise((resolve) => port.once('message', resolve))
    port.postMessage({ kind: 'commits', packed }, [packed.buffer])
    await answered
    assert.equal(store.read(things, 'b'), undefined)
    assert.equal((await store.commit([create('c', { entries: [name], claims: [name] })])).done, false)
    await store.close()
  })

  test('a writer that fails is told to the owner and to all who wait, and nothing more is written', async () => {
    const faults: StoreFaulted[] = []
    const told = Promise.withResolvers<void>()
    const directory = freshDirectory()
    const store = await openAt(directory, {
      onFault(fault) {
        faults.push(fault)
        told.resolve()
      },
    })
    await store.commit([create('k', { entries: [], content: 'kept' })])
    const { port } = store.connect()
    const key = Buffer.from('k')
    const none = { postingsGone: [], postingsCome: [], claimsGone: [], claimsCome: [] }
    const packed = packCommits([{ id: 1, changes: [{ table: 'unknown', key, expected: 0, record: key, ...none }] }])
    port.postMessage({ kind: 'commits', packed }, [packed.buffer])
    await told.promise
    await assert.rejects(store.commit([create('l', { entries: [] })]), StoreFaulted)
    assert.equal(faults.length, 1)
    assert.match(faults[0]?.message ?? '', /writer failed/)
    assert.equal(present(store, 'k').value.content, 'kept')
    await store.close()
    const again = await openAt(directory)
    assert.equal(again.find(things, query([])).total, 1)
    await again.close()
  })
})

describe('lmdb kill -9', () => {
  /** Runs writers in a process until `answers` commits are answered, kills it, and gives what was answered by writer. */
  async function killed(directory: string, answers: number): Promise<Map<number, number>> {
    const child = spawn(execPath, [join(import.meta.dirname, 'child.ts'), directory], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const exited = once(child, 'exit')
    const last = new Map<number, number>()
    let count = 0
    for await (const line of createInterface({ input: child.stdout })) {
      const [writer = 0, n = 0] = line.split(' ').map(Number)
      last.set(writer, n)
      if (++count === answers) child.kill('SIGKILL')
    }
    // Its output ends before the kernel has let go of its lock on the folder.
    await exited
    assert(count >= answers)
    return last
  }

  test('no answered commit is lost, and nothing is half there', async () => {
    for (const answers of [200, 900]) {
      const directory = freshDirectory()
      const last = await killed(directory, answers)
      const store = await openAt(directory)
      for (const [writer, n] of last) {
        for (let each = 0; each <= n; each++) {
          const { revision, value } = present(store, uuid(writer * 2 ** 32 + each))
          // All but the newest have been changed by the commit that made their follower.
          if (each < n) assert.deepEqual([revision, value.content], [2, 'second'])
        }
        const { keys, total } = store.find(things, query([{ field: 'writer', equals: writer }], { limit: 1e6 }))
        // What was written and not yet answered may be there too: at most the one commit that was under way.
        assert(total === n + 1 || total === n + 2)
        for (const key of keys) present(store, key)
        const claims = present(store, uuid(writer * 2 ** 32 + n)).value.claims ?? []
        assert.equal((await store.commit([create('other', { entries: [], claims })])).done, false)
      }
      await store.close()
    }
  })
})
