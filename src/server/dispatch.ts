/**
 * A request message becomes a response message (KMIP 1.4 §6, §7, §11.1): header, credential, batch, commit. What it is:
 * the rules that hold for every operation. What it is not: an operation, or bytes on a socket (connection.ts).
 *
 *     bytes ─▶ request ─▶ header checked ─▶ items in order, each in a savepoint ─▶ response ─▶ commit ─▶ bytes
 *                                             ▲                                               │ conflict: once more
 *                                             └───────────────────────────────────────────────┘
 */
import type { Clock } from '#actor/clock'
import { awaitable, type Later, type Soon } from '#actor/later'
import { heavyMs, nextSlice, sliceBegun } from '#actor/slices'
import { AuditFaulted, AuditUnavailable } from '#audit/files'
import { ownerOf } from '#identity/permissions'
import type { Principal } from '#identity/principals'
import type { Caller } from '#identity/session-identity'
import { BatchErrorContinuationOption, ResultReason, ResultStatus } from '#kmip/enums'
import { KmipError, kmipErrorOf } from '#kmip/errors'
import {
  RefusedPayload,
  type RequestBatchItem,
  type RequestMessage,
  type ResponseBatchItem,
  readRequest,
} from '#kmip/message'
import { newestVersion, type Version } from '#kmip/versions'
import type { ManagedObject } from '#objects/managed-object'
import { kmipErrorOfFailure } from '#operations/failures'
import { Context, type OperationRow, type Services } from '#operations/operation'
import type { DurableChange } from '#operations/server-requests'
import { Transaction } from '#operations/transaction'
import { type Store, StoreFaulted, StoreUnavailable, type Table } from '#store/store'
import { TtlvError } from '#ttlv/error'
import type { ReaderLimits } from '#ttlv/stream'
import { type Account, type Accounts, type Origin, ownOrigin } from './account.ts'
import { type AnswerForm, type Correlation, encodeAnswer } from './answer-encoding.ts'
import { type AnswerBounds, AnswerGrowth, boundsOf } from './answer-growth.ts'
import { failedItem, pendingItem, succeededItem, undoneItem } from './answer-items.ts'
import {
  Background,
  type BackgroundKeeper,
  type BackgroundLimits,
  type BackgroundRequest,
  type SentRequest,
} from './background.ts'
import { binaryEncoding, type MessageReader } from './encodings.ts'
import { clientOf, type Holdings } from './holdings.ts'
import type { KnownAnswer } from './known-entry.ts'
import { checkMessage } from './message-rules.ts'
import { RepeatedRequests } from './repeated-requests.ts'
import { Turns } from './turns.ts'

/** What of a failure goes to the log, where the client is told a correlation id alone. */
export interface DispatchLog {
  /** A failure inside the server. `correlation` stands in the client's Result Message. */
  internalFailure(correlation: string, operation: string, error: unknown): void
  /** A request whose Time Stamp is far from the server's time: no reason to refuse it, for clients without a clock exist. */
  clockSkew(seconds: number, principal: Principal): void
  /** A message that was answered: for the log's debug level. */
  answered(version: Version, items: readonly ResponseBatchItem[], principal: Principal, correlation: Correlation): void
}

export interface DispatcherOptions {
  readonly store: Store
  readonly table: Table<ManagedObject>
  readonly services: Omit<Services, 'background'>
  /** Which operations a client that can wait is made to wait for (§6.8: the server decides), and how many. */
  readonly asynchronous: BackgroundLimits & { readonly asynchronousOperations: 'none' | 'slow' | 'all' }
  /** Where asynchronous requests are kept when that is not here. */
  readonly background?: BackgroundKeeper
  /** Whether responses of 1.4 carry a Server Correlation Value (§6.19: SHOULD; but clients exist that cannot read it). */
  readonly serverCorrelationValues: 'on' | 'off'
  readonly clock: Clock
  readonly readerLimits: ReaderLimits
  readonly batchCountMax: number
  /** Memory for answers that are given again to the same request; 0: each is made anew. */
  readonly answerCacheBytesMax: number
  /** Bytes of one answer, whatever the client could take. */
  readonly responseSizeMax: number
  /** What answers hold while they are made, and after it as long as their peers do not take them. */
  readonly answers: Holdings
  /** How often a batch is decided anew when another client was faster, before it is refused. */
  readonly conflictRetriesMax: number
  readonly newCorrelation: () => string
  /** Told of changes once they are durable: who must hear of them (§5). */
  readonly onDurable?: (changes: readonly DurableChange[], version: Version) => void
  readonly log: DispatchLog
  /** Told of every message on its way, where account is kept. */
  readonly accounts?: Accounts
}

