/** The account of messages: every item leaves a line and a count; keys leave after their lines; what did not come about is withdrawn. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { systemClock } from '#actor/clock'
import { awaitable, Later } from '#actor/later'
import { auditTable } from '#audit/anchor'
import { AuditUnavailable } from '#audit/files'
import type { AuditFront } from '#audit/front'
import { type Audit, openAudit } from '#audit/open'
import { certificateTable } from '#identity/bootstrap'
import { type ClientRecord, clientTable, userKey, userTable } from '#identity/principals'
import { newRecord } from '#identity/records'
import { CredentialType, CryptographicAlgorithm, CryptographicUsageMask, ObjectType, ResultReason } from '#kmip/enums'
import { KmipError } from '#kmip/errors'
import { newestVersion } from '#kmip/versions'
import { operations } from '#operations/index'
import { objectTable } from '#operations/object-table'
import { Accounting, type TracedMessage } from '#server/accounting'
import { binaryEncoding } from '#server/encodings'
import { Meter, operationName } from '#server/meter'
import { MemoryStore } from '#store/memory'
import type { Change, CommitResult } from '#store/store'
import { filesOf, key, linesOf, newFolder } from '#test/audit/trail'
import {
  alice,
  ask,
  bob,
  callerOf,
  type DispatcherUnderTest,
  item,
  newStore,
  openDispatcher,
  requestBytes,
  send,
  sendBytes,
  succeed,
  undoOnError,
} from '#test/dispatcher'
import { userNamed } from '#test/identity/registered'

interface Line {
  readonly event: string
  readonly operation?: string
  readonly user?: string
  readonly client?: string
  readonly certificate?: string
  readonly claimed?: string
  readonly address?: string
  readonly objects?: readonly string[]
  readonly found?: number
  readonly result?: string
  readonly reason?: string
  readonly request?: string
  readonly time: string
}

interface Accounted {
  readonly under: DispatcherUnderTest
  readonly meter: Meter
  readonly traced: TracedMessage[]
  readonly audit: Audit
  readonly lines: () => Promise<Line[]>
}

/** A dispatcher that gives account, to a trail on the disk. */
const accounted = async (store = newStore()): Promise<Accounted> => {
  const directory = join(newFolder(), 'audit')
  const audit = await openAudit({
    directory,
    key,
    mode: 'durable',
    fileBytesMax: 1 << 24,
    filesMax: 0,
    store: new MemoryStore([auditTable]),
    clock: systemClock,
    onFault: (reason) => assert.fail(reason),
    onUnremoved: (file, reason) => assert.fail(`${file}: ${reason}`),
  })
  const { meter, traced, under } = accounting(audit.front, store)
  return {
    under,
    meter,
    traced,
    audit,
    lines: async () => {
      await audit.front.record([JSON.stringify({ event: 'mark' })], true)?.promise()
      return filesOf(directory)
        .flatMap((file) => linesOf(directory, file))
        .map((line) => JSON.parse(line) as Line)
        .filter(({ event }) => event === 'operation' || event === 'withdrawn')
    },
  }
}

const accounting = (front: AuditFront | undefined, store = newStore()) => {
  const meter = new Meter()
  const traced: TracedMessage[] = []
  let ms = 0
  const accounts = new Accounting({
    audit: front,
    meter,
    trace: (message) => void traced.push(message),
    operations,
    store,
    nowMs: () => systemClock.nowMs(),
    monotonicMs: () => (ms += 1),
  })
  return { meter, traced, under: openDispatcher({ store, accounts }) }
}

const symmetric = {
  objectType: ObjectType.SymmetricKey,
  templateAttribute: {
    name: [],
    attribute: [
      { attributeName: 'Cryptographic Algorithm', attributeValue: CryptographicAlgorithm.AES },
      { attributeName: 'Cryptographic Length', attributeValue: 128 },
      { attributeName: 'Cryptographic Usage Mask', attributeValue: CryptographicUsageMask.Encrypt },
    ],
  },
}

const countOf = (meter: Meter, operation: string, result: string): number =>
  meter
    .samples()
    .filter(
      ({ name, labels }) =>
        name === 'kmipd_operations_total' && labels['operation'] === operation && labels['result'] === result,
    )
    .reduce((sum, { value }) => sum + value, 0)

