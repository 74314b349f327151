/**
 * A client as a product was seen to be one: its messages, in its version and with its header, over real TLS (or HTTPS) to a real
 * server. What it is: the way of a message, and the checks that hold for every answer. What it is not: the product itself: what
 * products send was read in traces, sources and vectors of theirs, and is made anew here.
 */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { request } from 'node:https'
import type { RequestPayload, ResponsePayload } from '#client/operation-methods'
import { Transport, type TransportOptions } from '#client/transport'
import { CredentialType } from '#kmip/enums'
import type { RequestHeader } from '#kmip/message'
import type { PayloadName } from '#kmip/payloads/index'
import type { Version } from '#kmip/versions'
import {
  type Answer,
  assertAnswers,
  item,
  outcomesOf,
  payloadOf,
  type RequestedItem,
  readAnswer,
  requestBytes,
} from '#test/dispatcher'
import type { RunningServer } from '#test/running-server'

/** Brings one message to the server, and its answer back. */
export type Way = (bytes: Buffer) => Promise<Buffer>

/** One operation of a client, with the version where a client changes it on the way. */
interface Asking {
  readonly version?: Version
  readonly header?: Partial<RequestHeader>
}

/** A client: what it sends with every message, and short ways to send one. */
export class Appliance {
  readonly #way: Way
  readonly #version: Version
  readonly #header: Partial<RequestHeader>

  constructor(way: Way, version: Version, header: Partial<RequestHeader> = {}) {
    this.#way = way
    this.#version = version
    this.#header = header
  }

  /** A message of several items, and its answer. */
  async batch(items: readonly RequestedItem[], { version = this.#version, header = {} }: Asking = {}): Promise<Answer> {
    const bytes = requestBytes(version, items, { ...this.#header, ...header })
    const answer = readAnswer(await this.#way(bytes))
    assertAnswers(version, items, answer)
    return answer
  }

  /** A message of several items, all of which must succeed. */
  async all(items: readonly RequestedItem[], asking: Asking = {}): Promise<Answer> {
    const answer = await this.batch(items, asking)
    assert.deepEqual(
      outcomesOf(answer),
      items.map(() => 'Success'),
      answer.items.map(({ message }) => message).join('; '),
    )
    return answer
  }

  /** The response payload of one operation, which must succeed. */
  async ask<N extends PayloadName>(
    operation: N,
    payload: RequestPayload<N>,
    asking: Asking = {},
  ): Promise<ResponsePayload<N>> {
    return payloadOf(await this.all([item(operation, payload)], asking), 0, operation)
  }

  /** `Success`, or the Result Reason of one operation. */
  async outcome<N extends PayloadName>(operation: N, payload: RequestPayload<N>, asking: Asking = {}): Promise<string> {
    const [only = ''] = outcomesOf(await this.batch([item(operation, payload)], asking))
    return only
  }
}

/** One session for all messages. */
export const oneSession = (
  server: RunningServer,
  options: Partial<TransportOptions> = {},
): { readonly way: Way; readonly close: () => Promise<void> } => {
  const transport = new Transport({ ...server.connection, ...options })
  return { way: (bytes) => transport.send(bytes), close: () => transport.close() }
}

/** A new session for each message. */
export const sessionEach =
  (server: RunningServer, options: Partial<TransportOptions> = {}): Way =>
  async (bytes) => {
    const transport = new Transport({ ...server.connection, ...options })
    try {
      return await transport.send(bytes)
    } finally {
      await transport.close()
    }
  }

/** POST /kmip, TTLV over HTTPS. */
export const overHttps =
  (server: RunningServer): Way =>
  async (bytes) => {
    const { host, ca, cert, key } = server.connection
    const headers = { 'Content-Type': 'application/octet-stream', 'Content-Length': bytes.length }
    const sent = request({ host, port: server.httpsPort, path: '/kmip', method: 'POST', ca, cert, key, headers })
    sent.end(bytes)
    const [response] = await once(sent, 'response')
    const chunks: Buffer[] = []
    for await (const chunk of response) chunks.push(chunk)
    assert.equal(response.statusCode, 200)
    return Buffer.concat(chunks)
  }

/** The Authentication of a header: a user name with a password. */
export const passwordHeader = (username: string, password: string): Partial<RequestHeader> => ({
  authentication: {
    credential: [{ credentialType: CredentialType.UsernameAndPassword, credentialValue: { username, password } }],
  },
})

/** The Key Material of a Key Block that has its key in clear. */
export const materialOf = (block: { readonly keyValue?: unknown } | undefined): Buffer => {
  const value = block?.keyValue
  assert.ok(typeof value === 'object' && value !== null && 'keyMaterial' in value, 'there is a key')
  const { keyMaterial } = value
  assert.ok(keyMaterial instanceof Uint8Array)
  return Buffer.from(keyMaterial)
}

/** Lines of the log that somebody would be woken by, but for those about the machine and the environment of a start. */
export const troubles = ({ log }: RunningServer): readonly unknown[] =>
  log.filter(
    ({ level, memory, variable }) =>
      memory === undefined && variable === undefined && (level === 'WRN' || level === 'ERR' || level === 'FTL'),
  )