/** A client's clock that is off by more than this is worth a line. */
const clockSkewToldSeconds = 60

/** A turn at an object that was lost to others. */
interface Turn {
  readonly key: string
  readonly giveBack: () => void
}

/** A batch whose changes, if it has any, are durable, and what was made of its items. */
interface Settled<T> {
  readonly items: readonly ResponseBatchItem[]
  readonly formed: T
  /** What was read, where nothing was changed. */
  readonly read?: Transaction
}

/** A batch as decided: what it answers, and the changes that must be durable before it does. */
interface Decided {
  readonly items: readonly ResponseBatchItem[]
  readonly transaction: Transaction
}

/** Who sent a message, once that is known, and what its items work with. */
interface Sender {
  readonly principal: Principal
  readonly services: Services
  readonly origin: Origin
  /** Of a batch of several items. */
  readonly growth: AnswerGrowth | undefined
}

const noCredentials: readonly never[] = []

/** Whom an answer is made for, and where account is kept of it. */
interface Addressee extends AnswerForm {
  readonly account?: Account | undefined
}

export class Dispatcher {
  readonly #options: DispatcherOptions
  readonly #turns = new Turns()
  readonly #operations: ReadonlyMap<number, OperationRow>
  readonly #background: BackgroundKeeper
  readonly #known: RepeatedRequests | undefined
  readonly #services: Services
  /** The same with the other answer to whether Destroy leaves nothing: interfaces may differ in it. */
  readonly #otherServices: Services

  constructor(options: DispatcherOptions) {
    this.#options = options
    const { newUniqueIdentifier } = options.services
    const operations = offered(options.services.operations, options.asynchronous.asynchronousOperations)
    this.#background = options.background ?? new Background(options.asynchronous, options.clock, newUniqueIdentifier)
    this.#services = { ...options.services, operations, background: this.#background }
    const { policy } = options.services
    this.#otherServices = { ...this.#services, policy: { ...policy, hardDelete: !policy.hardDelete } }
    this.#operations = new Map(operations.map((row) => [row.code, row]))
    const { store, table, answerCacheBytesMax: bytesMax } = options
    // An answer with a correlation value of its own is no other's.
    if (bytesMax === 0 || options.serverCorrelationValues !== 'off') return
    const read = (bytes: Uint8Array): RequestMessage => readRequest(binaryEncoding.open(bytes, options.readerLimits))
    const boundsOf = (request: RequestMessage): AnswerBounds => this.#bounds(request)
    this.#known = new RepeatedRequests({ store, table, bytesMax, read, operations: this.#operations, boundsOf })
  }

