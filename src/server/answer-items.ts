/**
 * Items of an answer (KMIP 1.4 §6.9, §7): what became of an item of the request, in the form that is encoded. What it is not: the
 * decision what became of it (dispatch.ts).
 */
import { ResultStatus } from '#kmip/enums'
import { type KmipError, reasonInVersion } from '#kmip/errors'
import type { RequestBatchItem, RequestMessage, ResponseBatchItem } from '#kmip/message'
import type { Version } from '#kmip/versions'
import { AnswerOfAnother } from '#operations/operation'

/** The item of an operation that was done. */
export const succeededItem = (item: RequestBatchItem, responsePayload: unknown): ResponseBatchItem => {
  if (responsePayload instanceof AnswerOfAnother) {
    return { ...responsePayload.item, uniqueBatchItemId: item.uniqueBatchItemId }
  }
  return {
    operation: item.operation,
    uniqueBatchItemId: item.uniqueBatchItemId,
    resultStatus: ResultStatus.Success,
    responsePayload,
  }
}

/** The item of a request that was taken into the background. */
export const pendingItem = (
  { batchItem: [item] }: RequestMessage,
  correlationValue: Uint8Array,
): ResponseBatchItem => ({
  operation: item?.operation,
  uniqueBatchItemId: item?.uniqueBatchItemId,
  resultStatus: ResultStatus.OperationPending,
  asynchronousCorrelationValue: correlationValue,
})

/** The item of an operation that failed, as its version tells it; `undefined`: the request's item is not known. */
export const failedItem = (
  item: RequestBatchItem | undefined,
  version: Version,
  error: KmipError,
): ResponseBatchItem => ({
  operation: item?.operation,
  uniqueBatchItemId: item?.uniqueBatchItemId,
  resultStatus: ResultStatus.OperationFailed,
  resultReason: reasonInVersion(error.reason, version),
  resultMessage: error.message,
  responsePayload: error.payload,
})

/** §6.9: "The requested operation was performed, but had to be undone". What it had returned is no longer true. */
export const undoneItem = (item: ResponseBatchItem): ResponseBatchItem => ({
  operation: item.operation,
  uniqueBatchItemId: item.uniqueBatchItemId,
  resultStatus: ResultStatus.OperationUndone,
})
