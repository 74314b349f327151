/**
 * What a signal to end does to a measurement: it stops where it is, and what was made for it is removed: objects on the server,
 * a server of its own, its data. What it is not: the removal, which each part does behind itself.
 */
import { constants } from 'node:os'

const controller = new AbortController()

/** Aborted by the first signal; its reason is what the measurement fails with. */
export const interruption: AbortSignal = controller.signal

/** From now on the first signal interrupts, and a second one ends the process at once. */
export const heedSignals = (): void => {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      // An exit kills the children; the signal's own way out would leave them.
      if (interruption.aborted) process.exit(128 + constants.signals[signal])
      controller.abort(new Error(`interrupted by ${signal}`))
    })
  }
}
