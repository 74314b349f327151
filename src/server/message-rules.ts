/**
 * What holds for a request message as a whole (KMIP 1.4 §6, §7), whatever its items ask. What it is not: the decoding, or what
 * holds for an operation.
 */
import { BatchErrorContinuationOption, ResultReason } from '#kmip/enums'
import { KmipError } from '#kmip/errors'
import type { RequestMessage } from '#kmip/message'

/** A user, a device and an attestation are what a client can show at once; each password costs the server some 30 ms. */
const credentialsMax = 4

const continuationOptions: ReadonlySet<number> = new Set(Object.values(BatchErrorContinuationOption))

/** @throws KmipError Invalid Message, Invalid Field, Feature Not Supported */
export const checkMessage = ({ requestHeader, batchItem }: RequestMessage, batchCountMax: number): void => {
  if (requestHeader.batchCount !== batchItem.length || batchItem.length === 0) {
    throw new KmipError(ResultReason.InvalidMessage, 'The Batch Count is not the number of Batch Items')
  }
  if (batchItem.length > batchCountMax) {
    throw new KmipError(ResultReason.InvalidMessage, `A message may have ${batchCountMax} Batch Items`)
  }
  if (batchItem.length > 1 && batchItem.some((item) => item.uniqueBatchItemId === undefined)) {
    throw new KmipError(ResultReason.InvalidMessage, 'Each of several Batch Items needs a Unique Batch Item ID')
  }
  // §6.13: whoever asks for another rule must not have the batch done under this one.
  const { batchErrorContinuationOption: option } = requestHeader
  if (option !== undefined && !continuationOptions.has(option)) {
    throw new KmipError(
      ResultReason.InvalidField,
      'The Batch Error Continuation Option is none of Continue, Stop, Undo',
    )
  }
  if (batchItem.some((item) => item.messageExtension?.criticalityIndicator === true)) {
    throw new KmipError(ResultReason.FeatureNotSupported, 'The Message Extension is critical and not known')
  }
  const credentials = requestHeader.authentication?.credential
  if (credentials !== undefined && credentials.length > credentialsMax) {
    throw new KmipError(ResultReason.InvalidMessage, `A message may have ${credentialsMax} Credentials`)
  }
  if (credentials?.length === 0) {
    throw new KmipError(ResultReason.InvalidMessage, 'The Authentication holds no Credential')
  }
}
