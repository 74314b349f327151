/** TLS over real sockets: who gets in, who does not and why, and that a resumed session still tells who it is. */
import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { createPrivateKey } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { type AddressInfo, connect as connectPlain } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import {
  type ConnectionOptions,
  connect,
  createServer,
  type SecureVersion,
  type Server,
  type TLSSocket,
} from 'node:tls'
import { systemClock } from '#actor/clock'
import { systemEntropy } from '#actor/entropy'
import {
  type CertificateWithKey,
  createAuthority,
  issueClientCertificate,
  issueServerCertificate,
  privateKeyPem,
} from '#identity/authority'
import { certificateFingerprint, certificatesFromPem, certificateToPem } from '#identity/certificates'
import { rememberSessions } from '#server/kept-sessions'
import {
  type HandshakeRefusal,
  handshakeRefusal,
  peerCertificate,
  type TlsLimits,
  type TlsMaterial,
  ticketKeysBytes,
  tlsServerOptions,
} from '#server/tls'

const now = systemClock.nowSeconds()
const authority = createAuthority({ CN: 'the CA' }, now, systemEntropy)
const client = issueClientCertificate(authority, { CN: 'kmip' }, now, systemEntropy)
const clientFingerprint = certificateFingerprint(client.certificate)
const ca = certificateToPem(authority.certificate)
const servers: Server[] = []
after(() => servers.forEach((server) => server.close()))

function material(keyType: 'ec' | 'rsa' = 'ec'): TlsMaterial {
  const pair = issueServerCertificate(authority, ['localhost', '127.0.0.1'], now, systemEntropy, keyType)
  return {
    server: [{ certificatePem: certificateToPem(pair.certificate), privateKeyPem: privateKeyPem(pair) }],
    trusted: [authority.certificate],
    ticketKeys: systemEntropy.bytes(ticketKeysBytes),
  }
}

const limits: TlsLimits = {
  minTlsVersion: 'TLSv1.2',
  tlsProfile: 'modern',
  handshakeTimeoutMs: 5_000,
  keepAliveDelayMs: 60_000,
  tlsSessionLifetimeSeconds: 600,
}

interface Peer {
  readonly fingerprint: string | undefined
  readonly resumed: boolean
}

/** A server that says one byte to whom it admits, and tells what it saw. */
async function listen(
  settings: Partial<TlsLimits> = {},
  certificates = material(),
  say = (socket: TLSSocket) => void socket.end('!'),
) {
  const server = createServer(tlsServerOptions(certificates, { ...limits, ...settings }))
  servers.push(server)
  const admitted: Peer[] = []
  server.on('secureConnection', (socket: TLSSocket) => {
    admitted.push({ fingerprint: peerCertificate(socket)?.fingerprint, resumed: socket.isSessionReused() })
    socket.on('error', () => socket.destroy())
    say(socket)
  })
  const refused = () =>
    once(server, 'tlsClientError').then(
      ([error, socket]: unknown[]): HandshakeRefusal => handshakeRefusal(error as Error, socket as TLSSocket),
    )
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return { server, port, admitted, refused }
}

function clientOptions(port: number, pair: CertificateWithKey | null, options: ConnectionOptions = {}) {
  const own = pair && { cert: certificateToPem(pair.certificate), key: privateKeyPem(pair) }
  return { host: '127.0.0.1', port, ca, ...own, ...options }
}

/** A certificate that signs itself and has no Extended Key Usage, as vCenter makes them. */
function selfSigned(): CertificateWithKey {
  const directory = mkdtempSync(join(tmpdir(), 'kmipd-tls-'))
  const [key, certificate] = [join(directory, 'key'), join(directory, 'certificate')]
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256']
  execFileSync(
    'openssl',
    ['req', '-x509', ...curve, '-nodes', '-subj', '/CN=vcenter', '-keyout', key, '-out', certificate],
    {
      stdio: 'ignore',
    },
  )
  const [der] = certificatesFromPem(readFileSync(certificate, 'utf8'))
  const privateKey = createPrivateKey(readFileSync(key)).export({ format: 'der', type: 'pkcs8' })
  rmSync(directory, { recursive: true })
  assert.ok(der)
  return { certificate: der, privateKey }
}

/** Connects and reads to the end; gives what was read and the last session ticket. */
async function visit(port: number, options: ConnectionOptions = {}, pair: CertificateWithKey | null = client) {
  const socket = connect(clientOptions(port, pair, options))
  let session: Buffer | undefined
  socket.on('session', (data) => (session = data))
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  let text = ''
  let cipher = ''
  socket.on('secureConnect', () => (cipher = socket.getCipher().name))
  socket.on('data', (data) => (text += data.toString()))
  socket.on('error', reject)
  socket.on('close', () => resolve())
  await promise
  return { text, session: session ?? socket.getSession(), cipher }
}

