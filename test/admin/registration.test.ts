/** Tokens, profiles, clients, authorities and revocation over kmipctl, as the reference's lines have them. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { generateKeyPairSync, X509Certificate } from 'node:crypto'
import { chmod, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { systemEntropy } from '#actor/entropy'
import { createAuthority, issueClientCertificate } from '#identity/authority'
import { certificateRequestToPem, createCertificateRequest } from '#identity/certificate-request'
import { certificateToPem, parseCertificate } from '#identity/certificates'
import { createRevocationList, revocationListToPem } from '#identity/revocation-list'
import { type RunningAdministration, startAdministrationUnderTest } from '#test/admin/running-administration'

const program = fileURLToPath(import.meta.resolve('#src/kmipctl'))

type Answer = Readonly<Record<string, unknown>>

const tokenFields = [
  'id',
  'uri',
  'account',
  'application',
  'devAccount',
  'createdAt',
  'updatedAt',
  'token',
  'valid_until',
  'max_clients',
  'cert_duration',
  'clients_registered',
  'ca_id',
  'label',
]

describe('registration over kmipctl', () => {
  let admin: RunningAdministration
  before(async () => {
    admin = await startAdministrationUnderTest()
    await done('users create -n joe -p secret-of-joe')
    await put('profile.json', { cert_user_field: 'CN', csr_cn: 'joe', csr_org_name: 'ACME', csr_country: 'IN' })
    await put('device_cred.json', { serial_no: '12345', password: 'marker-of-device' })
  })
  after(() => admin[Symbol.asyncDispose]())

  const put = (name: string, content: unknown): Promise<void> =>
    writeFile(join(admin.directory, name), typeof content === 'string' ? content : JSON.stringify(content))
  const done = async (words: string): Promise<Answer> => {
    const result = await admin.line(words.split(' '))
    assert.equal(result.code, 0, `${words}: ${result.error}`)
    return (result.json ?? {}) as Answer
  }
  const refused = async (words: string, code: string, text: RegExp = /./): Promise<void> => {
    const result = await admin.line(words.split(' '))
    assert.notEqual(result.code, 0, words)
    const failure = JSON.parse(result.error) as { code: string; message: string }
    assert.equal(failure.code, code, `${words}: ${result.error}`)
    assert.match(failure.message, text)
  }

  test('a token is made with the reference’s members, and shown once', async () => {
    const made = await done('clientmgmt tokens create')
    assert.deepEqual(Object.keys(made).toSorted(), tokenFields.toSorted())
    assert.equal(made['valid_until'], '0001-01-01T00:00:00Z')
    assert.equal(made['max_clients'], -1)
    assert.equal(made['cert_duration'], 730)
    assert.equal(made['clients_registered'], 0)
    assert.equal(made['label'], null)
    const id = String(made['id'])
    const { token, ...rest } = made
    assert.match(String(token), /^[\w-]{64}$/)
    assert.deepEqual(await done(`clientmgmt tokens get --id ${id}`), rest)
    const list = await done('clientmgmt tokens list')
    assert.deepEqual(Object.keys(list), ['skip', 'limit', 'total', 'resources'])
    assert.deepEqual(list['resources'], [rest])
    await done(`clientmgmt tokens delete --id ${id}`)
    await refused(`clientmgmt tokens get --id ${id}`, 'not_found')
    await refused('clientmgmt tokens create --max-clients 0', 'invalid', /max_clients/)
    await refused('clientmgmt tokens create --valid-until tomorrow', 'invalid', /valid_until/)
    const limited = await done('clientmgmt tokens create --max-clients 2 --cert-duration 30 --valid-until 2030-01-01')
    assert.equal(limited['valid_until'], '2030-01-01T00:00:00.000Z')
    assert.equal(limited['max_clients'], 2)
  })

  test('profile, token, registration: the reference’s three lines', async () => {
    const profile = await done('kmip createprofile -p kmipprofile1 -c profile.json -d device_cred.json')
    assert.equal(profile['name'], 'kmipprofile1')
    assert.deepEqual(profile['properties'], {
      cert_user_field: 'CN',
      csr_cn: 'joe',
      csr_org_name: 'ACME',
      csr_country: 'IN',
    })
    assert.deepEqual(profile['device_credential'], { serial_no: '12345' })
    assert.deepEqual(await done('kmip getprofile -p kmipprofile1'), profile)
    assert.equal((await done('kmip listprofiles'))['total'], 1)
    const token = await done('kmip createkmipregtoken -p kmipprofile1')
    assert.deepEqual(token['label'], { KmipClientProfile: 'kmipprofile1' })
    const text = String(token['token'])
    const line = `kmip register -n KmipClient2 -t ${text} --kmipCertOutFile ClientCert.pem --kmipKeyOutFile ClientKey.pem`
    const answer = await done(line)
    assert.deepEqual(Object.keys(answer).toSorted(), ['cert', 'client_ca', 'client_id', 'csr', 'key'])
    const cert = await readFile(join(admin.directory, 'ClientCert.pem'), 'utf8')
    const keyFile = join(admin.directory, 'ClientKey.pem')
    assert.equal(cert, answer['cert'])
    assert.equal((await stat(keyFile)).mode & 0o777, 0o600)
    assert.match(await readFile(keyFile, 'utf8'), /^-----BEGIN RSA PRIVATE KEY-----/)
    assert.equal(new X509Certificate(cert).verify(new X509Certificate(String(answer['client_ca'])).publicKey), true)

    const client = await done('kmip getclient --id KmipClient2')
    assert.equal(client['id'], answer['client_id'])
    assert.equal(client['user'], 'local|joe')
    assert.equal(client['state'], 'active')
    assert.equal(client['profile'], 'kmipprofile1')
    assert.deepEqual(client['device_credential'], { serial_no: '12345' })
    assert.equal((await done(`clientmgmt tokens get --id ${String(token['id'])}`))['clients_registered'], 1)
    await refused(line, 'already_exists', /KmipClient2/)
    assert.equal((await done(`kmip modifyclient --id KmipClient2 --enabled false`))['state'], 'disabled')
    assert.ok(admin.ended.includes(String(client['fingerprint'])))
    await done('kmip deleteclient --id KmipClient2')
    await refused('kmip getclient --id KmipClient2', 'not_found')
    assert.equal(admin.ended.filter((each) => each === client['fingerprint']).length, 2)
    await done('kmip deleteprofile -p kmipprofile1')
    await refused(line, 'not_found', /no profile/)
    assert.equal(JSON.stringify(admin.events).includes(text), false)
  })

  test('a profile is the one of this name, whatever the name is', async () => {
    await put('plain.json', { csr_cn: 'joe', csr_org_name: 'Plain' })
    await put('team.json', { csr_cn: 'joe', csr_org_name: 'Team' })
    await done('kmip createprofile -p array -c plain.json')
    await refused('kmip getprofile -p team:array', 'not_found')
    const profile = await done('kmip createprofile -p team:array -c team.json')
    for (const name of ['team:array', profile['id'], profile['uri']])
      assert.deepEqual(await done(`kmip getprofile -p ${String(name)}`), profile)
    const { token, label } = await done('kmip createkmipregtoken -p team:array')
    assert.deepEqual(label, { KmipClientProfile: 'team:array' })
    const { cert } = await done(`kmip register -n of-team -t ${String(token)}`)
    assert.match(new X509Certificate(String(cert)).subject, /O=Team/)
    await done('kmip deleteprofile -p team:array')
    await refused(`kmip register -n of-team-too -t ${String(token)}`, 'not_found', /no profile/)
    await done('kmip deleteprofile -p array')
    await done('kmip deleteclient -i of-team')
  })

  test('a key is for its owner alone, and not lost where its file cannot be written', async () => {
    await put('spare.json', { csr_cn: 'joe' })
    await done('kmip createprofile -p spare -c spare.json')
    const { token } = await done('kmip createkmipregtoken -p spare')
    for (const name of ['open.key', 'open.pem']) {
      await put(name, 'of before, and longer than nothing')
      await chmod(join(admin.directory, name), 0o644)
    }
    const register = ['kmip', 'register', '-t', String(token), '-n']
    const files = ['--kmipCertOutFile', 'open.pem', '--kmipKeyOutFile', 'open.key']
    await promisify(execFile)(process.execPath, [program, ...register, 'first', ...files], {
      cwd: admin.directory,
      env: { KMIPCTL_SOCKET: 'admin.sock' },
    })
    assert.match(await readFile(join(admin.directory, 'open.key'), 'utf8'), /^-----BEGIN RSA [^]*-----\n$/)
    const modes = ['open.key', 'open.pem'].map(async (name) => (await stat(join(admin.directory, name))).mode & 0o777)
    assert.deepEqual(await Promise.all(modes), [0o600, 0o644])
    const lost = await admin.line([...register, 'second', '--kmipKeyOutFile', 'none/key', '--kmipCertOutFile', 'cert'])
    assert.equal(lost.code, 2)
    assert.match(lost.error, /kmipKeyOutFile: the file none\/key cannot be written/)
    assert.match(String((lost.json as Answer)['key']), /^-----BEGIN RSA/)
    assert.equal(await readFile(join(admin.directory, 'cert'), 'utf8'), (lost.json as Answer)['cert'])
    const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    await put('own.json', {
      csr: certificateRequestToPem(createCertificateRequest({ CN: 'joe' }, { publicKey, privateKey })),
    })
    await done('kmip createprofile -p request -c own.json')
    const { token: another } = await done('kmip createkmipregtoken -p request')
    const keyless = ['kmip', 'register', '-n', 'third', '-t', String(another), '--kmipKeyOutFile', 'open.key']
    assert.match((await admin.line(keyless)).error, /kmipKeyOutFile: the answer has no key, and open.key is as it was/)
    assert.match(await readFile(join(admin.directory, 'open.key'), 'utf8'), /^-----BEGIN RSA/)
    for (const name of ['first', 'second', 'third']) await done(`kmip deleteclient -i ${name}`)
    for (const name of ['spare', 'request']) await done(`kmip deleteprofile -p ${name}`)
  })

  test('a token needs no log-in, everything else does', async () => {
    await put('own.json', { csr_cn: 'joe' })
    await done('kmip createprofile -p own -c own.json')
    const { token } = await done('kmip createkmipregtoken -p own --max-clients 1')
    const far = await admin.remoteLine(['kmip', 'register', '-n', 'far', '-t', String(token)], {})
    assert.equal(far.code, 0, far.error)
    const again = await admin.remoteLine(['kmip', 'register', '-n', 'farther', '-t', String(token)], {})
    assert.match(again.error, /has registered its 1 clients/)
    const wrong = await admin.remoteLine(['kmip', 'register', '-n', 'far', '-t', 'x'.repeat(64)], {})
    assert.match(wrong.error, /no such registration token/)
    const list = await admin.remoteLine(['kmip', 'listclients'], {})
    assert.match(list.error, /unauthenticated/)
  })

  test('a certificate that a client has is registered by hand', async () => {
    const pair = createAuthority({ CN: 'Corporate CA' }, admin.clock.nowSeconds(), systemEntropy)
    const { certificate } = issueClientCertificate(pair, { CN: 'joe' }, admin.clock.nowSeconds(), systemEntropy)
    await put('array7.pem', certificateToPem(certificate))
    const client = await done('kmip createclient -n array7 -c array7.pem')
    assert.equal(client['user'], 'local|joe')
    assert.equal(client['fingerprint'], parseCertificate(certificate).fingerprint)
    await refused('kmip createclient -n array8 -c array7.pem', 'already_exists', /registered already/)
    await refused('kmip createclient -n array8 -c array7.pem -u nobody', 'not_found', /nobody/)

    await put('ca.pem', certificateToPem(pair.certificate))
    const authority = await done('ca externals create -c ca.pem')
    assert.equal(authority['name'], 'Corporate CA')
    const now = admin.clock.nowSeconds()
    const revoked = [{ serialHex: parseCertificate(certificate).serialHex, revokedSeconds: now, reason: 1 }]
    await put('ca.crl', revocationListToPem(createRevocationList(pair, revoked, now)))
    const list = await done(`ca crls set -i ${String(authority['id'])} -c ca.crl`)
    assert.equal(list['revoked_count'], 1)
    assert.ok(admin.ended.includes(client['fingerprint']))
    assert.equal((await done('kmip getclient -i array7'))['state'], 'revoked')
    await refused('kmip modifyclient -i array7 --enabled true', 'conflict', /revoked/)
    assert.equal((await done('ca crls list'))['total'], 1)
    await done(`ca crls get -i ${String(authority['id'])} --crl-out-file again.crl`)
    assert.equal(
      await readFile(join(admin.directory, 'again.crl'), 'utf8'),
      await readFile(join(admin.directory, 'ca.crl'), 'utf8'),
    )
    await refused('ca externals create -c ca.pem', 'already_exists')
    await refused('ca externals create -c array7.pem', 'invalid', /not the certificate of an authority/)
    await done(`ca externals delete -i ${String(authority['id'])}`)
    await refused(`ca externals get -i ${String(authority['id'])}`, 'not_found')
  })

  test('a local CA issues and revokes', async () => {
    const made = await done('ca locals create --cn Storage --org-name ACME --algorithm RSA')
    const keys = generateKeyPairSync('rsa', { modulusLength: 2048 })
    await put('a.csr', certificateRequestToPem(createCertificateRequest({ CN: 'joe' }, keys)))
    const issued = await done('ca certs issue --ca-id Storage -c a.csr --cert-out-file a.pem --duration 10')
    assert.equal(issued['ca_id'], made['id'])
    const certificate = new X509Certificate(await readFile(join(admin.directory, 'a.pem')))
    assert.ok(certificate.verify(new X509Certificate(String(made['cert'])).publicKey))
    assert.ok(certificate.publicKey.equals(keys.publicKey))
    await done('kmip createclient -n issued -c a.pem')
    const revoked = await done(`ca certs revoke -i ${String(issued['serial_number'])} --reason superseded`)
    assert.notEqual(revoked['revoked_at'], null)
    assert.equal((await done('kmip getclient -i issued'))['state'], 'revoked')
    assert.match(String((await done('ca crls get -i Storage'))['crl']), /^-----BEGIN X509 CRL-----/)
    assert.ok(Number((await done('ca certs list'))['total']) >= 1)
    await refused('ca certs revoke -i 00', 'not_found')
    await refused('ca locals create --cn Storage', 'already_exists')
    const { resources } = await done('ca locals list')
    const [own] = (resources as readonly Answer[]).filter((each) => each['built_in'] === true)
    await refused(`ca locals delete -i ${String(own?.['id'])}`, 'conflict')
    await done('ca locals delete -i Storage')
  })

  test('a domain sees its own alone', async () => {
    await done('domains create -n finance')
    const inFinance = { environment: { KMIPCTL_DOMAIN: 'finance' } }
    const list = async (...words: string[]): Promise<unknown> => {
      const { json } = await admin.line(words, inFinance)
      return (json as Answer | undefined)?.['total']
    }
    assert.equal(await list('kmip', 'listclients'), 0)
    assert.equal(await list('ca', 'locals', 'list'), 0)
    assert.equal(await list('clientmgmt', 'tokens', 'list'), 0)
    const token = await admin.line(['clientmgmt', 'tokens', 'create'], inFinance)
    assert.match(token.error, /no local CA/)
  })

  test('nothing of it failed, and no secret is told', () => {
    assert.deepEqual(admin.failures, [])
    assert.equal(JSON.stringify(admin.events).includes('marker-of-device'), false)
  })
})
