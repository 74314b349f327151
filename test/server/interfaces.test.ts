/** Interfaces as living things: made, changed and removed while others serve; whom a change sends away, and whom it does not. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { connect } from 'node:tls'
import { systemClock } from '#actor/clock'
import { systemEntropy } from '#actor/entropy'
import type { Client } from '#client/client'
import { AdministrationError } from '#identity/administration-error'
import { addExternalAuthority, createLocalAuthority } from '#identity/authorities'
import { createAuthority } from '#identity/authority'
import { certificateToPem, parseCertificate } from '#identity/certificates'
import { createConnection, ldapDefaults } from '#identity/connections'
import { allInterfaces, getInterface } from '#identity/interfaces'
import type { UserName } from '#identity/principals'
import { ResultReason } from '#kmip/enums'
import { bindDn, bindPassword, rootDn, startDirectory } from '#test/identity/directory'
import {
  type Identity,
  type InterfacesUnderTest,
  isAuthenticationRefused,
  passwordCredential,
  startInterfaces,
} from '#test/interfaces'
import { freePort } from '#test/running-server'
import { createRequest } from '#test/sample-objects'

const joe: UserName = { domain: 'root', connection: 'local', user: 'joe' }

let under: InterfacesUnderTest
let own: Identity
before(async () => {
  under = await startInterfaces()
  await under.addUser(joe, 'password of joe')
  own = under.issue({ CN: 'joe' })
  await under.register(own, joe)
})
after(() => under[Symbol.asyncDispose]())

const works = async (client: Client): Promise<boolean> =>
  client.create(createRequest()).then(
    () => true,
    () => false,
  )
/** A client connects again by itself: whether its session is the one that it was is seen by this. */
const sessionsOpened = (): number => under.events.filter(({ event }) => event === 'sessionOpened').length
const refusedWith = (kind: string) => (error: unknown) => error instanceof AdministrationError && error.kind === kind

describe('an interface', () => {
  test('is made, listens at once, and is named by its port', async () => {
    const port = await freePort()
    const record = await under.set.create({ port, networkInterface: '127.0.0.1' })
    assert.equal(record.name, `kmip_127.0.0.1_${port}`)
    assert.ok(await works(under.connect(own, { port })))
    assert.equal(getInterface(under.store, record.id).value.name, record.name)
    await under.set.remove(record.name)
    assert.equal(await works(under.connect(own, { port, timeoutMs: 300 })), false)
    assert.throws(() => getInterface(under.store, record.name), refusedWith('not found'))
  })

  test('is named for all addresses when none is given', async () => {
    const port = await freePort()
    const { name } = await under.set.create({ port })
    assert.equal(name, `kmip_all_${port}`)
    await under.set.remove(name)
  })

  test('whose port is taken is refused, and nothing of it is left', async () => {
    await assert.rejects(under.set.create({ port: under.port, networkInterface: '127.0.0.1' }), refusedWith('conflict'))
    const port = await freePort()
    await under.set.create({ port, networkInterface: '127.0.0.1' }, 'second')
    await assert.rejects(under.set.modify('second', { port: under.port }), refusedWith('conflict'))
    assert.ok(await works(under.connect(own, { port })), 'the old port goes on')
    await assert.rejects(under.set.create({ port: await freePort() }, 'second'), refusedWith('already exists'))
    await under.set.remove('second')
    assert.deepEqual(
      allInterfaces(under.store).map(({ name }) => name),
      ['kmip'],
    )
    await assert.rejects(under.set.remove('kmip'), refusedWith('conflict'))
  })

  test('moves to another port: sessions of the old one go on, new ones come to the new one', async () => {
    const [from, to] = [await freePort(), await freePort()]
    await under.set.create({ port: from, networkInterface: '127.0.0.1' }, 'moving')
    const client = under.connect(own, { port: from })
    assert.ok(await works(client))
    const opened = sessionsOpened()
    await under.set.modify('moving', { port: to })
    assert.ok(await works(client))
    assert.equal(sessionsOpened(), opened, 'the same session')
    assert.ok(await works(under.connect(own, { port: to })))
    assert.equal(await works(under.connect(own, { port: from, timeoutMs: 300 })), false)
    await under.set.remove('moving')
  })

  test('has its own answer to whether Destroy leaves anything', async () => {
    const client = under.connect(own)
    const afterDestroy = async (): Promise<number | undefined> => {
      const { uniqueIdentifier } = await client.create(createRequest())
      await client.destroy({ uniqueIdentifier })
      const asked = await client.getAttributeList({ uniqueIdentifier }).catch((error: unknown) => error)
      return asked instanceof Error && 'reason' in asked ? Number(asked.reason) : undefined
    }
    assert.equal(await afterDestroy(), undefined, 'meta-data stays')
    await under.set.modify('kmip', { hardDelete: true })
    assert.equal(await afterDestroy(), ResultReason.ItemNotFound)
    await under.set.modify('kmip', { hardDelete: false })
    assert.equal(await afterDestroy(), undefined)
  })

  test('that would let nobody in, or registers without a token, is refused', async () => {
    await assert.rejects(under.set.modify('kmip', { trustedLocal: [] }), refusedWith('invalid'))
    await assert.rejects(under.set.modify('kmip', { autoRegistration: true }), refusedWith('invalid'))
    const unknown = { autoRegistration: true, registrationToken: 'nobody has made this one' }
    await assert.rejects(under.set.modify('kmip', unknown), refusedWith('forbidden'))
    await assert.rejects(under.set.modify('kmip', { networkInterface: 'no address' }), refusedWith('invalid'))
    await assert.rejects(under.set.modify('elsewhere', {}), refusedWith('not found'))
    await assert.rejects(under.set.modify('kmip', { trustedLocal: ['no CA'] }), refusedWith('not found'))
  })
})

