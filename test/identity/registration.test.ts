/** Registration by token and profile, and who may not. */
import assert from 'node:assert/strict'
import { createPrivateKey, createPublicKey, generateKeyPairSync, X509Certificate } from 'node:crypto'
import { describe, test } from 'node:test'
import { AdministrationError } from '#identity/administration-error'
import { addExternalAuthority, authorityTable, createLocalAuthority, deleteAuthority } from '#identity/authorities'
import { createAuthority, issueClientCertificate } from '#identity/authority'
import { certificateRequestToPem, createCertificateRequest } from '#identity/certificate-request'
import { certificatesFromPem, certificateToPem, parseCertificate } from '#identity/certificates'
import { deviceCredentialMatches, shownDeviceCredential } from '#identity/device-credential'
import { knownUsers } from '#identity/known-users'
import { DirectoryUnavailable } from '#identity/ldap'
import { findUser, identify } from '#identity/principals'
import { createProfile, deleteProfile, getProfile } from '#identity/profiles'
import { getClient, registerWithToken, setClientStatus } from '#identity/registration'
import { createToken, deleteToken, getToken, type NewToken, profileLabel } from '#identity/tokens'
import { localUser, type Registry, registryWith } from './registered.ts'

const domain = 'root'
const joe = localUser('joe')

const administrationError = (kind: string, text: RegExp) => (error: unknown) => {
  assert.ok(error instanceof AdministrationError, String(error))
  assert.equal(error.kind, kind, error.message)
  assert.match(error.message, text)
  return true
}

const withProfile = async (properties: Record<string, unknown> = { csr_cn: 'joe' }): Promise<Registry> => {
  const registry = await registryWith(joe)
  await createProfile(registry, { domain, name: 'p', properties })
  return registry
}

const newToken = (registry: Registry, more: Partial<NewToken> = {}) =>
  createToken(registry, { domain, label: { [profileLabel]: 'p' }, ...more })

