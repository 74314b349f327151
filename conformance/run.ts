/**
 * Running cases against a server, over the wire alone: requests out, responses compared. What it is: the loop over
 * cases and exchanges, and the report as data. What it is not: a test framework, or the report's forms (report.ts).
 */
import { dirname, resolve } from 'node:path'
import { ConnectionLost, RequestTimeout } from '#client/errors'
import { Transport, type TransportOptions } from '#client/transport'
import { Operation, ResultStatus } from '#kmip/enums'
import { Tag } from '#kmip/tags'
import { supportedVersions } from '#kmip/versions'
import { vocabulary } from '#kmip/vocabulary'
import { decodeItem, encodeItem } from '#ttlv/binary'
import { type Item, ItemType } from '#ttlv/item'
import type { ReaderLimits } from '#ttlv/stream'
import { itemOfElement } from '#ttlv/xml'
import type { XmlElement } from '#ttlv/xml-element'
import { Bindings, placeholderOf } from './bindings.ts'
import { childNamed, type Exchange, preconditionOf, readCase, type TestCase } from './case.ts'
import { cleanUp } from './cleanup.ts'
import { type CompareContext, compareResponse, type Difference } from './compare.ts'
import { childOf, childrenOf, FactBook, operationOf } from './facts.ts'
import { httpsFormOf, openHttpsSession } from './https.ts'
import { patternOf, tidyRequest } from './pattern.ts'

export type Outcome = 'pass' | 'fail' | 'notRun'

export interface CaseResult {
  readonly name: string
  readonly file: string
  readonly version: number
  readonly family: string
  readonly outcome: Outcome
  /** Of a failure: which exchange, from 1; 0 where none was reached. */
  readonly exchange: number
  readonly exchangeCount: number
  readonly difference: Difference | undefined
  /** Of a failure without a difference, and of a case that was not run: why. */
  readonly note: string | undefined
  readonly durationMs: number
}

export interface Report {
  readonly server: string
  readonly results: readonly CaseResult[]
}

/** Of a run over the wire: also whether any session was opened. Without one nothing was compared. */
export interface WireReport extends Report {
  readonly reached: boolean
}

/** Sends one request as a client of the case and gives the whole response. */
export type Send = (request: Buffer, client: string) => Promise<Buffer>

/** The side of a client to which the server sends requests (KMIP 1.4 §5). */
export interface ClientSide {
  /** The server's next request of this operation; rejects when none comes in time. */
  next(operation: number): Promise<Item>
  /** From now on, requests of these operations are answered with these messages, all others with success. */
  play(answers: ReadonlyMap<number, Item>): void
}

/** What a run takes from the machine: time, and a server. */
export interface Surroundings {
  /** Seconds since 1970. */
  nowSeconds(): number
  /** Milliseconds that only grow. */
  nowMs(): number
  wait(delayMs: number): Promise<void>
  /** Where the server's own requests come in. Without it, cases that wait for one fail. */
  readonly client?: ClientSide | undefined
  /** A session for the case of this name. */
  open(caseName: string): { readonly send: Send; close(): Promise<void> }
}

export interface RunOptions {
  /** Case files, in the order to run (case.ts finds and sorts them). */
  readonly files: readonly string[]
  /** Only the case with this name. */
  readonly caseName?: string | undefined
  /** Folders and files whose cases run whatever their version. */
  readonly named?: readonly string[] | undefined
  /** Told of each case as it ends. */
  readonly onResult?: ((result: CaseResult) => void) | undefined
}

const limits: ReaderLimits = { nestingDepthMax: 64, itemCountMax: 1_000_000 }
const pollsMax = 200
const pollDelayMs = 50

/** What a case leaves to the next one. */
interface Memory {
  readonly book: FactBook
  /** Newest bindings of each folder. */
  readonly bindings: Map<string, Bindings>
  /** Files of preconditions that were met. */
  readonly met: Set<string>
}

/** Runs the cases one after the other. A case that fails, or cannot be read, does not stop the run. */
export const runWith = async (options: RunOptions, surroundings: Surroundings): Promise<readonly CaseResult[]> => {
  const memory: Memory = { book: new FactBook(), bindings: new Map(), met: new Set() }
  const named = new Set((options.named ?? []).map((path) => resolve(path)))
  const results: CaseResult[] = []
  for (const file of options.files) {
    const testCase = readCase(file)
    if (options.caseName !== undefined && testCase.name !== options.caseName) continue
    const asked = options.caseName !== undefined || named.has(file) || named.has(dirname(file))
    const precondition = preconditionOf(testCase.name, options.files)
    const result = await runCase(testCase, asked, memory, surroundings, precondition)
    results.push(result)
    options.onResult?.(result)
  }
  return results
}

