/** The certificate reader: values as other readers see them, and hostile bytes that must give one kind of error. */
import assert from 'node:assert/strict'
import { createHash, X509Certificate } from 'node:crypto'
import { describe, test } from 'node:test'
import * as fc from 'fast-check'
import { systemEntropy } from '#actor/entropy'
import { createAuthority, issueServerCertificate } from '#identity/authority'
import {
  CertificateError,
  certificateFingerprint,
  certificatesFromPem,
  certificateToPem,
  parseCertificate,
} from '#identity/certificates'
import { escapeNameValue } from '#identity/names'

const nowSeconds = 1_790_000_000
const authority = createAuthority({ C: 'US', O: 'ACME', CN: 'a, "b"' }, nowSeconds, systemEntropy)
const { certificate } = issueServerCertificate(authority, ['localhost', '127.0.0.1'], nowSeconds, systemEntropy)

/** Reads bytes that may be anything; whatever it says must be a CertificateError. */
function read(bytes: Uint8Array): boolean {
  try {
    parseCertificate(bytes)
    return true
  } catch (error) {
    assert.ok(error instanceof CertificateError, String(error))
    return false
  }
}

describe('parseCertificate', () => {
  test('agrees with Node about everything that Node tells', () => {
    for (const der of [authority.certificate, certificate]) {
      const parsed = parseCertificate(der)
      const node = new X509Certificate(der)
      assert.equal(parsed.fingerprint, node.fingerprint256.replaceAll(':', '').toLowerCase())
      assert.equal(parsed.serialHex, node.serialNumber.toLowerCase())
      assert.equal(parsed.serial, BigInt(`0x${node.serialNumber}`))
      assert.equal(parsed.notBeforeSeconds * 1000, node.validFromDate.getTime())
      assert.equal(parsed.notAfterSeconds * 1000, node.validToDate.getTime())
      assert.deepEqual(Buffer.from(parsed.subjectPublicKeyInfo), node.publicKey.export({ format: 'der', type: 'spki' }))
      assert.equal(parsed.isAuthority, node.ca)
      assert.equal(parsed.signatureAlgorithm, '1.2.840.10045.4.3.2')
    }
  })

  test('gives the DER of names and serial as they are in the certificate', () => {
    const parsed = parseCertificate(certificate)
    const whole = Buffer.from(certificate)
    for (const part of [parsed.issuer.der, parsed.subject.der, parsed.serialDer]) assert.ok(whole.includes(part))
    assert.equal(Buffer.from(parsed.serialDer).toString('hex'), `0210${parsed.serialHex}`)
    assert.deepEqual(parsed.issuer.der, parseCertificate(authority.certificate).subject.der)
    assert.equal(parsed.issuer.text, 'CN=a\\, \\"b\\",O=ACME,C=US')
    assert.deepEqual(parsed.extendedKeyUsage, ['1.3.6.1.5.5.7.3.1'])
    assert.deepEqual(parsed.issuerAlternativeNames, [])
  })

  test('every truncation is refused', () => {
    for (let length = 0; length < certificate.length; length++)
      assert.equal(read(certificate.subarray(0, length)), false)
  })

  test('bytes after the end are refused', () => {
    assert.throws(() => parseCertificate(Uint8Array.of(...certificate, 0)), /bytes follow/)
  })

  test('any bytes, and any change of good ones, give a certificate or a CertificateError', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => void read(bytes)))
    fc.assert(
      fc.property(fc.nat(certificate.length - 1), fc.nat(255), (at, value) => {
        const changed = Uint8Array.from(certificate)
        changed[at] = value
        read(changed)
      }),
      { numRuns: 1000 },
    )
  })

  test('deep nesting and great length are refused quickly', () => {
    const deep = Buffer.alloc(60_000)
    for (let at = 0; at < deep.length; at += 2) deep.set([0x30, 0x80], at)
    assert.equal(read(deep), false)
    let nested = Buffer.alloc(0)
    for (let level = 0; level < 3_000; level++) {
      const length = nested.length
      const head = length < 128 ? [0x30, length] : [0x30, 0x82, length >> 8, length & 0xff]
      nested = Buffer.concat([Buffer.from(head), nested])
    }
    assert.equal(read(nested), false)
    assert.throws(() => parseCertificate(new Uint8Array(70_000)), /at most 65536 bytes/)
    assert.equal(read(Buffer.concat([Buffer.from([0x30, 0x82, 0xea, 0x60]), Buffer.alloc(60_000)])), false)
  })
})

describe('PEM', () => {
  test('there and back, several in one text', () => {
    const pem = certificateToPem(authority.certificate) + certificateToPem(certificate)
    assert.deepEqual(certificatesFromPem(`text before\n${pem.replaceAll('\n', '\r\n')}`), [
      authority.certificate,
      certificate,
    ])
    assert.equal(new X509Certificate(pem).fingerprint256.length, 95)
  })

  test('damage is refused', () => {
    for (const text of ['', 'x', '-----BEGIN CERTIFICATE-----\n!!!!\n-----END CERTIFICATE-----']) {
      assert.throws(() => certificatesFromPem(text), CertificateError)
    }
  })

  test('the fingerprint is SHA-256 of the DER', () => {
    assert.equal(certificateFingerprint(certificate), createHash('sha256').update(certificate).digest('hex'))
  })
})

test('escapeNameValue follows RFC 4514', () => {
  for (const [value, expected] of [
    ['plain', 'plain'],
    [' lead', '\\ lead'],
    ['trail ', 'trail\\ '],
    [' ', '\\ '],
    ['#x', '\\#x'],
    ['a+b=c,d;<e>"\\', 'a\\+b\\=c\\,d\\;\\<e\\>\\"\\\\'],
    ['a\u0000b\n', 'a\\00b\\0a'],
    ['é 😀', 'é 😀'],
  ] as const) {
    assert.equal(escapeNameValue(value), expected)
  }
})