describe('the account of messages', () => {
  test('tells when, who, what, which object and with which result', async () => {
    const { under, lines, meter, audit } = await accounted()
    const { uniqueIdentifier } = await succeed(under, 'Create', symmetric)
    await ask(under, 'Get', { uniqueIdentifier }, { who: bob })
    await succeed(under, 'Get', { uniqueIdentifier })
    await succeed(under, 'Locate', { attribute: [] })
    await sendBytes(
      under,
      new KmipError(ResultReason.AuthenticationNotSuccessful),
      requestBytes(newestVersion, [item('Get', { uniqueIdentifier })]),
    )
    await sendBytes(under, alice, Uint8Array.of(0x42, 0, 0x78, 1, 0, 0, 0, 0))
    const told = (await lines()).map(({ time, request, event: _event, ...line }) => {
      assert.ok(Math.abs(Date.parse(time) - systemClock.nowMs()) < 60_000)
      assert.ok(request !== undefined)
      const own = new Set(['sequence', 'previous', 'since', 'lines', 'mac'])
      return Object.fromEntries(Object.entries(line).filter(([member]) => !own.has(member)))
    })
    const who = { user: 'local|alice', client: 'client-of-alice', address: 'server' }
    const objects = [uniqueIdentifier]
    assert.deepEqual(told, [
      { ...who, operation: 'Create', result: 'success', objects },
      {
        user: 'local|bob',
        client: 'client-of-bob',
        address: 'server',
        operation: 'Get',
        result: 'failed',
        reason: 'PermissionDenied',
        objects,
      },
      { ...who, operation: 'Get', result: 'success', objects },
      { ...who, operation: 'Locate', result: 'success', objects },
      { address: 'server', operation: 'Get', result: 'failed', reason: 'AuthenticationNotSuccessful', objects },
      { address: 'server', operation: 'unknown', result: 'failed', reason: 'InvalidMessage' },
    ])
    assert.equal(countOf(meter, 'Get', 'success'), 1)
    assert.equal(countOf(meter, 'Get', 'PermissionDenied'), 1)
    assert.equal(countOf(meter, 'unknown', 'InvalidMessage'), 1)
    await audit.close()
  })

  test('tells who tried: the client, and the user whom it said to be, if there is such a one', async () => {
    const store = new MemoryStore([objectTable, certificateTable, clientTable, userTable])
    const joe = { domain: 'root', connection: 'local', user: 'joe' }
    await store.commit([
      newRecord(userTable.name, userKey(joe), userNamed(joe, 0)),
      newRecord<ClientRecord>(clientTable.name, 'f1', {
        clientId: 'array-7',
        domain: 'root',
        name: 'array 7',
        userKey: userKey(joe),
        status: 'active',
        certificate: new Uint8Array(1),
        notBeforeSeconds: 0,
        notAfterSeconds: 1,
        createdSeconds: 0,
      }),
    ])
    const { under, lines, audit } = await accounted(store)
    const refusal = new KmipError(ResultReason.AuthenticationNotSuccessful)
    const tries = async (fingerprint: string, username: string): Promise<void> => {
      const credential = [
        { credentialType: CredentialType.UsernameAndPassword, credentialValue: { username, password: 'wrong' } },
      ]
      const bytes = requestBytes(newestVersion, [item('Query', {})], { authentication: { credential } })
      await awaitable(under.dispatcher.answer(bytes, refusal, binaryEncoding, { address: '192.0.2.1', fingerprint }))
    }
    await tries('f1', 'joe')
    await tries('f1', 'local|joe')
    await tries('f1', 'a password in the wrong field')
    await tries('f2', 'joe')
    const told = (await lines()).map(({ client, certificate, claimed, user }) => ({
      client,
      certificate,
      claimed,
      user,
    }))
    const known = { client: 'array-7', certificate: 'f1', user: undefined }
    assert.deepEqual(told, [
      { ...known, claimed: 'local|joe' },
      { ...known, claimed: 'local|joe' },
      { ...known, claimed: undefined },
      { client: undefined, certificate: 'f2', claimed: undefined, user: undefined },
    ])
    await audit.close()
  })

  test('tells of an answer that is given again as of the first, whoever of those who may have it has asked', async () => {
    const { under, lines, meter, audit } = await accounted()
    const { uniqueIdentifier } = await succeed(under, 'Create', symmetric)
    const get = requestBytes(newestVersion, [item('Get', { uniqueIdentifier })])
    const addresses = ['192.0.2.1', '192.0.2.1', '192.0.2.2', '192.0.2.1', '192.0.2.2', '192.0.2.2']
    for (const address of addresses) {
      await awaitable(under.dispatcher.answer(get, callerOf(under, alice), binaryEncoding, { address }))
    }
    const told = (await lines()).filter(({ operation }) => operation === 'Get')
    assert.deepEqual(
      told.map(({ address }) => address),
      addresses,
    )
    for (const { user, client, objects, result } of told) {
      assert.deepEqual(
        [user, client, objects, result],
        ['local|alice', 'client-of-alice', [uniqueIdentifier], 'success'],
      )
    }
    assert.equal(new Set(told.map(({ request }) => request)).size, addresses.length)
    assert.equal(countOf(meter, 'Get', 'success'), addresses.length)
    await audit.close()
  })

  test('every operation of the server is audited and counted by its name, whatever comes of it', async () => {
    const { under, lines, meter, audit } = await accounted()
    const names = operations.map((row) => row.name as 'Query')
    for (const name of names) await send(under, alice, newestVersion, [item(name, {})]).catch(() => undefined)
    const told = (await lines()).map(({ operation }) => operation ?? '')
    assert.deepEqual(new Set(told), new Set(names))
    assert.equal(told.length, names.length)
    for (const row of operations) {
      const counted = meter
        .samples()
        .filter(
          ({ name, labels }) => name === 'kmipd_operations_total' && labels['operation'] === operationName(row.code),
        )
      assert.equal(
        counted.reduce((sum, { value }) => sum + value, 0),
        1,
        row.name,
      )
    }
    await audit.close()
  })

  test('an item of a batch that is undone is told so', async () => {
    const { under, lines, audit } = await accounted()
    await send(
      under,
      alice,
      newestVersion,
      [item('Create', symmetric), item('Get', { uniqueIdentifier: 'none' })],
      undoOnError,
    )
    const told = (await lines()).map(({ operation, result, reason, request }) => ({
      operation,
      result,
      reason,
      request,
    }))
    assert.deepEqual(told, [
      { operation: 'Create', result: 'undone', reason: undefined, request: '1' },
      { operation: 'Get', result: 'failed', reason: 'ItemNotFound', request: '1' },
    ])
    await audit.close()
  })

  test('what another client was faster with is withdrawn and told anew; what the store refuses is told as failed', async () => {
    class Contended extends MemoryStore {
      outcomes: ('conflict' | 'full')[] = []
      override async commit(changes: readonly Change[]): Promise<CommitResult> {
        const outcome = this.outcomes.shift()
        if (outcome === 'conflict') return { done: false, table: changes[0]?.table ?? '', key: changes[0]?.key ?? '' }
        if (outcome === 'full') throw new AuditUnavailable('the disk is full')
        return super.commit(changes)
      }
    }
    const store = new Contended([objectTable, certificateTable])
    const { under, lines, audit } = await accounted(store)
    store.outcomes = ['conflict']
    await succeed(under, 'Create', symmetric)
    store.outcomes = ['full']
    assert.equal((await ask(under, 'Create', symmetric)).reason, 'GeneralFailure')
    const told = (await lines()).map(({ event, result, reason, request }) => [event, request, reason ?? result])
    assert.deepEqual(told, [
      ['operation', '1', 'success'],
      ['withdrawn', '1', undefined],
      ['operation', '1', 'success'],
      ['operation', '2', 'success'],
      ['withdrawn', '2', undefined],
      ['operation', '2', 'GeneralFailure'],
    ])
    await audit.close()
  })

  test('texts that peers choose are cut short, and are no lines of their own', async () => {
    const { under, lines, audit } = await accounted()
    const uniqueIdentifier = `a"}\n{"sequence":1${'x'.repeat(10_000)}`
    await ask(under, 'Get', { uniqueIdentifier })
    const [line] = await lines()
    assert.equal(line?.objects?.[0], uniqueIdentifier.slice(0, 128))
    assert.ok((await audit.verify()).intact)
    await audit.close()
  })
})

