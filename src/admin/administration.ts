/**
 * The administration interface of a running server. What it is: the API on the local socket and, when a port is set, over
 * HTTPS; their start and end. What it is not: the routes (`http-api.ts`) or the commands (`api.ts`).
 */
import type { FastifyInstance } from 'fastify'
import { errorText } from '#actor/error-text'
import { BearerTokens } from '#identity/bearer-tokens'
import { logInAccess, socketAccess } from './access.ts'
import { commands } from './api.ts'
import { type ApiLog, type ApiOptions, buildApi } from './http-api.ts'
import { listenOnPort, listenOnSocket } from './listeners.ts'
import type { AdminServices } from './services.ts'

export interface AdministrationOptions {
  readonly services: Omit<AdminServices, 'bearerTokens'>
  /** Path of the local socket. */
  readonly socketPath: string
  readonly https:
    | { readonly host: string; readonly port: number; readonly cert: string; readonly key: string }
    | undefined
  readonly log: ApiLog & AdministrationLog
  readonly bodyBytesMax: number
  readonly requestTimeoutMs: number
  /** How long a log-in is good for. */
  readonly logInLifetimeMs: number
}

/** What the log is told beside commands. */
export interface AdministrationLog {
  /** There is no local socket: the server goes on without it. */
  socketRefused(event: { readonly path: string; readonly reason: string }): void
}

/** What listens. */
export interface Administration {
  /** The port of HTTPS, when one is served. */
  readonly port: number | undefined
  /** No new requests; resolves when those that were taken are answered. */
  stop(): Promise<void>
}

/**
 * Starts both listeners.
 * @param failed told when a listener fails later
 */
export const startAdministration = async (
  options: AdministrationOptions,
  failed: (reason: unknown) => void,
): Promise<Administration> => {
  const { https, log, bodyBytesMax, requestTimeoutMs } = options
  const { clock, entropy, store } = options.services
  const bearerTokens = new BearerTokens(clock, entropy, options.logInLifetimeMs)
  const services: AdminServices = { ...options.services, bearerTokens }
  const build = (parts: Pick<ApiOptions, 'identify' | 'https'>): Promise<FastifyInstance> =>
    buildApi({ commands, services, log, bodyBytesMax, requestTimeoutMs, ...parts })
  const local = await build({ identify: socketAccess(store, bearerTokens) })
  try {
    await listenOnSocket(local, options.socketPath, failed)
  } catch (error) {
    // Clients are served all the same: they do not need it.
    log.socketRefused({ path: options.socketPath, reason: errorText(error) })
  }
  if (https === undefined) return { port: undefined, stop: () => local.close() }
  const { host, port, cert, key } = https
  const remote = await build({
    identify: logInAccess(store, bearerTokens),
    https: { cert, key, minVersion: 'TLSv1.2' },
  })
  const taken = await listenOnPort(remote, host, port, failed)
  return {
    port: taken,
    async stop() {
      await Promise.all([local.close(), remote.close()])
    },
  }
}
