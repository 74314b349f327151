/**
 * A small TLS server for tests of the client: real sockets, real messages out of the project's codec, and any misbehaviour
 * that a test asks for. What it is not: kmipd; it keeps no objects.
 */

import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { createServer, type TLSSocket } from 'node:tls'
import { ResultStatus } from '#kmip/enums'
import { type RequestMessage, type ResponseBatchItem, readRequest, writeResponse } from '#kmip/message'
import { Tag } from '#kmip/tags'
import { BinaryReader, BinaryWriter } from '#ttlv/binary'
import { Framer } from '#ttlv/framer'
import type { TestCertificates } from './certificates.ts'

/** A request as it came, with the ways to answer it. */
export interface Received {
  readonly request: RequestMessage
  readonly socket: TLSSocket
  /** Counts the server's requests from 0. */
  readonly requestIndex: number
  /** Counts the server's connections from 0. */
  readonly connectionIndex: number
}

export interface TestServer {
  readonly port: number
  readonly sockets: TLSSocket[]
  /** How many connections resumed an earlier TLS session. */
  resumedCount: number
  close(): Promise<void>
}

/** Starts a server on a free port that hands every request to `handle`, in order. */
export const startServer = async (
  certificates: TestCertificates,
  handle: (received: Received) => void,
): Promise<TestServer> => {
  let requestIndex = 0
  const sockets: TLSSocket[] = []
  const server = createServer({
    cert: certificates.serverCert,
    key: certificates.serverKey,
    ca: certificates.ca,
    requestCert: true,
    rejectUnauthorized: true,
  })
  const listening = Object.assign(
    { port: 0, sockets, resumedCount: 0 },
    {
      async close() {
        for (const socket of sockets) socket.destroy()
        server.close()
        await once(server, 'close')
      },
    },
  )
  server.on('secureConnection', (socket) => {
    const connectionIndex = sockets.push(socket) - 1
    if (socket.isSessionReused()) listening.resumedCount += 1
    const framer = new Framer(Tag.RequestMessage, 1024 * 1024)
    socket.on('error', () => socket.destroy())
    socket.on('data', (chunk: Buffer) => {
      framer.push(chunk)
      for (let bytes = framer.next(); bytes !== undefined; bytes = framer.next()) {
        const request = readRequest(new BinaryReader(bytes, { nestingDepthMax: 32, itemCountMax: 10_000 }))
        handle({ request, socket, requestIndex, connectionIndex })
        requestIndex += 1
      }
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  listening.port = (server.address() as AddressInfo).port
  return listening
}

/** The bytes of a response with these items, in the request's version. */
export const responseBytes = (request: RequestMessage, batchItem: readonly ResponseBatchItem[]): Buffer => {
  const { protocolVersion } = request.requestHeader
  const writer = new BinaryWriter(protocolVersion.protocolVersionMajor * 100 + protocolVersion.protocolVersionMinor)
  const responseHeader = {
    protocolVersion,
    timeStamp: 1_700_000_000,
    attestationType: [],
    batchCount: batchItem.length,
  }
  writeResponse(writer, { responseHeader, batchItem })
  return writer.bytes()
}

/** Answers every item of a request with success and the payload that `payload` gives. */
export const succeed = (request: RequestMessage, payload: (index: number) => unknown): Buffer =>
  responseBytes(
    request,
    request.batchItem.map((item, index) => ({
      operation: item.operation,
      ...(item.uniqueBatchItemId === undefined ? {} : { uniqueBatchItemId: item.uniqueBatchItemId }),
      resultStatus: ResultStatus.Success,
      responsePayload: payload(index),
    })),
  )

/** The payload of the first item of a request, as a record of fields. */
export const firstPayload = (request: RequestMessage): Readonly<Record<string, unknown>> =>
  (request.batchItem[0]?.requestPayload ?? {}) as Readonly<Record<string, unknown>>