describe('admission', () => {
  for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
    test(`a client certificate of the CA is admitted, ${version}`, async () => {
      const { port, admitted } = await listen()
      const { text } = await visit(port, { minVersion: version, maxVersion: version })
      assert.equal(text, '!')
      assert.deepEqual(admitted, [{ fingerprint: clientFingerprint, resumed: false }])
    })

    const other = createAuthority({ CN: 'another CA' }, now, systemEntropy)
    const strangers: readonly (readonly [string, CertificateWithKey | null, string, RegExp])[] = [
      ['of another CA', issueClientCertificate(other, { CN: 'kmip' }, now, systemEntropy), 'UNABLE_TO_', /CA/],
      ['self-signed', selfSigned(), 'DEPTH_ZERO_SELF_SIGNED_CERT', /CA/],
      [
        'that is expired',
        issueClientCertificate(authority, { CN: 'kmip' }, now - 20 * 366 * 86_400, systemEntropy),
        'CERT_HAS_EXPIRED',
        /clock/,
      ],
      ['for servers', issueServerCertificate(authority, ['localhost'], now, systemEntropy), 'INVALID_PURPOSE', /Usage/],
      ['that is missing', null, 'ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE', /configure/],
    ]
    for (const [name, pair, code, remedy] of strangers) {
      test(`a client certificate ${name} is refused, ${version}`, async () => {
        const { port, admitted, refused } = await listen()
        const refusal = refused()
        const outcome = visit(port, { minVersion: version, maxVersion: version }, pair).then(
          ({ text }) => text,
          () => '',
        )
        assert.equal(await outcome, '')
        const { code: found, remedy: advice, quiet } = await refusal
        assert.ok(found.startsWith(code), found)
        assert.match(advice, remedy)
        assert.equal(quiet, false)
        assert.deepEqual(admitted, [])
      })
    }
  }

  test('a self-signed client certificate is admitted when it is trusted itself', async () => {
    const own = selfSigned()
    const trusting = { ...material(), trusted: [authority.certificate, own.certificate] }
    const { port, admitted } = await listen({}, trusting)
    await visit(port, {}, own)
    assert.deepEqual(admitted, [{ fingerprint: certificateFingerprint(own.certificate), resumed: false }])
  })
})

describe('resumption', () => {
  const ways: readonly (readonly [string, SecureVersion, boolean])[] = [
    ['by ticket, TLS 1.3', 'TLSv1.3', true],
    ['by ticket, TLS 1.2', 'TLSv1.2', true],
    ['by identifier, TLS 1.2', 'TLSv1.2', false],
  ]
  for (const [name, version, tickets] of ways) {
    test(`${name}, keeps the peer's certificate`, async () => {
      const { port, server, admitted } = await listen()
      rememberSessions(server, 10, 600, systemClock)
      // SSL_OP_NO_TICKET
      const options = { minVersion: version, maxVersion: version, ...(tickets ? {} : { secureOptions: 0x4000 }) }
      const { session } = await visit(port, options)
      assert.ok(session)
      const { text } = await visit(port, { ...options, session })
      assert.equal(text, '!')
      assert.deepEqual(admitted, [
        { fingerprint: clientFingerprint, resumed: false },
        { fingerprint: clientFingerprint, resumed: true },
      ])
    })
  }

  test('sessions with tickets are none to keep, and cost no look for one', async () => {
    const { port, server } = await listen()
    rememberSessions(server, 10, 600, systemClock)
    await visit(port, {})
    await visit(port, { maxVersion: 'TLSv1.2' })
    assert.deepEqual([server.listenerCount('newSession'), server.listenerCount('resumeSession')], [0, 0])
    // SSL_OP_NO_TICKET
    await visit(port, { maxVersion: 'TLSv1.2', secureOptions: 0x4000 })
    assert.equal(server.listenerCount('resumeSession'), 1)
  })

  test('a session that is forgotten, or pushed out, is not taken up again', async () => {
    const { port, server, admitted } = await listen()
    const kept = rememberSessions(server, 1, 600, systemClock)
    const options = { maxVersion: 'TLSv1.2', secureOptions: 0x4000 } as const
    const { session: first } = await visit(port, options)
    const { session: second } = await visit(port, options)
    assert.ok(first && second)
    await visit(port, { ...options, session: first })
    await visit(port, { ...options, session: second })
    kept.forget()
    await visit(port, { ...options, session: second })
    assert.deepEqual(
      admitted.map(({ resumed }) => resumed),
      [false, false, false, false, false],
    )
  })

  test('listeners with the same ticket keys resume each other’s sessions', async () => {
    const shared = material()
    const [first, second] = [await listen({}, shared), await listen({}, shared)]
    const { session } = await visit(first.port)
    assert.ok(session)
    await visit(second.port, { session })
    assert.deepEqual(second.admitted, [{ fingerprint: clientFingerprint, resumed: true }])
  })

  for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
    test(`can be switched off, ${version}`, async () => {
      const { port, server, admitted } = await listen({ tlsSessionLifetimeSeconds: 0 })
      rememberSessions(server, 10, 0, systemClock)
      const { session } = await visit(port, { maxVersion: version })
      await visit(port, { maxVersion: version, ...(session ? { session } : {}) })
      assert.deepEqual(
        admitted.map(({ resumed }) => resumed),
        [false, false],
      )
    })
  }
})

