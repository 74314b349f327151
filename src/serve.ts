/**
 * The composition root: settings become a running server. What it is: every part made once and handed what it needs, and
 * the order of start and end. What it is not: the process around it (kmipd-process.ts).
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { homedir, hostname } from 'node:os'
import { join, relative } from 'node:path'
import type { Logger } from 'pino'
import { type Child, Supervisor } from '#actor/actor'
import { systemClock } from '#actor/clock'
import { systemEntropy } from '#actor/entropy'
import { awaitable } from '#actor/later'
import { type AdministrationOptions, startAdministration } from '#admin/administration'
import { SeededRandom } from '#crypto/random'
import type { CountedCryptoRunner } from '#crypto/run'
import { openSeal, type StoreSeal } from '#crypto/store-seal'
import { openStream } from '#crypto/stream'
import { Attempts } from '#identity/attempts'
import { adoptOwnAuthority } from '#identity/authorities'
import { bootstrap } from '#identity/bootstrap'
import { certificatesFromPem } from '#identity/certificates'
import { firstInterface } from '#identity/interfaces'
import { knownUsers } from '#identity/known-users'
import { LdapDirectories } from '#identity/ldap'
import { type InstallationMark, Licence } from '#identity/licence'
import { globalOwner, type Principal, rootDomain } from '#identity/principals'
import { newestVersion } from '#kmip/versions'
import { objectTable } from '#operations/object-table'
import type { DurableChange } from '#operations/server-requests'
import { Streams } from '#operations/streams'
import { type DispatcherOptions } from '#server/dispatch'
import { filledGroupOf, GroupKeeper } from '#server/group-keeper'
import { Holdings } from '#server/holdings'
import { HttpsInterface } from '#server/http'
import { InterfaceSet } from '#server/interfaces'
import { serverLog } from '#server/log'
import { sample } from '#server/meter'
import { type ClientAddress, Outgoing, type OutgoingAudit } from '#server/outgoing'
import type { ProcessLog } from '#server/process-log'
import type { SessionParts } from '#server/session'
import { SessionCount } from '#server/session-count'
import { Sweeper } from '#server/sweeper'
import { ticketRotation } from '#server/ticket-rotation'
import { type TlsMaterial, ticketKeysBytes } from '#server/tls'
import { makeDirectory } from '#store/lmdb/directory'
import { lockDirectory } from '#store/lmdb/lock'
import { type LmdbStore, openStore, storeExists, storeLimits } from '#store/lmdb/open'
import type { Store, StoreFaulted } from '#store/store'
import type { Secrets, Settings } from './config.ts'
import {
  administered,
  cryptoSamples,
  cryptoWorkersOf,
  newCrypto,
  newDispatcher,
  newLogin,
  newSessionParts,
  newUniqueIdentifier,
  textOf,
} from './front-parts.ts'
import { Fronts, frontCount } from './fronts.ts'
import { keyringPathOf, rootKeySourceOf } from './root-key.ts'
import { tables } from './tables.ts'
import { upkeepOf } from './upkeep.ts'
import { startWatching } from './watching.ts'

/** How soon a state that a date has brought is written down; nobody waits for it. */
const sweepIntervalMs = 5_000
/** Of a Correlation Value, which nobody shall guess. */
const correlationValueBytes = 16
/** A part that fails more often than this within the time is not mended by another start. */
const restartsMax = 5
const restartsWithinMs = 60_000

/** A server that serves. */
export interface RunningServer {
  /** The port that it listens on. */
  readonly port: number
  /** Files that this start made. */
  readonly made: readonly string[]
  /** Answers what was taken, then ends everything. Resolves when the files are released. */
  stop(): Promise<void>
}

/** What is told of a start, and of what comes of it. */
export interface StartEvents {
  /** The data are open, which may take minutes when an older store is brought up: from now on the server is to be stopped, not killed. */
  readonly onOpened: () => void
  /** Once, when a part has failed for good: the process must end. */
  readonly onFailure: (reason: string) => void
}

/**
 * Starts the server.
 * @throws StoreRefused, RootKeyRefused and what else forbids a start, with what to do about it
 */
