/**
 * The parts that every thread with clients has: settings become a dispatcher and what sessions take their answers from. What
 * it is: the same composition wherever clients are served: on the main thread (serve.ts), or in a front (front.ts). What it is
 * not: what there is one of in the server.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import type { Logger } from 'pino'
import { monotonicMs, systemClock } from '#actor/clock'
import { systemEntropy, uniqueIdentifier } from '#actor/entropy'
import { type CountedCryptoRunner, type CryptoRunner, createCryptoRunner } from '#crypto/run'
import type { AttemptCounts } from '#identity/attempts'
import { autoRegister } from '#identity/auto-registration'
import { Issuer } from '#identity/issuer'
import { knownUsers } from '#identity/known-users'
import type { LdapDirectories } from '#identity/ldap'
import { Login } from '#identity/login'
import { type Assertions, AssertionsRefused, readAssertions } from '#kmip/assertions'
import { ResultReason } from '#kmip/enums'
import { KmipError } from '#kmip/errors'
import { keptObjectTypes } from '#operations/creation'
import { operations } from '#operations/index'
import { objectTable } from '#operations/object-table'
import type { Policy, RandomSource } from '#operations/operation'
import type { StreamTable } from '#operations/streams'
import { Dispatcher, type DispatcherOptions } from '#server/dispatch'
import { Entrance } from '#server/entrance'
import { Holdings } from '#server/holdings'
import type { serverLog } from '#server/log'
import { type Sample, sample } from '#server/meter'
import type { SessionParts } from '#server/session'
import { startTracing, type Tracing } from '#server/tracing'
import type { Store } from '#store/store'
import type { Settings } from './config.ts'

/** What Query tells of the vendor. */
const vendorIdentification = 'kmipd'
/** Two clients that change one object at once meet again and again only by bad luck. */
const conflictRetriesMax = 16

/** The words of a failure. */
export const textOf = (reason: unknown): string => (reason instanceof Error ? reason.message : String(reason))

/** A new Unique Identifier of this thread. */
export const newUniqueIdentifier = (): string => uniqueIdentifier(systemClock, systemEntropy)

/** What records are made and changed with. */
export const administered = (store: Store) => ({ store, clock: systemClock, entropy: systemEntropy })

/** Threads for cryptography, of the whole server. */
export const cryptoWorkersOf = ({ cryptoWorkers }: Settings): number =>
  cryptoWorkers === 0 ? Math.max(1, availableParallelism() - 1) : cryptoWorkers

/** The cryptography of one thread, with so many workers of its own, and its share of the queue. */
export const newCrypto = (settings: Settings, logger: Logger, workers: number, queueMax: number): CountedCryptoRunner =>
  createCryptoRunner({
    placement: settings.cryptoPlacement,
    workers,
    queueMax,
    keptKeys: { keysMax: settings.cryptoKeptKeysMax, idleMs: settings.cryptoKeptKeysIdleMs },
    onWorkerError: (error) => logger.error({ reason: error.message }, 'A crypto worker died; it is replaced'),
  })

/** Lines of a thread that are on their way to the audit trail. */
export const auditSamples = (audit: { readonly waiting: number } | undefined): readonly Sample[] =>
  audit === undefined ? [] : [sample('kmipd_audit_characters_waiting', audit.waiting)]

/** Jobs of a thread's cryptography. */
export const cryptoSamples = (crypto: CountedCryptoRunner): readonly Sample[] => {
  const { here, pool, waiting } = crypto.counts()
  return [
    sample('kmipd_crypto_jobs_total', here, { place: 'here' }),
    sample('kmipd_crypto_jobs_total', pool, { place: 'pool' }),
    sample('kmipd_crypto_jobs_waiting', waiting),
  ]
}

/** Traces of a thread's messages, where a collector is set. */
export const startTraces = async (settings: Settings, logger: Logger): Promise<Tracing | undefined> => {
  if (settings.tracesUrl === '') return undefined
  return startTracing({
    url: settings.tracesUrl,
    percent: settings.tracesPercent,
    slowMs: settings.tracesSlowMs,
    nowMs: () => systemClock.nowMs(),
    monotonicMs,
    onFailure: (reason) => logger.warn({ traces: { reason } }, 'The collector of traces did not take them'),
  })
}