describe('kmip register', () => {
  test('answers a certificate of the user, its key, its request and its CA', async () => {
    const registry = await withProfile({
      csr_cn: 'joe',
      csr_org_name: 'ACME',
      csr_country: 'IN',
      csr_email: 'a@b.example',
    })
    const { token, record } = await newToken(registry, { certDurationDays: 30 })
    assert.equal(record.maxClients, -1)
    const answer = await registerWithToken(registry, { name: 'array', token })
    const certificate = new X509Certificate(answer.cert)
    assert.equal(certificate.subject, 'C=IN\nO=ACME\nCN=joe\nemailAddress=a@b.example')
    assert.ok(certificate.verify(new X509Certificate(answer.clientCa).publicKey))
    assert.ok(answer.key?.startsWith('-----BEGIN RSA PRIVATE KEY-----'))
    const ownKey = createPublicKey(createPrivateKey(answer.key ?? '')).export({ format: 'pem', type: 'spki' })
    assert.equal(certificate.publicKey.export({ format: 'pem', type: 'spki' }), ownKey)
    assert.match(answer.csr, /^-----BEGIN CERTIFICATE REQUEST-----\n/)
    const [der = new Uint8Array()] = certificatesFromPem(answer.cert)
    const { fingerprint, notAfterSeconds } = parseCertificate(der)
    assert.equal(notAfterSeconds, registry.clock.nowSeconds() + 30 * 86_400)
    const who = identify(registry.store, fingerprint, registry.clock.nowSeconds())
    assert.ok('principal' in who)
    assert.equal(who.principal.user, 'local|joe')
    assert.equal(who.principal.clientId, answer.clientId)
    const client = getClient(registry.store, domain, 'array').value
    assert.equal(client.profile, 'p')
    assert.equal(client.tokenId, record.id)
    assert.equal(client.userField, 'CN')
    assert.equal(getToken(registry.store, domain, record.id).value.clientsRegistered, 1)
  })

  test('issues for the key of the profile’s own request', async () => {
    const keys = generateKeyPairSync('rsa', { modulusLength: 2048 })
    const csr = certificateRequestToPem(createCertificateRequest({ OU: 'joe', CN: 'whoever' }, keys))
    const registry = await withProfile({ csr, cert_user_field: 'OU' })
    const { token } = await newToken(registry)
    const answer = await registerWithToken(registry, { name: 'array', token })
    assert.equal(answer.key, undefined)
    assert.equal(answer.csr, csr)
    const { publicKey } = new X509Certificate(answer.cert)
    assert.ok(publicKey.equals(keys.publicKey))
    assert.equal(getClient(registry.store, domain, answer.clientId).value.userKey, 'root|local|joe')
  })

  test('counts its clients exactly when many ask at once', async () => {
    const registry = await withProfile()
    const { token, record } = await newToken(registry, { maxClients: 3 })
    const names = Array.from({ length: 6 }, (_, index) => `array ${index}`)
    const outcomes = await Promise.allSettled(names.map((name) => registerWithToken(registry, { name, token })))
    assert.equal(outcomes.filter(({ status }) => status === 'fulfilled').length, 3)
    for (const outcome of outcomes)
      if (outcome.status === 'rejected')
        administrationError('forbidden', /has registered its 3 clients/)(outcome.reason)
    assert.equal(getToken(registry.store, domain, record.id).value.clientsRegistered, 3)
  })

  test('refuses tokens that are unknown, removed, over or without a profile, and names that are taken', async () => {
    const registry = await withProfile()
    const { store, clock } = registry
    const { token, record } = await newToken(registry, { validUntilSeconds: clock.nowSeconds() + 60 })
    await registerWithToken(registry, { name: 'array', token })
    const register = (text: string, name = 'another') => registerWithToken(registry, { name, token: text })
    await assert.rejects(register(token, 'array'), administrationError('already exists', /called "array"/))
    await assert.rejects(register('x'.repeat(64)), administrationError('forbidden', /no such/))
    clock.advance(61_000)
    await assert.rejects(register(token), administrationError('forbidden', /no longer valid/))
    await deleteToken(store, domain, record.id)
    await assert.rejects(register(token), administrationError('forbidden', /no such/))
    const plain = await createToken(registry, { domain })
    await assert.rejects(register(plain.token), administrationError('invalid', /names no profile/))
    const orphan = await newToken(registry)
    await deleteProfile(store, domain, 'p')
    await assert.rejects(register(orphan.token), administrationError('not found', /no profile "p"/))
  })

  test('a token is shown once and kept as a digest', async () => {
    const registry = await withProfile()
    const { token, record } = await newToken(registry)
    assert.match(token, /^[\w-]{64}$/)
    assert.equal(JSON.stringify(record).includes(token), false)
    await assert.rejects(newToken(registry, { maxClients: 0 }), administrationError('invalid', /max_clients/))
    await assert.rejects(newToken(registry, { certDurationDays: 0.5 }), administrationError('invalid', /cert_duration/))
    await assert.rejects(newToken(registry, { caId: 'nobody' }), administrationError('not found', /no CA/))
  })
})

describe('a domain', () => {
  test('registers its own users with its own CA only', async () => {
    const registry = await registryWith(joe, localUser('joe', 'd1'))
    await createProfile(registry, { domain: 'd1', name: 'p', properties: { csr_cn: 'joe' } })
    const label = { [profileLabel]: 'p' }
    await assert.rejects(
      createToken(registry, { domain: 'd1', label }),
      administrationError('not found', /no local CA/),
    )
    await assert.rejects(
      createToken(registry, { domain: 'd1', label, caId: registry.authority }),
      administrationError('not found', /no CA/),
    )
    await createLocalAuthority(registry, { domain: 'd1', subject: { CN: 'CA of d1' } })
    const { token } = await createToken(registry, { domain: 'd1', label })
    const { clientId } = await registerWithToken(registry, { name: 'array', token })
    assert.equal(getClient(registry.store, 'd1', clientId).value.userKey, 'd1|local|joe')
    assert.throws(() => getClient(registry.store, domain, clientId), administrationError('not found', /no client/))
    await assert.rejects(
      createProfile(registry, { domain: 'd1', name: 'q', properties: { csr_cn: 'root||joe' } }),
      administrationError('invalid', /no user of the domain/),
    )
  })

  test('the root domain may name users of others', async () => {
    const registry = await registryWith(localUser('joe', 'd1'))
    await createProfile(registry, { domain, name: 'p', properties: { csr_cn: 'd1||joe' } })
    const { token } = await newToken(registry)
    const { clientId } = await registerWithToken(registry, { name: 'array', token })
    assert.equal(getClient(registry.store, 'd1', clientId).value.userKey, 'd1|local|joe')
  })
})

