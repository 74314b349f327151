/**
 * The log: one JSON line an event, with what to do about it. What it is: the only place that writes lines, and so the place
 * that decides what a line may hold: numbers, names of operations, identifiers; never a payload, a credential or a key.
 */

import type { Logger } from 'pino'
import type { DirectoriesOptions } from '#identity/ldap'
import { Operation, ProfileName, ResultStatus } from '#kmip/enums'
import { versionText } from '#kmip/versions'
import type { ConnectionEnd } from './connection.ts'
import type { DispatchLog } from './dispatch.ts'
import type { GroupKeeperLog } from './group-keeper.ts'
import type { InterfaceSetLog } from './interfaces.ts'
import { messageText } from './message-text.ts'
import type { OutgoingLog } from './outgoing.ts'
import type { SweeperLog } from './sweeper.ts'

const operationNames = new Map<number, string>(Object.entries(Operation).map(([name, code]) => [code, name]))
const profileNames = new Map<number, string>(Object.entries(ProfileName).map(([name, value]) => [value, name]))
/** Ends of sessions that call for nothing. */
const ordinaryEnds: ReadonlySet<ConnectionEnd> = new Set(['peer', 'unused', 'idle', 'drained', 'refused'])

/** Of what a peer tells, so much goes to a line. */
const namesLoggedMax = 64
const textLoggedMax = 128

const statusNames = new Map<number, string>([
  [ResultStatus.Success, 'success'],
  [ResultStatus.OperationFailed, 'failed'],
  [ResultStatus.OperationPending, 'pending'],
  [ResultStatus.OperationUndone, 'undone'],
])

/** Events of directories that users log in by. */
export interface DirectoryLog {
  directoryUnavailable: DirectoriesOptions['onUnavailable']
}

/** Of messages that are logged: those that were let in, and our own. */
const loggedMessageLimits = { nestingDepthMax: 64, itemCountMax: 1_000_000 }

/** Events of the administration interface. */
export interface AdministrationLog {
  /** A command was done or refused: who asked, for which domain, and how it ended. Never a value. */
  commandEnded(event: {
    readonly command: string
    readonly by: string
    readonly domain: string
    readonly address: string
    readonly outcome: string
    /** Names and identifiers of what it was about. */
    readonly objects: readonly string[]
    /** Whether it may have changed something. */
    readonly changes: boolean
  }): Promise<void> | void
  /** There is no local socket: the server goes on without it. */
  socketRefused(event: { readonly path: string; readonly reason: string }): void
  /** An unforeseen error. Gives the correlation id that the sender is told. */
  commandFailed(command: string, error: unknown): string
}