  /**
   * The answer to a message, after all that it promises is durable. Whatever happens becomes an answer, but for one
   * thing: a store that has failed, whose disk may or may not have the change. Rejects with StoreFaulted then. An answer
   * that waited for nothing is no promise: most are such, and a turn of the loop costs as much as they do.
   * @param bytes one whole message, as the framer cut it
   * @param caller whom the session acts as, or why it has no service: then every item is refused with that
   * @param encoding of the message and of its answer
   * @param origin where the message came from
   */
  answer(bytes: Uint8Array, caller: Caller | KmipError, encoding = binaryEncoding, origin = ownOrigin): Soon<Buffer> {
    if (this.#known !== undefined && encoding === binaryEncoding && !(caller instanceof KmipError)) {
      const { ownPrincipal: own } = caller
      const nowSeconds = this.#options.clock.nowSeconds()
      const known = own && this.#known.find(bytes, own, this.#destroysHard(caller), nowSeconds)
      const again = own && known && this.#answerAgain(known, bytes, own, origin, nowSeconds)
      if (again !== undefined) return again
    }
    let reader: MessageReader | undefined
    let request: RequestMessage
    try {
      reader = encoding.open(bytes, this.#options.readerLimits)
      request = readRequest(reader)
      if (!reader.atEnd()) throw new TtlvError('message', 'bytes are left over behind the message')
    } catch (error) {
      const refused = this.#kmipError(error, 'message')
      if (!(caller instanceof KmipError)) caller.sentUnreadable?.()
      this.#accountOf(undefined, reader?.version, origin)?.refused([failedItem(undefined, newestVersion, refused)])
      return this.refusal(refused, reader?.version, encoding)
    }
    const { version } = reader
    const account = this.#accountOf(request, version, origin)
    const addressee = { encoding, version, correlation: this.#correlation(request), account }
    if (caller instanceof KmipError) return this.#rejected(request, addressee, caller)
    const refused = (error: unknown): Buffer => this.#rejected(request, addressee, this.#kmipError(error, 'message'))
    const answerTo = (principal: Principal): Soon<Buffer> =>
      this.#answerTo(
        { principal, services: this.#servicesOf(caller), origin, growth: this.#growthOf(request, origin) },
        request,
        addressee,
        bytes,
      )
    try {
      checkMessage(request, this.#options.batchCountMax)
      const found = caller.principalOf(request.requestHeader.authentication?.credential ?? noCredentials)
      return found instanceof Promise ? found.then((each) => awaitable(answerTo(each)), refused) : answerTo(found)
    } catch (error) {
      return refused(error)
    }
  }

  #answerTo(sender: Sender, request: RequestMessage, addressee: Addressee, bytes: Uint8Array): Soon<Buffer> {
    const { timeStamp } = request.requestHeader
    const skewSeconds = timeStamp === undefined ? 0 : timeStamp - this.#options.clock.nowSeconds()
    if (Math.abs(skewSeconds) > clockSkewToldSeconds) this.#options.log.clockSkew(skewSeconds, sender.principal)
    try {
      addressee.account?.begin(sender.principal)
    } catch (error) {
      return this.#rejected(request, addressee, this.#kmipError(error, 'audit'))
    }
    const background = this.#backgroundRequest(request, addressee, sender, bytes)
    if (background === undefined) return this.#answerBatch(request, addressee, sender, bytes)
    const taken = this.#background.take(background)
    const answer = (correlationValue: Uint8Array | undefined): Soon<Buffer> => {
      if (correlationValue === undefined) return this.#answerBatch(request, addressee, sender, bytes)
      const items = [pendingItem(request, correlationValue)]
      addressee.account?.decided(items, false)
      const accounted = addressee.account?.settled(items)
      const pending = this.#encode(addressee, items)
      return accounted?.promise().then(() => pending) ?? pending
    }
    if (!(taken instanceof Promise)) return answer(taken)
    return taken.then(
      (value) => awaitable(answer(value)),
      (error: unknown) => this.#rejected(request, addressee, this.#kmipError(error, 'background')),
    )
  }

  /**
   * Takes into the background what another thread was sent. Gives the correlation value, or undefined when there is no room.
   * @throws TtlvError for a message that the other thread should have refused
   */
  takeSent(sent: SentRequest): Uint8Array | undefined | Promise<Uint8Array | undefined> {
    const reader = binaryEncoding.open(sent.message, this.#options.readerLimits)
    const request = readRequest(reader)
    const { principal, origin } = sent
    const sender = { principal, services: this.#servicesOf(sent), origin, growth: undefined }
    const addressee = { encoding: binaryEncoding, version: reader.version, correlation: {} }
    const background = this.#backgroundRequest(request, addressee, sender, sent.message)
    return background && this.#background.take(background)
  }

  /** What is kept of asynchronous requests, for threads that keep none. */
  get background(): Pick<BackgroundKeeper, 'poll' | 'cancel'> {
    return this.#background
  }

  /** A response without any request item: the message could not be read, or its sender has no service (§11.1). */
  refusal(error: KmipError, version: Version = newestVersion, encoding = binaryEncoding): Buffer {
    return this.#encode({ encoding, version, correlation: {} }, [failedItem(undefined, version, error)])
  }

  /** Whether Destroy leaves nothing of an object, where an interface does not say. */
  get hardDelete(): boolean {
    return this.#services.policy.hardDelete
  }

  /** Ends the asynchronous requests: those that run are awaited, those that wait are dropped. */
  stop(): Promise<void> {
    return this.#background.stop()
  }

  #servicesOf(caller: Pick<Caller, 'hardDelete'>): Services {
    return this.#destroysHard(caller) === this.hardDelete ? this.#services : this.#otherServices
  }

  #destroysHard({ hardDelete }: Pick<Caller, 'hardDelete'>): boolean {
    return hardDelete ?? this.hardDelete
  }

  /** The same answer once more: the same account is given of it. Undefined: the request must be looked at anew. */
  #answerAgain(
    known: KnownAnswer,
    message: Uint8Array,
    principal: Principal,
    origin: Origin,
    nowSeconds: number,
  ): Buffer | Later<Buffer> | undefined {
    const { version, items } = known
    let bytes: Buffer
    try {
      bytes = known.answerTo(message, nowSeconds)
    } catch {
      // Nothing has come of it but an error, which is found again where it is told.
      return undefined
    }
    const account = this.#options.accounts?.openAgain(known, version, origin)
    const failed = (error: unknown): Buffer => {
      if (error instanceof AuditFaulted) throw error
      const addressee = { encoding: binaryEncoding, version, correlation: {}, account }
      return this.#rejected(known.request(), addressee, this.#kmipError(error, 'audit'))
    }
    try {
      account?.begin(principal)
      account?.decided(items, false)
      this.#options.log.answered(version, items, principal, {})
      const accounted = account?.settled(items)
      return accounted?.map(() => bytes, failed) ?? bytes
    } catch (error) {
      return failed(error)
    }
  }

  #correlation({ requestHeader }: RequestMessage): Correlation {
    const own = this.#options.serverCorrelationValues === 'on'
    return {
      clientCorrelationValue: requestHeader.clientCorrelationValue,
      serverCorrelationValue: own ? this.#options.services.newUniqueIdentifier() : undefined,
    }
  }

