/**
 * The transport against a real TLS server: order, pipelining, split and joined writes, broken connections, garbage, bounds,
 * time limits and resumption.
 */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { after, describe, test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { decodeResponse, encodeRequest } from '#client/client'
import { machineClock } from '#client/clock'
import { ClientClosed, ConnectionLost, QueueFull, RequestTimeout } from '#client/errors'
import { Transport, type TransportOptions } from '#client/transport'
import { Operation } from '#kmip/enums'
import { TtlvError } from '#ttlv/error'
import { makeCertificates } from './certificates.ts'
import { firstPayload, type Received, startServer, succeed, type TestServer } from './tls-server.ts'

const certificates = makeCertificates()
const closers: (() => Promise<void> | void)[] = []
after(async () => {
  for (const close of closers) await close()
})

const serve = async (handle: (received: Received) => void): Promise<TestServer> => {
  const server = await startServer(certificates, handle)
  closers.push(() => server.close())
  return server
}

const open = (port: number, options: Partial<TransportOptions> = {}): Transport => {
  const { ca, clientCert: cert, clientKey: key } = certificates
  const transport = new Transport({
    host: '127.0.0.1',
    port,
    ca,
    cert,
    key,
    timeoutMs: 5000,
    reconnectDelayMs: 5,
    ...options,
  })
  closers.push(() => transport.destroy())
  return transport
}

/** A Get of an object whose identifier is the number, so that an answer shows which request it belongs to. */
const get = (number: number): Buffer =>
  encodeRequest({
    requestHeader: { protocolVersion: { protocolVersionMajor: 1, protocolVersionMinor: 4 }, batchCount: 1 },
    batchItem: [{ operation: Operation.Activate, requestPayload: { uniqueIdentifier: String(number) } }],
  })

const answer = ({ request }: Received): Buffer =>
  succeed(request, () => ({ uniqueIdentifier: firstPayload(request)['uniqueIdentifier'] }))

const numberIn = (bytes: Buffer): number => {
  const payload = decodeResponse(bytes).batchItem[0]?.responsePayload as { uniqueIdentifier: string }
  return Number(payload.uniqueIdentifier)
}

const range = (count: number): number[] => Array.from({ length: count }, (_, index) => index)

const lost = async (promise: Promise<unknown>): Promise<ConnectionLost> => {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  assert.ok(error instanceof ConnectionLost, `expected ConnectionLost, not ${String(error)}`)
  return error
}

describe('answers', () => {
  test('come to their requests in order, many in flight', async () => {
    let highest = 0
    const held: Received[] = []
    const server = await serve((received) => {
      held.push(received)
      highest = Math.max(highest, held.length)
      // Nothing is answered before the pipeline is full: only a client that does not wait gets here.
      if (held.length === 8) for (const entry of held.splice(0)) entry.socket.write(answer(entry))
    })
    const transport = open(server.port, { pipelineMax: 8 })
    const answers = await Promise.all(range(80).map((number) => transport.send(get(number))))
    assert.deepEqual(answers.map(numberIn), range(80))
    assert.equal(highest, 8)
    assert.equal(server.sockets.length, 1)
  })

  test('may come byte by byte, or many in one write', async () => {
    const joined: Buffer[] = []
    const server = await serve((received) => {
      joined.push(answer(received))
      if (joined.length < 5) return
      const bytes = Buffer.concat(joined.splice(0))
      if (received.requestIndex < 5) received.socket.write(bytes)
      else for (let at = 0; at < bytes.length; at += 7) received.socket.write(bytes.subarray(at, at + 7))
    })
    const transport = open(server.port)
    for (const start of [0, 5]) {
      const answers = await Promise.all(range(5).map((number) => transport.send(get(start + number))))
      assert.deepEqual(
        answers.map(numberIn),
        range(5).map((number) => start + number),
      )
    }
  })

  test('one at a time where the pipeline is 1', async () => {
    let unanswered = 0
    const server = await serve((received) => {
      unanswered += 1
      assert.equal(unanswered, 1)
      setImmediate(() => {
        unanswered -= 1
        received.socket.write(answer(received))
      })
    })
    const transport = open(server.port, { pipelineMax: 1 })
    const answers = await Promise.all(range(10).map((number) => transport.send(get(number))))
    assert.deepEqual(answers.map(numberIn), range(10))
  })
})

describe('a connection that breaks', () => {
  test('gives back what was in flight, sends what waited, and sends nothing twice', async () => {
    const seen: string[] = []
    const server = await serve((received) => {
      seen.push(String(firstPayload(received.request)['uniqueIdentifier']))
      const bytes = answer(received)
      if (received.connectionIndex > 0 || received.requestIndex === 0) received.socket.write(bytes)
      // Half an answer, then nothing more.
      else received.socket.write(bytes.subarray(0, 20), () => received.socket.destroy())
    })
    const transport = open(server.port, { pipelineMax: 2 })
    assert.equal(numberIn(await transport.send(get(0))), 0)
    const sent = [1, 2].map((number) => transport.send(get(number)))
    const waiting = [3, 4].map((number) => transport.send(get(number)))
    const errors = await Promise.all(sent.map(lost))
    assert.deepEqual(
      errors.map((error) => error.sent),
      [true, true],
    )
    assert.deepEqual((await Promise.all(waiting)).map(numberIn), [3, 4])
    assert.deepEqual(
      seen.filter((number) => number === '1' || number === '2'),
      ['1', '2'],
    )
    assert.equal(server.sockets.length, 2)
  })

  test('is made anew for the next request, with the TLS session resumed', async () => {
    const server = await serve((received) => received.socket.write(answer(received)))
    const transport = open(server.port)
    await transport.send(get(0))
    assert.equal(transport.facts?.protocol, 'TLSv1.3')
    const first = server.sockets[0]
    assert.ok(first)
    first.end()
    await once(first, 'close')
    assert.equal(numberIn(await transport.send(get(1))), 1)
    assert.equal(transport.facts?.resumed, true)
    assert.equal(server.resumedCount, 1)
  })

  test('that cannot be made rejects with nothing sent, and the next attempt waits', async () => {
    const server = await serve(() => undefined)
    await server.close()
    closers.pop()
    const delays: number[] = []
    const transport = open(server.port, {
      clock: {
        nowMs: () => 0,
        after: (delayMs, run) => {
          delays.push(delayMs)
          if (delayMs < 1000) setImmediate(run)
          return () => undefined
        },
        luck: () => 1,
      },
      timeoutMs: 60_000,
      connectTimeoutMs: 50_000,
      reconnectDelayMs: 100,
      reconnectDelayMaxMs: 300,
    })
    for (let attempt = 0; attempt < 4; attempt += 1) {
      const error = await lost(transport.send(get(attempt)))
      assert.equal(error.sent, false)
      assert.equal((error.cause as NodeJS.ErrnoException).code, 'ECONNREFUSED')
    }
    assert.deepEqual(
      delays.filter((delayMs) => delayMs < 1000),
      [100, 200, 300],
    )
  })

  test('says why a client without a certificate is refused', async () => {
    const server = await serve(() => undefined)
    const { ca } = certificates
    const transport = new Transport({ host: '127.0.0.1', port: server.port, ca, timeoutMs: 5000 })
    const error = await lost(transport.send(get(0)))
    assert.ok(error.cause instanceof Error)
    assert.match(error.cause.message, /certificate required/i)
    transport.destroy()
  })

  test('is not made to a server whose certificate another authority signed', async () => {
    const server = await serve(() => undefined)
    const error = await lost(open(server.port, { ca: makeCertificates().ca }).send(get(0)))
    assert.equal(error.sent, false)
  })

  test('is not made with a key that is not one', async () => {
    const error = await lost(open(1, { key: 'no key' }).send(get(0)))
    assert.equal(error.sent, false)
  })

  test('leaves nothing to wait for when it cannot even be prepared: no timer, and a close is done', async () => {
    const armed = new Set<object>()
    const clock = {
      nowMs: () => 0,
      after: () => {
        const timer = {}
        armed.add(timer)
        return () => void armed.delete(timer)
      },
      luck: () => 1,
    }
    const transport = open(1, { key: 'no key', clock })
    await lost(transport.send(get(0)))
    assert.equal(armed.size, 0)
    const last = lost(transport.send(get(1)))
    const closed = transport.close()
    await last
    await closed
    assert.equal(armed.size, 0)
  })
})

describe('bytes that are no answer', () => {
  const spoilers: readonly (readonly [string, (bytes: Buffer) => Buffer])[] = [
    ['garbage', () => Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n')],
    ['a request', (bytes) => Buffer.concat([Buffer.from([0x42, 0x00, 0x78]), bytes.subarray(3)])],
    ['an odd length', (bytes) => Buffer.concat([bytes.subarray(0, 7), Buffer.from([1]), bytes.subarray(8)])],
  ]
  for (const [name, spoil] of spoilers) {
    test(`${name}: the connection is given up`, async () => {
      const server = await serve((received) =>
        received.socket.write(received.requestIndex === 0 ? spoil(answer(received)) : answer(received)),
      )
      const transport = open(server.port)
      const error = await lost(transport.send(get(0)))
      assert.equal(error.sent, true)
      assert.ok(error.cause instanceof TtlvError)
      assert.equal(numberIn(await transport.send(get(1))), 1)
    })
  }

  test('a response beyond the bound is not taken', async () => {
    const header = Buffer.from([0x42, 0x00, 0x7b, 0x01, 0x00, 0x01, 0x00, 0x00])
    const server = await serve((received) => received.socket.write(header))
    const error = await lost(open(server.port, { responseSizeMax: 65_536 }).send(get(0)))
    assert.ok(error.cause instanceof TtlvError && error.cause.fault === 'limit')
  })

  test('an answer to no request ends the connection', async () => {
    const server = await serve((received) => received.socket.write(Buffer.concat([answer(received), answer(received)])))
    const transport = open(server.port)
    assert.equal(numberIn(await transport.send(get(0))), 0)
    assert.equal(numberIn(await transport.send(get(1))), 1)
    assert.equal(server.sockets.length, 2)
  })
})

describe('bounds', () => {
  test('a request that is not answered in time rejects, and those behind it go over a new connection', async () => {
    const server = await serve((received) => {
      if (received.connectionIndex > 0) received.socket.write(answer(received))
    })
    const transport = open(server.port, { timeoutMs: 100 })
    await assert.rejects(transport.send(get(0)), (error: unknown) => error instanceof RequestTimeout && error.sent)
    assert.equal(numberIn(await transport.send(get(1))), 1)
  })

  test('a handshake that does not end is given up', async () => {
    const silent = createServer()
    const sockets: Socket[] = []
    silent.on('connection', (socket) => sockets.push(socket.on('error', () => socket.destroy())))
    silent.listen(0, '127.0.0.1')
    await once(silent, 'listening')
    const error = await lost(open((silent.address() as AddressInfo).port, { connectTimeoutMs: 50 }).send(get(0)))
    assert.equal(error.sent, false)
    for (const socket of sockets) socket.destroy()
    silent.close()
  })

  test('a time limit may be longer than a timer can be: none is as good', async () => {
    let ran = 0
    const stop = machineClock.after(Number.POSITIVE_INFINITY, () => (ran += 1))
    await wait(20)
    stop()
    assert.equal(ran, 0)
  })

  test('the queue has an end', async () => {
    const server = await serve(() => undefined)
    const transport = open(server.port, { queueMax: 3 })
    const taken = range(3).map((number) => transport.send(get(number)))
    await assert.rejects(transport.send(get(3)), QueueFull)
    transport.destroy()
    const results = await Promise.allSettled(taken)
    assert.ok(results.every((result) => result.status === 'rejected' && result.reason instanceof ClientClosed))
  })
})

describe('close', () => {
  test('waits for the answers, and takes no more', async () => {
    const server = await serve((received) => setImmediate(() => received.socket.write(answer(received))))
    const transport = open(server.port)
    const taken = range(5).map((number) => transport.send(get(number)))
    const closed = transport.close()
    await assert.rejects(transport.send(get(9)), ClientClosed)
    assert.deepEqual((await Promise.all(taken)).map(numberIn), range(5))
    await closed
    assert.equal(transport.pendingCount, 0)
  })

  test('is done at once where nothing was ever sent', async () => {
    await open(1).close()
  })

  test('destroy gives back what is in flight', async () => {
    const server = await serve(() => transport.destroy())
    const transport: Transport = open(server.port)
    const error = await lost(transport.send(get(0)))
    assert.equal(error.sent, true)
  })
})