describe('profiles', () => {
  // What an appliance of the last decade offers: RSA key exchange, CBC with SHA-256.
  const old = { maxVersion: 'TLSv1.2', ciphers: 'AES128-SHA256@SECLEVEL=0' } as const
  const first = { minVersion: 'TLSv1', maxVersion: 'TLSv1', ciphers: 'DEFAULT@SECLEVEL=0' } as const

  test('modern refuses RSA key exchange and TLS 1.0, and says why', async () => {
    const { port, refused } = await listen({}, material('rsa'))
    let refusal = refused()
    await assert.rejects(visit(port, old))
    assert.match((await refusal).reason, /cipher suite/)
    refusal = refused()
    await assert.rejects(visit(port, first))
    assert.match((await refusal).reason, /versions of TLS/)
  })

  test('compatible speaks both, and still prefers the best', async () => {
    const { port } = await listen({ tlsProfile: 'compatible', minTlsVersion: 'TLSv1' }, material('rsa'))
    assert.equal((await visit(port, old)).cipher, 'AES128-SHA256')
    assert.equal((await visit(port, first)).text, '!')
    assert.equal((await visit(port)).cipher, 'TLS_AES_256_GCM_SHA384')
    assert.match((await visit(port, { maxVersion: 'TLSv1.2' })).cipher, /^ECDHE-RSA-AES256-GCM/)
  })

  test('modern exchanges keys over curves and ML-KEM alone, compatible over finite fields, too', async () => {
    const modern = await listen()
    for (const ecdhCurve of ['X25519MLKEM768', 'X25519', 'P-256', 'X448', 'P-384', 'P-521']) {
      assert.equal((await visit(modern.port, { ecdhCurve })).text, '!', ecdhCurve)
    }
    for (const ecdhCurve of ['ffdhe2048', 'ffdhe3072', 'ffdhe8192']) {
      await assert.rejects(visit(modern.port, { ecdhCurve }), ecdhCurve)
    }
    const compatible = await listen({ tlsProfile: 'compatible' })
    assert.equal((await visit(compatible.port, { ecdhCurve: 'ffdhe3072' })).text, '!')
  })

  test('no renegotiation', async () => {
    const { port } = await listen({}, material(), (held) => void held.write('!'))
    const socket = connect(clientOptions(port, client, { maxVersion: 'TLSv1.2' }))
    await once(socket, 'data')
    const { promise, resolve } = Promise.withResolvers<Error | null>()
    socket.on('error', resolve)
    socket.renegotiate({}, (error) => resolve(error))
    assert.ok((await promise) instanceof Error)
    socket.destroy()
  })
})

describe('refusals', () => {
  test('a peer that knocks and goes is quiet', async () => {
    const { port, refused } = await listen()
    const refusal = refused()
    const socket = connectPlain(port, '127.0.0.1')
    await once(socket, 'connect')
    socket.end()
    assert.equal((await refusal).quiet, true)
  })

  for (const [name, bytes] of [
    ['KMIP without TLS', Buffer.from('42007801000000984200770100000038', 'hex')],
    ['HTTP', 'GET / HTTP/1.1\r\n\r\n'],
  ] as const) {
    test(`${name} is told as such`, async () => {
      const { port, refused } = await listen()
      const refusal = refused()
      const socket = connectPlain(port, '127.0.0.1', () => socket.write(bytes))
      socket.on('error', () => socket.destroy())
      assert.equal((await refusal).reason, 'the peer does not speak TLS')
      socket.destroy()
    })
  }

  test('a client that does not trust the server is told as such', async () => {
    const { port, refused } = await listen()
    const refusal = refused()
    const directory = mkdtempSync(join(tmpdir(), 'kmipd-tls-'))
    const file = join(directory, 'other.pem')
    writeFileSync(file, certificateToPem(createAuthority({ CN: 'unrelated' }, now, systemEntropy).certificate))
    const strict = ['-CAfile', file, '-verify_return_error']
    const peer = spawn('openssl', ['s_client', '-connect', `127.0.0.1:${port}`, ...strict], { stdio: 'ignore' })
    const closed = once(peer, 'close')
    assert.match((await refusal).reason, /does not trust the server/)
    await closed
    rmSync(directory, { recursive: true })
  })

  test('a silent peer is closed in time', async () => {
    const { port, refused } = await listen({ handshakeTimeoutMs: 50 })
    const refusal = refused()
    const socket = connectPlain(port, '127.0.0.1')
    socket.on('error', () => socket.destroy())
    assert.match((await refusal).remedy, /handshakeTimeoutMs/)
    socket.destroy()
  })
})
