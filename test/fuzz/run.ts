/**
 * Fuzzing of a running server: faulty messages on many connections at once, and a judgement of everything that comes back.
 * What it is: the run and its findings. What it is not: the faults (mutate.ts) or the command (live.ts).
 */
import { readFileSync } from 'node:fs'
import { createClient, decodeResponse } from '#client/client'
import { reasonName } from '#client/errors'
import { ResultReason, ResultStatus } from '#kmip/enums'
import type { ResponseBatchItem } from '#kmip/message'
import type { RunningServer } from '#test/running-server'
import { makeCorpus, makeQuietCorpus, makeTargets } from './corpus.ts'
import { Lane, type Owed, owedTo, type Reply } from './lane.ts'
import { mutations } from './mutate.ts'

export interface FuzzOptions {
  readonly messages: number
  readonly seed: number
  readonly connections: number
  /** No answer may take longer. */
  readonly replyTimeoutMs: number
  /** The server's bound on a request. */
  readonly requestSizeMax: number
  readonly onTenth?: (memory: Memory) => void
}

/** Memory of the server's process, in MiB. `anonymous` is what it has allocated; the rest is files, mapped. */
export interface Memory {
  readonly sent: number
  readonly resident: number
  readonly anonymous: number
}

/** Something that must not be: what, and the bytes that brought it about. */
export interface Finding {
  readonly what: string
  readonly request: string
  readonly answer: string
}

export interface FuzzReport {
  readonly outcomes: Readonly<Record<string, number>>
  /** Failed batch items by Result Reason. */
  readonly reasons: Readonly<Record<string, number>>
  readonly findings: readonly Finding[]
  /** How many there were; the list holds the first fifty. */
  readonly findingCount: number
  /** Before the first message and after each tenth; the first five tenths of the messages make no objects. */
  readonly memory: readonly Memory[]
  readonly slowestMs: number
  readonly slowestRequest: string
  readonly connections: number
}

const findingsMax = 50
const tenths = 10
/** Up to this tenth nothing makes objects, so that a leak can be told from a store that grows and is read. */
const lastQuietTenth = 5

/** How a Credential begins. */
const credential = Buffer.from('420023', 'hex')

/** What only a stack trace or an inner error says. */
const internalText =
  /(?:^|\s)at \S+ ?\(|\.[cm]?[jt]s:\d|node:|node_modules|file:\/\/|\/src\/|Error:|\[object |undefined|\bNaN\b|MDB_|LMDB|ERR_[A-Z]|EACCES|ENOENT|ENOSPC/

class Tally {
  readonly outcomes: Record<string, number> = {}
  readonly reasons: Record<string, number> = {}
  readonly findings: Finding[] = []
  findingCount = 0
  slowestMs = 0
  slowestRequest = ''

  found(what: string, request: Buffer, answer: Buffer): void {
    this.findingCount += 1
    if (this.findings.length >= findingsMax) return
    this.findings.push({ what, request: request.toString('hex'), answer: answer.toString('hex') })
  }

  judge(request: Buffer, owed: Owed, reply: Reply): void {
    if (reply.tookMs > this.slowestMs) {
      this.slowestMs = reply.tookMs
      this.slowestRequest = request.subarray(0, 512).toString('hex')
    }
    const answer = Buffer.concat(reply.responses)
    // Wrong passwords are slowed, the longer the more there were: whoever guesses waits.
    if (reply.end === 'hang' && request.includes(credential)) return count(this.outcomes, 'slowed: a wrong credential')
    if (reply.end === 'hang') this.found('no answer in time', request, answer)
    if (reply.strayBytes > 0) this.found('bytes that are no response', request, answer)
    const wanted = owed.frames + (owed.rest === 'garbage' ? 1 : 0)
    if (reply.responses.length !== wanted) {
      this.found(`${reply.responses.length} answers and not ${wanted}`, request, answer)
    }
    if (owed.rest === 'nothing' && reply.end === 'closed') this.found('closed behind whole messages', request, answer)
    if (wanted === 0) count(this.outcomes, 'incomplete: closed')
    for (const response of reply.responses) this.#judgeResponse(request, response)
  }

  #judgeResponse(request: Buffer, response: Buffer): void {
    let items: readonly ResponseBatchItem[]
    try {
      const { responseHeader, batchItem } = decodeResponse(response)
      items = batchItem
      if (responseHeader.batchCount !== items.length || items.length === 0) {
        this.found('the Batch Count is wrong', request, response)
      }
    } catch (error) {
      return this.found(`the answer cannot be read: ${String(error)}`, request, response)
    }
    count(this.outcomes, outcomeOf(items))
    for (const item of items) this.#judgeItem(request, response, item)
  }

  #judgeItem(request: Buffer, response: Buffer, item: ResponseBatchItem): void {
    if (item.resultStatus === ResultStatus.Success) return
    const reason = item.resultReason
    count(this.reasons, reason === undefined ? 'none' : reasonName(reason))
    if (reason === ResultReason.GeneralFailure) {
      this.found(`a failure inside: ${item.resultMessage ?? ''}`, request, response)
    }
    if (item.resultStatus === ResultStatus.OperationFailed && reason === undefined) {
      this.found('a failure without a reason', request, response)
    }
    if (item.resultMessage !== undefined && internalText.test(item.resultMessage)) {
      this.found(`an internal text: ${item.resultMessage}`, request, response)
    }
  }
}

