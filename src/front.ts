/**
 * The inside of a front's thread: clients served beside those of other threads. What it is: the composition of what a thread
 * with listeners has of its own (a view of the store, cryptography, dispatcher, interfaces), and its answers to the main
 * thread. What it is not: what there is one of in the server: a front asks the main thread for that (`server/front-proxies.ts`).
 */

import type { MessagePort } from 'node:worker_threads'
import { Channel, type Port } from '#actor/channel'
import { monotonicMs, systemClock } from '#actor/clock'
import { systemEntropy } from '#actor/entropy'
import { openAuditFront } from '#audit/open'
import { SeededRandom } from '#crypto/random'
import { openKeyring } from '#crypto/seal'
import { LdapDirectories } from '#identity/ldap'
import { operations } from '#operations/index'
import { Accounting } from '#server/accounting'
import { countedLog } from '#server/counted-log'
import { errorForms, type FrontCalls, type MainCalls } from '#server/front-calls'
import { FrontInterfaces } from '#server/front-interfaces'
import { DistantBackground, DistantStreams, distantAttempts, sharedRandom } from '#server/front-proxies'
import { Holdings } from '#server/holdings'
import { serverLog } from '#server/log'
import { watchLoopDelay } from '#server/loop-delay'
import { Meter } from '#server/meter'
import { lineLogger } from '#server/process-log'
import { SessionCount, type SessionSlots } from '#server/session-count'
import type { FrontChannel } from '#store/lmdb/messages'
import { openFront, storeLimits } from '#store/lmdb/open'
import type { Settings } from './config.ts'
import {
  auditSamples,
  cryptoSamples,
  newCrypto,
  newDispatcher,
  newLogin,
  newSessionParts,
  newUniqueIdentifier,
  startTraces,
  textOf,
} from './front-parts.ts'
import { tables } from './tables.ts'

/** What a front's thread is started with: everything in a form that crosses. */
export interface FrontTask {
  readonly settings: Settings
  readonly number: number
  /** The store's keys, sealed under a key that was made for this thread. */
  readonly keyring: Uint8Array
  readonly key: Uint8Array
  readonly store: FrontChannel
  /** Undefined: nothing is audited. */
  readonly auditPort: MessagePort | undefined
  /** What tells this thread's requests from those of others in the audit trail. */
  readonly auditName: string
  readonly sessions: SessionSlots
  /** Threads for cryptography, and jobs that may wait for them. */
  readonly cryptoWorkers: number
  readonly cryptoQueueMax: number
  /** Memory for opened records. */
  readonly cacheBytesMax: number
  /** Memory for answers that are given again. */
  readonly answerCacheBytesMax: number
  /** Whether somebody must hear of changes that are durable. */
  readonly tellsChanges: boolean
}

/** Runs a front in this thread until the main thread ends it. Rejects with what forbids it. */
export const runFront = async (port: Port, task: FrontTask): Promise<void> => {
  const { settings, number, auditPort } = task
  const loopDelay = watchLoopDelay(String(number))
  const main: Channel<MainCalls, FrontCalls> = new Channel({
    port,
    errors: errorForms,
    onFailure: (reason) =>
      logger.error({ front: { number, reason: textOf(reason) } }, 'A front did not do as it was told'),
    handlers: {
      open: (given) => interfaces.open(given),
      prepare: (change) => interfaces.prepare(change),
      apply: (change) => interfaces.apply(change),
      abandon: (change) => interfaces.abandon(change),
      ticketKeys: (keys) => interfaces.ticketKeys(keys),
      endSessions: (of) => interfaces.endSessions(of),
      close: (which) => interfaces.close(which),
      keepSession: (session) => interfaces.keepSession(session),
      level: (level) => {
        logger.level = level
      },
      permits: (now) => {
        permits = now
      },
      seed: (material) => own.seed(material),
      alive: () => undefined,
      samples: () => [...meter.samples(), ...cryptoSamples(crypto), ...auditSamples(audit), ...loopDelay()],
      end: () => end(),
    },
  })
  const logger = lineLogger(settings.logLevel, (line) => main.tell('line', line))
  const sealer = openKeyring(task.key, task.keyring, systemEntropy)
  const store = openFront({
    directory: settings.dataDirectory,
    sealer,
    tables,
    limits: {
      ...storeLimits,
      commitsWaitingMax: settings.storeQueueMax,
      commitBytesWaitingMax: settings.storeQueueBytesMax,
      cacheBytesMax: task.cacheBytesMax,
    },
    channel: task.store,
  })
  const crypto = newCrypto(settings, logger, task.cryptoWorkers, task.cryptoQueueMax)
  const meter = new Meter()
  const log = countedLog(serverLog(logger, newUniqueIdentifier), meter)
  const audit = auditPort && openAuditFront(auditPort, task.auditName, settings.audit === 'durable', systemClock)
  const tracing = await startTraces(settings, logger)
  const own = new SeededRandom(systemEntropy)
  const answers = new Holdings(settings)
  const dispatcher = newDispatcher({
    settings,
    log,
    store,
    crypto,
    answers,
    streams: new DistantStreams(main),
    background: new DistantBackground(main),
    random: sharedRandom(own, main),
    answerCacheBytesMax: task.answerCacheBytesMax,
    accounts: new Accounting({
      audit,
      meter,
      trace: tracing?.trace,
      operations,
      store,
      nowMs: () => systemClock.nowMs(),
      monotonicMs,
    }),
    ...(task.tellsChanges ? { onDurable: (changes, version) => main.tell('durable', { changes, version }) } : {}),
  })
  const directories = new LdapDirectories({ store, clock: systemClock, onUnavailable: log.directoryUnavailable })
  const login = newLogin(settings, store, directories, distantAttempts(main))
  let permits = true
  const interfaces = new FrontInterfaces({
    limits: settings,
    parts: newSessionParts(settings, { dispatcher, store, login, answers, log }, directories, () => permits),
    sessions: new SessionCount(task.sessions, number),
    clock: systemClock,
    log,
    onListenerFailed: (reason) => main.tell('listenerFailed', textOf(reason)),
    onKept: (session) => main.tell('keptSession', session),
  })
  const end = async (): Promise<void> => {
    await dispatcher.stop()
    await tracing?.stop()
    // What cannot be written is counted in the trail, or has ended it.
    await audit?.flush().catch(() => undefined)
    audit?.close()
    await crypto.close()
    await store.close()
  }
  main.tell('ready', undefined)
}
