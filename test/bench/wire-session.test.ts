/**
 * A session of the load generator against a server that cuts, joins, garbles and withholds answers; and how it tells success
 * without reading. What it is not: a measurement.
 */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { isSuccess } from '#bench/answer-status'
import { refusalIn } from '#bench/outcome'
import { type Exchange, Wire } from '#bench/wire-session'
import { encodeRequest } from '#client/client'
import { Operation, ResultReason, ResultStatus } from '#kmip/enums'
import { makeCertificates } from '#test/client/certificates'
import { type Received, responseBytes, startServer, succeed, type TestServer } from '#test/client/tls-server'

const certificates = makeCertificates()
const request = Buffer.from(
  encodeRequest({
    requestHeader: { protocolVersion: { protocolVersionMajor: 1, protocolVersionMinor: 4 }, batchCount: 1 },
    batchItem: [{ operation: Operation.DiscoverVersions, requestPayload: {} }],
  }),
)

/** What the server does with a request; set by each test. */
let handle: (received: Received) => void = () => undefined
let server: TestServer
before(async () => {
  server = await startServer(certificates, (received) => handle(received))
})
after(() => server.close())

const wireTo = (more: { readonly pipelineMax?: number; readonly timeoutMs?: number } = {}): Wire =>
  new Wire({
    target: {
      host: '127.0.0.1',
      port: server.port,
      ca: certificates.ca,
      cert: certificates.clientCert,
      key: certificates.clientKey,
      servername: 'localhost',
    },
    pipelineMax: more.pipelineMax ?? 1,
    timeoutMs: more.timeoutMs ?? 10_000,
    nowMs: () => performance.now(),
  })

/** Sends one request; resolves with a copy of the answer, or with the name of the failure. */
const sent = (session: ReturnType<Wire['session']>): Promise<Buffer | string> =>
  new Promise((resolve) => {
    const exchange: Exchange = {
      answered: (bytes, from, to) => resolve(Buffer.from(bytes.subarray(from, to))),
      failed: resolve,
    }
    session.send(request, exchange, performance.now())
  })

const answerOf = ({ request: message }: Received): Buffer => succeed(message, () => ({ protocolVersion: [] }))

describe('a session', () => {
  test('answers that come in pieces, and several that come together, reach who asked', async () => {
    const wire = wireTo({ pipelineMax: 3 })
    const waiting: Buffer[] = []
    handle = (received) => {
      waiting.push(answerOf(received))
      if (waiting.length < 3) return
      const all = Buffer.concat(waiting.splice(0))
      const one = all.length / 3
      // A whole answer, four bytes of the next, its middle, its end with most of the third, the rest.
      const cuts = [0, one, one + 4, one + 20, 3 * one - 4, 3 * one]
      const write = (index: number): void => {
        if (index + 1 >= cuts.length) return
        received.socket.write(all.subarray(cuts[index], cuts[index + 1]), () => setImmediate(() => write(index + 1)))
      }
      write(0)
    }
    try {
      const session = wire.session()
      const answers = await Promise.all([sent(session), sent(session), sent(session)])
      for (const answer of answers) assert.ok(Buffer.isBuffer(answer) && isSuccess(answer, 0, answer.length))
    } finally {
      wire.close()
    }
  })

  test('no more than the pipeline are in flight, and what waits goes out in order', async () => {
    const wire = wireTo({ pipelineMax: 2 })
    const open: Received[] = []
    let most = 0
    handle = (received) => {
      open.push(received)
      most = Math.max(most, open.length)
      setTimeout(() => {
        const first = open.shift()
        first?.socket.write(answerOf(first))
      }, 5)
    }
    try {
      const session = wire.session()
      const answers = await Promise.all(Array.from({ length: 6 }, () => sent(session)))
      assert.ok(answers.every((answer) => Buffer.isBuffer(answer)))
      assert.equal(most, 2)
    } finally {
      wire.close()
    }
  })

  test('a session that breaks fails what was asked, and the next request opens another', async () => {
    const wire = wireTo()
    const kinds: readonly [(received: Received) => void, string][] = [
      [({ socket }) => socket.destroy(), 'ConnectionLost'],
      [({ socket }) => void socket.write(Buffer.alloc(64, 7)), 'MalformedAnswer'],
      [(received) => void received.socket.write(Buffer.concat([answerOf(received), answerOf(received)])), 'answered'],
    ]
    try {
      const session = wire.session()
      for (const [misbehave, name] of kinds) {
        handle = misbehave
        const outcome = await sent(session)
        assert.equal(Buffer.isBuffer(outcome) ? 'answered' : outcome, name)
      }
      // An answer to no request has ended the session; the next one works.
      handle = (received) => void received.socket.write(answerOf(received))
      assert.ok(Buffer.isBuffer(await sent(session)))
    } finally {
      wire.close()
    }
  })

  test('no answer in time is an error', async () => {
    const wire = wireTo({ timeoutMs: 60 })
    handle = () => undefined
    try {
      assert.equal(await sent(wire.session()), 'RequestTimeout')
    } finally {
      wire.close()
    }
  })

  test('what waits for a server that is not there fails', async () => {
    const gone = await startServer(certificates, () => undefined)
    await gone.close()
    const wire = new Wire({
      target: { host: '127.0.0.1', port: gone.port, ca: certificates.ca },
      pipelineMax: 1,
      timeoutMs: 10_000,
      nowMs: () => performance.now(),
    })
    try {
      const session = wire.session()
      assert.deepEqual(await Promise.all([sent(session), sent(session)]), ['ConnectionLost', 'ConnectionLost'])
    } finally {
      wire.close()
    }
  })
})

describe('success is told without a reader', () => {
  const { Success, OperationFailed } = ResultStatus
  const answer = (...statuses: readonly number[]): Buffer =>
    responseBytes(
      {
        requestHeader: {
          protocolVersion: { protocolVersionMajor: 1, protocolVersionMinor: 4 },
          batchCount: statuses.length,
          attestationType: [],
        },
        batchItem: [],
      },
      statuses.map((resultStatus, index) => ({
        operation: Operation.Destroy,
        uniqueBatchItemId: Uint8Array.of(index),
        resultStatus,
        ...(resultStatus === Success
          ? { responsePayload: { uniqueIdentifier: 'an identifier whose length needs padding' } }
          : { resultReason: ResultReason.ItemNotFound }),
      })),
    )
  const cases: readonly (readonly [string, readonly number[], boolean])[] = [
    ['one success', [Success], true],
    ['three', [Success, Success, Success], true],
    ['a failure', [OperationFailed], false],
    ['a failure behind successes', [Success, Success, OperationFailed], false],
    ['no item', [], false],
  ]
  for (const [name, statuses, expected] of cases) {
    test(name, () => {
      const bytes = answer(...statuses)
      // Wherever it lies in a larger buffer.
      const among = Buffer.concat([Buffer.alloc(24, 9), bytes, Buffer.alloc(24, 9)])
      assert.equal(isSuccess(among, 24, 24 + bytes.length), expected)
      if (statuses.length > 0) assert.equal(refusalIn(bytes) === undefined, expected)
    })
  }

  test('lengths that lead out of the bytes are refused', () => {
    const bytes = answer(Success)
    bytes.writeUInt32BE(0xffff_fff0, 12)
    assert.equal(isSuccess(bytes, 0, bytes.length), false)
    assert.throws(() => isSuccess(answer(Success).subarray(0, 100), 0, 400), RangeError)
  })
})
