/** The first start and those after it: what is made, what stays, and what a crash at any step leaves to be completed. */
import assert from 'node:assert/strict'
import { createPrivateKey, X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, test } from 'node:test'
import { connect, createServer, type TLSSocket } from 'node:tls'
import { SettableClock, systemClock } from '#actor/clock'
import { systemEntropy } from '#actor/entropy'
import { type BootstrapOptions, bootstrap, certificateTable } from '#identity/bootstrap'
import { certificateFingerprint, certificatesFromPem, parseCertificate } from '#identity/certificates'
import { passwordMatches } from '#identity/login'
import { clientTable, findUser, identify, userTable } from '#identity/principals'
import { removeClient } from '#identity/registration'
import { peerCertificate, ticketKeysBytes, tlsServerOptions } from '#server/tls'
import { MemoryStore } from '#store/memory'
import type { Change, Store } from '#store/store'

const names = ['ca.pem', 'client.pem', 'client.key', 'admin-password'] as const
let directory = ''
beforeEach(() => (directory = mkdtempSync(join(tmpdir(), 'kmipd-bootstrap-'))))
afterEach(() => rmSync(directory, { recursive: true }))

const newStore = () => new MemoryStore([userTable, clientTable, certificateTable])
const path = (name: string) => join(directory, 'bootstrap', name)
const text = (name: string) => readFileSync(path(name), 'utf8')
const all = () => names.map(text)

function options(store: Store, changes: Partial<BootstrapOptions> = {}): BootstrapOptions {
  const fixed = { directory, store, clock: systemClock, entropy: systemEntropy }
  return { ...fixed, hostName: 'kms1.example.org', certificateNames: [], rsaToo: false, ...changes }
}

function clientFingerprint(): string {
  const [der] = certificatesFromPem(text('client.pem'))
  assert.ok(der)
  return certificateFingerprint(der)
}

/** What the files say must be what the store knows. */
async function assertComplete(store: Store): Promise<void> {
  const identity = identify(store, clientFingerprint(), systemClock.nowSeconds())
  assert.ok('principal' in identity)
  assert.equal(identity.principal.user, 'local|kmip')
  assert.equal(identity.principal.administrator, false)
  const certificate = new X509Certificate(text('client.pem'))
  assert.ok(certificate.checkPrivateKey(createPrivateKey(text('client.key'))))
  assert.ok(certificate.verify(new X509Certificate(text('ca.pem')).publicKey))
  const admin = findUser(store, { domain: 'root', connection: 'local', user: 'admin' })?.value
  assert.ok(admin?.password && admin.administrator)
  assert.ok(await passwordMatches(text('admin-password').trimEnd(), admin.password))
}

describe('first start', () => {
  test('makes files that only their owner reads, and records that fit them', async () => {
    const store = newStore()
    const { made } = await bootstrap(options(store))
    assert.deepEqual(made.toSorted(), names.map(path).toSorted())
    assert.deepEqual(readdirSync(join(directory, 'bootstrap')).toSorted(), names.toSorted())
    assert.equal(statSync(join(directory, 'bootstrap')).mode & 0o777, 0o700)
    for (const name of names) assert.equal(statSync(path(name)).mode & 0o777, 0o600)
    await assertComplete(store)
  })

  test('leaves no private key but the client’s on the disk', async () => {
    const { servers } = await bootstrap(options(newStore()))
    const keys = all()
      .join('')
      .match(/BEGIN PRIVATE KEY/g)
    assert.equal(keys?.length, 1)
    for (const { privateKeyPem } of servers) assert.ok(!all().includes(privateKeyPem))
  })

  test('gives a server certificate for all names, which the client trusts and which knows the client', async () => {
    const { servers, authorityPem } = await bootstrap(options(newStore(), { certificateNames: ['192.0.2.7'] }))
    const [own] = servers
    assert.ok(own)
    const certificate = new X509Certificate(own.certificatePem)
    for (const host of ['localhost', 'kms1.example.org']) assert.equal(certificate.checkHost(host), host)
    for (const address of ['127.0.0.1', '::1', '192.0.2.7']) assert.ok(certificate.checkIP(address), address)

    const material = {
      server: servers,
      trusted: certificatesFromPem(authorityPem),
      ticketKeys: systemEntropy.bytes(ticketKeysBytes),
    }
    const limits = { handshakeTimeoutMs: 5_000, keepAliveDelayMs: 60_000, tlsSessionLifetimeSeconds: 60 }
    const server = createServer(
      tlsServerOptions(material, { ...limits, minTlsVersion: 'TLSv1.2', tlsProfile: 'modern' }),
    )
    server.on('secureConnection', (socket: TLSSocket) => socket.end(peerCertificate(socket)?.fingerprint ?? 'none'))
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    const files = { ca: text('ca.pem'), cert: text('client.pem'), key: text('client.key') }
    const socket = connect({ host: '127.0.0.1', port, servername: 'localhost', ...files })
    const [data]: unknown[] = await once(socket, 'data')
    assert.equal(String(data), clientFingerprint())
    socket.destroy()
    server.close()
  })

  test('a directory of another store is refused', async () => {
    await bootstrap(options(newStore()))
    await assert.rejects(bootstrap(options(newStore())), /of an older one, with all keys: restore a backup/)
  })

  test('a machine whose name no certificate can have starts nevertheless', async () => {
    for (const hostName of ['', 'a b', 'x'.repeat(70), 'ü']) {
      rmSync(join(directory, 'bootstrap'), { recursive: true, force: true })
      const { servers } = await bootstrap(options(newStore(), { hostName }))
      assert.equal(new X509Certificate(servers[0]?.certificatePem ?? '').checkHost('localhost'), 'localhost')
    }
  })

  test('an RSA certificate beside the other when asked for', async () => {
    const store = newStore()
    const { servers } = await bootstrap(options(store, { rsaToo: true }))
    const types = servers.map(({ certificatePem }) => new X509Certificate(certificatePem).publicKey.asymmetricKeyType)
    assert.deepEqual(types, ['ec', 'rsa'])
    assert.deepEqual((await bootstrap(options(store, { rsaToo: true }))).servers, servers)
  })
})

