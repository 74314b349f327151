/**
 * An answer as bytes (KMIP 1.4 §7.2): its header, and its items in the encoding and the version of the request. What it is not: the
 * decision what is answered (dispatch.ts), or an encoding (encodings.ts).
 */
import type { ResponseBatchItem, ResponseHeader } from '#kmip/message'
import { majorOf, minorOf, type Version } from '#kmip/versions'
import { TtlvError } from '#ttlv/error'
import { type AnswerBounds, responseTooLarge } from './answer-growth.ts'
import type { Encoding } from './encodings.ts'

/** What client and server call a message in their logs (§6.18, §6.19). */
export type Correlation = Pick<ResponseHeader, 'clientCorrelationValue' | 'serverCorrelationValue'>

/** What an answer is made for: how it is written, and what is said of the request in its header. */
export interface AnswerForm {
  readonly encoding: Encoding
  readonly version: Version
  readonly correlation: Correlation
}

/** @throws KmipError Response Too Large where it has more bytes than the bounds let it have */
export const encodeAnswer = (
  { encoding, version, correlation }: AnswerForm,
  batchItem: readonly ResponseBatchItem[],
  nowSeconds: number,
  bounds?: AnswerBounds,
): Buffer => {
  const message = {
    responseHeader: {
      protocolVersion: { protocolVersionMajor: majorOf(version), protocolVersionMinor: minorOf(version) },
      timeStamp: nowSeconds,
      attestationType: [],
      // The client's value is logged and does not go back: it is the other direction's (§6.18).
      serverCorrelationValue: correlation.serverCorrelationValue,
      batchCount: batchItem.length,
    },
    batchItem,
  }
  try {
    return encoding.encode(version, message, bounds?.sizeMax)
  } catch (error) {
    if (bounds === undefined || !(error instanceof TtlvError) || error.fault !== 'limit') throw error
    throw responseTooLarge(bounds)
  }
}
