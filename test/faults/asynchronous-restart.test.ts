/**
 * Asynchronous requests and the end of the server (KMIP 1.4 §4.28, §6.7). What it is: what was done is durable, what had not
 * begun is not done, and of neither a correlation value is known afterwards: Poll says Item Not Found, Cancel Unavailable, as
 * the setting `asynchronousKeepMs` tells. What it is not: the life of a request (operations/poll.test.ts).
 */
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { type Client, createClient } from '#client/client'
import {
  CancellationResult,
  CryptographicAlgorithm,
  CryptographicUsageMask,
  NameType,
  ObjectType,
  Operation,
  ResultReason,
  ResultStatus,
} from '#kmip/enums'
import type { ResponseBatchItem } from '#kmip/message'
import { type RunningServer, startServerProcess } from '#test/running-server'

const header = { protocolVersion: { protocolVersionMajor: 1, protocolVersionMinor: 4 }, batchCount: 1 }

const only = (items: readonly ResponseBatchItem[]): ResponseBatchItem => {
  const [item] = items
  assert.ok(item !== undefined && items.length === 1)
  return item
}

const named = (nameValue: string) => ({
  attributeName: 'Name',
  attributeValue: { nameValue, nameType: NameType.UninterpretedTextString },
})

/** Begins the creation of a key. Gives the correlation value. */
const begin = async (client: Client, name: string): Promise<Uint8Array> => {
  const attribute = [
    { attributeName: 'Cryptographic Algorithm', attributeValue: CryptographicAlgorithm.AES },
    { attributeName: 'Cryptographic Length', attributeValue: 128 },
    { attributeName: 'Cryptographic Usage Mask', attributeValue: CryptographicUsageMask.Encrypt },
    named(name),
  ]
  const { batchItem } = await client.request({
    requestHeader: { ...header, asynchronousIndicator: true },
    batchItem: [
      {
        operation: Operation.Create,
        requestPayload: { objectType: ObjectType.SymmetricKey, templateAttribute: { attribute } },
      },
    ],
  })
  const { resultStatus, asynchronousCorrelationValue } = only(batchItem)
  assert.equal(resultStatus, ResultStatus.OperationPending)
  assert.ok(asynchronousCorrelationValue !== undefined)
  return asynchronousCorrelationValue
}

const poll = async (client: Client, asynchronousCorrelationValue: Uint8Array): Promise<ResponseBatchItem> => {
  const { batchItem } = await client.request({
    requestHeader: header,
    batchItem: [{ operation: Operation.Poll, requestPayload: { asynchronousCorrelationValue } }],
  })
  return only(batchItem)
}

const pollsMax = 2_000

const whenDone = async (client: Client, value: Uint8Array): Promise<ResponseBatchItem> => {
  for (let polled = 0; polled < pollsMax; polled += 1) {
    const item = await poll(client, value)
    if (item.resultStatus !== ResultStatus.OperationPending) return item
  }
  throw new assert.AssertionError({ message: `still pending after ${pollsMax} polls` })
}

const found = async (client: Client, name: string): Promise<number> =>
  (await client.locate({ attribute: [named(name)] })).uniqueIdentifier.length

const isForgotten = async (client: Client, value: Uint8Array): Promise<void> => {
  const { operation, resultStatus, resultReason } = await poll(client, value)
  assert.deepEqual(
    [operation, resultStatus, resultReason],
    [Operation.Poll, ResultStatus.OperationFailed, ResultReason.ItemNotFound],
  )
  const cancelled = await client.cancel({ asynchronousCorrelationValue: value })
  assert.equal(cancelled.cancellationResult, CancellationResult.Unavailable)
}

const ends: Readonly<Record<string, (server: RunningServer) => Promise<unknown>>> = {
  'is stopped': (server) => server.stop(),
  'is killed': (server) => server.kill(),
}

describe('asynchronous requests of a server', () => {
  for (const [how, end] of Object.entries(ends)) {
    test(`that ${how} and starts again: what was done stays, what waited is not done, and both are forgotten`, async () => {
      const directory = await mkdtemp(join(tmpdir(), 'kmipd-asynchronous-'))
      const start = (delayMs: number): Promise<RunningServer> =>
        startServerProcess({
          directory,
          flags: ['--asynchronous-operations', 'all', '--asynchronous-delay-ms', String(delayMs)],
        })
      let server = await start(0)
      try {
        let client = createClient(server.connection)
        const done = await begin(client, 'done')
        assert.equal((await whenDone(client, done)).resultStatus, ResultStatus.Success)
        await client.close()
        await end(server)

        server = await start(60_000)
        client = createClient(server.connection)
        await isForgotten(client, done)
        assert.equal(await found(client, 'done'), 1)
        const waiting = await begin(client, 'waiting')
        assert.equal((await poll(client, waiting)).resultStatus, ResultStatus.OperationPending)
        await client.close()
        await end(server)

        server = await start(0)
        client = createClient(server.connection)
        await isForgotten(client, waiting)
        assert.deepEqual([await found(client, 'done'), await found(client, 'waiting')], [1, 0])
        await client.close()
        assert.deepEqual(server.failures, [])
      } finally {
        await server.kill()
        await rm(directory, { recursive: true, force: true })
      }
    })
  }
})