  /**
   * A request that is to be taken into the background (§6.7, §6.8), or undefined for one that is answered at once. Batches of
   * several are answered at once: the ID Placeholder and the continuation option bind their items together.
   */
  #backgroundRequest(
    request: RequestMessage,
    { version }: Pick<Addressee, 'version'>,
    sender: Sender,
    bytes: Uint8Array,
  ): BackgroundRequest | undefined {
    const [item] = request.batchItem
    if (item === undefined || request.batchItem.length > 1) return undefined
    if (request.requestHeader.asynchronousIndicator !== true || item.requestPayload instanceof RefusedPayload) {
      return undefined
    }
    const row = this.#operations.get(item.operation)
    const { asynchronousOperations } = this.#options.asynchronous
    if (row === undefined || row.asynchronous === 'control' || asynchronousOperations === 'none') return undefined
    if (asynchronousOperations === 'slow' && row.asynchronous !== 'slow') return undefined
    const { principal, services, origin } = sender
    const run = async (): Promise<ResponseBatchItem> => {
      const account = this.#accountOf(request, version, origin)
      try {
        account?.begin(principal)
        const { items } = await this.#settle(request, version, sender, (decided, changes) =>
          account?.decided(decided, changes),
        )
        const [result] = items
        if (result === undefined) throw new TypeError('a batch of one item has no result')
        this.#options.log.answered(version, [result], principal, {})
        await account?.settled(items)?.promise()
        return result
      } catch (error) {
        const failed = failedItem(item, version, this.#kmipError(error, row.name))
        account?.refused([failed])
        return failed
      }
    }
    return {
      user: ownerOf(principal),
      operation: item.operation,
      version,
      sent: { message: bytes, principal, hardDelete: services.policy.hardDelete, origin },
      run,
    }
  }

  #answerBatch(request: RequestMessage, addressee: Addressee, sender: Sender, bytes: Uint8Array): Soon<Buffer> {
    const bounds = this.#bounds(request)
    const { account } = addressee
    const form = (items: readonly ResponseBatchItem[], changes: boolean): Buffer => {
      // Decided before anything is durable: a client that cannot be told of a change must not find it made.
      const answer = this.#encode(addressee, items, bounds)
      account?.decided(items, changes)
      return answer
    }
    const answered = ({ items, formed }: Settled<Buffer>): Buffer | Later<Buffer> => {
      sender.growth?.clear()
      this.#options.log.answered(addressee.version, items, sender.principal, addressee.correlation)
      const accounted = account?.settled(items)
      return accounted?.map(() => formed, failed) ?? formed
    }
    const failed = (error: unknown): Buffer => {
      sender.growth?.clear()
      // What the disk has is not known, and the process ends: silence is true, an answer of failure might not be.
      if (error instanceof StoreFaulted || error instanceof AuditFaulted) throw error
      return this.#rejected(request, addressee, this.#kmipError(error, 'commit'))
    }
    try {
      const seenAt = this.#options.store.committed()
      const settled = this.#settle(request, addressee.version, sender, form)
      if (settled instanceof Promise) return settled.then((each) => awaitable(answered(each))).catch(failed)
      const { items, formed, read: transaction } = settled
      if (transaction !== undefined && addressee.encoding === binaryEncoding) {
        const made = { version: addressee.version, items, transaction, seenAt, atSeconds: transaction.now }
        const contextOf = (): Context => this.#contextOf(addressee.version, sender)
        this.#known?.keep({ request, message: bytes, answer: formed, made, sender, contextOf })
      }
      return answered(settled)
    } catch (error) {
      return failed(error)
    }
  }

  /**
   * Decides the batch and makes it durable. No promise when nothing had to be waited for.
   * @param form makes of the items what is wanted, before anything is durable
   * @throws what `form` throws, and KmipError or the store's own errors when nothing was changed
   */
  #settle<T>(
    request: RequestMessage,
    version: Version,
    sender: Sender,
    form: (items: readonly ResponseBatchItem[], changes: boolean) => T,
  ): Settled<T> | Promise<Settled<T>> {
    const decided = this.#decide(request, version, sender)
    if (decided instanceof Promise || decided.transaction.isDirty) {
      return this.#settleDurably(decided, request, version, sender, form)
    }
    return { items: decided.items, formed: form(decided.items, false), read: decided.transaction }
  }

  /** Decides anew when another client was faster: then in turn with the others of whom the same is true. */
  async #settleDurably<T>(
    first: Decided | Promise<Decided>,
    request: RequestMessage,
    version: Version,
    sender: Sender,
    form: (items: readonly ResponseBatchItem[], changes: boolean) => T,
  ): Promise<Settled<T>> {
    let turn: Turn | undefined
    try {
      for (let attempt = 0; attempt <= this.#options.conflictRetriesMax; attempt += 1) {
        const { items, transaction } = await (attempt === 0 ? first : this.#decide(request, version, sender))
        const formed = form(items, transaction.isDirty)
        if (!transaction.isDirty) return { items, formed }
        const contended = await this.#commit(transaction, turn)
        if (contended === undefined) {
          this.#options.onDurable?.(transaction.changes(), version)
          return { items, formed }
        }
        if (contended !== turn?.key) {
          turn?.giveBack()
          turn = undefined
          turn = { key: contended, giveBack: await this.#turns.take(contended) }
        }
      }
    } finally {
      turn?.giveBack()
    }
    throw new KmipError(ResultReason.GeneralFailure, 'Other clients keep changing the same objects; try again')
  }

  /**
   * Commits, unless somebody has a turn at an object that is changed: who lost one and decides anew would lose it again and
   * again to those who come fresh. Gives the object that was lost, or undefined when all is done.
   */
  async #commit(transaction: Transaction, turn: Turn | undefined): Promise<string | undefined> {
    if (turn === undefined && !this.#turns.isIdle) {
      for (const { previous, value } of transaction.changes()) {
        const key = (value ?? previous)?.uniqueIdentifier
        if (key !== undefined && this.#turns.isTaken(key)) return key
      }
    }
    const result = await transaction.commit()
    return result.done ? undefined : result.key
  }

  /** Runs the items in order. */
  #decide(request: RequestMessage, version: Version, sender: Sender): Decided | Promise<Decided> {
    const { growth } = sender
    growth?.clear()
    return this.#runItems(request, this.#contextOf(version, sender), growth, [], 0)
  }

  #contextOf(version: Version, { principal, services }: Sender): Context {
    const { store, table, clock } = this.#options
    return new Context(version, principal, new Transaction(store, table, clock), services)
  }

  /**
   * Runs the items from one on. Undo and Stop are the same but for what is kept of the items before the failure (§6.13).
   * @param done results of the items before it
   */
  #runItems(
    request: RequestMessage,
    context: Context,
    growth: AnswerGrowth | undefined,
    done: readonly ResponseBatchItem[],
    from: number,
  ): Decided | Promise<Decided> {
    const { clock } = this.#options
    const { transaction } = context
    const option = request.requestHeader.batchErrorContinuationOption ?? BatchErrorContinuationOption.Stop
    let items = [...done]
    /** Takes the result of an item; false: no more are run. */
    const take = (result: ResponseBatchItem, savepoint: number): boolean => {
      const failed = result.resultStatus === ResultStatus.OperationFailed
      if (failed) transaction.rollback(savepoint)
      if (failed && option === BatchErrorContinuationOption.Undo) {
        transaction.rollback(0)
        items = items.map(undoneItem)
      }
      growth?.add(result)
      items.push(result)
      return !failed || option === BatchErrorContinuationOption.Continue
    }
    const isOver = request.batchItem.length > 1 ? sliceBegun(clock, from === 0 ? heavyMs : undefined) : undefined
    for (const [index, item] of request.batchItem.entries()) {
      if (index < from) continue
      // A batch of searches must not hold the thread to its end.
      if (index > from && isOver?.() === true) {
        return nextSlice(growth?.client).then(() => this.#runItems(request, context, growth, items, index))
      }
      const savepoint = transaction.savepoint()
      const result = this.#runItem(item, context)
      if (result instanceof Promise) {
        return result.then((waited) =>
          take(waited, savepoint) ? this.#runItems(request, context, growth, items, index + 1) : { items, transaction },
        )
      }
      if (!take(result, savepoint)) break
    }
    return { items, transaction }
  }

  #runItem(item: RequestBatchItem, context: Context): ResponseBatchItem | Promise<ResponseBatchItem> {
    const row = this.#operations.get(item.operation)
    const failed = (error: unknown): ResponseBatchItem =>
      failedItem(item, context.version, this.#kmipError(error, row?.name ?? 'operation'))
    try {
      if (row === undefined || context.version < row.since || context.version >= row.until) {
        throw new KmipError(ResultReason.OperationNotSupported)
      }
      if (item.requestPayload instanceof RefusedPayload) throw kmipErrorOf(item.requestPayload.error)
      const payload = row.handle(item.requestPayload, context)
      return payload instanceof Promise
        ? payload.then((waited) => succeededItem(item, waited), failed)
        : succeededItem(item, payload)
    } catch (error) {
      return failed(error)
    }
  }

  /** Every item of a message that is refused as a whole, so that the client finds each of its items answered. */
  #rejected(request: RequestMessage, addressee: Addressee, error: KmipError): Buffer {
    const { version } = addressee
    const known = request.batchItem.slice(0, this.#options.batchCountMax)
    const items = known.length === 0 ? [undefined] : known
    const failed = items.map((item) => failedItem(item, version, error))
    addressee.account?.refused(failed)
    return this.#encode(addressee, failed)
  }

  #accountOf(request: RequestMessage | undefined, version: Version | undefined, origin: Origin): Account | undefined {
    return this.#options.accounts?.open(request, version ?? newestVersion, origin)
  }

  #bounds(request: RequestMessage): AnswerBounds {
    return boundsOf(request, this.#options.responseSizeMax)
  }

  #growthOf(request: RequestMessage, origin: Origin): AnswerGrowth | undefined {
    if (request.batchItem.length === 1) return undefined
    return new AnswerGrowth(this.#bounds(request), this.#options.answers, clientOf(origin))
  }

  #encode(addressee: Addressee, items: readonly ResponseBatchItem[], bounds?: AnswerBounds): Buffer {
    return encodeAnswer(addressee, items, this.#options.clock.nowSeconds(), bounds)
  }

  /** The one way from any error to what a client is told: what is not meant for it is replaced by a correlation id. */
  #kmipError(error: unknown, place: string): KmipError {
    if (error instanceof KmipError) return error
    if (error instanceof TtlvError) return kmipErrorOf(error)
    const known = kmipErrorOfFailure(error)
    if (known !== undefined) return known
    const correlation = this.#options.newCorrelation()
    this.#options.log.internalFailure(correlation, place, error)
    const busy = error instanceof StoreUnavailable || error instanceof AuditUnavailable
    const text = busy ? 'The server cannot do this now; try again' : 'The server failed'
    return new KmipError(ResultReason.GeneralFailure, `${text} (${correlation})`)
  }
}

/** Where nothing is asynchronous, nothing can be polled for or cancelled (§6.10, Operation not supported). */
const offered = (
  operations: readonly OperationRow[],
  asynchronous: 'none' | 'slow' | 'all',
): readonly OperationRow[] =>
  asynchronous === 'none' ? operations.filter((row) => row.asynchronous !== 'control') : operations
