/**
 * Where the administration interface listens: a socket file that only the user who runs the server may use and, when a port
 * is set, HTTPS with the server's certificate. What it is: start and stop. What it is not: the routes (`http-api.ts`).
 */
import { chmodSync, rmSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { platform, umask } from 'node:process'
import type { FastifyInstance } from 'fastify'

/** Bytes of a socket's path, as systems have room for it: 104 on some, 108 on others, with an end mark. */
const pathBytesMax = 103

/** Others than the owner have nothing to do with the socket. */
const ownerOnlyMask = 0o177
const ownerOnly = 0o600

/**
 * Listens on a socket file, in the place of one that an ended server left: the data directory is locked by now.
 * @param failed told when the listener fails later
 * @throws RangeError for a path that is too long; errors of the system
 */
export const listenOnSocket = async (
  app: FastifyInstance,
  path: string,
  failed: (reason: unknown) => void,
): Promise<void> => {
  const bytes = Buffer.byteLength(path)
  if (bytes > pathBytesMax && platform !== 'win32') {
    throw new RangeError(`the path of a socket has ${pathBytesMax} bytes at the most, and ${path} has ${bytes}`)
  }
  rmSync(path, { force: true })
  const { server } = app
  const listening = once(server)
  // The file is made by `listen`, within this turn: with a mask it never was open to others.
  const before = platform === 'win32' ? undefined : umask(ownerOnlyMask)
  try {
    server.listen(path)
  } finally {
    if (before !== undefined) umask(before)
  }
  await listening
  if (platform !== 'win32') chmodSync(path, ownerOnly)
  server.on('error', failed)
}

/** Listens on a port, or on any free one for 0. Gives the port. */
export const listenOnPort = async (
  app: FastifyInstance,
  host: string,
  port: number,
  failed: (reason: unknown) => void,
): Promise<number> => {
  const listening = once(app.server)
  app.server.listen({ port, ...(host === 'all' ? {} : { host }) })
  await listening
  app.server.on('error', failed)
  return (app.server.address() as AddressInfo).port
}

const once = (server: FastifyInstance['server']): Promise<void> =>
  new Promise((resolve, reject) => {
    server.once('error', reject)
    server.once('listening', () => {
      server.off('error', reject)
      resolve()
    })
  })
