/**
 * The port of those who watch: plain HTTP with `/metrics`, `/healthz` and `/readyz`. What it is: a listener for a monitoring
 * system and an orchestrator, off unless a port is set; it takes nothing but GET and tells nothing secret. What it is not: the
 * administration interface.
 */
import { createServer, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { errorText } from '#actor/error-text'

export interface WatchPortOptions {
  readonly host: string
  /** 0: any free one. */
  readonly port: number
  readonly contentType: string
  readonly metrics: () => Promise<string>
  /** Why the server is not ready to serve; empty when it is. */
  readonly unready: () => readonly string[]
  /** Told when the listener fails later. */
  readonly failed: (reason: unknown) => void
}

export interface WatchPort {
  readonly port: number
  stop(): Promise<void>
}

/** Prometheus and a few probes. */
const connectionsMax = 64
const requestTimeoutMs = 10_000
const textType = 'text/plain; charset=utf-8'

/** Listens. Rejects with what the system says of a port that cannot be had. */
export const startWatchPort = async (options: WatchPortOptions): Promise<WatchPort> => {
  const server = createServer(
    { requestTimeout: requestTimeoutMs, headersTimeout: requestTimeoutMs },
    (request, response) => {
      const path = (request.url ?? '').split('?')[0] ?? ''
      const page = pages[path]
      // A body is not read: the connection ends with the answer.
      if (request.method !== 'GET' && request.method !== 'HEAD')
        return send(response, 405, textType, 'Only GET\n', true)
      if (page === undefined) return send(response, 404, textType, 'There are /metrics, /healthz and /readyz\n')
      page(options).then(
        ({ status, type, text }) => send(response, status, type, text),
        (error: unknown) => send(response, 500, textType, `${errorText(error)}\n`),
      )
    },
  )
  server.maxConnections = connectionsMax
  await listening(server, options.host, options.port)
  server.on('error', options.failed)
  return {
    port: (server.address() as AddressInfo).port,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

interface Page {
  readonly status: number
  readonly type: string
  readonly text: string
}

const pages: Readonly<Record<string, (options: WatchPortOptions) => Promise<Page>>> = {
  '/metrics': async ({ metrics, contentType }) => ({ status: 200, type: contentType, text: await metrics() }),
  // That it is answered is the answer: the main thread's loop turns.
  '/healthz': async () => ({ status: 200, type: textType, text: 'alive\n' }),
  '/readyz': async ({ unready }) => {
    const reasons = unready()
    if (reasons.length === 0) return { status: 200, type: textType, text: 'ready\n' }
    return { status: 503, type: textType, text: reasons.map((reason) => `${reason}\n`).join('') }
  },
}

const send = (response: ServerResponse, status: number, type: string, text: string, last = false): void => {
  response.writeHead(status, {
    'content-type': type,
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    ...(last ? { connection: 'close' } : {}),
  })
  response.end(text)
}

const listening = (server: Server, host: string, port: number): Promise<void> =>
  new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen({ port, ...(host === 'all' ? {} : { host }) }, () => {
      server.off('error', reject)
      resolve()
    })
  })
