/** Revocation lists, read and written, with `openssl` as the judge; and whom they keep out. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { generateKeyPairSync } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { systemEntropy } from '#actor/entropy'
import { AdministrationError } from '#identity/administration-error'
import {
  addExternalAuthority,
  authorityTable,
  createLocalAuthority,
  deleteAuthority,
  issueCertificate,
  issueRequest,
} from '#identity/authorities'
import { type CertificateWithKey, createAuthority, issueClientCertificate, privateKeyPem } from '#identity/authority'
import { revocationTable } from '#identity/authority-records'
import { autoRegister } from '#identity/auto-registration'
import { certificateRequestToPem, createCertificateRequest } from '#identity/certificate-request'
import { certificatesFromPem, certificateToPem, parseCertificate } from '#identity/certificates'
import { findClient, identify, rootDomain } from '#identity/principals'
import { createProfile } from '#identity/profiles'
import { registerCertificate, registerClient, removeClient } from '#identity/registration'
import {
  getIssued,
  isChainRevoked,
  isRevoked,
  issuerOf,
  revocationListOf,
  revokeCertificate,
  setRevocationList,
} from '#identity/revocation'
import { createRevocationList, parseRevocationList, revocationListToPem } from '#identity/revocation-list'
import { createToken, getToken, profileLabel } from '#identity/tokens'
import { chainedCertificates } from './chained.ts'
import { localUser, type Registry, registryWith } from './registered.ts'

const joe = localUser('joe')
const domain = rootDomain

const administrationError = (kind: string, text: RegExp) => (error: unknown) => {
  assert.ok(error instanceof AdministrationError, String(error))
  assert.equal(error.kind, kind, error.message)
  assert.match(error.message, text)
  return true
}

interface External {
  readonly pair: CertificateWithKey
  readonly id: string
}

const externalAuthority = async (registry: Registry, CN = 'Elsewhere', of = domain): Promise<External> => {
  const pair = createAuthority({ CN }, registry.clock.nowSeconds(), systemEntropy)
  const { key: id } = await addExternalAuthority(registry, of, certificateToPem(pair.certificate))
  return { pair, id }
}

const clientOf = (pair: CertificateWithKey, registry: Registry, CN = 'joe'): Uint8Array =>
  issueClientCertificate(pair, { CN }, registry.clock.nowSeconds(), systemEntropy).certificate

const listOf = (pair: CertificateWithKey, certificates: readonly Uint8Array[], nowSeconds: number): Uint8Array =>
  createRevocationList(
    pair,
    certificates.map((each) => ({
      serialHex: parseCertificate(each).serialHex,
      revokedSeconds: nowSeconds,
      reason: 1,
    })),
    nowSeconds,
  )

const withOpenssl = <T>(
  files: Readonly<Record<string, string | Uint8Array>>,
  run: (path: (name: string) => string) => T,
): T => {
  const directory = mkdtempSync(join(tmpdir(), 'kmipd-crl-'))
  try {
    for (const [name, content] of Object.entries(files)) writeFileSync(join(directory, name), content)
    return run((name) => join(directory, name))
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

describe('a revocation list', () => {
  test('of ours convinces openssl', () => {
    const now = Math.floor(Date.parse('2026-01-01T00:00:00Z') / 1000)
    for (const keyType of ['ec', 'rsa'] as const) {
      const pair = createAuthority({ CN: 'CA' }, now, systemEntropy, keyType)
      const [good, bad] = ['good', 'bad'].map(
        (CN) => issueClientCertificate(pair, { CN }, now, systemEntropy).certificate,
      )
      assert.ok(good && bad)
      const files = {
        ca: certificateToPem(pair.certificate),
        good: certificateToPem(good),
        bad: certificateToPem(bad),
        crl: revocationListToPem(listOf(pair, [bad], now)),
      }
      withOpenssl(files, (path) => {
        const at = ['-attime', String(now + 60)]
        const verify = (name: string) =>
          execFileSync(
            'openssl',
            ['verify', ...at, '-crl_check', '-CAfile', path('ca'), '-CRLfile', path('crl'), path(name)],
            {
              stdio: 'pipe',
            },
          )
        assert.match(verify('good').toString(), /OK/)
        assert.throws(() => verify('bad'), /certificate revoked/)
        const text = execFileSync('openssl', ['crl', '-in', path('crl'), '-noout', '-text']).toString()
        assert.match(text, /Key Compromise/)
      })
    }
  })

  const opensslConfiguration =
    '[ca]\ndefault_ca=a\n[a]\ndatabase=$ENV::PLACE/index\ncrlnumber=$ENV::PLACE/number\ndefault_md=default\n'
  const opensslFiles = {
    index: 'R\t360101000000Z\t260102000000Z,keyCompromise\t1F2E\tunknown\t/CN=gone\n',
    number: '01\n',
    config: opensslConfiguration,
  }
  const opensslList = (path: (name: string) => string, ...more: readonly string[]): Buffer =>
    execFileSync(
      'openssl',
      [
        'ca',
        '-gencrl',
        '-config',
        path('config'),
        '-cert',
        path('ca'),
        '-keyfile',
        path('key'),
        '-crldays',
        '30',
        ...more,
      ],
      { env: { PATH: '/usr/bin:/bin', PLACE: path('') }, stdio: 'pipe' },
    )

  test('of openssl is read, by every algorithm', () => {
    const made = (algorithm: readonly string[], more: readonly string[]) =>
      withOpenssl(opensslFiles, (path) => {
        const request = [
          'req',
          '-x509',
          '-nodes',
          '-subj',
          '/CN=CA',
          '-days',
          '9',
          '-keyout',
          path('key'),
          '-out',
          path('ca'),
        ]
        execFileSync('openssl', [...request, ...algorithm], { stdio: 'pipe' })
        const [authority = new Uint8Array()] = certificatesFromPem(readFileSync(path('ca'), 'utf8'))
        return parseRevocationList(opensslList(path, ...more), authority)
      })
    const rsa = ['-newkey', 'rsa:2048']
    const pss = ['-sigopt', 'rsa_padding_mode:pss', '-sigopt', 'rsa_pss_saltlen:32']
    for (const [algorithm, more] of [
      [rsa, ['-md', 'sha256']],
      [rsa, ['-md', 'sha384']],
      [rsa, ['-md', 'sha512']],
      [rsa, ['-md', 'sha256', ...pss]],
      [
        ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-384'],
        ['-md', 'sha384'],
      ],
      [['-newkey', 'ed25519'], []],
    ] as const) {
      assert.deepEqual(made(algorithm, more).serials, ['1f2e'], more.join(' '))
    }
    assert.throws(() => made(rsa, ['-md', 'sha1']), /no known kind/)
  })

  test('of openssl is read; others and damaged ones are not', async () => {
    const registry = await registryWith(joe)
    const { pair } = await externalAuthority(registry)
    const other = createAuthority({ CN: 'Elsewhere' }, registry.clock.nowSeconds(), systemEntropy)
    const files = { ...opensslFiles, ca: certificateToPem(pair.certificate), key: privateKeyPem(pair) }
    const pem = withOpenssl(files, (path) => opensslList(path, '-md', 'sha256'))
    const parsed = parseRevocationList(pem, pair.certificate)
    assert.deepEqual(parsed.serials, ['1f2e'])
    assert.ok(parsed.nextUpdateSeconds !== undefined)
    assert.equal(parsed.nextUpdateSeconds - parsed.thisUpdateSeconds, 30 * 86_400)
    assert.deepEqual(parseRevocationList(parsed.der, pair.certificate), parsed)
    assert.throws(() => parseRevocationList(pem, other.certificate), /not issued and signed by this CA/)
    assert.throws(() => parseRevocationList(Buffer.from('hello'), pair.certificate), /no X509 CRL/)
    for (let at = 0; at < parsed.der.length; at++) {
      const damaged = Uint8Array.from(parsed.der)
      damaged[at] = (damaged[at] ?? 0) ^ 0x41
      assert.throws(() => parseRevocationList(damaged, pair.certificate), { name: 'CertificateError' })
    }
  })
})

test('a list of many certificates is read at once in little time', () => {
  const now = 1_780_000_000
  const pair = createAuthority({ CN: 'CA' }, now, systemEntropy)
  const revoked = Array.from({ length: 20_000 }, (_, index) => ({
    serialHex: (index + 2 ** 30).toString(16).padStart(32, '4'),
    revokedSeconds: now,
    reason: index % 2 === 0 ? 1 : undefined,
  }))
  const list = parseRevocationList(createRevocationList(pair, revoked, now), pair.certificate)
  assert.deepEqual(
    list.serials,
    revoked.map(({ serialHex }) => serialHex),
  )
  assert.equal(list.thisUpdateSeconds, now)
})

test('a list keeps out the clients whom it names, of its own CA alone', async () => {
  const registry = await registryWith(joe)
  const { store, clock } = registry
  const { pair, id } = await externalAuthority(registry)
  // Another CA of the same name signs other clients.
  const twin = createAuthority({ CN: 'Elsewhere' }, clock.nowSeconds(), systemEntropy)
  const certificates = { good: clientOf(pair, registry), bad: clientOf(pair, registry), twin: clientOf(twin, registry) }
  const keys: Record<string, string> = {}
  for (const [name, certificate] of Object.entries(certificates))
    keys[name] = (await registerClient({ certificate, user: joe, name }, registry)).key
  const now = clock.nowSeconds()
  const standing = (name: string) => identify(store, keys[name] ?? '', clock.nowSeconds())
  const { refused } = await setRevocationList(
    registry,
    domain,
    id,
    listOf(pair, [certificates.bad, certificates.twin], now),
  )
  assert.deepEqual(refused, [keys['bad']])
  assert.deepEqual(standing('bad'), { refused: 'certificate revoked' })
  assert.ok('principal' in standing('good') && 'principal' in standing('twin'))

  const older = listOf(pair, [], now - 10)
  await assert.rejects(setRevocationList(registry, domain, id, older), administrationError('conflict', /older/))
  clock.advance(60_000)
  await setRevocationList(registry, domain, id, listOf(pair, [certificates.good], clock.nowSeconds()))
  assert.deepEqual(standing('bad'), { refused: 'client disabled' })
  assert.deepEqual(standing('good'), { refused: 'certificate revoked' })
  const again = { domain, name: 'again', pem: certificateToPem(clientOf(pair, registry)) }
  await registerCertificate(registry, again)
  const pem = certificateToPem(certificates.good)
  await removeClient(keys['good'] ?? '', store)
  const back = registerCertificate(registry, { domain, name: 'back', pem })
  await assert.rejects(back, administrationError('forbidden', /revoked/))
  await deleteAuthority(store, domain, id)
  assert.equal(store.read(revocationTable, id), undefined)
  const own = setRevocationList(registry, domain, registry.authority, older)
  await assert.rejects(own, administrationError('invalid', /local CA/))
})

test('a certificate below a CA that is revoked is registered no more, and is shut out as a chain', async () => {
  const registry = await registryWith(joe, localUser('ann'))
  const { store, clock } = registry
  const { root, intermediate, clients } = chainedCertificates('joe', 'ann')
  const [first, second] = clients.map(({ certificate }) => certificate)
  assert.ok(first && second)
  const { key: id } = await addExternalAuthority(registry, domain, certificateToPem(root.certificate))
  await addExternalAuthority(registry, domain, certificateToPem(intermediate.certificate))
  const { record } = await createToken(registry, { domain })
  const connects = (certificate: Uint8Array) =>
    autoRegister(registry, { certificate, tokenId: record.id, userField: 'CN', mode: 'tls-cert-pw-opt' })
  const chain = [first, intermediate.certificate, root.certificate]
  await connects(first)
  assert.equal(
    isChainRevoked(store, () => chain),
    false,
  )

  await setRevocationList(registry, domain, id, listOf(root, [intermediate.certificate], clock.nowSeconds()))
  assert.equal(
    isChainRevoked(store, () => chain),
    true,
  )
  assert.equal(
    isChainRevoked(store, () => [first, root.certificate]),
    false,
  )
  await assert.rejects(connects(second), administrationError('forbidden', /revoked/))
  const byHand = registerCertificate(registry, { domain, name: 'by hand', pem: certificateToPem(second) })
  await assert.rejects(byHand, administrationError('forbidden', /revoked/))

  clock.advance(60_000)
  await setRevocationList(registry, domain, id, listOf(root, [], clock.nowSeconds()))
  assert.equal(
    isChainRevoked(store, () => chain),
    false,
  )
  await connects(second)
})

test('a CA that is certified by two has two chains, of which one that is not revoked will do', async () => {
  const registry = await registryWith(joe)
  const { store, clock } = registry
  const { root, intermediate, twin, clients } = chainedCertificates('joe')
  const [{ certificate } = { certificate: new Uint8Array() }] = clients
  const { key: id } = await addExternalAuthority(registry, domain, certificateToPem(root.certificate))
  await addExternalAuthority(registry, domain, certificateToPem(intermediate.certificate), 'below the root')
  await setRevocationList(registry, domain, id, listOf(root, [intermediate.certificate], clock.nowSeconds()))
  const pem = certificateToPem(certificate)
  const registered = () => registerCertificate(registry, { domain, name: 'array', pem })
  await assert.rejects(registered(), administrationError('forbidden', /revoked/))
  await addExternalAuthority(registry, domain, certificateToPem(twin.certificate), 'by itself')
  await registered()
  assert.ok(findClient(store, parseCertificate(certificate).fingerprint))
})

test('a certificate of a local CA is revoked', async () => {
  const registry = await registryWith(joe)
  const { store, clock } = registry
  const authority = store.read(authorityTable, registry.authority)
  assert.ok(authority)
  const pair = createAuthority({ CN: 'key only' }, clock.nowSeconds(), systemEntropy)
  const { subjectPublicKeyInfo } = parseCertificate(pair.certificate)
  const issue = async () => {
    const issued = issueCertificate(registry, authority, { subject: { CN: 'joe' }, subjectPublicKeyInfo }, 10)
    await store.commit([issued.change])
    return issued
  }
  const [kept, gone] = [await issue(), await issue()]
  await registerClient({ certificate: gone.certificate, user: joe, name: 'array' }, registry)
  const serial = parseCertificate(gone.certificate).serialHex
  const { refused } = await revokeCertificate(registry, domain, serial, 'superseded')
  assert.deepEqual(refused, [gone.fingerprint])
  assert.deepEqual(identify(store, gone.fingerprint, clock.nowSeconds()), { refused: 'certificate revoked' })
  const issuer = issuerOf(store, gone.certificate)
  assert.equal(issuer?.key, registry.authority)
  assert.equal(isRevoked(store, authority, gone.certificate), true)
  assert.equal(isRevoked(store, authority, kept.certificate), false)
  const list = parseRevocationList(
    Buffer.from(revocationListOf(registry, authority) ?? ''),
    authority.value.certificate,
  )
  assert.deepEqual(list.serials, [serial])
  assert.throws(() => getIssued(store, 'd1', serial), administrationError('not found', /no certificate/))
})

test('a local CA issues for keys of use alone', async () => {
  const registry = await registryWith(joe)
  const issue = (csr: string, days = 10) => issueRequest(registry, { domain, csr, days })
  const csr = (modulusLength: number) =>
    certificateRequestToPem(createCertificateRequest({ CN: 'joe' }, generateKeyPairSync('rsa', { modulusLength })))
  await assert.rejects(issue(csr(1024)), administrationError('invalid', /at least 2048 bits/))
  const good = csr(2048)
  await assert.rejects(issue(good, 0), administrationError('invalid', /days/))
  await assert.rejects(issue(good.replace('A', 'B')), administrationError('invalid', /./))
  const { value } = await issue(good)
  assert.equal(parseCertificate(value.certificate).subject.text, 'CN=joe')
})

describe('auto registration', () => {
  const unknown = (
    certificate: Uint8Array,
    tokenId: string,
    mode: 'tls-cert-pw-opt' | 'tls-pw-opt' = 'tls-cert-pw-opt',
  ) => ({
    certificate,
    tokenId,
    userField: 'CN' as const,
    mode,
  })

  test('binds a certificate to the user whom it names, once, and counts it', async () => {
    const registry = await registryWith(joe)
    const { store } = registry
    const { pair } = await externalAuthority(registry)
    const { record } = await createToken(registry, { domain, maxClients: 2 })
    const certificate = clientOf(pair, registry)
    const made = await Promise.all(
      Array.from({ length: 4 }, () => autoRegister(registry, unknown(certificate, record.id))),
    )
    assert.equal(new Set(made.map(({ value }) => value.clientId)).size, 1)
    assert.equal(getToken(store, domain, record.id).value.clientsRegistered, 1)
    const [client] = made
    assert.equal(client?.value.name, 'joe')
    assert.equal(client?.value.userKey, 'root|local|joe')
    const second = await autoRegister(registry, unknown(clientOf(pair, registry), record.id))
    assert.match(second.value.name, /^joe [0-9a-f]{16}$/)
    await assert.rejects(
      autoRegister(registry, unknown(clientOf(pair, registry), record.id)),
      administrationError('forbidden', /2 clients/),
    )
  })

  test('asks for no user where the token registers nobody any more', async () => {
    const registry = await registryWith(joe)
    const { pair } = await externalAuthority(registry)
    const { record } = await createToken(registry, { domain, maxClients: 1 })
    const validUntilSeconds = registry.clock.nowSeconds() + 60
    const short = await createToken(registry, { domain, validUntilSeconds })
    const first = clientOf(pair, registry)
    const { key } = await autoRegister(registry, unknown(first, record.id))
    registry.clock.advance(61_000)
    let asked = 0
    const attempt = (certificate: Uint8Array, tokenId: string) =>
      autoRegister(registry, unknown(certificate, tokenId), () => ++asked > 0)
    const spent = attempt(clientOf(pair, registry, 'ann'), record.id)
    await assert.rejects(spent, administrationError('forbidden', /1 clients/))
    const over = attempt(clientOf(pair, registry, 'ann'), short.record.id)
    await assert.rejects(over, administrationError('forbidden', /no longer valid/))
    assert.equal(asked, 0)
    assert.equal((await attempt(first, record.id)).key, key, 'who is registered already needs no token')
  })

  test('under tls-pw-opt binds to nobody', async () => {
    const registry = await registryWith(joe)
    const { pair } = await externalAuthority(registry)
    const { record } = await createToken(registry, { domain })
    const { value } = await autoRegister(registry, unknown(clientOf(pair, registry), record.id, 'tls-pw-opt'))
    assert.equal(value.userKey, undefined)
    assert.equal(value.mode, 'tls-pw-opt')
  })

  test('follows the profile of its token', async () => {
    const registry = await registryWith(joe)
    const { pair } = await externalAuthority(registry)
    const properties = { cert_user_field: 'OU', csr_org_unit: 'joe' }
    await createProfile(registry, { domain, name: 'p', properties, deviceCredential: { serial_no: '7' } })
    const { record } = await createToken(registry, { domain, label: { [profileLabel]: 'p' } })
    const subject = { CN: 'array 9', OU: 'joe' }
    const { certificate } = issueClientCertificate(pair, subject, registry.clock.nowSeconds(), systemEntropy)
    const { value } = await autoRegister(registry, unknown(certificate, record.id))
    assert.equal(value.userKey, 'root|local|joe')
    assert.equal(value.name, 'array 9')
    assert.deepEqual(value.deviceCredential, { serial_no: '7' })
  })

  test('refuses the unknown, the revoked, and users of domains that the CA is not of', async () => {
    const registry = await registryWith(joe, localUser('ann', 'd1'))
    const { store, clock } = registry
    const { pair, id } = await externalAuthority(registry)
    const { record } = await createToken(registry, { domain })
    const attempt = (certificate: Uint8Array) => autoRegister(registry, unknown(certificate, record.id))
    await assert.rejects(attempt(clientOf(pair, registry, 'ann')), administrationError('not found', /"local\|ann"/))
    await assert.rejects(attempt(clientOf(pair, registry, 'a|b|c|d')), administrationError('invalid', /names no user/))
    const revoked = clientOf(pair, registry)
    await setRevocationList(registry, domain, id, listOf(pair, [revoked], clock.nowSeconds()))
    await assert.rejects(attempt(revoked), administrationError('forbidden', /revoked/))
    const stranger = createAuthority({ CN: 'Elsewhere' }, clock.nowSeconds(), systemEntropy)
    await assert.rejects(attempt(clientOf(stranger, registry)), administrationError('forbidden', /not known here/))

    await createLocalAuthority(registry, { domain: 'd1', subject: { CN: 'CA of d1' } })
    const ofDomain = await externalAuthority(registry, 'Of d1', 'd1')
    await assert.rejects(
      attempt(clientOf(ofDomain.pair, registry, 'root||joe')),
      administrationError('invalid', /no user of the domain/),
    )
    const { value } = await attempt(clientOf(ofDomain.pair, registry, 'ann'))
    assert.equal(value.userKey, 'd1|local|ann')
    const { key } = await attempt(clientOf(pair, registry))
    assert.ok(findClient(store, key))
    const foreign = await createToken(registry, { domain: 'd1' })
    await assert.rejects(
      autoRegister(registry, unknown(clientOf(pair, registry), foreign.record.id)),
      administrationError('forbidden', /another domain/),
    )
    await assert.rejects(
      autoRegister(registry, unknown(clientOf(pair, registry), 'gone')),
      administrationError('forbidden', /gone/),
    )
  })
})
