/**
 * The account of messages: lines for the audit trail, counts and times for the metrics, spans for the traces. What it is: one
 * object a message, which takes from its items what may be told: names, identifiers, results. What it is not: the trail
 * (`audit/`), the meter, or the tracer.
 */
import type { Later, Listener } from '#actor/later'
import { AuditFaulted } from '#audit/files'
import type { AuditFront } from '#audit/front'
import { type AuditedAnswer, bodyOf, endOf } from '#audit/record'
import { claimantOf } from '#identity/claimant'
import { ownerOf } from '#identity/permissions'
import type { Principal } from '#identity/principals'
import { ResultStatus } from '#kmip/enums'
import { RefusedPayload, type RequestBatchItem, type RequestMessage, type ResponseBatchItem } from '#kmip/message'
import type { Version } from '#kmip/versions'
import type { OperationRow } from '#operations/operation'
import type { Store } from '#store/store'
import type { Account, Accounts, Origin, Repeated, ToldSender } from './account.ts'
import { batchCode, type Meter, operationName, reasonName } from './meter.ts'

/** A message that was answered, for a trace. Times are of the monotonic clock, in milliseconds. */
export interface TracedMessage {
  readonly beganMs: number
  readonly decidedMs: number
  readonly endedMs: number
  readonly version: Version
  readonly address: string
  readonly user: string | undefined
  readonly operations: readonly string[]
  /** Of the first item that failed; undefined: none did. */
  readonly failure: string | undefined
  readonly clientCorrelationValue: string | undefined
}

export interface AccountingOptions {
  /** Undefined: nothing is audited. */
  readonly audit: AuditFront | undefined
  readonly meter: Meter
  /** Undefined: nothing is traced. */
  readonly trace: ((message: TracedMessage) => void) | undefined
  readonly operations: readonly OperationRow[]
  /** Asked who tried, where nobody was found. */
  readonly store: Store
  /** Milliseconds since 1970, for lines. */
  readonly nowMs: () => number
  /** Milliseconds of a clock that nobody sets, for durations. */
  readonly monotonicMs: () => number
}

export class Accounting implements Accounts {
  readonly options: AccountingOptions
  /** Codes of the operations whose answer holds a key. */
  readonly revealing: ReadonlySet<number>

  constructor(options: AccountingOptions) {
    this.options = options
    this.revealing = new Set(options.operations.filter((row) => row.reveals).map((row) => row.code))
  }

  open(request: RequestMessage | undefined, version: Version, origin: Origin): Account {
    return new MessageAccount(this, request, undefined, version, origin)
  }

  openAgain(repeated: Repeated, version: Version, origin: Origin): Account {
    return new MessageAccount(this, undefined, repeated, version, origin)
  }
}

class MessageAccount implements Account, Listener<void> {
  readonly #accounting: Accounting
  readonly #read: RequestMessage | undefined
  readonly #repeated: Repeated | undefined
  readonly #version: Version
  readonly #origin: Origin
  readonly #beganMs: number
  #decidedMs = 0
  #principal: Principal | undefined
  /** Its number in the trail; 0: it has none yet. */
  #number = 0
  /** As they were settled, for whoever waits until the trail has them. */
  #items: readonly ResponseBatchItem[] = []
  #changes = false
  #told = false
  #written: Later<void> | undefined

  constructor(
    accounting: Accounting,
    request: RequestMessage | undefined,
    repeated: Repeated | undefined,
    version: Version,
    origin: Origin,
  ) {
    this.#accounting = accounting
    this.#read = request
    this.#repeated = repeated
    this.#version = version
    this.#origin = origin
    this.#beganMs = accounting.options.monotonicMs()
  }

  begin(principal: Principal): void {
    this.#principal = principal
    this.#accounting.options.audit?.check()
  }

  decided(items: readonly ResponseBatchItem[], changes: boolean): void {
    const { options, revealing } = this.#accounting
    if (options.trace !== undefined) this.#decidedMs = options.monotonicMs()
    if (options.audit === undefined) return
    this.#withdraw()
    this.#changes = changes
    const reveals = items.some(
      ({ operation = 0, resultStatus }) => resultStatus === ResultStatus.Success && revealing.has(operation),
    )
    // It may have taken long to decide: what cannot be written must not be found out when it is done.
    if (changes || reveals) options.audit.check()
    this.#told = true
    this.#written = this.#tell(items, changes || reveals, this.#repeated)
  }

  settled(items: readonly ResponseBatchItem[]): Later<void> | undefined {
    const written = this.#written
    if (written === undefined) {
      this.#ended(items)
      return undefined
    }
    this.#items = items
    written.tell(this)
    return this.#changes ? faultedUnless(written) : written
  }

  /** What was waited for is in the trail. */
  resolved(): void {
    this.#ended(this.#items)
  }

  /** It is not: whoever waits for the answer is told, and says what becomes of it. */
  rejected(): void {}

  refused(items: readonly ResponseBatchItem[]): void {
    this.#withdraw()
    this.#tell(items, false, undefined)
    this.#ended(items)
  }

