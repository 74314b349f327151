/**
 * Where the server's own requests come in (KMIP 1.4 §5): a TLS listener that answers each as the case prints it, or with success,
 * and keeps it for the case that waits for it. What it is not: the comparison, or a client that refuses anything by itself.
 */
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { createServer, type Server, type TLSSocket } from 'node:tls'
import { ResultStatus } from '#kmip/enums'
import { Tag } from '#kmip/tags'
import { decodeItem, encodeItem } from '#ttlv/binary'
import { Framer } from '#ttlv/framer'
import { type Item, ItemType } from '#ttlv/item'
import { childOf, childrenOf, operationOf } from './facts.ts'

const limits = { nestingDepthMax: 64, itemCountMax: 100_000 }
const messageSizeMax = 16 * 1024 * 1024
/** Requests that no case has asked for yet; older ones are forgotten. */
const keptMax = 1_000

interface Waiter {
  readonly operation: number
  readonly resolve: (request: Item) => void
}

export interface ListenerOptions {
  readonly port: number
  readonly host?: string
  readonly cert: string | Buffer
  readonly key: string | Buffer
  /** Seconds since 1970. */
  readonly nowSeconds: () => number
}

/** A listener for the server under test. */
export class Listener {
  readonly #server: Server
  readonly #options: ListenerOptions
  readonly #sockets = new Set<TLSSocket>()
  #kept: Item[] = []
  #answers: ReadonlyMap<number, Item> = new Map()
  #waiters: Waiter[] = []

  constructor(options: ListenerOptions) {
    this.#options = options
    const { cert, key } = options
    this.#server = createServer({ cert, key }, (socket) => this.#serve(socket))
  }

  /** Listens; gives the port. */
  async start(): Promise<number> {
    this.#server.listen(this.#options.port, this.#options.host)
    await once(this.#server, 'listening')
    return (this.#server.address() as AddressInfo).port
  }

  /** Ends all sessions and the listener. */
  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    this.#server.close()
    await once(this.#server, 'close')
  }

  /**
   * From now on, answers requests of these operations with these messages; what came of them before is forgotten, and so is
   * whoever still waits: the case before would take the request of this one.
   */
  play(answers: ReadonlyMap<number, Item>): void {
    this.#answers = answers
    this.#waiters = []
    this.#kept = this.#kept.filter((request) => !answers.has(operationOfMessage(request) ?? 0))
  }

  /** The next request of an operation. */
  next(operation: number): Promise<Item> {
    const index = this.#kept.findIndex((request) => operationOfMessage(request) === operation)
    const [found] = index < 0 ? [] : this.#kept.splice(index, 1)
    if (found !== undefined) return Promise.resolve(found)
    return new Promise((resolve) => this.#waiters.push({ operation, resolve }))
  }

  #serve(socket: TLSSocket): void {
    this.#sockets.add(socket)
    socket.on('close', () => this.#sockets.delete(socket))
    // The server's going is no event of a case: the case misses its request and says so.
    socket.on('error', () => socket.destroy())
    const framer = new Framer(Tag.RequestMessage, messageSizeMax)
    socket.on('data', (chunk: Buffer) => {
      try {
        framer.push(chunk)
        for (let bytes = framer.next(); bytes !== undefined; bytes = framer.next()) this.#take(bytes, socket)
      } catch {
        // No KMIP: the case misses its request and says so. The run goes on.
        socket.destroy()
      }
    })
  }

  /** Answers a request and hands it on. @throws TtlvError when it is none */
  #take(bytes: Buffer, socket: TLSSocket): void {
    const request = decodeItem(bytes, limits)
    const answer = this.#answers.get(operationOfMessage(request) ?? 0)
    socket.write(encodeItem(answer ?? successOf(request, this.#options.nowSeconds())))
    this.#give(request)
  }

  #give(request: Item): void {
    const operation = operationOfMessage(request)
    const waiter = this.#waiters.find((each) => each.operation === operation)
    if (waiter === undefined) {
      this.#kept = [...this.#kept, request].slice(-keptMax)
      return
    }
    this.#waiters = this.#waiters.filter((each) => each !== waiter)
    waiter.resolve(request)
  }
}

const operationOfMessage = (message: Item): number | undefined => operationOf(childOf(message, Tag.BatchItem))

/** Success for each item, as a client answers that has taken all. */
const successOf = (request: Item, nowSeconds: number): Item => {
  const header = childOf(request, Tag.RequestHeader)
  const version = childrenOf(header).filter(({ tag }) => tag === Tag.ProtocolVersion)
  const items = childrenOf(request).filter(({ tag }) => tag === Tag.BatchItem)
  const answers = items.map(
    (item): Item => ({
      tag: Tag.BatchItem,
      type: ItemType.Structure,
      value: [
        ...childrenOf(item).filter(({ tag }) => tag === Tag.Operation || tag === Tag.UniqueBatchItemID),
        { tag: Tag.ResultStatus, type: ItemType.Enumeration, value: ResultStatus.Success },
        { tag: Tag.ResponsePayload, type: ItemType.Structure, value: [] },
      ],
    }),
  )
  const responseHeader: Item = {
    tag: Tag.ResponseHeader,
    type: ItemType.Structure,
    value: [
      ...version,
      { tag: Tag.TimeStamp, type: ItemType.DateTime, value: nowSeconds },
      { tag: Tag.BatchCount, type: ItemType.Integer, value: items.length },
    ],
  }
  return { tag: Tag.ResponseMessage, type: ItemType.Structure, value: [responseHeader, ...answers] }
}
