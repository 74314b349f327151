/**
 * Clients of the simulation: each asks for one thing or a few at once, and writes down when it asked and what it saw. What it
 * is: requests, the order of their answers, and the record. What it is not: the judgement of the record (model.ts).
 */
import type { Clock } from '#actor/clock'
import { BatchErrorContinuationOption, Operation, ResultStatus, RevocationReasonCode, State } from '#kmip/enums'
import type { RequestHeader, ResponseBatchItem } from '#kmip/message'
import { readResponse } from '#kmip/message'
import { Tag } from '#kmip/tags'
import { newestVersion } from '#kmip/versions'
import type { Responder } from '#server/connection'
import { item, type RequestedItem, readerLimits, requestBytes } from '#test/dispatcher'
import { keyRequest } from '#test/sample-objects'
import type { SeededRandom } from '#test/seeded-random'
import { BinaryReader } from '#ttlv/binary'
import { ItemType } from '#ttlv/item'
import type { Ask, Call } from './model.ts'
import { Wire } from './wire.ts'

/** An object that clients know, and all that was done to it. */
export interface Subject {
  readonly uniqueIdentifier: string
  readonly calls: Call[]
}

export interface ClientOptions {
  readonly number: number
  readonly random: SeededRandom
  readonly clock: Clock
  /** The server of now. */
  readonly responder: () => Responder
  readonly now: () => number
  readonly subjects: Subject[]
  readonly wrong: (what: string) => void
}

/** A request that was sent: who is told of its answer. */
interface Sent {
  readonly place: number
  /** It has nothing by which its answer could be told from another one. */
  readonly isAlike: boolean
  readonly told: (items: readonly ResponseBatchItem[]) => void
}

const unansweredMax = 3
/** Objects that are used at a time, and calls after which another takes its place: a history must stay short to be judged. */
const subjectsMax = 3
const callsMax = 22

export class Client {
  readonly #options: ClientOptions
  wire: Wire | undefined
  #sent: Sent[] = []
  #unsent: (() => void)[] = []
  #session = 0
  #place = 0
  #refused = false

  constructor(options: ClientOptions) {
    this.#options = options
  }

  get mayAsk(): boolean {
    return this.#open().isOver || this.#sent.length < unansweredMax
  }

  get hasUnsent(): boolean {
    return this.#unsent.length > 0 && this.mayAsk
  }

  get isWaiting(): boolean {
    return this.#unsent.length > 0 || (this.wire?.isOver === false && this.#sent.length > 0)
  }

  /** Asks for something. */
  ask(): void {
    const { random, subjects } = this.#options
    const used = subjects.filter(({ calls }) => calls.length < callsMax).slice(-subjectsMax)
    if (used.length < subjectsMax && random.below(4) === 0) return this.#register()
    if (used.length === 0) return
    this.#call(random.pick(used), this.#someAsk())
  }

  /** Will read every object. */
  lookAtAll(): void {
    for (const subject of this.#options.subjects) this.#unsent.push(() => this.#call(subject, { kind: 'read' }))
  }

  sendUnsent(): void {
    this.#unsent.shift()?.()
  }

  #someAsk(): Ask {
    const { random, now, number } = this.#options
    const value = `${number}.${now()}`
    const luck = random.below(32)
    if (luck < 8) return { kind: 'read' }
    if (luck < 14) return { kind: 'left', value }
    if (luck < 20) return { kind: 'right', value }
    if (luck < 24) return { kind: 'both', value }
    if (luck < 26) return { kind: 'undone', value }
    return { kind: random.pick(['get', 'get', 'activate', 'activate', 'revoke', 'destroy'] as const) }
  }

  #open(): Wire {
    if (this.wire !== undefined && !this.wire.isOver) return this.wire
    // What was sent and not answered stays without an answer.
    this.#sent = []
    this.#refused = false
    this.#session += 1
    const { responder, clock } = this.#options
    this.wire = new Wire(responder(), clock, (response) => this.#take(response))
    return this.wire
  }

