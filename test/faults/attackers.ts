/**
 * Peers that mean harm, a row each: what they do to a server until they are told to stop. All come from an address of their own.
 * What it is: the attacks. What it is not: what must hold meanwhile (attacks.test.ts), or its measure (attacks.ts).
 */
import { connect as connectPlain, type Socket } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { type ConnectionOptions, connect as connectSecure, type TLSSocket } from 'node:tls'
import { attribute, customAttribute } from '#client/attribute'
import { type Client, createClient, encodeRequest } from '#client/client'
import { KmipResponseError } from '#client/errors'
import { Operation, ResultReason } from '#kmip/enums'
import type { RunningServer } from '#test/running-server'
import { create } from './load.ts'

/** Attacks until the signal comes. Gives how often it did what it does. */
export type Attack = (server: RunningServer, signal: AbortSignal) => Promise<number>

/** Another machine, as far as the server can tell. */
const localAddress = '127.0.0.2'
const stuckSockets = 150
const lanes = 4

const requestHeader = (batchCount: number) => ({
  protocolVersion: { protocolVersionMajor: 1, protocolVersionMinor: 4 },
  batchCount,
})

const locate = encodeRequest({
  requestHeader: requestHeader(1),
  batchItem: [{ operation: Operation.Locate, requestPayload: {} }],
})

const plain = ({ host, port }: RunningServer): Socket => {
  const socket = connectPlain({ host, port, localAddress })
  return socket.on('error', () => socket.destroy())
}

const secure = ({ connection }: RunningServer): TLSSocket => {
  const options = { ...connection, localAddress }
  const socket = connectSecure(options as ConnectionOptions)
  return socket.on('error', () => socket.destroy())
}

const closed = (socket: Socket): Promise<void> => openedOrClosed(socket, 'close')

const openedOrClosed = (socket: Socket, opened: string): Promise<void> =>
  new Promise((resolve) => {
    if (socket.closed) return resolve()
    socket.once(opened, () => resolve()).once('close', () => resolve())
  })

/** Keeps so many sockets in a state that they do not leave by themselves; one that the server ends is followed by another. */
const stuck =
  (open: (server: RunningServer) => Socket, begin: (socket: Socket) => void): Attack =>
  async (server, signal) => {
    const sockets = new Set<Socket>()
    let count = 0
    while (!signal.aborted) {
      while (sockets.size < stuckSockets) {
        const socket = open(server)
        count += 1
        sockets.add(socket)
        socket.once('close', () => sockets.delete(socket))
        socket.once(socket instanceof Object && 'encrypted' in socket ? 'secureConnect' : 'connect', () =>
          begin(socket),
        )
      }
      await pause(20)
    }
    await Promise.all([...sockets].map((socket) => closed(socket.destroy())))
    return count
  }

/** Some at once, each again and again. */
const again =
  (act: (server: RunningServer) => Promise<void>): Attack =>
  async (server, signal) => {
    let count = 0
    const lane = async (): Promise<void> => {
      for (; !signal.aborted; count += 1) await act(server)
    }
    await Promise.all(Array.from({ length: lanes }, lane))
    return count
  }

/** Sessions of a client that ask the same again and again. */
const asking =
  (ask: (client: Client) => Promise<unknown>): Attack =>
  async (server, signal) => {
    let count = 0
    const lane = async (): Promise<void> => {
      await using client = createClient(server.connection)
      for (; !signal.aborted; count += 1) await ask(client)
    }
    await Promise.all(Array.from({ length: lanes }, lane))
    return count
  }

/** Sends bytes that have no good answer, and takes what comes. */
const saying =
  (message: Buffer): Attack =>
  (server, signal) =>
    again(async () => {
      const socket = secure(server)
      await openedOrClosed(socket, 'secureConnect')
      if (socket.destroyed) return
      socket.resume().end(message)
      await closed(socket)
    })(server, signal)

/** Structures within structures, as deep as a message of the largest size can be. */
const nested = (bytes: number): Buffer => {
  const message = Buffer.alloc(bytes)
  for (let at = 0; at < bytes; at += 8) {
    message.writeUIntBE(0x42_0078, at, 3)
    message[at + 3] = 1
    message.writeUInt32BE(bytes - at - 8, at + 4)
  }
  return message
}

const many = (count: number): Buffer =>
  encodeRequest({
    requestHeader: requestHeader(count),
    batchItem: Array.from({ length: count }, (_, index) => ({
      operation: Operation.Locate,
      uniqueBatchItemId: Buffer.from(String(index)),
      requestPayload: {},
    })),
  })

/** A batch of as many items as are allowed, each of which asks for everything. */
const batchMax = 256

const growing: Attack = async (server, signal) => {
  let count = 0
  await using client = createClient(server.connection)
  const { uniqueIdentifier } = await create(client)
  for (; !signal.aborted; count += 1) {
    // Attributes that are there once, and instances of one.
    const next =
      count % 2 === 0 ? customAttribute(`x-${count}`, 'x'.repeat(1000)) : attribute('Object Group', `${count}`)
    try {
      await client.addAttribute({ uniqueIdentifier, attribute: next })
    } catch (error) {
      if (!(error instanceof KmipResponseError) || error.reason === ResultReason.GeneralFailure) throw error
    }
  }
  return count
}

/** The attacks by name. */
export const attacks: Readonly<Record<string, Attack>> = {
  'no handshake': stuck(plain, () => undefined),
  'half a handshake': stuck(plain, (socket) => void socket.write(Buffer.from('16030100f5010000f1', 'hex'))),
  'half a message': stuck(secure, (socket) => void socket.write(locate.subarray(0, 12))),
  'never taking an answer': stuck(
    secure,
    (socket) => void socket.pause().write(Buffer.concat(Array(200).fill(locate))),
  ),
  'a storm of connections': again(async (server) => {
    const socket = plain(server)
    await openedOrClosed(socket, 'connect')
    await closed(socket.destroy())
  }),
  'a storm of handshakes': again(async (server) => {
    const socket = secure(server)
    await openedOrClosed(socket, 'secureConnect')
    await closed(socket.destroy())
  }),
  garbage: saying(Buffer.alloc(65_536, 0x41)),
  'deep nesting': saying(nested(1_048_576)),
  'a batch of too many': saying(many(10_000)),
  'a batch of searches': saying(many(batchMax)),
  'searches for everything': asking((client) => client.locate({})),
  'attributes without end': growing,
}