describe('TLS of an interface', () => {
  test('a newer minimum ends the sessions of older versions alone', async () => {
    const [old, newer] = [under.connect(own, { maxVersion: 'TLSv1.2' }), under.connect(own, { minVersion: 'TLSv1.3' })]
    assert.ok((await works(old)) && (await works(newer)))
    const opened = sessionsOpened()
    await under.set.modify('kmip', { minimumTlsVersion: 'tls_1_3' })
    assert.ok(await works(newer))
    assert.equal(sessionsOpened(), opened, 'the same session')
    assert.equal(await works(old), false)
    const refusal = under.events.findLast(({ event }) => event === 'handshakeRefused')
    assert.match(String(refusal?.fields['reason']), /only versions of TLS that this interface refuses/)
    await under.set.modify('kmip', { minimumTlsVersion: 'tls_1_2' })
    assert.ok(await works(under.connect(own, { maxVersion: 'TLSv1.2' })))
  })

  for (const [name, version] of [
    ['tls_1_0', 'TLSv1'],
    ['tls_1_1', 'TLSv1.1'],
  ] as const) {
    test(`${name} is spoken where it is asked for, and warned about`, async () => {
      const old = { minVersion: version, maxVersion: version, ciphers: 'DEFAULT@SECLEVEL=0', timeoutMs: 2_000 }
      assert.equal(await works(under.connect(own, old)), false)
      await under.set.modify('kmip', { minimumTlsVersion: name })
      assert.ok(await works(under.connect(own, old)))
      const warned = under.events.findLast(({ event }) => event === 'oldTlsSpoken')
      assert.deepEqual(warned?.fields, { interface: 'kmip', minimum: name })
      await under.set.modify('kmip', { minimumTlsVersion: 'tls_1_2' })
      assert.equal(await works(under.connect(own, old)), false)
    })
  }

  test('a CA that is trusted no longer takes its sessions with it, and no others', async () => {
    const context = { store: under.store, clock: systemClock, entropy: systemEntropy }
    const other = createAuthority({ CN: 'another CA' }, systemClock.nowSeconds(), systemEntropy)
    const { key } = await addExternalAuthority(context, 'root', certificateToPem(other.certificate))
    const theirs = under.issue({ CN: 'joe' }, other)
    await under.register(theirs, joe)
    assert.equal(await works(under.connect(theirs, { timeoutMs: 2_000 })), false)
    await under.set.modify('kmip', { trustedExternal: [key] })
    const [guest, client] = [under.connect(theirs, { timeoutMs: 2_000 }), under.connect(own)]
    assert.ok((await works(guest)) && (await works(client)))
    const opened = sessionsOpened()
    await under.set.modify('kmip', { trustedExternal: [] })
    assert.ok(await works(client))
    assert.equal(sessionsOpened(), opened, 'the same session')
    assert.equal(await works(guest), false, 'and its TLS session is not resumed')
    const refusal = under.events.findLast(({ event }) => event === 'handshakeRefused')
    assert.match(String(refusal?.fields['reason']), /not issued by a CA that this interface trusts/)
  })

  test('its certificate is what its attributes and its CA say, and the old one serves until then', async () => {
    const shown = async () => {
      const socket = connect({ host: '127.0.0.1', port: under.port, rejectUnauthorized: false })
      const certificate = await new Promise<Buffer>((resolve, reject) => {
        socket.once('secureConnect', () => resolve(socket.getPeerX509Certificate()?.raw ?? Buffer.alloc(0)))
        socket.once('error', reject)
      })
      socket.on('error', () => undefined)
      socket.destroy()
      return parseCertificate(certificate)
    }
    const client = under.connect(own)
    assert.ok(await works(client))
    const before = await shown()
    await under.set.modify('kmip', {
      certificateAttributes: {
        cn: 'kms.example',
        dns_names: ['kms.example'],
        ip_addresses: ['192.0.2.9'],
        email_addresses: ['kms@example.org'],
        names: [{ C: 'DE', O: 'Example', OU: '' }],
      },
    })
    const after = await shown()
    assert.notEqual(after.fingerprint, before.fingerprint)
    assert.match(after.subject.text, /CN=kms\.example/)
    assert.match(after.subject.text, /O=Example/)
    assert.match(after.subject.text, /kms@example\.org/)
    assert.ok(await works(client))
    const context = { store: under.store, clock: systemClock, entropy: systemEntropy }
    const issuer = await createLocalAuthority(context, { domain: 'root', subject: { CN: 'the second CA' } })
    await under.set.modify('kmip', { autoGenCaId: issuer.key })
    const issued = await shown()
    assert.match(issued.issuer.text, /the second CA/)
    const trusting = { ca: certificateToPem(issuer.value.certificate) }
    assert.ok(await works(under.connect(own, trusting)))
    assert.ok(await works(client), 'its session goes on under the certificate that it has seen')
    await assert.rejects(
      under.set.modify('kmip', { certificateAttributes: { dns_names: ['no name'] } }),
      refusedWith('invalid'),
    )
  })
})