export const startServer = async (
  settings: Settings,
  secrets: Secrets,
  processLog: ProcessLog,
  { onOpened, onFailure }: StartEvents,
): Promise<RunningServer> => {
  const { logger } = processLog
  const directory = settings.dataDirectory
  makeDirectory(directory)
  const { seal, store } = await openData(settings, secrets, logger, (fault) => onFailure(fault.message))
  onOpened()
  // Not before: the lock on the store is the lock on the folder.
  processLog.keepIn(directory, settings.logFileBytesMax)
  let crypto: CountedCryptoRunner | undefined
  let supervisor: Supervisor | undefined
  try {
    const first = await bootstrap({
      directory,
      store,
      clock: systemClock,
      entropy: systemEntropy,
      hostName: hostname(),
      certificateNames: settings.certificateNames,
      rsaToo: settings.tlsProfile === 'compatible',
    })
    const allMade = [...seal.made, ...first.made].map((path) => join(directory, relative(directory, path)))
    // Now, and not when it serves: if the port is taken, no later start has anything to name.
    for (const path of allMade) logger.info({ made: path }, `Made ${path}`)
    const authorityId = await adoptOwnAuthority(store, systemClock)
    crypto = newCrypto(settings, logger, cryptoWorkersOf(settings), settings.cryptoQueueMax)
    const supervised = new Supervisor({
      clock: systemClock,
      restartsMax,
      withinMs: restartsWithinMs,
      onFailure: (name, reason) =>
        logger.error({ actor: name, reason: textOf(reason) }, `The ${name} failed and is started again`),
      onGiveUp: (name, reason) => onFailure(`the ${name} fails again and again: ${textOf(reason)}`),
    })
    supervisor = supervised
    const watching = await startWatching({ settings, store, sealer: seal.keyring, logger, onFailure })
    await supervisor.add(watching.child())
    const streams = newStreams(settings)
    const log = watching.counted(serverLog(logger, newUniqueIdentifier))
    await supervisor.add(sweeperChild(store, streams, log))
    const outgoing = newOutgoing(settings, log, store, first, watching.outgoingAudit)
    await supervisor.add({ name: 'sender to clients', start: () => ({ stop: () => outgoing.stop() }) })
    const keeper = newGroupKeeper(settings, log, store, (request) =>
      awaitable(dispatcher.answer(request, { hardDelete: undefined, principalOf: () => groupOwner })),
    )
    const tell: NonNullable<DispatcherOptions['onDurable']> = (changes, version) => {
      outgoing.changed(changes, version)
      keeper.changed(changes)
    }
    const random = new SeededRandom(systemEntropy)
    const { accounts } = watching
    const answers = new Holdings(settings)
    const dispatcher = newDispatcher({
      settings,
      log,
      store,
      crypto,
      streams,
      random,
      answers,
      onDurable: tell,
      accounts,
    })
    await supervisor.add({ name: 'asynchronous requests', start: () => ({ stop: () => dispatcher.stop() }) })
    await supervisor.add({
      name: 'keeper of groups',
      start: () => keeper.start().then(() => ({ stop: () => keeper.stop() })),
    })
    const directories = new LdapDirectories({ store, clock: systemClock, onUnavailable: log.directoryUnavailable })
    const attempts = new Attempts(systemClock)
    let fronts: Fronts | undefined
    const login = newLogin(settings, store, directories, attempts)
    const licence: Licence = await Licence.open({
      ...administered(store),
      publicKey: settings.licencePublicKey,
      mark: fileMark(settings.installationMark || join(homedir(), '.kmipd-installation')),
      onPermits: (permits) => fronts?.set.tell('permits', permits),
    })
    await supervisor.add({ name: 'licence', start: () => ({ stop: async () => licence.stop() }) })
    const knowsUser = knownUsers(administered(store), directories)
    const parts = newSessionParts(
      settings,
      { dispatcher, store, login, answers, log },
      directories,
      () => licence.permits,
    )
    const count = frontCount(settings)
    if (count > 1) {
      const made = new Fronts(count, {
        settings,
        store,
        processLog,
        streams,
        random,
        attempts,
        dispatcher,
        keyring: seal.keyring,
        audit: watching.audit,
        onDurable: tell,
        tellsChanges: settings.clientAddresses.length > 0 || settings.filledGroups.length > 0,
        permits: () => licence.permits,
      })
      for (const number of made.numbers) await supervisor.add(made.set.child(number))
      watching.watch(() => made.samples())
      fronts = made
    }
    const set = fronts?.set
    const https: HttpsInterface[] = []
    const interfaces = new InterfaceSet({
      ...administered(store),
      defaults: { ...settings, mode: settings.interfaceMode },
      limits: settings,
      drainTimeoutMs: settings.drainTimeoutMs,
      parts,
      sessions: fronts?.sessions ?? new SessionCount(),
      elsewhere: set && ((given) => set.interface(given)),
      servers: first.servers,
      serverNames: first.names,
      authorityId,
      onChanged: (name) => {
        if (name === firstInterface) for (const each of https) each.renew()
      },
      onSessionsEnd: (fingerprint) => {
        for (const each of https) each.endSessionsOf(fingerprint)
      },
      log,
    })
    let port = settings.port
    await supervisor.add({
      name: 'kmip interfaces',
      async start(failed) {
        port = await interfaces.start(failed)
        return { stop: () => interfaces.stop() }
      },
    })
    const { ticketKeysRotateMs } = settings
    await supervisor.add(ticketRotation(systemClock, ticketKeysRotateMs, () => interfaces.rotateTicketKeys()))
    if (settings.httpsPort !== 0) {
      const made = newHttps(settings, log, parts, interfaces)
      https.push(made)
      await supervisor.add(httpsChild(settings, logger, made))
    }
    const services = {
      ...administered(store),
      login,
      knowsUser,
      interfaces,
      licence,
      logs: processLog,
      upkeep: upkeepOf({ ...administered(store), store, seal, directory }),
      audit: watching.control,
      passwordLengthMin: settings.passwordLengthMin,
      objectsChanged: (changes: readonly DurableChange[]) => tell(changes, newestVersion),
    }
    await supervisor.add(administrationChild(settings, logger, log, services, first))
    const used = crypto
    watching.watch(() => cryptoSamples(used))
    watching.watch(() => [
      sample('kmipd_sessions', interfaces.sessionCount),
      sample('kmipd_sessions_max', settings.sessionsMax),
    ])
    watching.serving()
    logger.info({ serving: { port } }, `Clients trust ${join(directory, 'bootstrap', 'ca.pem')}`)
    const stop = (): Promise<void> => {
      watching.stopping()
      return stopAll(supervised, crypto, store)
    }
    return { port, made: allMade, stop }
  } catch (error) {
    // Why it cannot start is what counts, not how it ends then.
    await supervisor?.stop().catch(() => undefined)
    await crypto?.close()
    await store.close()
    throw error
  }
}

