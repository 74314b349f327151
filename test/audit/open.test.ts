/** The audit trail as a process has it: lines go to the auditor's thread and come back as durable, from several fronts. */
import assert from 'node:assert/strict'
import { appendFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { SettableClock, systemClock } from '#actor/clock'
import { anchorKey, auditTable } from '#audit/anchor'
import { AuditFront } from '#audit/front'
import { type AuditOptions, openAudit } from '#audit/open'
import { MemoryStore } from '#store/memory'
import { type Change, type CommitResult, type Store, StoreUnavailable } from '#store/store'
import { bodyText, fileName, filesOf, key, linesOf, newFolder } from './trail.ts'

const options = (directory: string, more: Partial<AuditOptions> = {}): AuditOptions => ({
  directory,
  key,
  mode: 'durable',
  fileBytesMax: 1 << 20,
  filesMax: 0,
  store: new MemoryStore([auditTable]),
  clock: systemClock,
  onFault: (reason) => assert.fail(reason),
  onUnremoved: (file, reason) => assert.fail(`${file}: ${reason}`),
  ...more,
})

/** A store whose disk is full for a while. */
class FullStore extends MemoryStore {
  isFull = false

  override async commit(changes: readonly Change[]): Promise<CommitResult> {
    if (this.isFull) throw new StoreUnavailable('the disk is full')
    return super.commit(changes)
  }
}

const operationsIn = (directory: string): string[] =>
  filesOf(directory)
    .flatMap((file) => linesOf(directory, file))
    .map((line) => (JSON.parse(line) as { operation?: string }).operation ?? '')
    .filter((operation) => operation !== '')

describe('the audit trail of a process', () => {
  test('has every line, in the order in which it was told, when the wait for it is over', async () => {
    const directory = newFolder()
    const audit = await openAudit(options(directory))
    const told: string[] = []
    for (let turn = 0; turn < 20; turn += 1) {
      const waits: (Promise<void> | undefined)[] = []
      for (let line = 0; line < 10; line += 1) {
        told.push(`${turn}.${line}`)
        waits.push(audit.front.record([bodyText(`${turn}.${line}`)], line % 2 === 0)?.promise())
      }
      await Promise.all(waits.map(async (wait) => wait))
      assert.deepEqual(operationsIn(directory), told)
    }
    const found = await audit.verify()
    assert.deepEqual([found.intact, found.breaks], [true, []])
    await audit.close()
  })

  test('is one chain for several fronts', async () => {
    const directory = newFolder()
    const audit = await openAudit(options(directory))
    const fronts = ['a', 'b', 'c'].map(
      (name) =>
        new AuditFront({ port: audit.connect(), name, waitingMax: 1_000_000, durable: true, clock: systemClock }),
    )
    await Promise.all(
      fronts.flatMap((front) =>
        Array.from({ length: 50 }, async () =>
          front.record([bodyText(front.nameOf(front.newRequest()))], true)?.promise(),
        ),
      ),
    )
    const operations = operationsIn(directory)
    assert.equal(new Set(operations).size, 150)
    assert.ok((await audit.verify()).intact)
    for (const front of fronts) front.close()
    await audit.close()
  })

  test('has its end noted in the store within ten seconds: what is cut off behind it after a crash is not missed', async () => {
    const directory = newFolder()
    const store = new MemoryStore([auditTable])
    const clock = new SettableClock()
    const audit = await openAudit(options(directory, { store, clock }))
    const noted = (): number => store.read(auditTable, anchorKey)?.value.sequence ?? 0
    const before = noted()
    await audit.front.record([bodyText('noted')], true)?.promise()
    assert.equal(noted(), before, 'not with each line: a commit would cost more than the line')
    clock.advance(10_000)
    for (let tries = 0; tries < 200 && noted() === before; tries += 1) await pause(5)
    assert.equal(noted(), before + 1)
    await audit.close()
  })

  test('a store that cannot write for a while ends nothing: its start, its service and its notes go on', async () => {
    const directory = newFolder()
    const store = new FullStore([auditTable])
    store.isFull = true
    const clock = new SettableClock()
    const audit = await openAudit(options(directory, { store, clock }))
    await audit.front.record([bodyText('One')], true)?.promise()
    clock.advance(10_000)
    await pause(20)
    await audit.front.record([bodyText('Two')], true)?.promise()
    audit.front.check()
    assert.equal(store.read(auditTable, anchorKey), undefined)
    store.isFull = false
    clock.advance(10_000)
    for (let tries = 0; tries < 200 && store.read(auditTable, anchorKey) === undefined; tries += 1) await pause(5)
    assert.equal(store.read(auditTable, anchorKey)?.value.sequence, audit.synced?.sequence)
    await audit.close()
  })

  test('tells its owner how far it has come, whoever wrote', async () => {
    const directory = newFolder()
    const audit = await openAudit(options(directory))
    const start = audit.synced?.sequence ?? 0
    const other = new AuditFront({
      port: audit.connect(),
      name: 'a',
      waitingMax: 1_000_000,
      durable: true,
      clock: systemClock,
    })
    await other.record([bodyText('One'), bodyText('Two')], true)?.promise()
    for (let wait = 0; wait < 300 && audit.synced?.sequence === start; wait += 1) await pause(10)
    assert.equal(audit.synced?.sequence, start + 2)
    other.close()
    await audit.close()
  })

  test('relaxed: nobody waits, but for room', async () => {
    const directory = newFolder()
    const audit = await openAudit(options(directory, { mode: 'relaxed' }))
    assert.equal(audit.front.record([bodyText('One')], true)?.promise(), undefined)
    const large = bodyText('x'.repeat(100))
    let waits: Promise<void> | undefined
    for (let line = 0; waits === undefined && line < 200_000; line += 1)
      waits = audit.front.record([large], false)?.promise()
    assert.ok(waits !== undefined, 'a thread cannot have any number of lines in memory')
    await waits
    assert.equal(audit.front.waiting, 0)
    await audit.close()
  })

  test('the store knows where it ended, so that lines cut off while nobody served are missed', async () => {
    const directory = newFolder()
    const store: Store = new MemoryStore([auditTable])
    const first = await openAudit(options(directory, { store }))
    await first.front.record([bodyText('One')], true)?.promise()
    await first.close()
    const path = join(directory, fileName(1))
    const lines = linesOf(directory, 1)
    assert.match(lines.at(-1) ?? '', /"server stopped"/)

    const untouched = await openAudit(options(directory, { store }))
    assert.ok((await untouched.verify()).intact)
    await untouched.close()

    writeFileSync(path, readFileSync(path, 'utf8').split('\n').slice(0, 3).join('\n').concat('\n'))
    const cut = await openAudit(options(directory, { store }))
    const found = await cut.verify()
    assert.equal(found.intact, false)
    assert.match(found.breaks[0]?.what ?? '', /^lines 4 to \d+ were gone at a start$/)
    await cut.close()
  })

  test('what somebody writes into the growing file is found', async () => {
    const directory = newFolder()
    const audit = await openAudit(options(directory))
    await audit.front.record([bodyText('One')], true)?.promise()
    appendFileSync(join(directory, fileName(1)), `${linesOf(directory, 1).at(-1)}\n`)
    await audit.front.record([bodyText('Two')], true)?.promise()
    assert.equal((await audit.verify()).intact, false)
    await audit.close()
  })

  test('that cannot be ended is told to whoever ends it, who does not wait for ever', { timeout: 10_000 }, async () => {
    const directory = newFolder()
    const audit = await openAudit(options(directory))
    rmSync(directory, { recursive: true })
    await assert.rejects(audit.close(), /ENOENT/)
  })

  test('that cannot be begun leaves no thread behind', { timeout: 10_000 }, async () => {
    const directory = newFolder()
    const store = new MemoryStore([auditTable])
    store.commit = () => assert.fail('an error of the server')
    await assert.rejects(openAudit(options(directory, { store })), /an error of the server/)
    assert.match(linesOf(directory, 1).at(-1) ?? '', /"server stopped"/)
  })

  test('a folder that cannot be made is told at the start', async () => {
    const directory = newFolder()
    writeFileSync(join(directory, 'taken'), '')
    await assert.rejects(openAudit(options(join(directory, 'taken'))), /EEXIST|ENOTDIR/)
  })
})