test('deleting a client ends its sessions, after what they have asked, and no others', async () => {
  const shown = under.issue({ CN: 'joe', OU: 'deleted' })
  await under.register(shown, joe)
  const port = await freePort()
  await under.set.create({ port, networkInterface: '127.0.0.1' }, 'beside')
  // The interface `kmip` shows a certificate of another CA by now.
  const [client, other] = [under.connect(shown, { port }), under.connect(own, { port })]
  assert.ok((await works(client)) && (await works(other)))
  const opened = sessionsOpened()
  const ended = under.events.filter(({ event }) => event === 'sessionEnded').length
  const last = client.create(createRequest())
  under.set.endSessionsOf(shown.fingerprint)
  await last.catch((error: unknown) => assert.match(String(error), /ConnectionLost|closed|lost/i))
  assert.ok(await works(other))
  assert.equal(sessionsOpened() - opened, 0)
  const ends = under.events.filter(({ event }) => event === 'sessionEnded').slice(ended)
  assert.deepEqual(
    ends.map(({ fields }) => fields['reason']),
    ['drained'],
  )
  await under.set.remove('beside')
})

test('100 changes under load: no request is lost on sessions that stay allowed', async () => {
  const port = await freePort()
  await under.set.create({ port, networkInterface: '127.0.0.1' }, 'busy')
  const clients = await Promise.all(
    Array.from({ length: 4 }, async () => {
      const client = under.connect(own, {
        port,
        minVersion: 'TLSv1.3',
        credentials: [passwordCredential('joe', 'password of joe')],
      })
      assert.ok(await works(client))
      return client
    }),
  )
  const opened = sessionsOpened()
  const load = { answered: 0, lost: 0, goesOn: true }
  const loading = clients.map(async (client) => {
    while (load.goesOn) {
      const results = await Promise.allSettled(Array.from({ length: 8 }, () => client.discoverVersions({})))
      load.answered += results.filter(({ status }) => status === 'fulfilled').length
      load.lost += results.filter(({ status }) => status === 'rejected').length
    }
  })
  const modes = ['tls-cert-and-pw', 'tls-pw-req', 'tls-pw-opt', 'tls-cert-pw-opt'] as const
  const ports = [await freePort(), port]
  const context = { store: under.store, clock: systemClock, entropy: systemEntropy }
  const guest = createAuthority({ CN: 'a guest' }, systemClock.nowSeconds(), systemEntropy)
  const { key } = await addExternalAuthority(context, 'root', certificateToPem(guest.certificate))
  const changes = [
    (round: number) => ({ mode: modes[round % modes.length] }),
    (round: number) => ({ minimumTlsVersion: round % 2 === 0 ? ('tls_1_3' as const) : ('tls_1_2' as const) }),
    (round: number) => ({ port: ports[round % ports.length] }),
    (round: number) => ({ trustedExternal: round % 2 === 0 ? [key] : [] }),
    (round: number) => ({ hardDelete: round % 2 === 0 }),
  ] as const
  for (let round = 0; round < 20; round++) {
    for (const change of changes) {
      await under.set.modify('busy', change(round))
      // A store on disk would take its time, in which others have theirs.
      await new Promise<void>((resolve) => systemClock.after(2, resolve))
    }
  }
  load.goesOn = false
  await Promise.all(loading)
  assert.ok(load.answered > 100, `only ${load.answered} requests were answered`)
  assert.equal(load.lost, 0)
  assert.equal(sessionsOpened(), opened, 'every session is the one that it was')
  await under.set.remove('busy')
})

