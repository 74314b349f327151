/** Certificates of our own CA: what they hold, and that the `openssl` command finds nothing to say against them. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { systemEntropy } from '#actor/entropy'
import {
  addressBytes,
  createAuthority,
  isDnsName,
  issueClientCertificate,
  issueServerCertificate,
  privateKeyObject,
} from '#identity/authority'
import { CertificateError, certificateToPem, nameField, parseCertificate } from '#identity/certificates'

const nowSeconds = Math.floor(Date.now() / 1000)
const authority = createAuthority({ O: 'kmipd', CN: 'kmipd local CA' }, nowSeconds, systemEntropy)
const directory = mkdtempSync(join(tmpdir(), 'kmipd-authority-'))
after(() => rmSync(directory, { recursive: true }))

function file(name: string, der: Uint8Array): string {
  const path = join(directory, name)
  writeFileSync(path, certificateToPem(der))
  return path
}

function openssl(...parameters: string[]): string {
  return execFileSync('openssl', parameters, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
}

describe('authority', () => {
  const caFile = file('ca.pem', authority.certificate)

  test('the CA is a CA for ten years, and openssl accepts it', () => {
    const ca = parseCertificate(authority.certificate)
    assert.equal(ca.isAuthority, true)
    assert.equal(ca.subject.text, 'CN=kmipd local CA,O=kmipd')
    assert.deepEqual(ca.issuer.der, ca.subject.der)
    assert.ok(ca.notAfterSeconds - nowSeconds >= 3650 * 86_400)
    assert.ok(ca.notBeforeSeconds <= nowSeconds)
    assert.match(openssl('verify', '-x509_strict', '-CAfile', caFile, caFile), /OK/)
    const text = openssl('x509', '-in', caFile, '-noout', '-text')
    for (const expected of ['CA:TRUE', 'Certificate Sign, CRL Sign', 'Subject Key Identifier', 'ecdsa-with-SHA256']) {
      assert.ok(text.includes(expected), expected)
    }
  })

  for (const keyType of ['ec', 'rsa'] as const) {
    test(`a server certificate (${keyType}) has its names and verifies for a server only`, () => {
      const names = ['kms.example.org', 'localhost', '127.0.0.1', '::1']
      const { certificate, privateKey } = issueServerCertificate(authority, names, nowSeconds, systemEntropy, keyType)
      const path = file(`server-${keyType}.pem`, certificate)
      const verify = ['verify', '-x509_strict', '-CAfile', caFile]
      assert.match(openssl(...verify, '-purpose', 'sslserver', '-verify_hostname', 'kms.example.org', path), /OK/)
      assert.match(openssl(...verify, '-verify_ip', '::1', path), /OK/)
      assert.throws(() => openssl(...verify, '-purpose', 'sslclient', path))
      const parsed = parseCertificate(certificate)
      assert.equal(parsed.isAuthority, false)
      assert.deepEqual(
        parsed.subjectAlternativeNames.map(({ kind, value }) => `${kind}:${value}`),
        ['dns:kms.example.org', 'dns:localhost', 'ip:127.0.0.1', 'ip:0:0:0:0:0:0:0:1'],
      )
      const node = new X509Certificate(certificate)
      assert.ok(node.checkPrivateKey(privateKeyObject({ certificate, privateKey })))
      assert.equal(node.checkIssued(new X509Certificate(authority.certificate)), true)
    })
  }

  test('a client certificate has the subject asked for and verifies for a client only', () => {
    const subject = { CN: 'Ünit 7', O: 'ACME', OU: 'KMIP', C: 'US', E: 'a@example.org', UID: 'u7', SN: 'Seven' }
    const { certificate } = issueClientCertificate(authority, subject, nowSeconds, systemEntropy)
    const path = file('client.pem', certificate)
    assert.match(openssl('verify', '-x509_strict', '-CAfile', caFile, '-purpose', 'sslclient', path), /OK/)
    assert.throws(() => openssl('verify', '-CAfile', caFile, '-purpose', 'sslserver', path))
    const parsed = parseCertificate(certificate)
    for (const [label, value] of Object.entries(subject)) {
      assert.equal(nameField(parsed.subject, label as keyof typeof subject), value)
    }
    assert.equal(parsed.subject.text, 'E=a@example.org,UID=u7,SN=Seven,CN=Ünit 7,OU=KMIP,O=ACME,C=US')
    assert.equal(parsed.notAfterSeconds - nowSeconds, 1826 * 86_400)
  })

  test('a certificate does not outlive its CA', () => {
    const { notAfterSeconds } = parseCertificate(authority.certificate)
    const late = notAfterSeconds - 86_400
    const { certificate } = issueClientCertificate(authority, { CN: 'late' }, late, systemEntropy)
    assert.equal(parseCertificate(certificate).notAfterSeconds, notAfterSeconds)
  })

  test('dates from 2050 on are written so that both readers agree', () => {
    const seconds = Date.UTC(2051, 1, 3, 4, 5, 6) / 1000
    const { certificate } = createAuthority({ CN: 'future' }, seconds, systemEntropy)
    assert.equal(parseCertificate(certificate).notBeforeSeconds, seconds - 3600)
    assert.equal(new X509Certificate(certificate).validFromDate.getTime(), (seconds - 3600) * 1000)
  })

  test('serials are positive, of 16 bytes, and each its own', () => {
    const serials = Array.from({ length: 20 }, () => {
      const { serial, serialHex } = parseCertificate(
        issueClientCertificate(authority, { CN: 'c' }, nowSeconds, systemEntropy).certificate,
      )
      assert.ok(serial > 0n)
      assert.equal(serialHex.length, 32)
      return serial
    })
    assert.equal(new Set(serials).size, 20)
  })

  const refused: readonly (readonly [string, () => unknown])[] = [
    ['no subject', () => issueClientCertificate(authority, {}, nowSeconds, systemEntropy)],
    ['empty name', () => issueClientCertificate(authority, { CN: '' }, nowSeconds, systemEntropy)],
    ['long name', () => issueClientCertificate(authority, { CN: 'x'.repeat(65) }, nowSeconds, systemEntropy)],
    ['lone surrogate', () => issueClientCertificate(authority, { CN: '\ud800' }, nowSeconds, systemEntropy)],
    ['country', () => issueClientCertificate(authority, { C: 'U_' }, nowSeconds, systemEntropy)],
    ['e-mail', () => issueClientCertificate(authority, { E: 'ü@example.org' }, nowSeconds, systemEntropy)],
    ['no server name', () => issueServerCertificate(authority, [], nowSeconds, systemEntropy)],
    ['server name', () => issueServerCertificate(authority, ['a b'], nowSeconds, systemEntropy)],
  ]
  for (const [name, run] of refused) test(`refused: ${name}`, () => assert.throws(run, CertificateError))

  test('addresses and DNS names', () => {
    const hex = (text: string) => Buffer.from(addressBytes(text) ?? []).toString('hex')
    assert.equal(hex('192.0.2.255'), 'c00002ff')
    assert.equal(hex('::'), '0'.repeat(32))
    assert.equal(hex('2001:db8::ff00:42:8329'), '20010db8000000000000ff0000428329')
    assert.equal(hex('::ffff:192.0.2.1'), '00000000000000000000ffffc0000201')
    for (const text of ['192.0.2.256', '1.2.3', 'fe80::1%eth0', 'host', ':::', '1::2::3', '::1]/x[']) {
      assert.equal(addressBytes(text), undefined, text)
    }
    assert.ok(isDnsName('a-1.example.org') && isDnsName('localhost') && isDnsName('host_1'))
    for (const text of ['', '-a', 'a..b', 'a.', 'a'.repeat(64), 'a b', 'ü']) assert.ok(!isDnsName(text), text)
  })
})
