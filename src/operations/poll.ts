/** Poll: the answer to an asynchronous request, or that it is still pending. KMIP 1.4 §4.28 */
import { ownerOf } from '#identity/permissions'
import { ResultReason } from '#kmip/enums'
import { KmipError } from '#kmip/errors'
import { AnswerOfAnother, operation } from './operation.ts'

export const poll = operation({
  name: 'Poll',
  section: '4.28',
  reasons: ['ItemNotFound'],
  asynchronous: 'control',
  async handle({ asynchronousCorrelationValue }, context) {
    const item = await context.services.background.poll(ownerOf(context.principal), asynchronousCorrelationValue)
    if (item === undefined) {
      throw new KmipError(
        ResultReason.ItemNotFound,
        'No request with this Asynchronous Correlation Value is outstanding',
      )
    }
    return new AnswerOfAnother(item)
  },
})
