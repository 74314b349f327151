/** The auditor when it cannot write, or is told more than it can take: who is refused what, what the trail says of it, and its end. */
import assert from 'node:assert/strict'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { MessageChannel, type MessagePort } from 'node:worker_threads'
import { SettableClock, systemClock } from '#actor/clock'
import { runAuditor } from '#audit/auditor'
import { AuditFaulted } from '#audit/files'
import { AuditFront } from '#audit/front'
import type { Lines, ToAuditFront, ToAuditOwner, ToAuditor } from '#audit/messages'
import { body, bodyText, check, fileName, key, linesOf, newFolder } from './trail.ts'

/** An auditor of this thread. */
class Auditor {
  readonly clock = new SettableClock()
  readonly told: ToAuditOwner[] = []
  readonly #owner: MessagePort

  constructor(directory: string, fileBytesMax: number) {
    const { port1, port2 } = new MessageChannel()
    this.#owner = port1
    after(() => port1.close())
    port1.on('message', (message: ToAuditOwner) => this.told.push(message))
    runAuditor(port2, { directory, key, fileBytesMax, filesMax: 0, anchor: undefined }, this.clock)
  }

  connect(): MessagePort {
    const { port1, port2 } = new MessageChannel()
    after(() => port1.close())
    this.#owner.postMessage({ kind: 'connect', port: port2 } satisfies ToAuditor, [port2])
    return port1
  }

  front(): AuditFront {
    return new AuditFront({
      port: this.connect(),
      name: '',
      waitingMax: 1 << 20,
      durable: true,
      clock: this.clock,
    })
  }

  /** Has it end; gives the last that it says. */
  async end(): Promise<ToAuditOwner | undefined> {
    this.#owner.postMessage({ kind: 'close' } satisfies ToAuditor, [])
    await until(() => this.told.at(-1)?.kind === 'closed' || this.told.at(-1)?.kind === 'fault')
    return this.told.at(-1)
  }
}

const until = async (isSo: () => boolean): Promise<void> => {
  for (let turns = 0; turns < 10_000 && !isSo(); turns += 1) await turn()
  assert.ok(isSo(), 'it came to that')
}

/** A trail whose file is full, and whose next one cannot be made. */
const blocked = (): { readonly directory: string; readonly free: () => void } => {
  const directory = newFolder()
  const next = join(directory, fileName(2))
  return {
    directory,
    free: () => rmSync(next),
  }
}

const refusedFront = async (auditor: Auditor, directory: string): Promise<AuditFront> => {
  writeFileSync(join(directory, fileName(2)), 'in the way')
  const front = auditor.front()
  await assert.rejects(
    front.record([bodyText('One')], true)?.promise() ?? Promise.resolve(),
    /a new file .* cannot be made/,
  )
  return front
}

describe('an auditor that cannot write', () => {
  test('tells whoever comes later, and goes on when it can', async () => {
    const { directory, free } = blocked()
    const auditor = new Auditor(directory, 100)
    const front = await refusedFront(auditor, directory)
    assert.throws(() => front.check(), /cannot be made/)
    const later = auditor.front()
    await until(() => later.failing !== undefined)
    assert.throws(() => later.check(), /cannot be made/)
    free()
    auditor.clock.advance(1_000)
    await until(() => front.failing === undefined && later.failing === undefined)
    await later.record([bodyText('Two')], true)?.promise()
    assert.equal((await auditor.end())?.kind, 'closed')
    assert.match(linesOf(directory, 2).join('\n'), /"trail resumed",.*"unwritten":1[,}]/)
    assert.ok(check(directory).intact)
  })

  test('says at its end what the trail lacks', async () => {
    const { directory, free } = blocked()
    const auditor = new Auditor(directory, 100)
    await refusedFront(auditor, directory)
    free()
    assert.equal((await auditor.end())?.kind, 'closed')
    assert.match(linesOf(directory, 2).join('\n'), /"trail resumed",.*"unwritten":1[,}]/)
    assert.equal(auditor.clock.timers, 0)
  })

  test('ends when it is told to, tells why that is not in good order, and writes nothing afterwards', async () => {
    const { directory, free } = blocked()
    const auditor = new Auditor(directory, 100)
    await refusedFront(auditor, directory)
    assert.equal((await auditor.end())?.kind, 'fault')
    assert.equal(auditor.clock.timers, 0, 'a timer would keep the process alive')
    const before = linesOf(directory, 1)
    free()
    auditor.clock.advance(10_000)
    assert.deepEqual(linesOf(directory, 1), before, 'another server may write now')
  })
})

describe('an auditor that is told more than it can take', () => {
  test('refuses what is too much and nothing before it, tells so in the trail, and takes what comes then', async () => {
    const directory = newFolder()
    const auditor = new Auditor(directory, 1 << 30)
    const port = auditor.connect()
    const answers: ToAuditFront[] = []
    port.on('message', (answer: ToAuditFront) => answers.push(answer))
    const waitingMax = 65_536
    const all = waitingMax + 10
    const send = (id: number): void =>
      port.postMessage({ kind: 'lines', id, bytes: new Uint8Array(body(String(id))), durable: false } satisfies Lines)
    for (let id = 1; id <= all; id += 1) send(id)
    const written = (): number => Math.max(0, ...answers.map((each) => (each.kind === 'written' ? each.through : 0)))
    await until(() => written() === waitingMax)
    const refused = answers.flatMap((each) => (each.kind === 'refused' ? [[each.from, each.through]] : []))
    assert.deepEqual(
      refused,
      Array.from({ length: 10 }, (_, index) => [waitingMax + 1 + index, waitingMax + 1 + index]),
    )
    send(all + 1)
    await until(() => written() === all + 1)
    assert.equal(answers.filter(({ kind }) => kind === 'failing').length, 0)
    assert.equal((await auditor.end())?.kind, 'closed')
    const resumed = linesOf(directory, 1).filter((line) => line.includes('"trail resumed"'))
    assert.equal(resumed.length, 1)
    assert.match(resumed[0] ?? '', /"unwritten":10[,}]/)
    assert.ok(check(directory).intact)
  })

  test('a front that is closed takes no lines: whatever still runs then must change nothing', async () => {
    const { port1 } = new MessageChannel()
    const front = new AuditFront({ port: port1, name: '', waitingMax: 1 << 20, durable: true, clock: systemClock })
    front.close()
    assert.throws(() => front.check(), AuditFaulted)
    await assert.rejects(front.record([bodyText('One')], true)?.promise() ?? Promise.resolve(), AuditFaulted)
  })

  test('a front whose lines were refused for once asks again', async () => {
    const { port1, port2 } = new MessageChannel()
    const front = new AuditFront({ port: port1, name: '', waitingMax: 1 << 20, durable: true, clock: systemClock })
    const first = front.record([bodyText('One')], true)?.promise()
    await turn()
    const second = front.record([bodyText('Two')], true)?.promise()
    await turn()
    const tell = (message: ToAuditFront): void => port2.postMessage(message)
    tell({ kind: 'refused', from: 2, through: 2, reason: 'too many lines wait for the audit trail' })
    await assert.rejects(second ?? Promise.resolve(), /too many lines/)
    front.check()
    assert.equal(front.failing, undefined)
    tell({ kind: 'written', through: 1, synced: { sequence: 1, hash: '', file: 1, bytes: 0 } })
    await first
    front.close()
  })
})
