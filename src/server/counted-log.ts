/**
 * A log whose events are counted. What it is: the seldom events of sessions, handshakes and failures, added up in the meter of
 * the thread that they happen in. What it is not: a line (`log.ts`).
 */
import type { serverLog } from './log.ts'
import type { Meter } from './meter.ts'

type ServerLog = ReturnType<typeof serverLog>

/** The same log, and counts. */
export const countedLog = (log: ServerLog, meter: Meter): ServerLog => ({
  ...log,
  internalFailure: (...event) => {
    meter.event('kmipd_failures_total')
    log.internalFailure(...event)
  },
  handshakeRefused: (event) => {
    meter.event('kmipd_handshakes_refused_total')
    log.handshakeRefused(event)
  },
  clientRefused: (event) => {
    meter.event('kmipd_clients_refused_total', { reason: event.reason })
    log.clientRefused(event)
  },
  credentialRefused: (event) => {
    meter.event('kmipd_credentials_refused_total', { reason: event.reason })
    log.credentialRefused(event)
  },
  sessionOpened: (event) => {
    meter.event('kmipd_sessions_opened_total')
    log.sessionOpened(event)
  },
  sessionEnded: (event) => {
    meter.event('kmipd_sessions_ended_total', { reason: event.reason })
    log.sessionEnded(event)
  },
  sessionsExhausted: (event) => {
    meter.event('kmipd_sessions_refused_total')
    log.sessionsExhausted(event)
  },
  commandFailed: (...event) => {
    meter.event('kmipd_failures_total')
    return log.commandFailed(...event)
  },
})