describe('an audit trail that cannot be written', () => {
  /** A front of which a test says what becomes of its lines. */
  class Scripted {
    readonly recorded: { readonly bodies: readonly string[]; readonly durable: boolean }[] = []
    failing: string | undefined
    /** So often it is found that nothing is in the way, and not from then on. */
    checksLeft = Number.POSITIVE_INFINITY
    refuses = false
    #requests = 0
    check(): void {
      this.checksLeft -= 1
      if (this.checksLeft < 0) this.failing = 'the disk is full'
      if (this.failing !== undefined) throw new AuditUnavailable(this.failing)
    }
    newRequest(): number {
      return (this.#requests += 1)
    }
    nameOf(request: number): string {
      return String(request)
    }
    record(bodies: readonly string[], durable: boolean): Later<void> | undefined {
      this.recorded.push({ bodies, durable })
      if (!durable) return undefined
      const later = new Later<void>()
      if (this.refuses) later.reject(new AuditUnavailable('the disk is full'))
      else later.resolve()
      return later
    }
  }
  const scripted = () => {
    const front = new Scripted()
    return { front, ...accounting(front as unknown as AuditFront) }
  }

  test('waits for what changes or gives away a key, and for nothing else', async () => {
    const { front, under } = scripted()
    const { uniqueIdentifier } = await succeed(under, 'Create', symmetric)
    await succeed(under, 'Get', { uniqueIdentifier })
    await succeed(under, 'GetAttributes', { uniqueIdentifier, attributeName: [] })
    await succeed(under, 'Locate', { attribute: [] })
    await ask(under, 'Get', { uniqueIdentifier: 'none' })
    await succeed(under, 'Destroy', { uniqueIdentifier })
    assert.deepEqual(
      front.recorded.map(({ durable }) => durable),
      [true, true, false, false, false, true],
    )
  })

  test('no key is given away and nothing is changed while it is known', async () => {
    const { front, under } = scripted()
    const { uniqueIdentifier } = await succeed(under, 'Create', symmetric)
    front.failing = 'the disk is full'
    const answer = await ask(under, 'Get', { uniqueIdentifier })
    assert.equal(answer.reason, 'GeneralFailure')
    assert.match(answer.message ?? '', /cannot do this now; try again/)
    assert.equal((await ask(under, 'Destroy', { uniqueIdentifier })).reason, 'GeneralFailure')
    front.failing = undefined
    await succeed(under, 'Get', { uniqueIdentifier })
  })

  test('found out while a change is decided, which may take long: it is not made', async () => {
    const { front, under } = scripted()
    front.checksLeft = 1
    const answer = await ask(under, 'Create', symmetric)
    assert.equal(answer.reason, 'GeneralFailure')
    front.checksLeft = Number.POSITIVE_INFINITY
    front.failing = undefined
    assert.deepEqual((await succeed(under, 'Locate', { attribute: [] }))['uniqueIdentifier'], [])
  })

  test('found out by a Get: refused. By a change that was made: no answer, for none would be true', async () => {
    const { front, under } = scripted()
    const { uniqueIdentifier } = await succeed(under, 'Create', symmetric)
    // The first one has a change with it: the object is fresh no longer.
    await succeed(under, 'Get', { uniqueIdentifier })
    front.refuses = true
    assert.equal((await ask(under, 'Get', { uniqueIdentifier })).reason, 'GeneralFailure')
    await assert.rejects(ask(under, 'Destroy', { uniqueIdentifier }), { name: 'AuditFaulted' })
  })
})

describe('the times of messages', () => {
  test('are counted by operation and result, and given to traces with their parts', async () => {
    const { under, meter, traced } = accounting(undefined)
    await succeed(under, 'Create', symmetric)
    await ask(under, 'Get', { uniqueIdentifier: 'none' })
    await send(under, alice, newestVersion, [
      item('Query', { queryFunction: [] }),
      item('Query', { queryFunction: [] }),
    ])
    const counts = meter
      .samples()
      .filter(({ name }) => name === 'kmipd_request_duration_seconds_count')
      .map(({ labels, value }) => [labels['operation'], labels['result'], value])
    assert.deepEqual(counts, [
      ['Create', 'success', 1],
      ['Get', 'failed', 1],
      ['Batch', 'success', 1],
    ])
    for (const { beganMs, decidedMs, endedMs } of traced) assert.ok(beganMs < decidedMs && decidedMs <= endedMs)
    assert.deepEqual(
      traced.map(({ operations: names, failure, user }) => [names, failure, user]),
      [
        [['Create'], undefined, 'local|alice'],
        [['Get'], 'ItemNotFound', 'local|alice'],
        [['Query', 'Query'], undefined, 'local|alice'],
      ],
    )
  })
})
