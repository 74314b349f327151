/**
 * What a front has of things that there is one of in the server: operations in parts, asynchronous requests, the counts of
 * guesses, and the seeds of random bytes. What it is: each as a front's code knows it, asking the main thread. What it is not:
 * the things themselves, which the main thread has, so that their bounds are those of the server and any front finds them.
 */
import type { Channel } from '#actor/channel'
import type { AttemptCounts } from '#identity/attempts'
import { CancellationResult } from '#kmip/enums'
import type { ResponseBatchItem } from '#kmip/message'
import type { RandomSource } from '#operations/operation'
import type { Part, Step, StepResult, StreamTable } from '#operations/streams'
import type { BackgroundKeeper, BackgroundRequest } from './background.ts'
import { type FrontCalls, type MainCalls, ownBytes, ownData } from './front-calls.ts'

/** The way to the main thread. */
export type ToMain = Channel<MainCalls, FrontCalls>

/** Operations in parts. A batch that is decided anew gets the answer that it had. */
export class DistantStreams implements StreamTable {
  readonly #main: ToMain
  readonly #answered = new WeakMap<Part, Promise<StepResult>>()

  constructor(main: ToMain) {
    this.#main = main
  }

  async objectOf(user: string, correlationValue: Uint8Array | undefined): Promise<string | undefined> {
    if (correlationValue === undefined) return undefined
    return this.#main.call('streamObject', { user, correlationValue: ownBytes(correlationValue) })
  }

  step(step: Step): Promise<StepResult> {
    const known = this.#answered.get(step.part)
    if (known !== undefined) return known
    const answer = this.#ask(step)
    this.#answered.set(step.part, answer)
    return answer
  }

  async #ask({ part, user, kind, uniqueIdentifier, open, expected, aad }: Step): Promise<StepResult> {
    const { data, correlationValue, initIndicator, finalIndicator } = part
    const request = correlationValue === undefined ? open() : undefined
    return this.#main.call('streamStep', {
      part: { data: ownBytes(data), correlationValue: ownBytes(correlationValue), initIndicator, finalIndicator },
      user,
      kind,
      uniqueIdentifier,
      request: ownData(request),
      expected: ownBytes(expected),
      aad: ownBytes(aad),
    })
  }
}

/** Asynchronous requests: the main thread runs them. */
export class DistantBackground implements BackgroundKeeper {
  readonly #main: ToMain

  constructor(main: ToMain) {
    this.#main = main
  }

  take({ sent }: BackgroundRequest): Promise<Uint8Array | undefined> {
    return this.#main.call('takeRequest', { ...sent, message: ownBytes(sent.message) })
  }

  poll(user: string, correlationValue: Uint8Array): Promise<ResponseBatchItem | undefined> {
    return this.#main.call('poll', { user, correlationValue: ownBytes(correlationValue) })
  }

  async cancel(user: string, correlationValue: Uint8Array): Promise<CancellationResult> {
    const result = await this.#main.call('cancel', { user, correlationValue: ownBytes(correlationValue) })
    return Object.values(CancellationResult).find((known) => known === result) ?? CancellationResult.Unavailable
  }

  /** They are the main thread's to end. */
  async stop(): Promise<void> {}
}

/** The counts of guesses. */
export const distantAttempts = (main: ToMain): AttemptCounts => ({
  admit: (user, address) => main.call('admit', { user, address }),
  failed: (user, address) => main.tell('guessFailed', { user, address }),
  succeeded: (user, address) => main.tell('guessSucceeded', { user, address }),
})

/** Random bytes of this thread, whose seeds every thread gets. */
export const sharedRandom = (own: RandomSource, main: ToMain): RandomSource => ({
  bytes: (length) => own.bytes(length),
  seed(material) {
    own.seed(material)
    main.tell('seeded', ownBytes(material))
  },
})
