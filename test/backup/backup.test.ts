/** Backups of a server that serves: made under load, verified, refused where they were changed, restored on an empty machine. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { SettableClock } from '#actor/clock'
import { makeBackup } from '#backup/create'
import { BackupRefused } from '#backup/refused'
import type { StoreSeal } from '#crypto/store-seal'
import { type RunningServer, startServerProcess } from '#test/running-server'
import { clientOf, done, filesOf, kmipd, line, makeKey, materialOf } from './operator.ts'

describe('backup', () => {
  const base = mkdtempSync(join(tmpdir(), 'kmipd-backup-'))
  const place = (name: string): string => join(base, name)
  const file = place('first.backup')
  const rootKey = place('root.key')
  const keys = new Map<string, string>()
  let server: RunningServer

  before(async () => {
    server = await startServerProcess()
    copyFileSync(join(server.directory, 'root.key'), rootKey)
  })
  after(async () => {
    assert.equal(await server.stop(), 0)
    rmSync(base, { recursive: true, force: true })
  })

  test('has everything that was answered before, while others write', async () => {
    await using client = clientOf(server)
    const before = await Promise.all(Array.from({ length: 40 }, (_, n) => makeKey(client, `before ${n}`)))
    for (const [id, material] of before) keys.set(id, material)
    const writers = new AbortController()
    let during = 0
    const written = Array.from({ length: 4 }, async () => {
      while (!writers.signal.aborted) {
        const [id, material] = await makeKey(client, `during ${during++}`)
        keys.set(id, material)
      }
    })
    const told = await done(server.directory, 'backup', file)
    writers.abort()
    await Promise.all(written)
    assert.equal(told['file'], file)
    assert.ok((told['objects'] as number) >= 40 && (told['objects'] as number) <= keys.size)
    assert.equal((told['records'] as Record<string, number>)['object'], told['objects'])
    assert.equal(statSync(file).mode & 0o777, 0o600)
    assert.equal(told['bytes'], statSync(file).size)
    assert.deepEqual(readdirSync(base).toSorted(), ['first.backup', 'root.key'], 'nothing else is left beside it')
    const verified = await done(server.directory, 'backup', 'verify', file)
    assert.deepEqual([verified['objects'], verified['verified']], [told['objects'], true])
    assert.deepEqual((await done(server.directory, 'store', 'check'))['objects'], keys.size)
  })

  test('shows nothing of keys, names or passwords', () => {
    const bytes = readFileSync(file)
    for (const [id, material] of keys) {
      assert.ok(!bytes.includes(Buffer.from(material, 'hex')), id)
    }
    for (const text of ['before 1', 'BEGIN', 'argon2id']) assert.ok(!bytes.includes(text), text)
  })

  test('is restored on an empty machine by one command and the root key', async () => {
    const directory = place('restored')
    const { code, out, error } = await kmipd(['restore', file, '--data', directory, '--root-key-file', rootKey])
    assert.equal(code, 0, error)
    const { objects, taken_at: takenAt } = await done(server.directory, 'backup', 'verify', file)
    assert.match(out, new RegExp(`^Restored ${String(objects)} objects as of ${String(takenAt)} `))
    assert.deepEqual(readdirSync(directory).toSorted(), ['keyring', 'lock', 'store.mdb'])
    for (const name of ['keyring', 'store.mdb']) assert.equal(statSync(join(directory, name)).mode & 0o777, 0o600)
    const again = await kmipd(['restore', file, '--data', directory, '--root-key-file', rootKey])
    assert.deepEqual([again.code, again.out], [78, ''])
    assert.match(again.error, /is not empty/)
    assert.match((await kmipd(['check', '--data', directory, '--root-key-file', rootKey])).out, /^Sound/)

    cpSync(join(server.directory, 'bootstrap'), join(directory, 'bootstrap'), { recursive: true })
    await using restored = await startServerProcess({ directory, flags: ['--root-key-file', rootKey] })
    await using client = clientOf(restored, server)
    let found = 0
    const { uniqueIdentifier } = await client.locate({ maximumItems: 10_000, attribute: [] })
    for (const id of uniqueIdentifier) {
      assert.equal(await materialOf(client, id), keys.get(id))
      found++
    }
    assert.equal(found, objects)
    const first = [...keys.keys()].slice(0, 40)
    assert.deepEqual(
      first.filter((id) => !uniqueIdentifier.includes(id)),
      [],
    )
    await makeKey(client, 'after')
    assert.equal(await restored.stop(), 0)
  })

  test('is refused under another root key, which is named, and nothing is written', async () => {
    const other = place('other.key')
    writeFileSync(other, `${'5a'.repeat(32)}\n`, { mode: 0o600 })
    const directory = place('nothing')
    const { code, error } = await kmipd(['restore', file, '--data', directory, '--root-key-file', other])
    assert.equal(code, 78)
    assert.match(error, /made under the root key [0-9a-f]{16}, and this is the root key [0-9a-f]{16}/)
    assert.deepEqual(readdirSync(directory), ['lock'])
    assert.match((await kmipd(['restore', file, '--data', directory])).error, /root\.key is absent.*--root-key-file/)
    assert.match((await kmipd(['restore', '--data', directory])).error, /file|positional|argument/i)
    const inPlace = await kmipd(['restore', place('none'), '--data', directory, '--root-key-file', rootKey])
    assert.match(inPlace.error, /there is no file/)
  })

  test('tells of every byte that was changed', async () => {
    const bytes = readFileSync(file)
    const changed = place('changed.backup')
    // Heads, keyring, store, manifest, its seal: a byte of each part, and cuts.
    const storeAt = 512 + 512 + 512
    const places = [
      0,
      130,
      600,
      storeAt + 5,
      storeAt + 50_000,
      storeAt + 4096 * 9 + 17,
      bytes.length - 2048,
      bytes.length - 1536,
    ]
    for (const at of places) {
      const copy = Buffer.from(bytes)
      copy[at] = (copy[at] ?? 0) ^ 1
      writeFileSync(changed, copy)
      const { code, out } = await line(server.directory, 'backup', 'verify', changed)
      assert.notEqual(code, 0, `byte ${at}: ${out}`)
    }
    for (const length of [0, 100, 512, 1024, storeAt + 4096, bytes.length - 1024]) {
      writeFileSync(changed, bytes.subarray(0, length))
      const { code } = await line(server.directory, 'backup', 'verify', changed)
      assert.notEqual(code, 0, `cut at ${length}`)
    }
    const directory = place('damaged')
    const copy = Buffer.from(bytes)
    copy[storeAt + 50_000] = (copy[storeAt + 50_000] ?? 0) ^ 1
    writeFileSync(changed, copy)
    const { code, error } = await kmipd(['restore', changed, '--data', directory, '--root-key-file', rootKey])
    assert.equal(code, 78)
    assert.match(error, /is not what its manifest says/)
    assert.ok(!existsSync(join(directory, 'store.mdb')))
    // What a restore leaves that was cut short is taken up by the next one.
    assert.ok(existsSync(join(directory, 'store.mdb.part')))
    const next = await kmipd(['restore', file, '--data', directory, '--root-key-file', rootKey])
    assert.equal(next.code, 0, next.error)
    assert.match((await kmipd(['verify', file, '--root-key-file', rootKey])).out, /^Verified \d+ objects/)
  })

  test('overwrites nothing, and says where it cannot be', async () => {
    const before = filesOf(base)
    assert.match((await line(server.directory, 'backup', file)).error, /is there already/)
    assert.match((await line(server.directory, 'backup', place('none/x'))).error, /there is no folder/)
    assert.match((await line(server.directory, 'backup', '/proc/x.backup')).error, /unavailable/)
    assert.deepEqual(filesOf(base), before)
    const { file: own } = await done(server.directory, 'backup')
    assert.match(String(own), /\/backups\/kmipd-[\dTZ-]+\.backup$/)
    assert.equal(statSync(join(server.directory, 'backups')).mode & 0o777, 0o700)
  })

  test('of two at once to one place one is made, and the other is told', async () => {
    const path = place('twice')
    const results = await Promise.all([1, 2, 3].map(() => line(server.directory, 'backup', path)))
    assert.equal(results.filter(({ code }) => code === 0).length, 1)
    for (const { code, error } of results) assert.ok(code === 0 || /is there already/.test(error), error)
    assert.equal((await done(server.directory, 'backup', 'verify', path))['verified'], true)
    rmSync(path)
  })

  test('what is no file, or cannot be read or written, is told in words', async () => {
    const pipe = place('pipe')
    execFileSync('mkfifo', [pipe])
    for (const path of [pipe, base]) {
      assert.match((await line(server.directory, 'backup', 'verify', path)).error, /"conflict".* is no file/)
      const ran = await kmipd(['verify', path, '--root-key-file', rootKey])
      assert.deepEqual([ran.code, ran.error], [78, `kmipd: ${path} is no file\n`])
    }
    assert.match((await line(server.directory, 'backup', join(file, 'x'))).error, /"unavailable".*ENOTDIR/)
    const full = { copyTo: () => Promise.reject(new Error('No space left on device')), objectTable: '' }
    const parts = { ...full, clock: new SettableClock(), seal: undefined as unknown as StoreSeal }
    const before = filesOf(base)
    await assert.rejects(makeBackup(parts, place('full')), (error: unknown) => {
      assert.ok(error instanceof BackupRefused)
      assert.match(error.message, /cannot be copied to .*: No space left on device/)
      return true
    })
    assert.deepEqual(filesOf(base), before)
    const ran = await kmipd(['restore', file, '--data', join(file, 'x'), '--root-key-file', rootKey])
    assert.equal(ran.code, 78, ran.error)
    assert.match(ran.error, /^kmipd: ENOTDIR[^\n]*\n$/)
  })

  test('of before a change of the root key opens with the old one alone', async () => {
    await using client = clientOf(server)
    const rotation = new AbortController()
    let asked = 0
    const users = Array.from({ length: 4 }, async () => {
      while (!rotation.signal.aborted) await makeKey(client, `rotation ${asked++}`)
    })
    const names = new Set<unknown>()
    for (let n = 0; n < 5; n++) names.add((await done(server.directory, 'rootkey', 'rotate'))['root_key'])
    rotation.abort()
    await Promise.all(users)
    assert.equal(names.size, 5)
    assert.ok(asked >= 4)
    assert.notEqual((await line(server.directory, 'backup', 'verify', file)).code, 0)
    await done(server.directory, 'backup', 'verify', file, '--root-key', `@${rootKey}`)
    await done(server.directory, 'backup', place('second.backup'))
    await done(server.directory, 'backup', 'verify', place('second.backup'))
    assert.match((await kmipd(['verify', place('second.backup'), '--root-key-file', rootKey])).error, /does not open/)
    await done(server.directory, 'store', 'check')
  })
})