  #send(items: readonly RequestedItem[], told: Sent['told'], header: Partial<RequestHeader> = {}): void {
    const wire = this.#open()
    this.#place += 1
    const place = this.#place
    // A request that only reads may be the same as an earlier one, byte for byte: its answer may have been kept.
    const isAlike =
      items.every(({ operation }) => readingOperations.has(operation)) && this.#options.random.below(2) === 0
    const ids = isAlike ? [] : items.map((_, index) => Buffer.from(`${place}.${index}`))
    const marked = items.map((each, index) => ({ ...each, uniqueBatchItemId: ids[index] }))
    this.#sent.push({ place, isAlike, told })
    wire.write(requestBytes(newestVersion, marked, header))
  }

  #take(response: Buffer): void {
    const { batchItem } = readResponse(new BinaryReader(response, readerLimits))
    if (this.#refused) return this.#options.wrong('an answer came behind the refusal of the stream')
    // The network was too slow with a request: the server says so, and ends the session (which the next connection shows).
    this.#refused = batchItem.some(({ resultMessage }) => /was not complete/.test(resultMessage ?? ''))
    if (this.#refused) return
    const sent = this.#sent.shift()
    const ids = batchItem.map(({ uniqueBatchItemId }) => Buffer.from(uniqueBatchItemId ?? []).toString())
    const isOwn = sent !== undefined && ids.every((id, index) => id === (sent.isAlike ? '' : `${sent.place}.${index}`))
    if (!isOwn) return this.#options.wrong(`the answer to ${ids.join()} came where one to ${sent?.place} was due`)
    sent.told(batchItem)
  }

  #register(): void {
    const values = { 'x-left': text('0'), 'x-right': text('0') }
    this.#send([item('Register', keyRequest(values))], ([answer]) => {
      if (answer?.resultStatus !== ResultStatus.Success) {
        const isBusy = /try again/i.test(answer?.resultMessage ?? '')
        return isBusy ? undefined : this.#options.wrong(`a key is refused: ${answer?.resultMessage}`)
      }
      const { uniqueIdentifier } = answer.responsePayload as { readonly uniqueIdentifier: string }
      this.#options.subjects.push({ uniqueIdentifier, calls: [] })
    })
  }

  #call({ uniqueIdentifier, calls }: Subject, ask: Ask): void {
    const { now, wrong, number } = this.#options
    this.#open()
    const session = number * 10_000 + this.#session
    const call: Call = { ask, session, place: this.#place + 1, beganAt: now(), endedAt: undefined, seen: undefined }
    calls.push(call)
    const undo = { batchErrorContinuationOption: BatchErrorContinuationOption.Undo }
    this.#send(
      itemsOf(uniqueIdentifier, ask),
      (items) => {
        const seen = seenIn(ask, items)
        // "Try again": nothing was done, which is no part of the history.
        if (seen === 'nothing done') return void calls.splice(calls.indexOf(call), 1)
        if (seen === undefined) return wrong(`an answer to ${ask.kind} that means nothing: ${JSON.stringify(items)}`)
        call.endedAt = now()
        call.seen = seen
      },
      ask.kind === 'both' || ask.kind === 'undone' ? undo : {},
    )
  }
}

const readingOperations: ReadonlySet<string> = new Set(['Get', 'GetAttributes'])

const text = (value: string) => ({ tag: Tag.AttributeValue, type: ItemType.TextString, value })

const itemsOf = (uniqueIdentifier: string, ask: Ask): readonly RequestedItem[] => {
  const modify = (name: string, value: string): RequestedItem =>
    item('ModifyAttribute', { uniqueIdentifier, attribute: { attributeName: name, attributeValue: text(value) } })
  switch (ask.kind) {
    case 'get':
      return [item('Get', { uniqueIdentifier })]
    case 'read':
      return [item('GetAttributes', { uniqueIdentifier, attributeName: ['State', 'x-left', 'x-right'] })]
    case 'activate':
      return [item('Activate', { uniqueIdentifier })]
    case 'revoke':
      return [
        item('Revoke', {
          uniqueIdentifier,
          revocationReason: { revocationReasonCode: RevocationReasonCode.CessationOfOperation },
        }),
      ]
    case 'destroy':
      return [item('Destroy', { uniqueIdentifier })]
    case 'left':
      return [modify('x-left', ask.value)]
    case 'right':
      return [modify('x-right', ask.value)]
    case 'both':
      return [modify('x-left', ask.value), modify('x-right', ask.value)]
    case 'undone':
      return [modify('x-left', ask.value), modify('x-right', ask.value), item('Get', { uniqueIdentifier: 'nowhere' })]
  }
}

/** What a client makes of an answer; undefined for one that cannot be. */
const seenIn = (ask: Ask, items: readonly ResponseBatchItem[]): string | undefined => {
  const failed = items.find(({ resultStatus }) => resultStatus === ResultStatus.OperationFailed)
  if (failed !== undefined) return /try again/i.test(failed.resultMessage ?? '') ? 'nothing done' : 'refused'
  if (items.some(({ resultStatus }) => resultStatus !== ResultStatus.Success)) return undefined
  if (ask.kind !== 'read') return 'done'
  const [answer] = items
  if (answer?.operation !== Operation.GetAttributes) return undefined
  const { attribute } = answer.responsePayload as {
    readonly attribute: readonly { readonly attributeName: string; readonly attributeValue: unknown }[]
  }
  const valueOf = (name: string): unknown => {
    const value = attribute.find(({ attributeName }) => attributeName === name)?.attributeValue
    return typeof value === 'object' && value !== null && 'value' in value ? value.value : value
  }
  const state = Object.entries(State).find(([, number]) => number === valueOf('State'))?.[0]
  return `${state} ${String(valueOf('x-left'))} ${String(valueOf('x-right'))}`
}
