/**
 * A few thousand faulty messages to a real server, always the same ones. `node test/fuzz/live.ts` sends more.
 */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { decodeResponse } from '#client/client'
import { ResultReason } from '#kmip/enums'
import { type RunningServer, startServerProcess } from '#test/running-server'
import { Lane, owedTo } from './lane.ts'
import { fuzz, newCorpus } from './run.ts'

const requestSizeMax = 1_048_576
let server: RunningServer
before(async () => {
  server = await startServerProcess({ flags: ['--failed-sessions-per-address-max', '0'] })
})
after(() => server?.kill())

test('the requests that faulty ones are made of are understood', async () => {
  const lane = new Lane(server, 5000)
  for (const request of await newCorpus(server)) {
    const owed = owedTo(request, requestSizeMax)
    assert.deepEqual(owed, { frames: 1, rest: 'nothing' })
    const { responses } = await lane.say(request, owed)
    const { batchItem } = decodeResponse(responses[0] ?? Buffer.alloc(0))
    for (const { resultReason, resultMessage } of batchItem) {
      assert.notEqual(resultReason, ResultReason.InvalidMessage, `${request.toString('hex')}: ${resultMessage}`)
      assert.notEqual(resultReason, ResultReason.GeneralFailure, `${request.toString('hex')}: ${resultMessage}`)
    }
  }
  lane.close()
})

test('an operation that nobody knows is refused, and the session goes on', async () => {
  const lane = new Lane(server, 5000)
  const [known] = await newCorpus(server, true)
  assert.ok(known !== undefined)
  const unknown = Buffer.from(known)
  // KMIP 1.4 §6.2: the one enumeration with this tag is the Operation.
  unknown.writeUInt32BE(0xff, unknown.indexOf(Buffer.from('42005c0500000004', 'hex')) + 8)
  for (const request of [unknown, unknown, known]) {
    const { responses, end } = await lane.say(request, owedTo(request, requestSizeMax))
    assert.deepEqual([responses.length, end], [1, 'open'])
    const [item] = decodeResponse(responses[0] ?? Buffer.alloc(0)).batchItem
    assert.equal(item?.resultReason, request === known ? undefined : ResultReason.OperationNotSupported)
  }
  lane.close()
})

test('faulty messages get answers that say what is wrong, and nothing more', async () => {
  const report = await fuzz(server, { messages: 3000, seed: 1, connections: 16, replyTimeoutMs: 5000, requestSizeMax })
  assert.deepEqual(report.findings, [])
  assert.ok(server.alive)
  assert.ok((report.outcomes['success'] ?? 0) > 100, 'some messages are still right')
  assert.ok((report.reasons['InvalidMessage'] ?? 0) > 100, 'many are not')
})
