/**
 * The answer to a batch while it grows. What it is: the bound that keeps a small request from making a large answer in memory, before
 * anything of it is written: of one message, of one client and of all. What it is not: the exact size of an answer, which is looked at
 * when it is encoded (`encodings.ts`).
 */
import { ResultReason } from '#kmip/enums'
import { KmipError } from '#kmip/errors'
import type { RequestMessage, ResponseBatchItem } from '#kmip/message'
import { weightOf } from '#ttlv/weight'
import type { Holder, Holdings } from './holdings.ts'

/** The bounds of the answer to one message. */
export interface AnswerBounds {
  /** The least of what the client can take (§6.3) and what the server sends. */
  readonly sizeMax: number
  /** Whether the client's own bound is the lesser. */
  readonly isClients: boolean
}

/** @param responseSizeMax what the server sends */
export const boundsOf = (
  { requestHeader: { maximumResponseSize } }: RequestMessage,
  responseSizeMax: number,
): AnswerBounds => {
  const isClients = maximumResponseSize !== undefined && maximumResponseSize < responseSizeMax
  return { sizeMax: isClients ? maximumResponseSize : responseSizeMax, isClients }
}

/** The refusal of an answer that is larger. */
export const responseTooLarge = ({ sizeMax, isClients }: AnswerBounds): KmipError =>
  isClients
    ? new KmipError(ResultReason.ResponseTooLarge)
    : new KmipError(ResultReason.ResponseTooLarge, `An answer may have ${sizeMax} bytes; ask for less at once`)

export class AnswerGrowth {
  readonly #bounds: AnswerBounds
  readonly #holder: Holder
  /** Whose answer it is. */
  readonly client: string
  #bytes = 0

  constructor(bounds: AnswerBounds, answers: Holdings, client: string) {
    this.#bounds = bounds
    this.#holder = answers.holderOf(client)
    this.client = client
  }

  /** One more item. @throws KmipError Response Too Large; General Failure where all answers together have no room for it */
  add(item: ResponseBatchItem): void {
    const bytes = weightOf(item.responsePayload)
    if (this.#bytes + bytes > this.#bounds.sizeMax) throw responseTooLarge(this.#bounds)
    if (!this.#holder.hasRoom(bytes)) {
      throw new KmipError(ResultReason.GeneralFailure, 'Too many answers are being made or not taken; try again')
    }
    this.#holder.take(bytes)
    this.#bytes += bytes
  }

  /** Nothing is made any more, or all of it anew. */
  clear(): void {
    this.#holder.give(this.#bytes)
    this.#bytes = 0
  }
}