const runCase = async (
  testCase: TestCase,
  asked: boolean,
  memory: Memory,
  surroundings: Surroundings,
  precondition: string | undefined,
): Promise<CaseResult> => {
  const { name, file, version, family, exchanges } = testCase
  const startMs = surroundings.nowMs()
  const result = (outcome: Outcome, exchange = 0, difference?: Difference, note?: string): CaseResult => {
    const durationMs = surroundings.nowMs() - startMs
    return {
      name,
      file,
      version,
      family,
      outcome,
      exchange,
      exchangeCount: exchanges.length,
      difference,
      note,
      durationMs,
    }
  }
  if (testCase.fault !== undefined) return result('fail', 0, undefined, `the file cannot be read: ${testCase.fault}`)
  if (!supportedVersions.includes(version) && !asked) return result('notRun', 0, undefined, 'another protocol version')
  const folder = dirname(file)
  const bindings = new Bindings(surroundings.nowSeconds(), memory.bindings.get(folder))
  memory.bindings.set(folder, bindings)
  const session = surroundings.open(name)
  try {
    surroundings.client?.play(answersOf(testCase, bindings))
    if (precondition !== undefined && !memory.met.has(precondition)) {
      const made = await runExchanges(readCase(precondition), bindings.fresh(), memory.book, session.send, surroundings)
      if (made !== undefined)
        return result('fail', 0, made.difference, `what the case builds on could not be made: ${made.note ?? ''}`)
      memory.met.add(precondition)
    }
    const failure = await runExchanges(testCase, bindings, memory.book, session.send, surroundings)
    if (failure === undefined) return result('pass')
    const left = await cleanUp(testCase, bindings, session.send).then(() => undefined, describe)
    const notes = [failure.note, left === undefined ? undefined : `what the case left could not be removed: ${left}`]
    return result('fail', failure.exchange, failure.difference, notes.filter((note) => note !== undefined).join('; '))
  } finally {
    await session.close()
  }
}

interface Failure {
  /** From 1. */
  readonly exchange: number
  readonly difference: Difference | undefined
  readonly note: string | undefined
}

/** Runs the exchanges up to the first that fails. */
const runExchanges = async (
  testCase: TestCase,
  bindings: Bindings,
  book: FactBook,
  send: Send,
  surroundings: Surroundings,
): Promise<Failure | undefined> => {
  for (const [index, exchange] of testCase.exchanges.entries()) {
    try {
      const difference = await runExchange(exchange, bindings, book, send, surroundings)
      if (difference !== undefined) return { exchange: index + 1, difference, note: undefined }
    } catch (error) {
      return { exchange: index + 1, difference: undefined, note: describe(error) }
    }
  }
  return undefined
}

/** An error with what caused it: a connection that cannot be made says why only there. */
const describe = (error: unknown): string => {
  if (!(error instanceof Error)) return String(error)
  const cause = error.cause === undefined ? '' : ` (${describe(error.cause)})`
  return `${error.name}: ${error.message}${cause}`
}

const runExchange = async (
  exchange: Exchange,
  bindings: Bindings,
  book: FactBook,
  send: Send,
  surroundings: Surroundings,
): Promise<Difference | undefined> => {
  if (exchange.serverToClient) {
    return receiveExchange(exchange, bindings, book, surroundings)
  }
  const request = tidyRequest(exchange.request)
  const inputsWereOutputs = batchItemsOf(request).map((item) => isInputOutput(item, bindings))
  const sent = itemOfElement(bindings.fill(request), vocabulary)
  const bytes = encodeItem(sent)
  const expected = patternOf(exchange.expected)
  const polls = exchange.repeat || childrenOf(sent).some((item) => operationOf(item) === Operation.Poll)
  let answer = decodeItem(await send(bytes, exchange.client), limits)
  for (let count = polls ? 1 : pollsMax; count < pollsMax && isPending(answer); count += 1) {
    await surroundings.wait(pollDelayMs)
    answer = decodeItem(await send(bytes, exchange.client), limits)
  }
  const context: CompareContext = { bindings, book, sent, inputsWereOutputs, asked: placeholdersOf(request) }
  return compareResponse(expected, answer, context)
}

const operationNamed: Readonly<Record<string, number>> = Operation

/** The operation of a printed message. */
const operationOfElement = (message: XmlElement): number | undefined =>
  operationNamed[childNamed(childNamed(message, 'BatchItem'), 'Operation')?.attributes.get('value') ?? '']