describe('later starts', () => {
  test('change nothing', async () => {
    const store = newStore()
    const first = await bootstrap(options(store))
    const before = all()
    const second = await bootstrap(options(store))
    assert.deepEqual(all(), before)
    assert.deepEqual(second, { ...first, made: [] })
  })

  test('do not bring back what the administrator has taken away', async () => {
    const store = newStore()
    await bootstrap(options(store))
    const fingerprint = clientFingerprint()
    await removeClient(fingerprint, store)
    const key = 'root|local|kmip'
    const user = store.read(userTable, key)
    assert.ok(user)
    const { revision, value } = user
    await store.commit([{ table: userTable.name, key, revision, previous: value, value: undefined }])
    for (const name of ['client.pem', 'client.key', 'admin-password']) rmSync(path(name))
    assert.deepEqual((await bootstrap(options(store))).made, [])
    assert.equal(store.read(userTable, key), undefined)
    assert.ok(!existsSync(path('client.key')) && !existsSync(path('admin-password')))
  })

  test('give ca.pem back', async () => {
    const store = newStore()
    await bootstrap(options(store))
    const before = text('ca.pem')
    rmSync(path('ca.pem'))
    assert.deepEqual((await bootstrap(options(store))).made, [path('ca.pem')])
    assert.equal(text('ca.pem'), before)
  })

  test('issue a new server certificate of the same CA for other names', async () => {
    const store = newStore()
    const first = await bootstrap(options(store))
    const second = await bootstrap(options(store, { hostName: 'kms2.example.org' }))
    assert.equal(second.authorityPem, first.authorityPem)
    assert.notDeepEqual(second.servers, first.servers)
    const certificate = new X509Certificate(second.servers[0]?.certificatePem ?? '')
    assert.equal(certificate.checkHost('kms2.example.org'), 'kms2.example.org')
    assert.ok(certificate.verify(new X509Certificate(first.authorityPem).publicKey))
  })

  test('issue a new one near its end, but not over and over at the end of the CA', async () => {
    const store = newStore()
    const clock = new SettableClock()
    const first = await bootstrap(options(store, { clock }))
    const endOf = (pem: string | undefined) => parseCertificate(certificatesFromPem(pem ?? '')[0] ?? new Uint8Array())
    clock.set((endOf(first.servers[0]?.certificatePem).notAfterSeconds - 30 * 86_400) * 1000)
    const second = await bootstrap(options(store, { clock }))
    assert.notDeepEqual(second.servers, first.servers)
    const authorityEnd = endOf(first.authorityPem).notAfterSeconds
    clock.set((authorityEnd - 30 * 86_400) * 1000)
    const third = await bootstrap(options(store, { clock }))
    assert.equal(endOf(third.servers[0]?.certificatePem).notAfterSeconds, authorityEnd)
    assert.deepEqual((await bootstrap(options(store, { clock }))).servers, third.servers)
  })
})

describe('a crash', () => {
  /** A store that dies at a commit, before or after the disk has it. */
  function failing(store: Store, at: number, applied: boolean): Store {
    let commits = 0
    return {
      read: (table, key) => store.read(table, key),
      findInTurns: (table, query) => store.findInTurns(table, query),
      find: (table, query) => store.find(table, query),
      revision: (table, key) => store.revision(table, key),
      committed: () => store.committed(),
      least: (table, field) => store.least(table, field),
      onChanged: (listener) => store.onChanged(listener),
      close: () => store.close(),
      async commit(changes: readonly Change[]) {
        const dies = ++commits === at
        if (dies && !applied) throw new Error('crash')
        const result = await store.commit(changes)
        if (dies) throw new Error('crash')
        return result
      },
    }
  }

  for (let at = 1; at <= 5; at++) {
    for (const applied of [false, true]) {
      test(`${applied ? 'after' : 'before'} commit ${at} is completed by the next start, with the same CA`, async () => {
        const store = newStore()
        await assert.rejects(bootstrap(options(failing(store, at, applied))), /crash/)
        const authority = store.read(certificateTable, 'authority')?.value.certificate
        const { authorityPem } = await bootstrap(options(store))
        if (authority) assert.deepEqual(certificatesFromPem(authorityPem), [authority])
        await assertComplete(store)
        const before = all()
        assert.deepEqual((await bootstrap(options(store))).made, [])
        assert.deepEqual(all(), before)
      })
    }
  }

  test('that left half a file is cleared away', async () => {
    const store = newStore()
    await assert.rejects(bootstrap(options(failing(store, 2, false))), /crash/)
    writeFileSync(path('client.key.new'), 'half', { mode: 0o644 })
    await bootstrap(options(store))
    assert.deepEqual(readdirSync(join(directory, 'bootstrap')).toSorted(), names.toSorted())
    assert.equal(statSync(path('client.key')).mode & 0o777, 0o600)
    await assertComplete(store)
  })
})