const count = (counts: Record<string, number>, name: string): void => {
  counts[name] = (counts[name] ?? 0) + 1
}

const outcomeOf = (items: readonly ResponseBatchItem[]): string => {
  const failed = items.filter(({ resultStatus }) => resultStatus !== ResultStatus.Success).length
  if (failed === 0) return 'success'
  if (failed < items.length) return 'some items failed'
  return items.some(({ operation }) => operation !== undefined) ? 'failed' : 'message refused'
}

/**
 * Fuzzes a server.
 * @throws what a client throws when the server does not even make the objects that the messages name, or is gone
 */
export const fuzz = async (server: RunningServer, options: FuzzOptions): Promise<FuzzReport> => {
  const tally = new Tally()
  const lanes = Array.from({ length: options.connections }, () => new Lane(server, options.replyTimeoutMs))
  const memory: Memory[] = []
  let sent = 0
  for (let tenth = 1; tenth <= tenths; tenth += 1) {
    // New objects for each tenth, because the messages destroy those that they name.
    const corpus = await newCorpus(server, tenth <= lastQuietTenth)
    const messages = mutations(options.seed * tenths + tenth, corpus)
    if (tenth === 1) memory.push(readMemory(server, sent))
    const until = Math.floor((options.messages * tenth) / tenths)
    const work = async (lane: Lane): Promise<void> => {
      while (sent < until) {
        sent += 1
        const { value: request } = messages.next()
        const owed = owedTo(request, options.requestSizeMax)
        tally.judge(request, owed, await lane.say(request, owed))
      }
    }
    await Promise.all(lanes.map(work))
    const now = readMemory(server, sent)
    memory.push(now)
    options.onTenth?.(now)
  }
  for (const lane of lanes) lane.close()
  for (const line of server.failures)
    tally.found(`in the log: ${JSON.stringify(line)}`, Buffer.alloc(0), Buffer.alloc(0))
  if (!server.alive) tally.found('the server has ended', Buffer.alloc(0), Buffer.alloc(0))
  const connections = lanes.reduce((sum, lane) => sum + lane.connections, 0)
  const { outcomes, reasons, findings, findingCount, slowestMs, slowestRequest } = tally
  return { outcomes, reasons, findings, findingCount, slowestMs, slowestRequest, memory, connections }
}

/** Requests that are right, naming objects that are there. @param quiet none that make objects */
export const newCorpus = async (server: RunningServer, quiet = false): Promise<readonly Buffer[]> => {
  await using client = createClient(server.connection)
  const targets = await makeTargets(client)
  return quiet ? makeQuietCorpus(targets) : makeCorpus(targets, server.connection.cert)
}

const kibibytesPerMebibyte = 1024

const readMemory = (server: RunningServer, sent: number): Memory => {
  const status = readFileSync(`/proc/${server.process.pid}/status`, 'utf8')
  const mebibytes = (name: string): number =>
    Math.round(Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1]) / kibibytesPerMebibyte)
  return { sent, resident: mebibytes('VmRSS'), anonymous: mebibytes('RssAnon') }
}