/** What a case prints as its client's answers to the server. */
const answersOf = (testCase: TestCase, bindings: Bindings): ReadonlyMap<number, Item> =>
  new Map(
    testCase.exchanges
      .filter(({ serverToClient }) => serverToClient)
      .flatMap(({ request, expected }) => {
        const operation = operationOfElement(request)
        return operation === undefined ? [] : [[operation, itemOfElement(bindings.fill(expected), vocabulary)] as const]
      }),
  )

/** The server's request against the one that is printed; it was answered as the case prints too. */
const receiveExchange = async (
  exchange: Exchange,
  bindings: Bindings,
  book: FactBook,
  surroundings: Surroundings,
): Promise<Difference | undefined> => {
  const { client } = surroundings
  if (client === undefined) throw new TypeError('the server sends this request, and no port to listen on was given')
  const expected = patternOf(exchange.request)
  const operation = operationOfElement(exchange.request)
  if (operation === undefined) throw new TypeError('the printed request has no operation')
  const received = await client.next(operation)
  const context = { bindings, book, sent: received, inputsWereOutputs: [], asked: new Set<string>() }
  return compareResponse(expected, received, context)
}

const batchItemsOf = (message: XmlElement): readonly XmlElement[] =>
  message.children.filter((child) => child.name === 'BatchItem')

/** Whether the Data of a request is an output of this case: a placeholder, or a printed output that another one replaced. */
const isInputOutput = (batchItem: XmlElement, bindings: Bindings): boolean => {
  const text = childNamed(childNamed(batchItem, 'RequestPayload'), 'Data')?.attributes.get('value')
  return text !== undefined && (placeholderOf(text)?.kind === 'output' || bindings.replacementOf(text) !== undefined)
}

const placeholdersOf = (element: XmlElement): ReadonlySet<string> => {
  const names = new Set(element.children.flatMap((child) => [...placeholdersOf(child)]))
  const placeholder = placeholderOf(element.attributes.get('value') ?? '')
  if (placeholder !== undefined && placeholder.kind !== 'now') names.add(placeholder.name)
  return names
}

/** Whether a response has a batch item that is not done yet. */
const isPending = (message: Item): boolean =>
  childrenOf(message).some((item) => {
    const status = childOf(item, Tag.ResultStatus)
    return status?.type === ItemType.Enumeration && status.value === ResultStatus.OperationPending
  })

/** Where the server is, and how to be let in. */
export type ServerOptions = Pick<
  TransportOptions,
  'host' | 'port' | 'ca' | 'cert' | 'key' | 'passphrase' | 'servername' | 'timeoutMs'
>

/** Where the server takes messages in HTTPS; cases that are about them fail without it. */
export interface HttpsPort {
  readonly httpsPort?: number | undefined
}

/** Sessions over TLS: each client of a case has a connection of its own, which ends with the case. */
export const openSession = (server: ServerOptions): ReturnType<Surroundings['open']> => {
  const transports = new Map<string, Transport>()
  return {
    send(request, client) {
      const transport = transports.get(client) ?? new Transport({ ...server, pipelineMax: 1 })
      transports.set(client, transport)
      return transport.send(request)
    },
    async close() {
      await Promise.all([...transports.values()].map((transport) => transport.close()))
    },
  }
}

/**
 * Runs cases against a server over mutual TLS.
 * @param options the server, the files, and the clock (`nowSeconds`, `nowMs`, `wait`)
 */
export const runCases = async (
  options: ServerOptions & HttpsPort & RunOptions & Omit<Surroundings, 'open'>,
): Promise<WireReport> => {
  const { files, caseName, named, onResult, nowSeconds, nowMs, wait, client, httpsPort, ...server } = options
  let reached = false
  const open = (name: string): ReturnType<Surroundings['open']> => {
    const form = httpsFormOf(name)
    const session = form === undefined ? openSession(server) : openHttpsSession(server, httpsPort, form)
    return {
      async send(request, sender) {
        try {
          const answer = await session.send(request, sender)
          reached = true
          return answer
        } catch (error) {
          // A server that takes the session and then breaks it, or says nothing, has done other than the case prints.
          if ((error instanceof ConnectionLost || error instanceof RequestTimeout) && error.sent) reached = true
          throw error
        }
      },
      close: () => session.close(),
    }
  }
  const surroundings: Surroundings = { nowSeconds, nowMs, wait, client, open }
  const results = await runWith({ files, caseName, named, onResult }, surroundings)
  return { server: `${server.host}:${server.port}`, results, reached }
}