/** The seal and the store of the data folder, under its lock from the first look on: a change of the root key may be under way. */
const openData = async (
  settings: Settings,
  secrets: Secrets,
  logger: Logger,
  onFault: (fault: StoreFaulted) => void,
): Promise<{ readonly seal: StoreSeal; readonly store: LmdbStore }> => {
  const directory = settings.dataDirectory
  const source = await rootKeySourceOf(settings, secrets)
  const lock = lockDirectory(directory)
  let seal: StoreSeal
  try {
    seal = openSeal({ keyringPath: keyringPathOf(directory), source, entropy: systemEntropy }, !storeExists(directory))
  } catch (error) {
    lock.release()
    throw error
  }
  const store = await openStore({
    directory,
    lock,
    sealer: seal.keyring,
    tables,
    limits: {
      ...storeLimits,
      commitsWaitingMax: settings.storeQueueMax,
      commitBytesWaitingMax: settings.storeQueueBytesMax,
      cacheBytesMax: settings.storeCacheBytesMax,
    },
    onFault,
    tell: (text) => logger.warn(text),
  })
  return { seal, store }
}

const sweeperChild = (store: Store, streams: Streams, log: ReturnType<typeof serverLog>): Child => ({
  name: 'sweeper',
  start: (failed) =>
    new Sweeper({
      store,
      table: objectTable,
      clock: systemClock,
      streams,
      intervalMs: sweepIntervalMs,
      onTrouble: (reason) => log.stateNotWritten(reason),
      onFailure: failed,
    }),
})

const newStreams = (settings: Settings): Streams =>
  new Streams({
    openStream,
    monotonicMs: () => systemClock.monotonicMs(),
    newCorrelationValue: () => systemEntropy.bytes(correlationValueBytes),
    perUserMax: settings.streamsPerUserMax,
    bytesMax: settings.streamBytesMax,
    idleTimeoutMs: settings.streamIdleTimeoutMs,
  })

/** A file that notes the installation. @throws errors of the file system but for a file that is not there */
const fileMark = (path: string): InstallationMark => ({
  read: () => (existsSync(path) ? readFileSync(path, 'utf8') : undefined),
  write: (text) => writeFileSync(path, text, { mode: 0o600 }),
})