describe('a profile', () => {
  test('is refused when its user does not exist or its properties are none', async () => {
    const registry = await registryWith(joe)
    const create = (properties: Record<string, unknown>) => createProfile(registry, { domain, name: 'p', properties })
    await assert.rejects(create({ csr_cn: 'ann' }), administrationError('not found', /"local\|ann" does not exist/))
    await assert.rejects(create({}), administrationError('invalid', /at least one field/))
    await assert.rejects(create({ csr_cn: 'joe', cert_user_field: 'DC' }), administrationError('invalid', /one of CN/))
    await assert.rejects(create({ csr_cn: 'joe', cert_user_field: 'OU' }), administrationError('invalid', /has no OU/))
    await assert.rejects(create({ csr_name: 'joe' }), administrationError('invalid', /no property "csr_name"/))
    await assert.rejects(create({ csr: 'x', csr_cn: 'joe' }), administrationError('invalid', /not both/))
    await assert.rejects(create({ csr: 'x' }), administrationError('invalid', /CERTIFICATE REQUEST/))
    await assert.rejects(create({ csr_cn: 'joe', csr_country: 'India' }), administrationError('invalid', /field C/))
    await create({ cert_user_field: 'E_ND', csr_email: 'joe@example.org', csr_org_unit: '' })
    assert.deepEqual(getProfile(registry.store, domain, 'p').value.properties, {
      cert_user_field: 'E_ND',
      csr_email: 'joe@example.org',
    })
    await assert.rejects(create({ csr_cn: 'joe' }), administrationError('already exists', /"p"/))
  })

  test('gives its clients a device credential', async () => {
    const registry = await registryWith(joe)
    const create = (name: string, deviceCredential: Record<string, unknown>) =>
      createProfile(registry, { domain, name, properties: { csr_cn: 'joe' }, deviceCredential })
    await create('p', { serial_no: '12345', password: 'pa55', media_id: '' })
    const { token } = await newToken(registry)
    await registerWithToken(registry, { name: 'array', token })
    const { deviceCredential = {} } = getClient(registry.store, domain, 'array').value
    assert.deepEqual(deviceCredential, { serial_no: '12345', password: 'pa55' })
    assert.deepEqual(shownDeviceCredential(deviceCredential), { serial_no: '12345' })
    for (const [said, matches] of [
      [{ deviceSerialNumber: '12345', password: 'pa55' }, true],
      [{ deviceSerialNumber: '12345', password: 'pa55', mediaIdentifier: 'more' }, true],
      [{ deviceSerialNumber: '12345' }, false],
      [{ deviceSerialNumber: '12345', password: 'pa56' }, false],
      [{ deviceSerialNumber: 12345, password: 'pa55' }, false],
      [{}, false],
      [undefined, false],
    ] as const) {
      assert.equal(deviceCredentialMatches(deviceCredential, said), matches, JSON.stringify(said))
    }
    assert.equal(deviceCredentialMatches({}, {}), false)
    await assert.rejects(create('q', {}), administrationError('invalid', /at least one/))
    await assert.rejects(create('q', { pin: '1' }), administrationError('invalid', /no field "pin"/))
    await assert.rejects(create('q', { serial_no: 7 }), administrationError('invalid', /serial_no/))
  })
})

