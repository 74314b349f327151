/**
 * The size of an answer (KMIP 1.4 §6.3, §11.1): the client's bound and the server's, and that nothing grows to what is refused. What it
 * is not: the memory of sessions (holdings.test.ts, connection.test.ts).
 */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { awaitable } from '#actor/later'
import { operations } from '#operations/index'
import { binaryEncoding, type Encoding, encodings } from '#server/encodings'
import { Holdings } from '#server/holdings'
import {
  alice,
  callerOf,
  continueOnError,
  item,
  openDispatcher,
  outcomesOf,
  type RequestedItem,
  requestBytes,
  send,
  stored,
  succeed,
} from '#test/dispatcher'
import { attributes, createKey, createRequest } from '#test/sample-objects'

const query = item('Query', { queryFunction: [1] })

/** How an encoding spells the reason. */
const tooLarge = ({ contentType }: Encoding): string | Buffer =>
  contentType === binaryEncoding.contentType
    ? Buffer.from('42007e05000000040000000200000000', 'hex')
    : 'ResponseTooLarge'

describe('Maximum Response Size', () => {
  test('an answer of exactly that size is given', async () => {
    const under = openDispatcher()
    const { bytes } = await send(under, alice, 104, [query])
    const answer = await send(under, alice, 104, [query], { maximumResponseSize: bytes.length })
    assert.deepEqual(outcomesOf(answer), ['Success'])
  })

  test('of an answer that is larger nothing is done, and every item says so', async () => {
    const under = openDispatcher()
    const uniqueIdentifier = await createKey(under, { 'Object Group': 'g' })
    const before = stored(under, uniqueIdentifier)
    const items = [
      item('Create', createRequest({ 'Object Group': 'g' })),
      item('Get', { uniqueIdentifier }),
      item('Destroy', { uniqueIdentifier }),
    ]
    const header = { ...continueOnError, maximumResponseSize: 200 }
    const answer = await send(under, alice, 104, items, header)
    assert.deepEqual(outcomesOf(answer), ['ResponseTooLarge', 'ResponseTooLarge', 'ResponseTooLarge'])
    assert.deepEqual(stored(under, uniqueIdentifier), before)
    const found = await succeed(under, 'Locate', { attribute: attributes({ 'Object Group': 'g' }) })
    assert.deepEqual(found.uniqueIdentifier, [uniqueIdentifier])
  })
})

describe('the largest answer that the server gives', () => {
  const many = (count: number): readonly RequestedItem[] =>
    Array.from({ length: count }, () => item('Locate', { attribute: [] }))
  const responseSizeMax = 1_200

  test('a batch whose answer grows beyond it is given up while it grows, and nothing is changed', async () => {
    let asked = 0
    const counted = operations.map((row) => ({
      ...row,
      handle: (request: unknown, context: Parameters<typeof row.handle>[1]): unknown => {
        if (row.name === 'Locate') asked += 1
        return row.handle(request, context)
      },
    }))
    const under = openDispatcher({ responseSizeMax, operations: counted })
    for (let made = 0; made < 8; made += 1) await createKey(under)
    const items = [item('Create', createRequest({ 'Object Group': 'g' })), ...many(12)]
    const answer = await send(under, alice, 104, items)
    assert.deepEqual(new Set(outcomesOf(answer)), new Set(['ResponseTooLarge']))
    assert.match(answer.items[0]?.message ?? '', /1200 bytes/)
    assert.ok(asked < 6, `${asked} searches were made for an answer that does not go out`)
    const { uniqueIdentifier } = await succeed(under, 'Locate', { attribute: attributes({ 'Object Group': 'g' }) })
    assert.deepEqual(uniqueIdentifier, [])
  })

  test('a single answer that is larger is refused, and a smaller one is given, in every encoding', async () => {
    for (const encoding of encodings.values()) {
      const under = openDispatcher({ responseSizeMax: 1_000 })
      const bytes = requestBytes(104, [item('Locate', { attribute: [] })])
      const answer = () =>
        awaitable(
          under.dispatcher.answer(bytes, callerOf(under, alice), {
            ...encoding,
            open: (given, limits) => binaryEncoding.open(given, limits),
          }),
        )
      for (let made = 0; made < 8; made += 1) await createKey(under)
      assert.ok(!(await answer()).includes(tooLarge(encoding)), encoding.contentType)
      for (let made = 0; made < 20; made += 1) await createKey(under)
      assert.ok((await answer()).includes(tooLarge(encoding)), encoding.contentType)
    }
  })

  test("the client's own size is told apart from the server's", async () => {
    const under = openDispatcher({ responseSizeMax })
    const client = await send(under, alice, 104, [query], { maximumResponseSize: 200 })
    assert.match(client.items[0]?.message ?? '', /Maximum Response Size of the request/)
  })

  test('answers that are being made, or are not taken, leave no room for another batch', async () => {
    const answers = new Holdings({ heldBytesPerClientMax: 100, heldBytesMax: 100 })
    const under = openDispatcher({ answers })
    await createKey(under)
    const holder = answers.holderOf('server')
    holder.take(100)
    const refused = await send(under, alice, 104, many(4))
    assert.deepEqual(new Set(outcomesOf(refused)), new Set(['GeneralFailure']))
    assert.match(refused.items[0]?.message ?? '', /try again/)
    holder.give(100)
    assert.deepEqual(new Set(outcomesOf(await send(under, alice, 104, many(2)))), new Set(['Success']))
    assert.equal(answers.bytes, 0, 'an answer that is given is no longer held here')
    assert.deepEqual(under.failures, [])
  })
})
