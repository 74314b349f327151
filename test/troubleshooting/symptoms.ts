/**
 * What goes wrong between a client and the server, provoked one by one on a real server: what the client is told, and the line
 * of the log. What it is: a row for each section of docs/tls.md, by its heading. What it is not: the comparison with the page.
 */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect as connectPlain } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls'
import { fileURLToPath } from 'node:url'
import { systemClock } from '#actor/clock'
import { systemEntropy } from '#actor/entropy'
import {
  type CertificateWithKey,
  createAuthority,
  issueClientCertificate,
  issueServerCertificate,
  privateKeyPem,
} from '#identity/authority'
import { certificateToPem } from '#identity/certificates'
import { v1_4 } from '#kmip/versions'
import { passwordHeader } from '#test/clients/appliance'
import { item, readAnswer, requestBytes } from '#test/dispatcher'
import { type LogLine, type RunningServer, startServerProcess } from '#test/running-server'

/** What was seen of one symptom. */
export interface Seen {
  /** What a client of Node says; it has OpenSSL's words, as most clients do. */
  readonly client: string
  /** The line of the log; undefined: there is none. */
  readonly server: LogLine | undefined
}

type Symptom = (bench: Bench) => Promise<Seen>

const waitMs = 20
const waitsMax = 500
/** How long nothing must come before it is said that there is no line. */
const silenceMs = 300
const pause = (delayMs: number): Promise<void> => new Promise((resolve) => void systemClock.after(delayMs, resolve))

/** A server with clients of all kinds, and another one with short limits. */
export class Bench {
  readonly server: RunningServer
  readonly hasty: RunningServer
  /** Known to the server and trusted by its interface. */
  readonly authority: CertificateWithKey
  readonly #directory: string

  private constructor(server: RunningServer, hasty: RunningServer, authority: CertificateWithKey, directory: string) {
    this.server = server
    this.hasty = hasty
    this.authority = authority
    this.#directory = directory
  }

  static async start(): Promise<Bench> {
    const short = ['--handshake-timeout-ms', '3000', '--request-timeout-ms', '500', '--sessions-per-address-max', '2']
    // Sessions of an address are counted by thread.
    const one = ['--fronts', '1']
    const [server, hasty] = await Promise.all([
      startServerProcess({ flags: one }),
      startServerProcess({ flags: [...one, ...short] }),
    ])
    const authority = createAuthority({ CN: 'Corporate CA' }, systemClock.nowSeconds() - 9 * yearSeconds, systemEntropy)
    const bench = new Bench(server, hasty, authority, mkdtempSync(join(tmpdir(), 'kmipd-symptoms-')))
    const path = bench.file('corporate-ca.pem', certificateToPem(authority.certificate))
    const { id } = JSON.parse(bench.kmipctl('ca', 'externals', 'create', '--cert-file', path)) as {
      readonly id: string
    }
    bench.kmipctl('interfaces', 'modify', '-n', 'kmip', '--trusted-external-cas', id)
    bench.kmipctl('users', 'create', '-n', 'joe', '-p', 'a password of joe')
    return bench
  }

