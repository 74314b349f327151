/**
 * Fronts in threads of their own, as serve.ts has them. What it is: how many there are, what each is started with, and the main
 * thread's answers to what they ask: of what there is one of in the server. What it is not: their set and its changes
 * (`server/front-set.ts`), or the inside of a front (`front.ts`).
 */
import { availableParallelism } from 'node:os'
import { type MessagePort, Worker } from 'node:worker_threads'
import type { Logger } from 'pino'
import { systemClock } from '#actor/clock'
import { systemEntropy } from '#actor/entropy'
import type { Audit } from '#audit/open'
import { type Keyring, sealKeyBytes } from '#crypto/seal'
import type { AttemptCounts } from '#identity/attempts'
import type { RandomSource } from '#operations/operation'
import type { StreamTable } from '#operations/streams'
import type { Dispatcher, DispatcherOptions } from '#server/dispatch'
import { FrontSet } from '#server/front-set'
import type { Sample } from '#server/meter'
import type { ProcessLog } from '#server/process-log'
import { SessionCount, type SessionSlots, sessionSlots } from '#server/session-count'
import type { LmdbStore } from '#store/lmdb/open'
import type { Settings } from './config.ts'
import type { FrontTask } from './front.ts'
import { cryptoWorkersOf, textOf } from './front-parts.ts'

/** With as many cores or fewer, one front beside store and audit trail is the quicker: on the main thread (bench/NOTES.md). */
const coresOfOneFront = 2
/** Cores beyond those of the fronts, for the store, the audit trail and slow cryptography. */
const coresBeside = 1
/** More listeners than this on a port were not tried. */
const frontsByItselfMax = 16

/** How many threads serve clients. 1: the main thread does. */
export const frontCount = ({ fronts }: Settings, cores = availableParallelism()): number => {
  if (fronts !== 0) return fronts
  return cores <= coresOfOneFront ? 1 : Math.min(frontsByItselfMax, cores - coresBeside)
}

export interface FrontsOptions {
  readonly settings: Settings
  readonly keyring: Keyring
  readonly store: LmdbStore
  readonly audit: Audit | undefined
  readonly processLog: ProcessLog
  /** What there is one of in the server. */
  readonly streams: StreamTable
  readonly random: RandomSource
  readonly attempts: AttemptCounts
  readonly dispatcher: Pick<Dispatcher, 'takeSent' | 'background'>
  readonly onDurable: NonNullable<DispatcherOptions['onDurable']>
  /** Whether anybody hears of changes. */
  readonly tellsChanges: boolean
  readonly permits: () => boolean
}

/** Fronts that are not there yet: each is a child for the supervisor. */
export class Fronts {
  readonly set: FrontSet
  /** Sessions of all fronts. */
  readonly sessions: SessionCount
  readonly #options: FrontsOptions
  readonly #slots: SessionSlots
  readonly #count: number
  #started = 0

  /** @param count of fronts, at least 2 */
  constructor(count: number, options: FrontsOptions) {
    this.#options = options
    this.#count = count
    // Numbers of fronts begin with 1: the main thread has the first slot.
    this.#slots = sessionSlots(count + 1)
    this.sessions = new SessionCount(this.#slots)
    const { processLog, streams, random, attempts, dispatcher, onDurable, permits } = options
    const { logger } = processLog
    this.set = new FrontSet({
      startThread: (number) => this.#startThread(number),
      calls: {
        line: (line) => processLog.add(line),
        durable: ({ changes, version }) => onDurable(changes, version),
        admit: ({ user, address }) => attempts.admit(user, address),
        guessFailed: ({ user, address }) => attempts.failed(user, address),
        guessSucceeded: ({ user, address }) => attempts.succeeded(user, address),
        streamObject: async ({ user, correlationValue }) => streams.objectOf(user, correlationValue),
        streamStep: async ({ request, ...step }) => streams.step({ ...step, open: () => requestOf(request) }),
        takeRequest: async (sent) => dispatcher.takeSent(sent),
        poll: async ({ user, correlationValue }) => dispatcher.background.poll(user, correlationValue),
        cancel: async ({ user, correlationValue }) => dispatcher.background.cancel(user, correlationValue),
      },
      level: () => logger.level,
      permits,
      seed: (material) => random.seed(material),
      onGone: (number) => new SessionCount(this.#slots, number).clear(),
      onFailure: (reason) => tellFailure(logger, reason),
      clock: systemClock,
    })
    processLog.onLevel = (level) => this.set.tell('level', level)
  }

  /** The numbers of the fronts. */
  get numbers(): readonly number[] {
    return Array.from({ length: this.#count }, (_, index) => index + 1)
  }

  /** What all fronts have counted. A front that has died took its counts with it. */
  async samples(): Promise<readonly Sample[]> {
    return (await this.set.ask('samples', undefined)).flat()
  }

  #startThread(number: number): Worker {
    const { settings, keyring, store, audit, tellsChanges } = this.#options
    this.#started += 1
    const key = systemEntropy.bytes(sealKeyBytes)
    const auditPort = audit?.connect()
    const channel = store.connect()
    const task: FrontTask = {
      settings,
      number,
      keyring: keyring.sealUnder(key, systemEntropy),
      key,
      store: channel,
      auditPort,
      auditName: `${this.#started}-`,
      sessions: this.#slots,
      cryptoWorkers: Math.ceil(cryptoWorkersOf(settings) / this.#count),
      cryptoQueueMax: Math.ceil(settings.cryptoQueueMax / this.#count),
      cacheBytesMax: Math.floor(settings.storeCacheBytesMax / this.#count),
      answerCacheBytesMax: Math.floor(settings.answerCacheBytesMax / this.#count),
      tellsChanges,
    }
    const ports: MessagePort[] = auditPort === undefined ? [channel.port] : [channel.port, auditPort]
    // The entry lies beside `src` both in the repository (.ts) and where it was compiled (.js).
    const suffix = import.meta.url.slice(import.meta.url.lastIndexOf('.'))
    return new Worker(new URL(`../workers/front${suffix}`, import.meta.url), {
      name: `front ${number}`,
      workerData: task,
      transferList: ports,
      execArgv: [],
    })
  }
}

/** What a stream is opened with comes with its first part; a part that has none was sent for a stream that is open. */
const requestOf = <R>(request: R | undefined): R => {
  if (request === undefined) throw new TypeError('the first part of a stream came without its request')
  return request
}

const tellFailure = (logger: Logger, reason: unknown): void =>
  logger.error({ front: { reason: textOf(reason) } }, 'What a front said could not be taken')
