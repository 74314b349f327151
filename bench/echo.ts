/**
 * The bare TLS echo: a process that answers every request with fixed bytes, in one write each. What it is: the limit of what
 * a server on this runtime and machine could do, because it does nothing but TLS and framing. What it is not: KMIP.
 */
import type { AddressInfo } from 'node:net'
import { createServer } from 'node:tls'
import { Tag } from '#kmip/tags'
import { Framer } from '#ttlv/framer'
import { makeIdentities } from './identities.ts'
import type { EchoListening, EchoSettings } from './job.ts'

const messageSizeMax = 16 * 1024 * 1024
/** Where a request says which answer it wants: in place of what a KMIP message has behind its first two headers. */
const choiceOffset = 16

const listen = async ({ responses, protocol, cipher, clientAuthorities }: EchoSettings): Promise<void> => {
  const { ca, server: own } = await makeIdentities()
  const [only] = responses
  const answerTo = (request: Buffer): Uint8Array =>
    responses[request.length < choiceOffset + 4 ? 0 : request.readUInt32BE(choiceOffset)] ?? only ?? request
  const server = createServer({
    cert: own.cert,
    key: own.key,
    minVersion: protocol,
    maxVersion: protocol,
    // A suite of TLS 1.2 that wants an RSA certificate has no place here; the default order is near enough then.
    ...(protocol === 'TLSv1.3' ? { ciphers: cipher } : {}),
    // A client's own certificate among them admits that client, whoever signed it.
    ...(clientAuthorities === undefined
      ? {}
      : { ca: [...clientAuthorities], allowPartialTrustChain: true, requestCert: true, rejectUnauthorized: true }),
  })
  server.on('secureConnection', (socket) => {
    socket.setNoDelay(true)
    const framer = new Framer(Tag.RequestMessage, messageSizeMax)
    socket.on('error', () => socket.destroy())
    socket.on('data', (chunk: Buffer) => {
      framer.push(chunk)
      for (let request = framer.next(); request !== undefined; request = framer.next()) {
        socket.write(answerTo(request))
      }
    })
  })
  server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 }, () => {
    process.send?.({ port: (server.address() as AddressInfo).port, ca } satisfies EchoListening)
  })
}

process.once('message', (settings: EchoSettings) => {
  listen(settings).catch((error: unknown) => {
    // Nobody can be told but by the exit: the measurement stops with it.
    process.stderr.write(`${String(error)}\n`)
    process.exit(1)
  })
})
process.on('disconnect', () => process.exit())