  /** What was told of this message has not come about. */
  #withdraw(): void {
    if (!this.#told) return
    this.#told = false
    this.#changes = false
    const { audit, nowMs } = this.#accounting.options
    const request = audit?.nameOf(this.#number)
    audit?.record([bodyOf({ event: 'withdrawn', atMs: nowMs(), request })], false)
  }

  /** Tells of items. @param repeated where they are those that it was answered with before */
  #tell(
    items: readonly ResponseBatchItem[],
    durable: boolean,
    repeated: Repeated | undefined,
  ): Later<void> | undefined {
    const { audit, nowMs } = this.#accounting.options
    if (audit === undefined) return undefined
    if (this.#number === 0) this.#number = audit.newRequest()
    const atMs = nowMs()
    if (repeated === undefined) {
      const request = audit.nameOf(this.#number)
      const bodies = this.#records(items).map((record) => bodyOf({ event: 'operation', atMs, request, ...record }))
      return audit.record(bodies, durable)
    }
    if (repeated.told === undefined || !this.#isOf(repeated.told.sender)) {
      const ends = this.#records(items).map((record) => Buffer.from(endOf(record)))
      repeated.told = { sender: this.#sender(), ends }
    }
    return audit.recordAgain(atMs, this.#number, repeated.told.ends, durable)
  }

  #records(items: readonly ResponseBatchItem[]): AuditedAnswer[] {
    const sender = this.#sender()
    const request = this.#request
    return items.map((item, place) => ({ ...sender, ...itemOf(item, request?.batchItem[place]) }))
  }

  get #request(): RequestMessage | undefined {
    return this.#read ?? this.#repeated?.request()
  }

  /** Whether a sender is this message's; of one by whom nobody was found, it is not asked. */
  #isOf({ user, client, address }: ToldSender): boolean {
    const principal = this.#principal
    if (principal === undefined) return false
    return address === this.#origin.address && client === principal.clientId && user === ownerOf(principal)
  }

  #sender(): ToldSender {
    const principal = this.#principal
    const { address, fingerprint } = this.#origin
    if (principal !== undefined) return { user: ownerOf(principal), client: principal.clientId, address }
    const credentials = this.#request?.requestHeader.authentication?.credential ?? []
    return {
      ...claimantOf(this.#accounting.options.store, fingerprint, credentials),
      certificate: fingerprint,
      address,
    }
  }

  #ended(items: readonly ResponseBatchItem[]): void {
    const { meter, trace, monotonicMs } = this.#accounting.options
    const endedMs = monotonicMs()
    let failure: ResponseBatchItem | undefined
    for (const item of items) {
      meter.item(item.operation, item.resultStatus, item.resultReason)
      if (item.resultStatus === ResultStatus.OperationFailed) failure ??= item
    }
    const operation = items.length > 1 ? batchCode : items[0]?.operation
    meter.message(operation, failure === undefined, endedMs - this.#beganMs)
    trace?.({
      beganMs: this.#beganMs,
      decidedMs: this.#decidedMs === 0 ? endedMs : this.#decidedMs,
      endedMs,
      version: this.#version,
      address: this.#origin.address,
      user: this.#principal === undefined ? undefined : ownerOf(this.#principal),
      operations: items.map((item) => operationName(item.operation)),
      failure: failure === undefined ? undefined : reasonName(failure.resultReason),
      clientCorrelationValue: this.#request?.requestHeader.clientCorrelationValue,
    })
  }
}

const nothing = (): void => undefined

/** Of a change, which is made already: without its lines nothing true can be answered. */
const faultedUnless = (written: Later<void>): Later<void> =>
  written.map(nothing, (cause) => {
    throw new AuditFaulted('a change was made that is not in the audit trail', { cause })
  })

/** What is told of an item. @param requested what it answers; undefined: that could not be read */
const itemOf = (item: ResponseBatchItem, requested: RequestBatchItem | undefined): AuditedAnswer => {
  const asked = requested?.requestPayload
  // Of an operation that nobody knows, no payload was read: it is null.
  const request = asked instanceof RefusedPayload ? {} : ((asked ?? {}) as Named)
  const response = (item.responsePayload ?? {}) as Named
  const wrapping = request.keyWrappingSpecification?.encryptionKeyInformation?.uniqueIdentifier
  const failed = item.resultStatus === ResultStatus.OperationFailed
  return {
    operation: operationName(item.operation ?? requested?.operation),
    objects: objectsOf(response) ?? objectsOf(request),
    ...(wrapping === undefined ? {} : { wrappedUnder: wrapping }),
    result: resultNames[item.resultStatus] ?? 'unknown',
    ...(failed ? { reason: reasonName(item.resultReason) } : {}),
  }
}

const resultNames: Readonly<Record<number, string>> = {
  [ResultStatus.Success]: 'success',
  [ResultStatus.OperationFailed]: 'failed',
  [ResultStatus.OperationPending]: 'pending',
  [ResultStatus.OperationUndone]: 'undone',
}

/** Where payloads name objects. */
interface Named {
  readonly uniqueIdentifier?: string | readonly string[]
  readonly privateKeyUniqueIdentifier?: string
  readonly publicKeyUniqueIdentifier?: string
  readonly keyWrappingSpecification?: {
    readonly encryptionKeyInformation?: { readonly uniqueIdentifier?: string } | undefined
  }
}

const objectsOf = (payload: Named): readonly string[] | undefined => {
  const { uniqueIdentifier, privateKeyUniqueIdentifier, publicKeyUniqueIdentifier } = payload
  if (typeof uniqueIdentifier === 'string') return [uniqueIdentifier]
  if (uniqueIdentifier !== undefined) return uniqueIdentifier
  const pair = [privateKeyUniqueIdentifier, publicKeyUniqueIdentifier].filter((name) => name !== undefined)
  return pair.length === 0 ? undefined : pair
}
