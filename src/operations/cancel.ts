/** Cancel: an asynchronous request that has not begun is not begun. KMIP 1.4 §4.27 */
import { ownerOf } from '#identity/permissions'
import { operation } from './operation.ts'

export const cancel = operation({
  name: 'Cancel',
  section: '4.27',
  reasons: [],
  asynchronous: 'control',
  async handle({ asynchronousCorrelationValue }, context) {
    const cancellationResult = await context.services.background.cancel(
      ownerOf(context.principal),
      asynchronousCorrelationValue,
    )
    return { asynchronousCorrelationValue, cancellationResult }
  },
})