test('a user of a directory is known, and gets its record, when the directory has it', async () => {
  const registry = await registryWith(joe)
  let isAway = false
  const knowsUser = knownUsers(registry, {
    async knows({ connection, user }) {
      if (isAway) throw new DirectoryUnavailable('the directory is away', 'Look at it.')
      return connection === 'ldap1' && user === 'ann'
    },
  })
  const create = (name: string, csr_cn: string) =>
    createProfile(registry, { domain, name, properties: { csr_cn } }, knowsUser)
  await create('p', 'ldap1|ann')
  const record = findUser(registry.store, { domain, connection: 'ldap1', user: 'ann' })
  assert.equal(record?.value.connection, 'ldap1')
  assert.equal(record.value.password, undefined)
  const { token } = await newToken(registry)
  const { clientId } = await registerWithToken(registry, { name: 'array', token }, knowsUser)
  assert.equal(getClient(registry.store, domain, clientId).value.userKey, 'root|ldap1|ann')
  await assert.rejects(create('q', 'ldap1|bob'), administrationError('not found', /ldap1\|bob/))
  await assert.rejects(create('q', 'ann'), administrationError('not found', /local\|ann/))
  isAway = true
  await create('r', 'ldap1|ann')
  await assert.rejects(create('q', 'ldap1|bob'), administrationError('unavailable', /ldap1: the directory is away/))
})

test('a client is kept out and let in again', async () => {
  const registry = await withProfile()
  const { store, clock } = registry
  const { token } = await newToken(registry)
  const { clientId } = await registerWithToken(registry, { name: 'array', token })
  const { key } = await setClientStatus(store, domain, clientId, 'disabled')
  assert.deepEqual(identify(store, key, clock.nowSeconds()), { refused: 'client disabled' })
  await setClientStatus(store, domain, 'array', 'active')
  assert.ok('principal' in identify(store, key, clock.nowSeconds()))
})

test('an authority is removed, the server’s own is not', async () => {
  const registry = await registryWith(joe)
  const { store } = registry
  const { key } = await createLocalAuthority(registry, { domain, subject: { CN: 'Other' }, algorithm: 'RSA' })
  const again = createLocalAuthority(registry, { domain, subject: { CN: 'Other' } })
  await assert.rejects(again, administrationError('already exists', /"Other"/))
  await assert.rejects(deleteAuthority(store, domain, registry.authority), administrationError('conflict', /own/))
  await deleteAuthority(store, domain, 'Other')
  assert.equal(store.read(authorityTable, key), undefined)
})

test('an external authority is one certificate of an authority, with a key that TLS knows', async () => {
  const registry = await registryWith(joe)
  const now = registry.clock.nowSeconds()
  const pair = createAuthority({ CN: 'Elsewhere' }, now, registry.entropy)
  const add = (...certificates: readonly Uint8Array[]) =>
    addExternalAuthority(registry, domain, certificates.map(certificateToPem).join(''))
  const leaf = issueClientCertificate(pair, { CN: 'joe' }, now, registry.entropy).certificate
  await assert.rejects(add(leaf), administrationError('invalid', /not the certificate of an authority/))
  await assert.rejects(add(pair.certificate, leaf), administrationError('invalid', /one certificate/))
  await assert.rejects(add(Uint8Array.of(0x30, 4, 0x30, 0, 0x30, 0)), administrationError('invalid', /malformed/))
  const hex = Buffer.from(pair.certificate).toString('hex')
  // The object identifier of EC keys, and one that nobody has given to a kind of key.
  const unknown = Buffer.from(hex.replace('2a8648ce3d0201', '2a8648ce3d0209'), 'hex')
  await assert.rejects(add(unknown), administrationError('invalid', /key that TLS does not know/))
  const { value } = await add(pair.certificate)
  assert.equal(value.name, 'Elsewhere')
  await assert.rejects(add(pair.certificate), administrationError('already exists', /there already/))
})