  async stop(): Promise<void> {
    rmSync(this.#directory, { recursive: true })
    await Promise.all([this.server.stop(), this.hasty.stop()])
  }

  /** A file with this text. Gives its path. */
  file(name: string, text: string): string {
    const path = join(this.#directory, name)
    writeFileSync(path, text)
    return path
  }

  /** Runs a line of kmipctl on the server. Gives what it printed. */
  kmipctl(...words: readonly string[]): string {
    const program = fileURLToPath(import.meta.resolve('#src/kmipctl'))
    const socket = ['--socket', join(this.server.directory, 'admin.sock')]
    return execFileSync(process.execPath, [program, ...socket, ...words], { encoding: 'utf8', cwd: this.#directory })
  }

  openssl(...words: readonly string[]): void {
    execFileSync('openssl', words, { cwd: this.#directory, stdio: 'pipe' })
  }

  read(name: string): string {
    return readFileSync(join(this.#directory, name), 'utf8')
  }

  /** A certificate of the trusted CA for a key that `openssl` makes. */
  signed(name: string, newKey: readonly string[], digest: string): ConnectionOptions {
    this.file('corporate-ca.key', privateKeyPem(this.authority))
    this.openssl(
      'req',
      '-new',
      ...newKey,
      '-nodes',
      '-subj',
      `/CN=${name}`,
      '-keyout',
      `${name}.key`,
      '-out',
      `${name}.csr`,
    )
    const issuer = ['-CA', 'corporate-ca.pem', '-CAkey', 'corporate-ca.key', '-CAcreateserial', '-days', '30', digest]
    this.openssl('x509', '-req', '-in', `${name}.csr`, ...issuer, '-out', `${name}.pem`)
    return { cert: this.read(`${name}.pem`), key: this.read(`${name}.key`) }
  }

  /** The next line of the log with this member, of a level that shows, or undefined when none comes. */
  async line(under: RunningServer, from: number, member: string, waits = waitsMax): Promise<LogLine | undefined> {
    for (let round = 0; round < waits; round++) {
      const found = under.log.slice(from).find((line) => line[member] !== undefined && line['level'] !== 'INF')
      if (found !== undefined) return found
      await pause(waitMs)
    }
    return undefined
  }

  /** A handshake that must fail. */
  async handshake(options: ConnectionOptions, under = this.server): Promise<Seen> {
    const from = under.log.length
    const client = await failureOf({ ...under.connection, cert: undefined, key: undefined, ...options })
    return { client, server: await this.line(under, from, 'tls') }
  }

  /** One request in a session with this certificate; what it is answered, and the line of the log. */
  async request(
    options: ConnectionOptions,
    member: 'client' | 'credential' | 'registration',
    header: Parameters<typeof requestBytes>[2] = {},
  ): Promise<Seen> {
    const { server } = this
    const from = server.log.length
    const socket = connect({ ...server.connection, ...options })
    socket.write(requestBytes(v1_4, [item('Locate', { attribute: [] })], header))
    const answer = await new Promise<Buffer>((resolve, reject) => {
      socket.once('data', resolve)
      socket.once('error', reject)
    })
    const [only] = readAnswer(answer).items
    const ended = await Promise.race([
      new Promise<boolean>((resolve) => socket.once('end', () => resolve(true))),
      pause(silenceMs).then(() => false),
    ])
    socket.destroy()
    const client = `${only?.reason}: ${only?.message}${ended ? ', and the end of the session' : ''}`
    return { client, server: await this.line(server, from, member) }
  }
}

const yearSeconds = 366 * 86_400

/** Why a connection fails, as a client of Node tells it: the code, OpenSSL's words, the number of the alert. */
const failureOf = async (options: ConnectionOptions): Promise<string> => {
  const socket = connect(options)
  const failed = new Promise<string>((resolve) => {
    socket.once('error', (error: Error & { code?: string }) => {
      // What Node says beside it depends on the moment.
      if (error.code === 'ECONNRESET') return resolve(error.code)
      const [, words] = /SSL routines:[^:]*:([^:]+)/.exec(error.message) ?? []
      const [, alert] = /SSL alert number (\d+)/.exec(error.message) ?? []
      const more = [words === undefined ? error.message : words, alert === undefined ? [] : `SSL alert number ${alert}`]
      resolve([error.code ?? 'no code', ...more.flat()].join(', '))
    })
    socket.once('close', () => resolve('closed'))
  })
  // A client of TLS 1.3 only sees that it was refused when it reads.
  socket.resume()
  const failure = await failed
  socket.destroy()
  return failure
}

/** A session, as soon as there is room: the server may not have seen yet that others went. */
const sessionInTime = async (options: ConnectionOptions): Promise<TLSSocket> => {
  for (let round = 0; round < waitsMax; round++) {
    const socket = connect(options)
    const isIn = await new Promise<boolean>((resolve) => {
      socket.once('secureConnect', () => resolve(true))
      socket.once('error', () => resolve(false))
    })
    if (isIn) return socket
    socket.destroy()
    await pause(waitMs)
  }
  return assert.fail('there is no room')
}

const pairOf = (made: CertificateWithKey): ConnectionOptions => ({
  cert: certificateToPem(made.certificate),
  key: privateKeyPem(made),
})
const clientOf = (authority: CertificateWithKey, CN: string, nowSeconds: number): ConnectionOptions =>
  pairOf(issueClientCertificate(authority, { CN }, nowSeconds, systemEntropy))
const now = (): number => systemClock.nowSeconds()
const own = ({ server: { connection } }: Bench): ConnectionOptions => ({ cert: connection.cert, key: connection.key })

/** A client that an administrator has registered by hand for a user. */
const registered = (bench: Bench, name: string): ConnectionOptions => {
  const pair = clientOf(bench.authority, name, now())
  const path = bench.file(`${name}.pem`, String(pair.cert))
  bench.kmipctl('kmip', 'createclient', '-n', name, '--cert-file', path, '--user', 'joe')
  return pair
}

/** A session of bytes, whose end is waited for; what the log says of it. */
const session = async (bench: Bench, under: RunningServer, bytes: string | Buffer): Promise<Seen> => {
  const from = under.log.length
  const socket = connect(under.connection)
  socket.write(bytes)
  const chunks: Buffer[] = []
  socket.on('data', (chunk: Buffer) => chunks.push(chunk))
  await new Promise((resolve) => socket.once('end', resolve))
  socket.destroy()
  const [only] = readAnswer(Buffer.concat(chunks)).items
  const client = `${only?.reason}: ${only?.message}, and the end of the session`
  return { client, server: await bench.line(under, from, 'session') }
}

/** By the heading of the section. */
export const symptoms: Readonly<Record<string, Symptom>> = {
  'The client shows no certificate': (bench) => bench.handshake({}),
  'The CA of the client is not trusted': (bench) =>
    bench.handshake(clientOf(createAuthority({ CN: 'Another CA' }, now(), systemEntropy), 'joe', now())),
  'The client certificate signs itself': (bench) => {
    const files = ['-keyout', 'self.key', '-out', 'self.pem']
    bench.openssl('req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-subj', '/CN=vcenter', ...files)
    return bench.handshake({ cert: bench.read('self.pem'), key: bench.read('self.key') })
  },
  'An intermediate certificate is missing': (bench) => {
    bench.file('corporate-ca.key', privateKeyPem(bench.authority))
    bench.file('ca.ext', 'basicConstraints=critical,CA:true\nkeyUsage=keyCertSign\n')
    const key = ['-newkey', 'rsa:2048', '-nodes']
    bench.openssl('req', '-new', ...key, '-subj', '/CN=Branch CA', '-keyout', 'branch.key', '-out', 'branch.csr')
    const above = ['-CA', 'corporate-ca.pem', '-CAkey', 'corporate-ca.key', '-CAcreateserial', '-extfile', 'ca.ext']
    bench.openssl('x509', '-req', '-in', 'branch.csr', ...above, '-out', 'branch.pem')
    bench.openssl('req', '-new', ...key, '-subj', '/CN=joe', '-keyout', 'leaf.key', '-out', 'leaf.csr')
    const issuer = ['-CA', 'branch.pem', '-CAkey', 'branch.key', '-CAcreateserial']
    bench.openssl('x509', '-req', '-in', 'leaf.csr', ...issuer, '-out', 'leaf.pem')
    return bench.handshake({ cert: bench.read('leaf.pem'), key: bench.read('leaf.key') })
  },
  'The client certificate has expired': (bench) =>
    bench.handshake(clientOf(bench.authority, 'joe', now() - 7 * yearSeconds)),
  'The client certificate is not valid yet': (bench) =>
    bench.handshake(pairOf(issueClientCertificate(bench.authority, { CN: 'joe' }, now() + 86_400, systemEntropy))),
  'The client certificate is for servers alone': (bench) =>
    bench.handshake(pairOf(issueServerCertificate(bench.authority, ['array.example'], now(), systemEntropy))),
  'The key of the client certificate is too short': (bench) =>
    bench.handshake({ ...bench.signed('short', ['-newkey', 'rsa:1024'], '-sha256'), ciphers: 'DEFAULT@SECLEVEL=0' }),
  'The client certificate is signed with SHA-1': (bench) =>
    bench.handshake({ ...bench.signed('sha1', ['-newkey', 'rsa:2048'], '-sha1'), ciphers: 'DEFAULT@SECLEVEL=0' }),
  'The client speaks an old TLS': (bench) =>
    bench.handshake({ ...own(bench), minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' }),
  'No cipher suite in common': (bench) =>
    bench.handshake({ ...own(bench), maxVersion: 'TLSv1.2', ciphers: 'AES128-SHA256:AES256-SHA' }),
  'No curve in common': (bench) => bench.handshake({ ...own(bench), ecdhCurve: 'ffdhe2048' }),
  'The client does not trust the server': async (bench) => {
    const { server } = bench
    const from = server.log.length
    const { certPath, keyPath, host, port } = server
    const other = bench.file(
      'other-ca.pem',
      certificateToPem(createAuthority({ CN: 'Another CA' }, now(), systemEntropy).certificate),
    )
    let said = ''
    try {
      const files = ['-CAfile', other, '-cert', certPath, '-key', keyPath]
      bench.openssl('s_client', '-connect', `${host}:${port}`, '-verify_return_error', ...files)
    } catch (error) {
      said = (error as { readonly stderr: Buffer }).stderr.toString()
    }
    const client = /^verify error:(.*)$/m.exec(said)?.[1] ?? said
    return { client: `verify error:${client}`, server: await bench.line(server, from, 'tls') }
  },
  'The server has another name': async (bench) => {
    const { server } = bench
    const from = server.log.length
    const client = await failureOf({ ...server.connection, servername: 'kmip.example' })
    return { client, server: await bench.line(server, from, 'tls', silenceMs / waitMs) }
  },
  'The peer does not speak TLS': async (bench) => {
    const { server } = bench
    const from = server.log.length
    const socket = connectPlain(server.port, server.host)
    socket.on('error', () => undefined)
    socket.end('GET / HTTP/1.1\r\n\r\n')
    socket.resume()
    await new Promise((resolve) => socket.once('close', resolve))
    return { client: 'closed', server: await bench.line(server, from, 'tls') }
  },
  'The peer connects and says nothing': async (bench) => {
    const { hasty } = bench
    const from = hasty.log.length
    const socket = connectPlain(hasty.port, hasty.host)
    socket.on('error', () => undefined)
    socket.resume()
    await new Promise((resolve) => socket.once('close', resolve))
    return { client: 'closed', server: await bench.line(hasty, from, 'tls') }
  },
  'The peer connects and goes': async (bench) => {
    const { server } = bench
    const from = server.log.length
    const socket = connectPlain(server.port, server.host)
    await new Promise((resolve) => socket.once('connect', resolve))
    socket.destroy()
    return { client: 'nothing', server: await bench.line(server, from, 'tls', silenceMs / waitMs) }
  },
  'Too many sessions': async (bench) => {
    const { hasty } = bench
    const held = [await sessionInTime(hasty.connection), await sessionInTime(hasty.connection)]
    // A line that told of it on the way here silences the next for a second.
    await pause(1_100)
    const from = hasty.log.length
    const client = await failureOf(hasty.connection)
    const line = await bench.line(hasty, from, 'session')
    for (const socket of held) socket.destroy()
    // Whoever comes next finds room.
    const next = await sessionInTime(hasty.connection)
    next.destroy()
    return { client, server: line }
  },
  'The certificate is not registered': (bench) => bench.request(clientOf(bench.authority, 'unknown', now()), 'client'),
  'The client is disabled': (bench) => {
    const pair = registered(bench, 'array-off')
    bench.kmipctl('kmip', 'modifyclient', '--id', 'array-off', '--enabled', 'false')
    return bench.request(pair, 'client')
  },
  'The user of the client is gone or disabled': (bench) => {
    bench.kmipctl('users', 'create', '-n', 'gone')
    const pair = clientOf(bench.authority, 'gone', now())
    bench.kmipctl('kmip', 'createclient', '-n', 'array-gone', '--cert-file', bench.file('gone.pem', String(pair.cert)))
    bench.kmipctl('users', 'modify', '--id', 'gone', '--disabled', 'true')
    return bench.request(pair, 'client')
  },
  'The password is wrong': (bench) =>
    bench.request(registered(bench, 'array-password'), 'credential', passwordHeader('joe', 'a guess')),
  'A password is needed': (bench) => {
    const pair = registered(bench, 'array-none')
    bench.kmipctl('interfaces', 'modify', '-n', 'kmip', '-m', 'tls-cert-and-pw')
    return bench.request(pair, 'credential').finally(() => {
      bench.kmipctl('interfaces', 'modify', '-n', 'kmip', '-m', 'tls-cert-pw-opt')
    })
  },
  'The certificate names no user who is there': (bench) => {
    const { token, id } = JSON.parse(bench.kmipctl('clientmgmt', 'tokens', 'create')) as Record<string, string>
    assert.ok(token !== undefined && id !== undefined)
    bench.kmipctl('interfaces', 'modify', '-n', 'kmip', '-a', 'true', '-r', token)
    return bench.request(clientOf(bench.authority, 'nobody', now()), 'registration').finally(() => {
      bench.kmipctl('interfaces', 'modify', '-n', 'kmip', '-a', 'false')
    })
  },
  'The session speaks no KMIP': (bench) => session(bench, bench.server, 'GET /kmip HTTP/1.1\r\nHost: kmip\r\n\r\n'),
  'A message never becomes whole': (bench) =>
    session(bench, bench.hasty, requestBytes(v1_4, [item('Locate', { attribute: [] })]).subarray(0, 40)),
}
