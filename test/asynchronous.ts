/** Asynchronous requests for tests: begun, waited for, polled. What it is not: tests. */
import assert from 'node:assert/strict'
import type { RequestPayload } from '#client/operation-methods'
import type { Principal } from '#identity/principals'
import type { PayloadName } from '#kmip/payloads/index'
import {
  type AnsweredItem,
  alice,
  type DispatcherUnderTest,
  item,
  requestBytes,
  send,
  sendBytes,
} from '#test/dispatcher'

/** Begins an operation asynchronously and gives its correlation value; undefined when it was answered at once. */
export const begin = async <N extends PayloadName>(
  under: DispatcherUnderTest,
  operation: N,
  payload: RequestPayload<N>,
  who: Principal = alice,
): Promise<Uint8Array | undefined> => {
  const { message, items } = await send(under, who, 104, [item(operation, payload)], { asynchronousIndicator: true })
  const value = message.batchItem[0]?.asynchronousCorrelationValue
  assert.equal(items[0]?.status === 'OperationPending', value !== undefined)
  if (value !== undefined) assert.equal(items[0]?.payload, undefined)
  return value
}

/** The same, for what must be pending. */
export const pending = async <N extends PayloadName>(
  under: DispatcherUnderTest,
  operation: N,
  payload: RequestPayload<N>,
  who: Principal = alice,
): Promise<Uint8Array> => {
  const value = await begin(under, operation, payload, who)
  assert.ok(value)
  return value
}

/** What a Poll gives now: an item of the operation that was polled for, or of Poll itself when there is none. */
export const poll = async (
  under: DispatcherUnderTest,
  asynchronousCorrelationValue: Uint8Array,
  who: Principal = alice,
): Promise<AnsweredItem> => {
  const { items } = await sendBytes(under, who, requestBytes(104, [item('Poll', { asynchronousCorrelationValue })]))
  const [only] = items
  assert.ok(only)
  return only
}

const turnsMax = 10_000

/** Lets the time of the delay pass and polls until the request is done. */
export const result = async (under: DispatcherUnderTest, value: Uint8Array): Promise<AnsweredItem> => {
  under.clock.advance(100)
  for (let turn = 0; turn < turnsMax; turn += 1) {
    const polled = await poll(under, value)
    if (polled.status !== 'OperationPending') return polled
    await new Promise((resolve) => setImmediate(resolve))
  }
  throw new assert.AssertionError({ message: 'the request stays pending' })
}
