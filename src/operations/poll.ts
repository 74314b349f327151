/** Poll: the answer to an asynchronous request, or that it is still pending. KMIP 1.4 §4.28 */
import { ownerOf } from '#identity/permissions'
import { ResultReason } from '#kmip/enums'
import { KmipError, reasonInVersion } from '#kmip/errors'
import { isAnswerKnown } from '#objects/known-values'
import { AnswerOfAnother, operation } from './operation.ts'

export const poll = operation({
  name: 'Poll',
  section: '4.28',
  reasons: ['ItemNotFound', 'InvalidField'],
  asynchronous: 'control',
  async handle({ asynchronousCorrelationValue }, context) {
    const item = await context.services.background.poll(ownerOf(context.principal), asynchronousCorrelationValue)
    if (item === undefined) {
      throw new KmipError(
        ResultReason.ItemNotFound,
        'No request with this Asynchronous Correlation Value is outstanding',
      )
    }
    const { operation: polled, resultReason, responsePayload } = item
    // The request may have come in a newer version: what it had been answered there is no answer here.
    if (polled !== undefined && !isAnswerKnown(polled, responsePayload, context.version)) {
      throw new KmipError(
        ResultReason.InvalidField,
        'The result has what the protocol version of the Poll has not: poll in the version of the request',
      )
    }
    return new AnswerOfAnother(
      resultReason === undefined ? item : { ...item, resultReason: reasonInVersion(resultReason, context.version) },
    )
  },
})