/** What a dispatcher needs beside settings. */
export interface DispatcherParts extends Pick<DispatcherOptions, 'accounts' | 'answers' | 'background' | 'onDurable'> {
  readonly settings: Settings
  readonly log: ReturnType<typeof serverLog>
  readonly store: Store
  readonly crypto: CryptoRunner
  readonly streams: StreamTable
  readonly random: RandomSource
  /** This thread's share; absent: all of it. */
  readonly answerCacheBytesMax?: number
}

/** A dispatcher of one thread. */
export const newDispatcher = ({
  settings,
  log,
  store,
  crypto,
  streams,
  random,
  answerCacheBytesMax = settings.answerCacheBytesMax,
  ...others
}: DispatcherParts): Dispatcher =>
  new Dispatcher({
    ...others,
    store,
    table: objectTable,
    services: {
      policy: policyOf(settings),
      crypto,
      random,
      streams,
      newUniqueIdentifier,
      issuer: new Issuer({
        store,
        entropy: systemEntropy,
        onMade: (pem) =>
          writeFileSync(join(settings.dataDirectory, 'bootstrap', 'issuing-ca.pem'), pem, { mode: 0o600 }),
      }),
      operations,
      objectTypes: keptObjectTypes,
    },
    asynchronous: settings,
    serverCorrelationValues: settings.serverCorrelationValues,
    answerCacheBytesMax,
    clock: systemClock,
    readerLimits: settings,
    batchCountMax: settings.batchCountMax,
    responseSizeMax: settings.responseSizeMax,
    conflictRetriesMax,
    newCorrelation: newUniqueIdentifier,
    log,
  })

/** What proves passwords in one thread, with the counts of guesses that the server has. */
export const newLogin = (
  settings: Settings,
  store: Store,
  directories: LdapDirectories,
  attempts: AttemptCounts,
): Login => new Login({ ...administered(store), directories, rememberMs: settings.credentialMemoryMs, attempts })

/** What sessions of one thread take their answers from. */
export const newSessionParts = (
  settings: Settings,
  parts: Pick<SessionParts, 'dispatcher' | 'store' | 'login' | 'answers' | 'log'>,
  directories: LdapDirectories,
  permits: () => boolean,
): SessionParts => {
  const { store } = parts
  const knowsUser = knownUsers(administered(store), directories)
  return {
    ...parts,
    clock: systemClock,
    requests: new Holdings(settings),
    entrance: new Entrance(settings, systemClock, parts.log),
    autoRegister: (unknown) => autoRegister(administered(store), unknown, knowsUser),
    closed: () => (permits() ? undefined : new KmipError(ResultReason.PermissionDenied, licenceNeeded)),
  }
}

const licenceNeeded = 'The trial of this server is over: its administrator must activate a licence'

const policyOf = (settings: Settings): Policy => ({
  instancesMax: settings.attributeInstancesMax,
  attributesPerObjectMax: settings.attributesPerObjectMax,
  attributeBytesMax: settings.attributeBytesMax,
  leaseTimeSeconds: settings.leaseTimeSeconds,
  replacementLeaseTimeSeconds:
    settings.replacementLeaseTimeSeconds === 'same' ? undefined : Number(settings.replacementLeaseTimeSeconds),
  locateItemsMax: settings.locateItemsMax,
  locatePages: settings.locatePages,
  hardDelete: settings.destroyedObjects === 'remove',
  createdRsaBitsMax: settings.createdRsaBitsMax,
  createdSymmetricBitsMax: settings.createdSymmetricBitsMax,
  keyMaterialBytesMax: settings.keyMaterialBytesMax,
  vendorIdentification,
  assertions: assertionsOf(settings),
  streaming: settings.streaming,
  httpsServed: settings.httpsPort !== 0,
  missingUsageMask: settings.missingUsageMask,
  asynchronousOperations: settings.asynchronousOperations,
  wrapping: settings,
  archivedAttributes: settings.archivedAttributes,
  computing: settings,
})

/** The statement that the setting names. @throws AssertionsRefused with the file and what is wrong in it */
const assertionsOf = ({ assertions: path }: Settings): Assertions => {
  if (path === 'none') return {}
  try {
    return readAssertions(readFileSync(path, 'utf8'))
  } catch (error) {
    throw new AssertionsRefused(`--assertions ${path}: ${textOf(error)}`, { cause: error })
  }
}