/** Events of the dispatcher, of interfaces and of the administration as lines of a logger. */
export const serverLog = (
  logger: Logger,
  newCorrelation: () => string,
): DispatchLog & InterfaceSetLog & DirectoryLog & OutgoingLog & GroupKeeperLog & SweeperLog & AdministrationLog => ({
  internalFailure(correlation, place, error) {
    // The stack helps whoever mends the server; messages of inner errors name files and states, never key material.
    logger.error(
      { correlation, place, error: describe(error) },
      'A request failed inside the server; the client was told the correlation id',
    )
  },
  tellsMessages: () => logger.isLevelEnabled('debug'),
  exchanged(request, answer, encoding) {
    if (!logger.isLevelEnabled('debug')) return
    const text = (bytes: Uint8Array): string => messageText(bytes, encoding, loggedMessageLimits)
    logger.debug({ request: text(request), answer: text(answer) }, 'Messages; what may be secret is told by its length')
  },
  clockSkew(seconds, principal) {
    logger.debug(
      { user: principal.user, seconds },
      "A client's clock is off; dates that it sends may not be what it means",
    )
  },
  answered(version, items, principal, correlation) {
    if (!logger.isLevelEnabled('debug')) return
    const done = items.map(({ operation, resultStatus, resultReason }) => ({
      operation: operationNames.get(operation ?? 0) ?? 'unknown',
      status: statusNames.get(resultStatus) ?? 'unknown',
      reason: resultReason,
    }))
    logger.debug(
      { version: versionText(version), user: principal.user, items: done, ...correlation },
      'A request was answered',
    )
  },
  handshakeRefused({ quiet, ...event }) {
    if (quiet) logger.debug({ tls: event }, 'A peer knocked and went')
    else logger.error({ tls: event }, `A TLS handshake was refused: ${event.reason}. ${event.remedy}`)
  },
  clientRefused({ remedy, ...event }) {
    logger.warn({ client: event }, `A client has no service: ${event.reason}. ${remedy}`)
  },
  credentialRefused(event) {
    logger.warn({ credential: event }, `A request was refused: ${event.reason}`)
  },
  autoRegistrationEnded({ refused, ...event }) {
    if (refused === undefined) logger.info({ registration: event }, 'A client was registered by connecting')
    else logger.warn({ registration: event }, `A client was not registered: ${refused.reason}. ${refused.remedy}`)
  },
  directoryUnavailable(event) {
    const { connection, reason, remedy } = event
    logger.error(
      { directory: { connection, reason } },
      `A user could not log in by ${connection}: ${reason}. ${remedy}`,
    )
  },
  interfaceListens({ interface: name, host, port }) {
    logger.info({ listening: { interface: name, host, port } }, `KMIP is served on port ${port}`)
  },
  interfaceFailed({ interface: name, reason, remedy }) {
    logger.error({ interface: { name, reason } }, `The interface ${name} is in trouble: ${reason}. ${remedy}`)
  },
  oldTlsSpoken({ interface: name, minimum }) {
    logger.warn(
      { tls: { interface: name, minimum } },
      `The interface ${name} speaks ${minimum}, which is no longer safe and will go: update its clients`,
    )
  },
  sessionOpened(event) {
    logger.debug({ session: event }, 'A session was opened')
  },
  sessionEnded(event) {
    if (ordinaryEnds.has(event.reason)) logger.debug({ session: event }, 'A session ended')
    else logger.warn({ session: event }, `A session was ended: ${event.reason}. ${event.detail}`)
  },
  serverRequest({ failure, skipped, ...event }) {
    if (failure === undefined) logger.debug({ serverRequest: event }, 'A client took a request of the server')
    else if (skipped === true) logger.info({ serverRequest: event }, `A client is not told: ${failure}`)
    else if (event.againMs !== undefined) logger.warn({ serverRequest: event }, `A client is told later: ${failure}`)
    else logger.warn({ serverRequest: event }, `A client could not be told: ${failure}`)
  },
  clientTold(address, { version: chosen, operations }, { vendorIdentification, profileInformation = [] }) {
    const client = {
      address,
      version: typeof chosen === 'number' ? versionText(chosen) : (chosen ?? 'not told'),
      operations: operations.slice(0, namesLoggedMax).map((code) => operationNames.get(code) ?? code),
      vendor: vendorIdentification?.slice(0, textLoggedMax),
      profiles: profileInformation.slice(0, namesLoggedMax).map(({ profileName }) => profileNames.get(profileName)),
    }
    logger.info({ client }, 'A client has told of itself')
  },
  stateNotWritten({ message: reason }) {
    logger.error({ sweeper: { reason } }, `A state that a date has brought is not written down: ${reason}`)
  },
  groupNotFilled(group, reason) {
    logger.warn({ group }, `A group could not be filled with fresh keys: ${reason}`)
  },
  sessionsExhausted(event) {
    const many = event.limit === 'failedSessionsPerAddressMax' ? 'connections of its address wait' : 'sessions are open'
    logger.error(
      { session: event },
      `A connection was refused: as many ${many} as ${event.limit} allows; docs/settings.md says more of it`,
    )
  },
  addressPaced(event) {
    logger.warn(
      { session: event },
      `Connections of ${event.address} come to nothing: they are begun ${event.perSecond} a second now. Lines before this one say why; at level debug also those of sessions in which nothing was asked. failedSessionsPerAddressMax is that rate, 0 for any`,
    )
  },
  commandEnded({ command, outcome, changes: _changes, ...event }) {
    logger.info({ administration: { command, outcome, ...event } }, `${command}: ${outcome}`)
  },
  socketRefused(event) {
    logger.error(
      { administration: event },
      `There is no local socket for kmipctl: ${event.reason}. Use a data folder with a shorter path, or adminPort`,
    )
  },
  commandFailed(command, error) {
    const correlation = newCorrelation()
    logger.error(
      { correlation, place: command, error: describe(error) },
      'A command of the administration failed inside the server; its sender was told the correlation id',
    )
    return correlation
  },
})

const describe = (error: unknown): unknown =>
  error instanceof Error ? { name: error.name, message: error.message, stack: error.stack } : { name: typeof error }
