/**
 * Peers that take and do not give back: the server must have its sessions and its memory again. What it is: real sockets,
 * short limits. What it is not: the connection actor's own rules (test/server/connection.test.ts).
 */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { describe, test } from 'node:test'
import { connect, type TLSSocket } from 'node:tls'
import { createClient, encodeRequest } from '#client/client'
import { Operation, QueryFunction } from '#kmip/enums'
import { type RunningServer, startServerProcess } from '#test/running-server'

const requestTimeoutMs = 300

const open = async (server: RunningServer): Promise<TLSSocket> => {
  const socket = connect(server.connection)
  socket.on('error', () => socket.destroy())
  await once(socket, 'secureConnect')
  // Our side stays open, whatever the server does.
  socket.allowHalfOpen = true
  return socket
}

const query = encodeRequest({
  requestHeader: { protocolVersion: { protocolVersionMajor: 1, protocolVersionMinor: 4 }, batchCount: 1 },
  batchItem: [
    {
      operation: Operation.Query,
      requestPayload: { queryFunction: [QueryFunction.QueryOperations, QueryFunction.QueryObjects] },
    },
  ],
})

/** Asks until the server has room for one more. @throws what the client throws when it still has none at the end */
const servedAgain = async (server: RunningServer): Promise<void> => {
  await using client = createClient({ ...server.connection, reconnectDelayMaxMs: 100 })
  for (let attempt = 0; attempt < 50; attempt += 1) {
    const served = await client.discoverVersions().then(
      () => true,
      () => false,
    )
    if (served) return
  }
  await client.discoverVersions()
}

describe('greedy peers', () => {
  const greedy: Readonly<Record<string, (socket: TLSSocket) => void>> = {
    'send garbage and keep their side open': (socket) => void socket.resume().write('garbage!'),
    'begin a request and keep their side open': (socket) => void socket.resume().write(query.subarray(0, 12)),
    'ask and ask, and take no answer': (socket) => void socket.pause().write(Buffer.concat(Array(40_000).fill(query))),
  }
  for (const [what, act] of Object.entries(greedy)) {
    test(what, async () => {
      const flags = ['--sessions-max', '3', '--request-timeout-ms', String(requestTimeoutMs)]
      await using server = await startServerProcess({ flags })
      const sockets = [await open(server), await open(server), await open(server)]
      for (const socket of sockets) act(socket)
      await servedAgain(server)
      assert.deepEqual(server.failures, [])
      for (const socket of sockets) socket.destroy()
    })
  }
})
