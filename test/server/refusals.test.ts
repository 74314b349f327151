/**
 * Handshakes that a real server refuses: what its log says, one line each, of level ERR, with `tls`, reason and remedy, and that
 * the peer is let go of.
 */
import assert from 'node:assert/strict'
import { connect as connectPlain, type Socket } from 'node:net'
import { after, before, test } from 'node:test'
import { type ConnectionOptions, connect } from 'node:tls'
import { systemClock } from '#actor/clock'
import { systemEntropy } from '#actor/entropy'
import { ConnectionLost } from '#client/errors'
import { Transport } from '#client/transport'
import { createAuthority, issueClientCertificate, privateKeyPem } from '#identity/authority'
import { certificateToPem } from '#identity/certificates'
import { v1_4 } from '#kmip/versions'
import { item, readAnswer, requestBytes } from '#test/dispatcher'
import { type RunningServer, startServerProcess } from '#test/running-server'

let server: RunningServer
/** Little time, and room for few. */
let narrow: RunningServer
const room = 3
before(async () => {
  const flags = ['--fronts', '1', '--handshake-timeout-ms', '1000', '--sessions-max', String(room)]
  ;[server, narrow] = await Promise.all([startServerProcess(), startServerProcess({ flags, https: true })])
})
after(() => Promise.all([server.kill(), narrow.kill()]))

const now = systemClock.nowSeconds()
const foreign = createAuthority({ CN: 'a foreign CA' }, now, systemEntropy)
const stranger = issueClientCertificate(foreign, { CN: 'kmip' }, now, systemEntropy)

interface Refusal {
  readonly interface: string
  readonly address: string
  readonly reason: string
  readonly remedy: string
}

/** The lines that an administrator finds by `ERR` and `tls`. */
const refusals = (): readonly Refusal[] =>
  server.log.filter(({ level, tls }) => level === 'ERR' && tls !== undefined).map(({ tls }) => tls as Refusal)

/** Connects in vain; gives the line of the log. */
const refusal = async (options: ConnectionOptions): Promise<Refusal> => {
  const before = refusals().length
  const { host, port, ca } = server.connection
  const socket = connect({ host, port, ca, ...options })
  socket.on('error', () => undefined)
  // A client of TLS 1.3 only sees that it was refused when it reads.
  socket.resume()
  await new Promise((resolve) => socket.once('close', resolve))
  return lineAfter(before)
}

const waitMs = 10
const waitsMax = 500
const lineAfter = async (count: number): Promise<Refusal> => {
  for (let waits = 0; waits < waitsMax; waits++) {
    const line = refusals()[count]
    if (line !== undefined) return line
    await new Promise<void>((resolve) => systemClock.after(waitMs, resolve))
  }
  return assert.fail('no line was written')
}

const rows: readonly (readonly [string, ConnectionOptions, RegExp])[] = [
  ['no certificate', {}, /showed no certificate/],
  [
    'a certificate of a foreign CA',
    { cert: certificateToPem(stranger.certificate), key: privateKeyPem(stranger) },
    /not issued by a CA that this interface trusts/,
  ],
  [
    'an old version of TLS',
    { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' },
    /only versions of TLS that this interface refuses/,
  ],
]
for (const [name, options, reason] of rows) {
  test(`${name}: a line that says so`, async () => {
    const line = await refusal(options)
    assert.match(line.reason, reason)
    assert.equal(line.interface, 'kmip')
    assert.match(line.address, /127\.0\.0\.1/)
    assert.ok(line.remedy.length > 10)
  })
}

test('a peer that speaks no TLS: a line that says so', async () => {
  const before = refusals().length
  const { host, port } = server.connection
  const socket = connectPlain(port, host)
  socket.on('error', () => undefined)
  socket.end('GET / HTTP/1.1\r\n\r\n')
  const line = await lineAfter(before)
  assert.match(line.reason, /does not speak TLS/)
  socket.destroy()
})

/** Whether a client is served, as soon as there is room: the server may see a moment later that others went. */
const isServed = async (): Promise<boolean> => {
  const bytes = requestBytes(v1_4, [item('DiscoverVersions', { protocolVersion: [] })])
  for (let waits = 0; waits < waitsMax; waits++) {
    const client = new Transport(narrow.connection)
    try {
      return readAnswer(await client.send(bytes)).items[0]?.status === 'Success'
    } catch (error) {
      if (!(error instanceof ConnectionLost)) throw error
      await new Promise<void>((resolve) => systemClock.after(waitMs, resolve))
    } finally {
      await client.close()
    }
  }
  return false
}

/** What peers do that never come to a session. */
const peers: Readonly<Record<string, (socket: Socket) => void>> = {
  'say nothing': () => undefined,
  'begin a handshake and stop': (socket) => void socket.write(Buffer.from('16030100f5010000f1', 'hex')),
  'end their side at once': (socket) => void socket.end(),
}
for (const [what, does] of Object.entries(peers)) {
  for (const port of ['port', 'httpsPort'] as const) {
    test(`peers that ${what} are closed by the server, and give their places back (${port})`, async () => {
      const held = Array.from({ length: room }, () => {
        const socket = connectPlain({ port: narrow[port] ?? 0, host: narrow.host, allowHalfOpen: true })
        socket.on('error', () => undefined)
        socket.once('connect', () => does(socket))
        // The peer keeps its own side open: only the server can end this.
        return new Promise((resolve) => socket.resume().once('end', resolve).once('close', resolve))
      })
      await Promise.all(held)
      assert.equal(await isServed(), true)
    })
  }
}

test('a peer that ends its side behind a request is answered', async () => {
  const socket = connect(server.connection)
  socket.end(requestBytes(v1_4, [item('DiscoverVersions', { protocolVersion: [] })]))
  const chunks: Buffer[] = []
  for await (const chunk of socket) chunks.push(chunk)
  assert.equal(readAnswer(Buffer.concat(chunks)).items[0]?.status, 'Success')
})
