/** Poll, and asynchronous requests as a whole: KMIP 1.4 §4.28, §6.7, §6.8, §11.29. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { QueryFunction } from '#kmip/enums'
import type { PayloadName } from '#kmip/payloads/index'
import { begin, pending, poll, result } from '#test/asynchronous'
import {
  type AnsweredItem,
  alice,
  asynchronousLimits,
  bob,
  item,
  openDispatcher,
  outcome,
  outcomesOf,
  requestBytes,
  send,
  sendBytes,
  stored,
  succeed,
} from '#test/dispatcher'
import { testOutcomes } from '#test/outcome-table'
import { createKey, createRequest, revocation } from '#test/sample-objects'

const unknown = { asynchronousCorrelationValue: Uint8Array.of(1, 2, 3) }

describe('Poll: reasons', () => {
  testOutcomes([
    ['no request has the correlation value', 'ItemNotFound', (under) => outcome(under, 'Poll', unknown)],
    [
      'the request of another user',
      'ItemNotFound',
      async (under) => {
        const asynchronousCorrelationValue = await pending(under, 'Locate', { attribute: [] })
        return outcome(under, 'Poll', { asynchronousCorrelationValue }, { who: bob })
      },
    ],
  ])
})

describe('Poll', () => {
  test('is pending until the request ran, then what a synchronous answer would be, as often as it is asked', async () => {
    const under = openDispatcher()
    const uniqueIdentifier = await createKey(under)
    const value = await pending(under, 'Locate', { attribute: [] })
    const early = await poll(under, value)
    assert.deepEqual([early.operation, early.status, early.payload], ['Locate', 'OperationPending', undefined])
    const done = await result(under, value)
    assert.deepEqual([done.operation, done.status], ['Locate', 'Success'])
    assert.deepEqual(done.payload, await succeed(under, 'Locate', { attribute: [] }))
    assert.deepEqual((done.payload as { uniqueIdentifier: string[] }).uniqueIdentifier, [uniqueIdentifier])
    assert.deepEqual(await poll(under, value), done)
  })

  test('what a request changes is durable when it is done, and not before it began', async () => {
    const under = openDispatcher()
    const value = await pending(under, 'Create', createRequest())
    assert.equal((await succeed(under, 'Locate', { attribute: [] })).uniqueIdentifier.length, 0)
    const { payload } = await result(under, value)
    assert.ok(stored(under, (payload as { uniqueIdentifier: string }).uniqueIdentifier))
  })

  test('a failure is told as it would have been', async () => {
    const under = openDispatcher()
    const value = await pending(under, 'Revoke', revocation('nobody'))
    const { operation, status, reason } = await result(under, value)
    assert.deepEqual([operation, status, reason], ['Revoke', 'OperationFailed', 'ItemNotFound'])
  })

  test('nothing newer than the Poll is in its answer: another reason stands for a newer one, a newer result waits for its version', async () => {
    const under = openDispatcher()
    const uniqueIdentifier = await createKey(under, { Sensitive: true })
    const asked = async (value: Uint8Array, version: number): Promise<AnsweredItem | undefined> => {
      const polled = [item('Poll', { asynchronousCorrelationValue: value })]
      return (await sendBytes(under, alice, requestBytes(version, polled))).items[0]
    }
    const hidden = await pending(under, 'Get', { uniqueIdentifier })
    assert.equal((await result(under, hidden)).reason, 'Sensitive')
    assert.equal((await asked(hidden, 103))?.reason, 'PermissionDenied')

    const shared = { uniqueIdentifier, attributeName: ['State', 'Object Type'] }
    const newer: readonly (readonly [PayloadName, object])[] = [
      ['GetAttributes', { uniqueIdentifier, attributeName: [] }],
      ['GetAttributeList', { uniqueIdentifier }],
      ['AddAttribute', { uniqueIdentifier, attribute: { attributeName: 'Comment', attributeValue: 'kept' } }],
      ['Query', { queryFunction: [QueryFunction.QueryOperations] }],
    ]
    for (const [operation, payload] of newer) {
      const value = await pending(under, operation, payload as never)
      await result(under, value)
      assert.equal((await asked(value, 100))?.reason, 'InvalidField', operation)
      assert.equal((await asked(value, 104))?.status, 'Success', operation)
    }
    const value = await pending(under, 'GetAttributes', shared)
    await result(under, value)
    assert.equal((await asked(value, 100))?.status, 'Success', 'what every version has is given in every version')
  })

  test('a result is forgotten after its time', async () => {
    const under = openDispatcher()
    const value = await pending(under, 'Locate', { attribute: [] })
    await result(under, value)
    under.clock.advance(asynchronousLimits.asynchronousKeepMs)
    assert.equal((await poll(under, value)).reason, 'ItemNotFound')
  })

  test('the server answers at once without the indicator, in batches, and what settings or the operation exclude', async () => {
    const under = openDispatcher()
    const request = { attribute: [] }
    const header = { asynchronousIndicator: false }
    assert.deepEqual(outcomesOf(await send(under, alice, 104, [item('Locate', request)], header)), ['Success'])
    const both = [item('Locate', request), item('Locate', request)]
    const batch = await send(under, alice, 104, both, { asynchronousIndicator: true })
    assert.deepEqual(outcomesOf(batch), ['Success', 'Success'])
    assert.equal(await begin(under, 'Poll', unknown), undefined)
    const slow = openDispatcher({ asynchronous: { asynchronousOperations: 'slow' } })
    assert.ok(await begin(slow, 'Locate', request))
    assert.equal(await begin(slow, 'Create', createRequest()), undefined)
    const none = openDispatcher({ asynchronous: { asynchronousOperations: 'none' } })
    assert.equal(await begin(none, 'Locate', request), undefined)
  })

  test('beyond its share a user is answered at once; the oldest result makes room', async () => {
    const under = openDispatcher()
    const request = { attribute: [] }
    const values = []
    for (let count = 0; count < asynchronousLimits.asynchronousRequestsPerUserMax; count += 1) {
      values.push(await pending(under, 'Locate', request))
    }
    assert.equal(await begin(under, 'Locate', request), undefined)
    assert.ok(await begin(under, 'Locate', request, bob))
    for (const value of values) await result(under, value)
    assert.ok(await begin(under, 'Locate', request))
    assert.ok(values[0] && values[1])
    assert.equal((await poll(under, values[0])).reason, 'ItemNotFound')
    assert.equal((await poll(under, values[1])).status, 'Success')
  })

  test('a server that stops finishes what runs and forgets the rest', async () => {
    const under = openDispatcher()
    const value = await pending(under, 'Create', createRequest())
    const waiting = await pending(under, 'Create', createRequest())
    under.clock.advance(100)
    await under.dispatcher.stop()
    assert.equal((await poll(under, value)).reason, 'ItemNotFound')
    assert.equal((await poll(under, waiting)).reason, 'ItemNotFound')
    assert.equal((await succeed(under, 'Locate', { attribute: [] })).uniqueIdentifier.length, 1)
    assert.equal(await begin(under, 'Locate', { attribute: [] }), undefined)
  })
})

describe('correlation values of messages (§6.18, §6.19)', () => {
  test("the server's is sent when the setting says so, and in 1.4 alone", async () => {
    const header = { clientCorrelationValue: 'job 7' }
    for (const serverCorrelationValues of ['on', 'off'] as const) {
      const under = openDispatcher({ serverCorrelationValues })
      const { responseHeader } = (await send(under, alice, 104, [item('Locate', { attribute: [] })], header)).message
      assert.equal(responseHeader.serverCorrelationValue !== undefined, serverCorrelationValues === 'on')
      const older = (await send(under, alice, 103, [item('Locate', { attribute: [] })])).message.responseHeader
      assert.equal(older.serverCorrelationValue, undefined)
    }
  })
})
