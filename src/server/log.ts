/**
 * The log: one JSON line an event, with what to do about it. What it is: the only place that writes lines, and so the place
 * that decides what a line may hold: numbers, names of operations, identifiers; never a payload, a credential or a key.
 */

import type { Logger } from 'pino'
import { Operation, ResultStatus } from '#kmip/enums'
import { versionText } from '#kmip/versions'
import type { DispatchLog } from './dispatch.ts'
import type { InterfaceLog } from './interface.ts'
import type { OutgoingLog } from './outgoing.ts'

const operationNames = new Map<number, string>(Object.entries(Operation).map(([name, code]) => [code, name]))

const statusNames = new Map<number, string>([
  [ResultStatus.Success, 'success'],
  [ResultStatus.OperationFailed, 'failed'],
  [ResultStatus.OperationPending, 'pending'],
  [ResultStatus.OperationUndone, 'undone'],
])

/** Events of the dispatcher and of interfaces as lines of a logger. */
export const serverLog = (logger: Logger): DispatchLog & InterfaceLog & OutgoingLog => ({
  internalFailure(correlation, place, error) {
    // The stack helps whoever mends the server; messages of inner errors name files and states, never key material.
    logger.error(
      { correlation, place, error: describe(error) },
      'A request failed inside the server; the client was told the correlation id',
    )
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
    else logger.warn({ tls: event }, `A TLS handshake was refused: ${event.reason}. ${event.remedy}`)
  },
  clientRefused(event) {
    logger.warn(
      { client: event },
      `A client has no service: ${event.reason}. Register its certificate, or take it out of the client`,
    )
  },
  sessionOpened(event) {
    logger.debug({ session: event }, 'A session was opened')
  },
  sessionEnded(event) {
    const ordinary =
      event.reason === 'peer' || event.reason === 'idle' || event.reason === 'drained' || event.reason === 'refused'
    if (ordinary) logger.debug({ session: event }, 'A session ended')
    else logger.warn({ session: event }, `A session was ended: ${event.reason}. ${event.detail}`)
  },
  serverRequest({ failure, ...event }) {
    if (failure === undefined) logger.debug({ serverRequest: event }, 'A client took a request of the server')
    else logger.warn({ serverRequest: event }, `A client could not be told: ${failure}`)
  },
  sessionsExhausted(event) {
    logger.error({ session: event }, 'A connection was refused: as many sessions are open as sessionsMax allows')
  },
})

const describe = (error: unknown): unknown =>
  error instanceof Error ? { name: error.name, message: error.message, stack: error.stack } : { name: typeof error }
