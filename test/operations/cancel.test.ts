/** Cancel: each Cancellation Result of KMIP 1.4 §4.27. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { CancellationResult } from '#kmip/enums'
import { pending, poll, result } from '#test/asynchronous'
import { bob, type DispatcherUnderTest, openDispatcher, succeed } from '#test/dispatcher'
import { createRequest, revocation } from '#test/sample-objects'

const cancel = async (under: DispatcherUnderTest, asynchronousCorrelationValue: Uint8Array, who?: typeof bob) => {
  const answer = await succeed(under, 'Cancel', { asynchronousCorrelationValue }, who === undefined ? {} : { who })
  assert.deepEqual(Buffer.from(answer.asynchronousCorrelationValue), Buffer.from(asynchronousCorrelationValue))
  return answer.cancellationResult
}

describe('Cancel', () => {
  test('Canceled: what waits does not begin, and Poll says so', async () => {
    const under = openDispatcher()
    const value = await pending(under, 'Create', createRequest())
    assert.equal(await cancel(under, value), CancellationResult.Canceled)
    assert.equal(await cancel(under, value), CancellationResult.Canceled)
    const polled = await result(under, value)
    assert.deepEqual([polled.operation, polled.reason], ['Create', 'OperationCanceledByRequester'])
    assert.equal((await succeed(under, 'Locate', { attribute: [] })).uniqueIdentifier.length, 0)
  })

  test('Unable To Cancel: it runs', async () => {
    const under = openDispatcher()
    const value = await pending(under, 'Create', createRequest())
    under.clock.advance(100)
    assert.equal(await cancel(under, value), CancellationResult.UnableToCancel)
    assert.equal((await result(under, value)).status, 'Success')
  })

  test('Completed and Failed: it is done already', async () => {
    const under = openDispatcher()
    const good = await pending(under, 'Create', createRequest())
    const bad = await pending(under, 'Revoke', revocation('nobody'))
    await result(under, good)
    await result(under, bad)
    assert.equal(await cancel(under, good), CancellationResult.Completed)
    assert.equal(await cancel(under, bad), CancellationResult.Failed)
    assert.equal((await poll(under, good)).status, 'Success')
  })

  test("Unavailable: nobody's, another user's", async () => {
    const under = openDispatcher()
    const value = await pending(under, 'Create', createRequest())
    assert.equal(await cancel(under, Uint8Array.of(9)), CancellationResult.Unavailable)
    assert.equal(await cancel(under, value, bob), CancellationResult.Unavailable)
  })
})
