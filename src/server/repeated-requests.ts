/**
 * Which requests are answered from memory when they come again. What it is: the judgement of a request and its answer, and what is
 * kept of them. What it is not: the keeping (`known-answers.ts`), or the answer to the next one (`dispatch.ts`).
 */
import type { Principal } from '#identity/principals'
import { ResultStatus } from '#kmip/enums'
import { KmipError } from '#kmip/errors'
import { RefusedPayload, type RequestMessage, type ResponseBatchItem } from '#kmip/message'
import type { Version } from '#kmip/versions'
import type { Context, OperationRow, Services, VaryingField } from '#operations/operation'
import type { AnswerBounds } from './answer-growth.ts'
import { KnownAnswers, type KnownAnswersOptions } from './known-answers.ts'
import type { Decision, KnownAnswer, Made } from './known-entry.ts'

export interface RepeatedRequestsOptions extends Omit<KnownAnswersOptions, 'varying'> {
  readonly operations: ReadonlyMap<number, OperationRow>
  readonly boundsOf: (request: RequestMessage) => AnswerBounds
}

/** A request that was answered. */
export interface Answered {
  readonly request: RequestMessage
  /** As the framer cut it. */
  readonly message: Uint8Array
  readonly answer: Buffer
  readonly made: Made
  readonly sender: { readonly principal: Principal; readonly services: Services }
  /** Of the same request, to decide it in once more. */
  readonly contextOf: () => Context
}

export class RepeatedRequests {
  readonly #options: RepeatedRequestsOptions
  readonly #known: KnownAnswers

  constructor(options: RepeatedRequestsOptions) {
    this.#options = options
    const varying = new Map<number, readonly VaryingField[]>()
    for (const { code, preparation } of options.operations.values()) {
      if (preparation !== undefined) varying.set(code, preparation.varies)
    }
    this.#known = new KnownAnswers({ ...options, varying })
  }

  /** As `KnownAnswers.find`. */
  find(...asked: Parameters<KnownAnswers['find']>): KnownAnswer | undefined {
    return this.#known.find(...asked)
  }

  /** Notes an answer that changed nothing and waited for nothing, to be given again; or what was decided of it but for what varies. */
  keep({ request, message, answer, made, sender, contextOf }: Answered): void {
    if (!standsForItself(request) || !hasSucceeded(made.items)) return
    const { principal, services } = sender
    const { hardDelete } = services.policy
    if (isRepeatable(request, this.#options.operations)) {
      return this.#known.keep(message, answer, principal, hardDelete, made)
    }
    const { version, items } = made
    const decide = (again: RequestMessage): Decision | undefined => {
      try {
        return this.#decided(again, version, items, contextOf())
      } catch (error) {
        // The answer stands. What it was decided from was changed since, or a date has come: nothing is to be kept.
        if (error instanceof KmipError) return undefined
        throw error
      }
    }
    this.#known.keepDecision(message, principal, hardDelete, decide)
  }

  #decided(
    request: RequestMessage,
    version: Version,
    items: readonly ResponseBatchItem[],
    context: Context,
  ): Decision | undefined {
    const { store, operations, boundsOf } = this.#options
    const [item] = request.batchItem
    const seenAt = store.committed()
    const prepared = item && operations.get(item.operation)?.preparation?.prepare(item.requestPayload, context)
    if (item === undefined || prepared === undefined) return undefined
    const { transaction, now: atSeconds } = context
    return { version, items, transaction, seenAt, atSeconds, item, prepared, bounds: boundsOf(request) }
  }
}

/** Whether a request says nothing that makes it another each time: a credential, a time. */
const standsForItself = ({ requestHeader }: RequestMessage): boolean =>
  requestHeader.authentication === undefined &&
  requestHeader.timeStamp === undefined &&
  requestHeader.asynchronousIndicator !== true

/** Whether the answer to such a request depends on nothing but its bytes, its sender and the store. */
const isRepeatable = ({ batchItem }: RequestMessage, operations: ReadonlyMap<number, OperationRow>): boolean =>
  batchItem.every(
    ({ operation, requestPayload }) =>
      !(requestPayload instanceof RefusedPayload) && operations.get(operation)?.repeatable(requestPayload) === true,
  )

/** Whether all items of an answer have succeeded. */
const hasSucceeded = (items: readonly ResponseBatchItem[]): boolean =>
  items.every(({ resultStatus }) => resultStatus === ResultStatus.Success)