test('users of a directory log in by it, and a directory that is away is told to operators', async () => {
  const context = { store: under.store, clock: systemClock, entropy: systemEntropy }
  await using directory = await startDirectory()
  const serverUrl = `ldap://127.0.0.1:${directory.port}`
  const settings = { ...ldapDefaults, serverUrl, rootDn, bindDn, bindPassword }
  await createConnection(context, 'root', 'corporate', settings)
  const port = await freePort()
  await under.set.create({ port, networkInterface: '127.0.0.1' }, 'directory')
  const owner = async (username: string, password: string) => {
    const client = under.connect(own, { port, credentials: [passwordCredential(username, password)] })
    return under.ownerOf((await client.create(createRequest())).uniqueIdentifier)
  }
  assert.equal(await owner('corporate|joe', 'password of joe'), 'corporate|joe')
  assert.equal(await owner('joe', 'password of joe'), 'local|joe', 'another joe')
  await assert.rejects(owner('corporate|joe', 'password of ann'), isAuthenticationRefused)
  await directory.stop()
  await assert.rejects(owner('corporate|joe', 'password of joe'), isAuthenticationRefused)
  const told = under.events.findLast(({ event }) => event === 'directoryUnavailable')
  assert.equal(told?.fields['connection'], 'corporate')
  assert.match(String(told?.fields['reason']), /nobody listens there/)
  await under.set.remove('directory')
})