/** Whom the keeper of groups acts as: nobody, so that what it makes is everybody's. */
const groupOwner: Principal = {
  kind: 'client',
  domain: rootDomain,
  user: globalOwner,
  groups: [],
  clientId: 'the server',
  administrator: false,
  fingerprint: '',
}

const newGroupKeeper = (
  settings: Settings,
  log: ReturnType<typeof serverLog>,
  store: Store,
  answer: (request: Buffer) => Buffer | Promise<Buffer>,
): GroupKeeper =>
  new GroupKeeper({
    groups: settings.filledGroups.map(filledGroupOf),
    owner: groupOwner.user,
    store,
    table: objectTable,
    clock: systemClock,
    answer,
    keysPerSecondMax: settings.groupKeysPerSecondMax,
    log,
  })

const newOutgoing = (
  settings: Settings,
  log: ReturnType<typeof serverLog>,
  store: Store,
  first: Awaited<ReturnType<typeof bootstrap>>,
  audit: OutgoingAudit | undefined,
): Outgoing =>
  new Outgoing({
    addresses: settings.clientAddresses.map(clientAddressOf),
    questions: settings.clientQuestions.filter((name) => name !== 'none'),
    material: materialOf(first),
    limits: settings,
    store,
    clock: systemClock,
    log,
    audit,
  })

/** A row of the setting, whose form was checked when it was read: `local|kmip=appliance.example:5697`. */
const clientAddressOf = (row: string): ClientAddress => {
  const [user = '', address = ''] = row.split('=')
  const colon = address.lastIndexOf(':')
  return { user, host: address.slice(0, colon), port: Number(address.slice(colon + 1)) }
}

/** HTTPS beside the KMIP port: the same certificates, clients, rules and bounds. */
const newHttps = (
  settings: Settings,
  log: ReturnType<typeof serverLog>,
  parts: SessionParts,
  interfaces: InterfaceSet,
): HttpsInterface =>
  new HttpsInterface({
    host: settings.host,
    settings: () => interfaces.settingsOf(firstInterface),
    limits: settings,
    parts,
    clock: systemClock,
    log,
  })

const httpsChild = (settings: Settings, logger: Logger, https: HttpsInterface): Child => ({
  name: 'https interface',
  async start(failed) {
    const port = await https.start(settings.httpsPort, failed)
    logger.info(
      { listening: { interface: 'https', host: settings.host, port } },
      `KMIP in HTTPS is served on port ${port}`,
    )
    return { stop: () => https.stop(settings.drainTimeoutMs) }
  },
})

/** The local socket of kmipctl, and HTTPS when a port is set. */
const administrationChild = (
  settings: Settings,
  logger: Logger,
  log: ReturnType<typeof serverLog>,
  services: AdministrationOptions['services'],
  first: Awaited<ReturnType<typeof bootstrap>>,
): Child => {
  const [server] = first.servers
  const https =
    settings.adminPort === 0 || server === undefined
      ? undefined
      : { host: settings.host, port: settings.adminPort, cert: server.certificatePem, key: server.privateKeyPem }
  const options = {
    services,
    socketPath: join(settings.dataDirectory, 'admin.sock'),
    https,
    log,
    bodyBytesMax: settings.requestSizeMax,
    requestTimeoutMs: settings.requestTimeoutMs,
    logInLifetimeMs: settings.logInLifetimeMs,
  }
  return {
    name: 'administration',
    async start(failed) {
      const administration = await startAdministration(options, failed)
      const { port } = administration
      if (port !== undefined) {
        logger.info(
          { listening: { interface: 'administration', host: settings.host, port } },
          `The server is administered at https://localhost:${port}`,
        )
      }
      return { stop: () => administration.stop() }
    },
  }
}

const materialOf = (first: Awaited<ReturnType<typeof bootstrap>>): TlsMaterial => ({
  server: first.servers,
  trusted: certificatesFromPem(first.authorityPem),
  ticketKeys: systemEntropy.bytes(ticketKeysBytes),
})

/** In the order in which work flows: what takes it first, what it ends in last. */
const stopAll = async (
  supervisor: Supervisor,
  crypto: CountedCryptoRunner | undefined,
  store: Store,
): Promise<void> => {
  try {
    await supervisor.stop()
  } finally {
    await crypto?.close()
    await store.close()
  }
}
